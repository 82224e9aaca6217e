"""Events as Stripe sends them, and as it never would."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import requests

from tests.contest.market import Market
from tests.contest.shopper import Shopper
from tests.harness import WEBHOOK_SECRET


def signed(body: bytes, secret: str = WEBHOOK_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers with which Stripe sends a body."""
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "Stripe-Signature": f"t={moment},v1={digest}"}


def deliver(
    market: Market, body: bytes, headers: Mapping[str, str] | None = None
) -> requests.Response:
    return Shopper(market.shop.url).post(
        "/webhooks/stripe", body, headers=signed(body) if headers is None else dict(headers)
    )


def event(kind: str = "checkout.session.completed", **found: Any) -> dict[str, Any]:
    """An event about a paid session that Stripe never had."""
    session = {
        "id": "cs_test_of_nobody",
        "object": "checkout.session",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": "pi_of_nobody",
        "client_reference_id": "a" * 16,
        "metadata": {"shop": "popup", "order": "a" * 16},
        "amount_total": 2500,
        "currency": "usd",
        "livemode": False,
        **found,
    }
    return {
        "id": "evt_of_nobody",
        "object": "event",
        "type": kind,
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": session},
    }
