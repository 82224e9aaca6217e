"""The bare program: what the same answers cost when nothing is decided about them.

A page is the shop's own bytes, ready-made. A refused checkout is one minimal script and the bytes of
the refusal; an accepted one the same with a call to Stripe; a webhook one minimal script. There is no
Flask, no template, no session, no form protection, no ledger and no list of what is due.

It runs under the shop's ``gunicorn.conf.py`` as ``benchmarks.controls:app``, and reads the recorded
answers from the file that ``BENCH_ANSWERS`` names.
"""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from storefront.clients.stripe_api import Stripe
from storefront.storage.connection import connect

HOLD = """
local left = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if left < tonumber(ARGV[2]) then return 0 end
redis.call('HINCRBY', KEYS[1], ARGV[1], -ARGV[2])
redis.call('HSET', KEYS[2], 'state', 'open', 'sku', ARGV[1], 'quantity', ARGV[2])
return 1
"""
SETTLE = """
if redis.call('HGET', KEYS[1], 'state') ~= 'open' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'paid')
local line = redis.call('HMGET', KEYS[1], 'sku', 'quantity')
redis.call('HINCRBY', KEYS[2], line[1], line[2])
return 1
"""
STOCK, SOLD, ORDER = "{bare}:stock", "{bare}:sold", "{bare}:order:"

Start = Callable[[str, list[tuple[str, str]]], Any]


class Bare:
    """The program, with its connections."""

    def __init__(self, answers: Path, redis_url: str, stripe_url: str) -> None:
        self._answers = {
            name: (found["status"], [(k, v) for k, v in found["headers"]], found["body"].encode())
            for name, found in json.loads(answers.read_text("utf-8")).items()
        }
        self._pages = {"/": "shelf", "/products/record": "product"}
        client = connect(redis_url)
        self._hold = client.register_script(HOLD)
        self._settle = client.register_script(SETTLE)
        self._stripe = Stripe("sk_test_bare", api_base=stripe_url)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """One request."""
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "GET":
            return self._send(start, self._pages.get(path, "shelf"))
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        return self._checkout(start, body) if path == "/checkout" else self._paid(start, body)

    def _checkout(self, start: Start, body: bytes) -> Iterable[bytes]:
        form = parse_qs(body.decode())
        order = secrets.token_hex(16)
        if not self._hold([STOCK, ORDER + order], [form["sku"][0], form["quantity"][0]]):
            return self._send(start, "refused")
        made = self._stripe.create_session(params(order), f"order:{order}:session:1")
        return self._send(start, "accepted", {"Location": made.url})

    def _paid(self, start: Start, body: bytes) -> Iterable[bytes]:
        paid = json.loads(body)["data"]["object"]
        if not self._settle([ORDER + paid["client_reference_id"], SOLD]):
            return self._send(start, "shelf")
        return self._send(start, "webhook")

    def _send(self, start: Start, name: str, other: dict[str, str] | None = None) -> list[bytes]:
        status, headers, body = self._answers[name]
        start(status, [(k, (other or {}).get(k, v)) for k, v in headers])
        return [body]


def params(order: str) -> dict[str, Any]:
    """A session for one unit, asked for with the same fields as the shop's."""
    metadata = {"order": order, "shop": "bare", "lines": "tote=1"}
    link = f"http://localhost:8000/orders/{order}00000000000000000000"
    price = {
        "currency": "usd",
        "unit_amount": 1800,
        "product_data": {"name": "Tote bag", "metadata": {"sku": "tote"}},
    }
    return {
        "mode": "payment",
        "client_reference_id": order,
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": link,
        "cancel_url": link,
        "expires_at": int(time.time()) + 1920,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "custom_text": {
            "submit": {"message": "We hold this for you until 20:00 UTC (01 December)."}
        },
    }


app = Bare(
    Path(os.environ["BENCH_ANSWERS"]), os.environ["REDIS_URL"], os.environ["STRIPE_API_BASE"]
)
