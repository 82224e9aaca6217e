"""What Stripe tells is taken once it is proven, and answered 200 only when it is stored."""

import dataclasses
import hashlib
import hmac
import io
import json
import time
from typing import Any

import fakeredis
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from storefront.app import assemble
from storefront.clients.stripe_api import Stripe
from storefront.services import orders
from storefront.services.shop import Shop
from tests.web.browsing import Browser

PATH = "/webhooks/stripe"


@pytest.fixture
def hearing(shop: Shop) -> Flask:
    """The application with the real client, which verifies; no webhook may make it call Stripe."""
    stripe = Stripe("sk_test_x", api_base="http://127.0.0.1:9", webhook_secrets=("whsec_x",))
    return assemble(dataclasses.replace(shop, stripe=stripe))


def sign(body: bytes, secret: str = "whsec_x") -> str:
    at = int(time.time())
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def deliver(app: Flask, body: bytes, signature: str | None = None) -> TestResponse:
    return app.test_client().post(
        PATH,
        data=body,
        base_url="http://shop.example",
        headers={"Stripe-Signature": sign(body) if signature is None else signature},
        content_type="application/json",
    )


def completed(order: orders.Order, **changes: Any) -> bytes:
    session = {
        "object": "checkout.session",
        "id": order.session,
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": "pi_1",
        "amount_total": order.amount,
        "currency": order.currency,
        "livemode": False,
        "client_reference_id": order.id,
        "metadata": {"order": order.id, "shop": "popup"},
        "customer_details": {"email": "ada@example.org"},
        **changes,
    }
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": session},
    }
    return json.dumps(event).encode()


@pytest.fixture
def order(shop: Shop, visitor: Browser) -> orders.Order:
    visitor.send("/checkout", sku="record", quantity="1")
    (found,) = orders.listing(shop)
    return found


def test_a_signed_payment_is_stored_before_it_is_answered(
    hearing: Flask, shop: Shop, order: orders.Order
) -> None:
    response = deliver(hearing, completed(order))
    assert (response.status_code, response.json) == (200, {"outcome": "sold"})
    assert [o.state for o in orders.listing(shop)] == ["paid"]


def test_a_repeat_is_answered_200_and_changes_nothing(
    hearing: Flask, shop: Shop, visitor: Browser, order: orders.Order
) -> None:
    body = completed(order)
    deliver(hearing, body)
    assert deliver(hearing, body).json == {"outcome": "repeat"}
    assert visitor.get("/stock.json").json["record"] == {"available": 2, "held": 0}


BODIES = {
    "empty": b"",
    "no JSON": b"hello",
    "no UTF-8": b"\xff\xfe{}",
    "null": b"null",
    "a list": b"[]",
    "no data": b'{"id": "evt_1", "object": "event", "type": "x"}',
    "data without object": b'{"id": "evt_1", "type": "x", "data": {}}',
    "deep": b'{"a":' * 5000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_no_event_is_400_signed_or_not(hearing: Flask, body: bytes) -> None:
    for signature in (None, "", "t=1,v1=00", "nonsense", "t=,v1=", "t=" + "9" * 30 + ",v1=0"):
        response = deliver(hearing, body, signature)
        assert response.status_code == 400
        assert response.mimetype == "application/json"


def test_another_secrets_signature_is_400(hearing: Flask, shop: Shop, order: orders.Order) -> None:
    body = completed(order)
    assert deliver(hearing, body, sign(body, "whsec_wrong")).status_code == 400
    assert [o.state for o in orders.listing(shop)] == ["open"]


def test_a_body_over_256_kib_is_413_with_or_without_a_length(hearing: Flask) -> None:
    body = b" " * (256 * 1024 + 1)
    assert deliver(hearing, body).status_code == 413
    assert deliver(hearing, body[:-1]).status_code == 400


def test_a_body_of_no_announced_length_ends_at_the_limit_too(hearing: Flask) -> None:
    response = hearing.test_client().post(
        PATH,
        base_url="http://shop.example",
        input_stream=io.BytesIO(b" " * (300 * 1024)),
        environ_overrides={"wsgi.input_terminated": True},
        headers={"Transfer-Encoding": "chunked"},
    )
    assert response.status_code == 413


def test_without_redis_the_answer_is_503_so_that_stripe_sends_it_again(
    hearing: Flask, redis: fakeredis.FakeRedis, order: orders.Order, cut: Any
) -> None:
    cut()
    response = deliver(hearing, completed(order))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


def test_an_event_that_is_not_ours_is_200_and_nothing_is_done(
    hearing: Flask, shop: Shop, order: orders.Order
) -> None:
    body = completed(order, metadata={"order": order.id, "shop": "another"})
    assert deliver(hearing, body).json == {"outcome": "not_ours"}
    assert [o.state for o in orders.listing(shop)] == ["open"]


def test_no_cookie_and_no_token_is_asked_of_stripe(hearing: Flask, order: orders.Order) -> None:
    assert "Set-Cookie" not in deliver(hearing, completed(order)).headers


def test_only_posts_are_heard(visitor: Browser) -> None:
    response = visitor.get(PATH)
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
