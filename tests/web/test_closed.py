"""While the books are not known to be whole, every page says what is true."""

import json
import time
from collections.abc import Callable

import fakeredis
import pytest

from storefront.app import assemble
from storefront.domain.catalogue_file import read_catalogue
from storefront.domain.orders import Order
from storefront.services import orders, publishing, rebuilding, recovery
from storefront.services.shop import Shop
from storefront.storage.keys import Keys
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser
from tests.web.conftest import GOODS

CHECKING = "We are checking our books with Stripe after a restart"
BRINGING = "We are bringing our books back from Stripe"


@pytest.fixture
def restarted(shop: Shop, redis: fakeredis.FakeRedis) -> Shop:
    """A shop whose Redis was restarted."""
    redis.hset(Keys(shop.settings.shop_id).door(), "run", "another")
    return shop


@pytest.fixture
def sold(shop: Shop, visitor: Browser, pay: Callable[[Order], None]) -> Order:
    """An order that was paid."""
    visitor.send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    pay(order)
    return order


@pytest.fixture
def lost(shop: Shop, redis: fakeredis.FakeRedis, sold: Order) -> Order:
    """The order that was paid, before Redis was emptied and the catalogue imported."""
    redis.flushall()
    publishing.publish(shop, read_catalogue(GOODS, "usd", ["poster.svg"]))
    return sold


@pytest.mark.parametrize("path", ["/", "/products/record", "/bag"])
def test_pages_with_goods_say_that_the_books_are_being_checked(
    restarted: Shop, visitor: Browser, path: str
) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert CHECKING in answer.text
    recovery.recover(restarted)
    assert CHECKING not in visitor.get(path).text


@pytest.mark.usefixtures("lost")
@pytest.mark.parametrize("path", ["/", "/products/record", "/bag"])
def test_pages_with_goods_say_that_the_books_are_brought_back(
    shop: Shop, visitor: Browser, path: str
) -> None:
    assert BRINGING in visitor.get(path).text
    rebuilding.rebuild(shop)
    assert BRINGING not in visitor.get(path).text


def test_buying_after_a_restart_is_refused_for_a_moment(restarted: Shop, visitor: Browser) -> None:
    answer = visitor.send("/checkout", sku="record", quantity="1")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) <= 10
    assert CHECKING in answer.text
    assert "Nothing was charged" in answer.text
    recovery.recover(restarted)
    assert visitor.send("/checkout", sku="record", quantity="1").status_code == 303


@pytest.mark.usefixtures("lost")
def test_buying_from_lost_books_is_refused(visitor: Browser) -> None:
    answer = visitor.send("/checkout", sku="record", quantity="1")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert BRINGING in answer.text


def test_buying_from_an_empty_redis_is_refused(
    shop: Shop, redis: fakeredis.FakeRedis, visitor: Browser
) -> None:
    redis.flushall()
    assert visitor.send("/checkout", sku="record", quantity="1").status_code == 503
    ready = visitor.get("/readyz")
    assert ready.status_code == 200  # as before the first import
    assert "flask shop import" in ready.json["notes"][0]


def test_a_restart_leaves_the_shop_reachable_and_a_loss_does_not(
    restarted: Shop, redis: fakeredis.FakeRedis, visitor: Browser
) -> None:
    ready = visitor.get("/readyz")
    assert (ready.status_code, ready.json["problems"]) == (200, [])
    assert "Redis was restarted" in ready.json["notes"][0]
    recovery.recover(restarted)
    assert "notes" not in visitor.get("/readyz").json
    redis.hset(Keys(restarted.settings.shop_id).door(), "rebuild", "1")
    ready = visitor.get("/readyz")
    assert ready.status_code == 503
    assert "rebuild --from-stripe" in ready.json["problems"][0]


def test_the_link_to_a_lost_order_says_to_come_back_and_then_opens_it(
    shop: Shop, visitor: Browser, lost: Order
) -> None:
    link = f"/orders/{orders.token(shop, lost.id)}"
    for path in (link, f"{link}.json"):
        assert visitor.get(path).status_code == 503
    assert "What you paid is not lost" in visitor.get(link).text
    assert visitor.get(f"/orders/{'a' * 16}-{'b' * 20}").status_code == 404
    rebuilding.rebuild(shop)
    assert visitor.get(f"{link}.json").json["state"] == "paid"


def test_webhooks_about_lost_orders_are_to_come_again(
    shop: Shop, stripe: FakeStripe, lost: Order
) -> None:
    [event] = [e for e in stripe.events if e["type"] == "checkout.session.completed"]

    def deliver() -> int:
        body, signature = stripe.signed(event)
        answer = (
            assemble(shop)
            .test_client()
            .post(
                "/webhooks/stripe",
                data=body,
                base_url="http://shop.example",
                headers={"Stripe-Signature": signature},
            )
        )
        return answer.status_code

    assert deliver() == 503
    rebuilding.rebuild(shop)
    assert deliver() == 200
    assert shop.store.orders.get(lost.id) is not None
    assert json.loads(stripe.signed(event)[0])["created"] <= time.time()


@pytest.mark.usefixtures("lost")
def test_the_operator_cannot_restock_lost_books_and_reads_why(
    shop: Shop, operator: Browser
) -> None:
    page = operator.page("/admin/stock")
    answer = operator.submit(page, "/admin/restock", sku="record", delta="5", reason="more")
    assert answer.status_code == 503
    assert "rebuild --from-stripe" in answer.text
    assert {level.stocked for level in shop.store.stock.levels()} == {0}
