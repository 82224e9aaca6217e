"""A Stripe that answers at once: ``python -m benchmarks.instant_stripe PORT``.

It makes Checkout Sessions as large as Stripe's and checks nothing, so that what a checkout costs is
measured and not what waiting for Stripe costs. A session's id holds its order's, so nothing is kept.
"""

import hashlib
import hmac
import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from gevent import socket
from gevent.server import StreamServer

from benchmarks import load

BLANK: dict[str, Any] = json.loads((Path(__file__).parent / "session.json").read_text("utf-8"))
PREFIX = "cs_test_"
LISTS = tuple(
    f"GET /v1/{name}?".encode()
    for name in ("checkout/sessions", "payment_intents", "payment_links")
)
"""What is asked for and always empty."""


def session(order: str, shop: str, amount: int) -> dict[str, Any]:
    """An open Checkout Session of an order; ``amount`` in minor units."""
    return BLANK | {
        "id": PREFIX + order,
        "amount_subtotal": amount,
        "amount_total": amount,
        "client_reference_id": order,
        "created": int(time.time()),
        "metadata": {"order": order, "shop": shop},
        "url": f"http://localhost/c/pay/{PREFIX}{order}",
    }


def paid_event(order: str, shop: str, amount: int) -> bytes:
    """The body that Stripe would send when the order's session is paid."""
    shopper = dict.fromkeys(("address", "business_name", "individual_name", "phone", "tax_ids"))
    paid = session(order, shop, amount) | {
        "customer_details": shopper
        | {"email": "shopper@example.com", "name": "A Shopper", "tax_exempt": "none"},
        "payment_intent": f"pi_{order}",
        "payment_status": "paid",
        "status": "complete",
        "url": None,
    }
    event = {
        "id": f"evt_{order}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "data": {"object": paid},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }
    return json.dumps(event, indent=2).encode()


def signature(body: bytes, secret: str) -> str:
    """The header ``Stripe-Signature`` (https://docs.stripe.com/webhooks#verify-manually)."""
    now = int(time.time())
    digest = hmac.new(secret.encode(), b"%d.%s" % (now, body), hashlib.sha256).hexdigest()
    return f"t={now},v1={digest}"


def serve_connection(connection: socket.socket, _address: object) -> None:
    """Answers the requests of one connection until it ends."""
    with connection:
        reader = load.Reader(connection)
        while message := reader.message():
            head, body = message
            connection.sendall(answer(head, body))


def answer(head: bytes, body: bytes) -> bytes:
    """The answer to one request."""
    if head.startswith(b"POST /v1/checkout/sessions HTTP/1.1\r\n"):
        sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        quantity = int(sent["line_items[0][quantity]"])
        amount = int(sent["line_items[0][price_data][unit_amount]"]) * quantity
        status, made = b"200 OK", session(sent["metadata[order]"], sent["metadata[shop]"], amount)
    elif head.startswith(LISTS):
        # A shop that is set up asks whether it was here before.
        status, made = b"200 OK", {"object": "list", "data": [], "has_more": False, "url": "/v1"}
    else:
        status, made = b"404 Not Found", {"error": {"message": "Only sessions are made here."}}
    content = json.dumps(made, indent=2).encode()
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        len(content),
        content,
    )


if __name__ == "__main__":
    StreamServer(("127.0.0.1", int(sys.argv[1])), serve_connection).serve_forever()
