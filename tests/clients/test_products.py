"""A product at Stripe is made, read and written as often as need be, and never twice."""

import pytest

from storefront.clients.stripe_api import Stripe
from storefront.domain.errors import StripeRefused, StripeSpent, StripeUnreachable
from storefront.domain.sold_at_stripe import PriceFact
from tests.clients.test_stripe_api import (
    REPLAYED,
    counted,  # noqa: F401 - a fixture
    error,
    listing,
    stripe,  # noqa: F401 - a fixture
    wire,  # noqa: F401 - a fixture
)
from tests.clients.wire import Answer, Wire
from tests.fakes.products import PRICE, PRODUCT

METADATA = {"shop": "test", "sku": "a.b"}
FOUND = {**PRODUCT, "id": "test_a.b", "name": "A", "metadata": METADATA, "livemode": False}
MISSING = Answer(404, error(code="resource_missing"))
NO_REPEAT = {"Stripe-Should-Retry": "false"}


def update(stripe: Stripe) -> None:  # noqa: F811
    stripe.update_product(
        "test_a.b", {"name": "A", "metadata": METADATA}, key="product:test:a.b:1:0:1"
    )


def keys(wire: Wire) -> list[str]:  # noqa: F811
    return [request.headers["idempotency-key"] for request in wire.requests]


def test_a_product_is_read(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(body={**FOUND, "active": False}))
    found = stripe.product("test_a.b")
    assert found
    assert (found.id, found.name, found.metadata, found.active) == (
        "test_a.b",
        "A",
        METADATA,
        False,
    )
    assert wire.requests[0].path == "/v1/products/test_a.b"


@pytest.mark.parametrize(
    "answer", [MISSING, Answer(body={"id": "test_a.b", "object": "product", "deleted": True})]
)
def test_what_is_deleted_is_none(stripe: Stripe, wire: Wire, answer: Answer) -> None:  # noqa: F811
    wire.plan(answer)
    assert stripe.product("test_a.b") is None


def test_a_no_is_not_taken_for_none(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(401, error()))
    with pytest.raises(StripeRefused):
        stripe.product("test_a.b")


def test_a_product_is_made_under_our_id_and_key(
    stripe: Stripe,  # noqa: F811
    wire: Wire,  # noqa: F811
    counted: list[tuple[str, str]],  # noqa: F811
) -> None:
    wire.plan(Answer(body=FOUND))
    stripe.create_product("test_a.b", {"name": "A", "metadata": METADATA}, key="product:test:a.b")
    [request] = wire.requests
    assert (request.method, request.path) == ("POST", "/v1/products")
    assert request.body == {
        "id": "test_a.b",
        "name": "A",
        "metadata[shop]": "test",
        "metadata[sku]": "a.b",
    }
    assert keys(wire) == ["product:test:a.b:1"]
    assert counted == [("product_create", "ok")]


def test_one_that_exists_already_is_no_failure(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(400, error(code="resource_already_exists")), Answer(400, error(code="other")))
    stripe.create_product("test_a.b", {"name": "A", "metadata": METADATA}, key="k")
    with pytest.raises(StripeRefused):
        stripe.create_product("test_a.b", {"name": "A", "metadata": METADATA}, key="k")


def test_a_product_is_written_under_a_key_that_names_the_numbers(
    stripe: Stripe,  # noqa: F811
    wire: Wire,  # noqa: F811
) -> None:
    wire.plan(Answer(body=FOUND))
    update(stripe)
    [request] = wire.requests
    assert (request.method, request.path) == ("POST", "/v1/products/test_a.b")
    assert request.body == {"name": "A", "metadata[shop]": "test", "metadata[sku]": "a.b"}
    assert keys(wire) == ["product:test:a.b:1:0:1:1"]


@pytest.mark.parametrize(
    "saved",
    [
        Answer(body=FOUND, headers=REPLAYED),
        Answer(500, error("api_error"), REPLAYED | NO_REPEAT),
        Answer(400, error("idempotency_error")),
    ],
    ids=["answer", "failure", "other parameters"],
)
def test_a_key_that_was_used_is_followed_by_the_next(
    stripe: Stripe,  # noqa: F811
    wire: Wire,  # noqa: F811
    saved: Answer,
) -> None:
    wire.plan(saved, saved, Answer(body=FOUND))
    update(stripe)
    assert keys(wire) == [f"product:test:a.b:1:0:1:{n}" for n in (1, 2, 3)]


def test_writing_goes_on_with_a_key_that_nobody_used(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    for _ in range(2):
        wire.plan(*[Answer(body=FOUND, headers=REPLAYED)] * 5)
        with pytest.raises(StripeSpent):
            update(stripe)
    assert keys(wire)[:4] == keys(wire)[5:9]
    assert keys(wire)[4] != keys(wire)[9]


def test_silence_is_unknown_and_no_other_key_is_tried(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(*[Answer(500, error("api_error"))] * 2)
    with pytest.raises(StripeUnreachable):
        update(stripe)
    assert set(keys(wire)) == {"product:test:a.b:1:0:1:1"}


def test_active_products_are_listed_page_by_page(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    first = listing(FOUND, more=True) | {"url": "/v1/products"}
    wire.plan(Answer(body=first), Answer(body=listing({**FOUND, "id": "test_2"})))
    assert [product.id for product in stripe.active_products()] == ["test_a.b", "test_2"]
    assert wire.requests[0].query == {"active": "true", "limit": "100"}
    assert wire.requests[1].query["starting_after"] == "test_a.b"


def test_products_are_asked_for_by_id_not_too_many_at_once(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(body=listing(FOUND)), Answer(body=listing()))
    ids = [f"test_{number}" for number in range(41)]
    assert [product.id for product in stripe.products(ids)] == ["test_a.b"]
    first, second = (request.query for request in wire.requests)
    assert first == {f"ids[{n}]": one for n, one in enumerate(ids[:40])} | {"limit": "100"}
    assert second == {"ids[0]": "test_40", "limit": "100"}
    assert list(stripe.products([])) == []


PRICED = {**PRICE, "id": "price_1", "product": "test_a.b", "unit_amount": 2500, "currency": "usd"}
PRICED |= {"metadata": METADATA, "created": 1795000000, "livemode": False}


def make_price(stripe: Stripe) -> PriceFact:  # noqa: F811
    return stripe.create_price(
        "test_a.b", unit_amount=2500, currency="usd", metadata=METADATA, key="price:test:a.b:1"
    )


def test_a_price_is_made_under_our_key(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(body=PRICED))
    made = make_price(stripe)
    assert (made.id, made.unit_amount, made.currency, made.active) == ("price_1", 2500, "usd", True)
    [request] = wire.requests
    assert (request.method, request.path) == ("POST", "/v1/prices")
    assert request.body == {
        "product": "test_a.b",
        "unit_amount": "2500",
        "currency": "usd",
        "metadata[shop]": "test",
        "metadata[sku]": "a.b",
    }
    assert keys(wire) == ["price:test:a.b:1"]


def test_a_replay_is_answered_with_what_the_price_is_now(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(body=PRICED, headers=REPLAYED), Answer(body={**PRICED, "active": False}))
    assert not make_price(stripe).active
    assert wire.requests[1].path == "/v1/prices/price_1"


def test_a_saved_error_is_told_apart_from_silence(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(500, error("api_error"), REPLAYED | NO_REPEAT))
    with pytest.raises(StripeSpent):
        make_price(stripe)
    wire.plan(*[Answer(500, error("api_error"))] * 2)
    with pytest.raises(StripeUnreachable):
        make_price(stripe)


def test_only_active_prices_of_the_product_are_listed(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(body=listing(PRICED)))
    assert [price.id for price in stripe.prices("test_a.b")] == ["price_1"]
    assert wire.requests[0].query == {"active": "true", "limit": "100", "product": "test_a.b"}


def test_a_price_is_archived_again_under_the_next_key(stripe: Stripe, wire: Wire) -> None:  # noqa: F811
    wire.plan(Answer(body=PRICED, headers=REPLAYED), Answer(body={**PRICED, "active": False}))
    stripe.archive_price("price_1")
    assert {request.path for request in wire.requests} == {"/v1/prices/price_1"}
    assert {request.raw for request in wire.requests} == {"active=false"}
    assert keys(wire) == ["price:price_1:archive:1", "price:price_1:archive:2"]


@pytest.mark.parametrize(
    "odd",
    [
        {"billing_scheme": "tiered", "unit_amount": None},
        {"custom_unit_amount": {"minimum": 1}},
        {"unit_amount": None, "unit_amount_decimal": "0.5"},
        {"transform_quantity": {"divide_by": 10, "round": "up"}},
    ],
)
def test_a_price_that_is_no_plain_amount_has_none(
    stripe: Stripe,  # noqa: F811
    wire: Wire,  # noqa: F811
    odd: dict[str, object],
) -> None:
    wire.plan(Answer(body=listing({**PRICED, **odd})))
    assert [price.unit_amount for price in stripe.active_prices()] == [None]
