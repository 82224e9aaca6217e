"""Each SKU has one Price at Stripe for what it costs, and no payment waits for it or suffers from it."""

import json

import pytest

from storefront.domain.errors import StripeUnreachable
from storefront.domain.orders import Order, State
from storefront.domain.products import Product, Variant
from storefront.services import pricing, work
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Crash, Fuse, Town

POSTER = "test_poster"


def cost(town: Town, price: int, sku: str = "poster") -> None:
    """The operator imports another price."""
    product = Product(sku, sku.title(), (Variant(sku, price),))
    rows = {sku: json.dumps(product.to_json())}
    version = f"at {price} {len(town.stripe.wire.calls)}"
    town.shop.store.scripts.publish_catalogue(rows, {}, version=version, who="op")


def prices(town: Town, *, active: bool = True) -> list[int]:
    """The amounts of the poster's prices at Stripe, the oldest first."""
    return [
        price["unit_amount"]
        for price in town.stripe.all_prices.values()
        if price["product"] == POSTER and price["active"] is active
    ]


def named(town: Town) -> str:
    """The Price that a new hold of a poster would name."""
    return town.shop.store.prices.known()["poster"].id


def charged(town: Town, order: Order) -> int:
    amount = town.stripe.sessions[town.order(order).session]["amount_total"]
    assert isinstance(amount, int)
    return amount


def test_each_sku_on_the_shelf_has_one_price_that_its_product_shows(town: Town) -> None:
    [price] = [p for p in town.stripe.all_prices.values() if p["product"] == POSTER]
    assert (price["unit_amount"], price["currency"]) == (2500, "usd")
    assert price["metadata"] == {"shop": "test", "sku": "poster"}
    assert town.stripe.catalogue[POSTER]["default_price"] == price["id"] == named(town)
    assert town.due() == set()


def test_looking_again_changes_nothing(town: Town) -> None:
    before = dict(town.stripe.all_prices)
    pricing.keep_price(town.shop, "poster")
    assert town.stripe.all_prices == before
    assert {call for call, _ in town.stripe.wire.calls} == {"product", "prices"}


def test_a_shop_that_forgot_its_price_finds_it_again_by_its_metadata(town: Town) -> None:
    price = named(town)
    client, keys = town.shop.store._client, town.shop.store.keys
    client.delete(keys.name("prices"), keys.name("price_numbers"))
    pricing.keep_price(town.shop, "poster")
    assert (named(town), prices(town)) == (price, [2500])


def test_another_price_is_another_price_and_the_old_one_is_archived(town: Town) -> None:
    cost(town, 3000)
    town.work()
    assert (prices(town), prices(town, active=False)) == ([3000], [2500])
    assert town.begin().order.lines[0].price == named(town)


def test_a_price_that_comes_back_is_made_anew(town: Town) -> None:
    for price in (3000, 2500, 3000):
        cost(town, price)
        town.work()
        assert prices(town) == [price]
    assert sorted(prices(town, active=False)) == [2500, 2500, 3000]


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("call", ["product", "prices", "create_price", "update_product"])
def test_whatever_goes_wrong_once_there_is_one_price_in_the_end(
    town: Town, fault: Fault, call: str
) -> None:
    cost(town, 3000)
    town.stripe.fault(call, fault)
    town.pass_time(120)
    town.stripe.wire.arrive()
    cost(town, 3100)
    cost(town, 3000)
    town.pass_time(120)
    assert (prices(town), town.due()) == ([3000], set())
    assert town.shop.store.prices.known()["poster"].unit_amount == 3000


def test_a_process_that_ends_at_any_step_leaves_one_price(build: Build) -> None:
    at = 0
    while True:
        at += 1
        town = build()
        cost(town, 3000)
        with town.fused(Fuse(at)) as fuse:
            try:
                town.work()
            except Crash:
                town.clock.shift(work.LEASE_MS / 1000)
        town.work()
        assert (prices(town), town.due()) == ([3000], set())
        if not fuse.reached:
            break
    assert at > 12


def test_of_two_that_make_it_at_once_one_price_is_left(town: Town) -> None:
    cost(town, 3000)
    town.stripe.wire.meanwhile(
        "create_price", after=lambda: pricing.keep_price(town.shop, "poster")
    )
    town.work()
    assert prices(town) == [3000]


def test_a_twin_made_by_hand_is_archived(town: Town) -> None:
    kept = named(town)
    town.stripe.make_price(
        {
            "product": POSTER,
            "unit_amount": 2500,
            "currency": "usd",
            "metadata": {"shop": "test", "sku": "poster"},
        }
    )
    pricing.keep_price(town.shop, "poster")
    assert (prices(town), named(town)) == ([2500], kept)


def test_a_price_of_somebody_else_on_our_product_stays_as_it_is(town: Town) -> None:
    town.stripe.make_price({"product": POSTER, "unit_amount": 2500, "currency": "usd"})
    pricing.keep_price(town.shop, "poster")
    assert prices(town) == [2500, 2500]


def test_an_old_price_stays_while_a_running_hold_may_need_it(town: Town) -> None:
    town.stripe.fault("create_session", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        town.begin()
    cost(town, 3000)
    for job in ("mirror", "price"):
        work.WORK[job](town.shop, "poster")
    assert prices(town) == [2500, 3000]
    town.rest()
    assert prices(town) == [3000]


def test_who_archives_it_all_the_same_makes_the_payment_name_the_amount(town: Town) -> None:
    """What keeps the old Price is a courtesy: without it nothing is charged that was not held."""
    town.stripe.fault("create_session", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        town.begin()
    old = named(town)
    cost(town, 3000)
    town.stripe.archive_price_by_hand(old)
    order = town.begin().order
    assert (order.state, order.session_version, charged(town, order)) == (State.OPEN, 2, 2500)


def test_a_price_changed_between_hold_and_payment_charges_the_held_price(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    cost(town, 3000)
    town.work()
    assert charged(town, order) == 5000
    town.stripe.pay(order.session)
    town.deliver()
    assert (town.order(order).state, town.order(order).amount) == (State.PAID, 5000)


def test_a_price_changed_between_hold_and_session_charges_the_held_price(town: Town) -> None:
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    cost(town, 3000)
    order = town.begin().order
    assert (len(town.stripe.sessions), charged(town, order)) == (1, 2500)


@pytest.mark.parametrize("what", ["price", "product"])
def test_what_was_archived_by_hand_costs_one_more_request_and_no_sale(
    town: Town, what: str
) -> None:
    if what == "price":
        town.stripe.archive_price_by_hand(named(town))
    else:
        town.stripe.archive(POSTER)
    first = town.begin(visitor="one").order
    assert (first.state, first.session_version, charged(town, first)) == (State.OPEN, 2, 2500)
    second = town.begin(visitor="two", token="t2").order
    assert (second.state, second.session_version) == (State.OPEN, 1)
    town.work()
    third = town.begin(visitor="three", token="t3").order
    assert (third.session_version, charged(town, third)) == (1, 2500)
    assert bool(third.lines[0].price) is (what == "price")
    for order in (first, second, third):
        town.stripe.pay(order.session)
    town.rest()
    assert {order.state for order in town.orders()} == {State.PAID}


def test_without_a_known_price_the_session_names_the_amount(town: Town) -> None:
    town.shop.store.prices.forget("poster")
    order = town.begin().order
    assert (order.lines[0].price, order.session_version, charged(town, order)) == ("", 1, 2500)


def test_a_retry_sends_the_same_whatever_became_known_meanwhile(town: Town) -> None:
    town.shop.store.prices.forget("poster")
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    pricing.keep_price(town.shop, "poster")
    order = town.begin().order
    assert (order.session_version, len(town.stripe.sessions)) == (1, 1)


def test_an_order_on_our_own_page_needs_no_price(build: Build) -> None:
    town = build(CHECKOUT_UI="elements", STRIPE_PUBLISHABLE_KEY="pk_test_x")
    town.stripe.archive_price_by_hand(named(town))
    order = town.begin().order
    assert (order.state, order.session_version) == (State.OPEN, 1)
