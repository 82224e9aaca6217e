"""From wanting to paying: hold everything or nothing, then open the payment."""

from contextlib import suppress

import pytest

from storefront.domain.errors import (
    BadInput,
    NotEnoughStock,
    NotOpenYet,
    OverLimit,
    StripeUnreachable,
    TooManyHolds,
    UnknownSku,
)
from storefront.domain.orders import State
from storefront.services import links, orders
from storefront.services.checkout import Started
from tests.services.conftest import Build
from tests.services.town import Fuse, Town

MOST_CALLS = 200
"""More than a checkout makes."""


def test_a_shopper_gets_the_units_held_and_the_address_of_stripe_s_page(town: Town) -> None:
    started = town.begin({"poster": 2, "zine": 1})
    assert (started.order.state, started.order.amount) == (State.OPEN, 5450)
    [session] = town.stripe.sessions_of(started.order.id)
    assert started.url == session["url"] == started.order.url
    assert (town.level("poster"), town.level("zine")) == ((3, 2, 0), (2, 1, 0))
    assert started.order.deadline == town.shop.store.now() + 1920 * 1000


def test_a_double_click_is_one_order_one_hold_and_one_session(town: Town) -> None:
    first, second = town.begin(), town.begin()
    assert (first.order.id, first.url) == (second.order.id, second.url)
    assert (len(town.orders()), len(town.stripe.sessions)) == (1, 1)
    assert town.level() == (4, 1, 0)


def test_a_second_click_while_the_first_still_waits_for_stripe_ends_nothing(town: Town) -> None:
    """Stripe calls the first click's key busy, and a worker looks at what is due."""
    busy: list[StripeUnreachable] = []

    def second_click() -> None:
        with pytest.raises(StripeUnreachable) as refused:
            town.begin()
        busy.append(refused.value)

    town.stripe.wire.meanwhile("create_session", before=second_click, after=town.work)
    started = town.begin()
    assert len(busy) == 1
    assert (town.order(started).state, town.level()) == (State.OPEN, (4, 1, 0))
    assert town.begin().url == started.url


def test_a_second_click_while_the_first_s_answer_is_on_its_way_comes_to_the_same_page(
    town: Town,
) -> None:
    second: list[str] = []
    town.stripe.wire.meanwhile("create_session", after=lambda: second.append(town.begin().url))
    assert town.begin().url == second[0]
    assert (len(town.orders()), len(town.stripe.sessions)) == (1, 1)


def test_a_click_that_found_nothing_left_ends_no_hold_of_another_click_on_the_form(
    build: Build,
) -> None:
    """At each of its calls Bob gives the last unit back, and Ada's other click takes it."""
    for at in range(1, MOST_CALLS):
        town = build()
        bob = town.begin({"last": 1}, visitor="bob")
        clicks: list[str] = []

        def meanwhile(town: Town = town, bob: Started = bob, clicks: list[str] = clicks) -> None:
            orders.cancel(town.shop, town.order(bob))
            clicks.append(town.begin({"last": 1}).url)

        with town.fused(Fuse(at, meanwhile)) as fuse, suppress(NotEnoughStock):
            clicks.append(town.begin({"last": 1}).url)
        if not fuse.reached:
            break
        assert len(set(clicks)) == 1
        assert [o.state for o in town.orders() if o.visitor == "ada"] == [State.OPEN]
    assert at > 3


def test_the_same_basket_resumes_the_same_payment_whatever_form_it_comes_from(town: Town) -> None:
    first = town.begin({"poster": 1, "zine": 2}, token="a")
    again = town.begin({"zine": 2, "poster": 1}, token="b")
    assert (again.order.id, again.url) == (first.order.id, first.url)
    assert (len(town.orders()), town.level("zine")) == (1, (1, 2, 0))


def test_resuming_a_payment_that_was_just_paid_leads_to_the_order(town: Town) -> None:
    first = town.begin()
    town.stripe.pay(first.order.session)
    again = town.begin(token="b")
    assert again.order.state is State.PAID
    assert again.url == links.order(town.shop.settings, first.order.id)
    assert town.level() == (4, 0, 1)


def test_resuming_goes_on_unasked_when_stripe_is_silent(town: Town) -> None:
    first = town.begin()
    town.stripe.down()
    assert town.begin(token="b").url == first.url


def test_the_same_form_after_its_order_ended_unpaid_buys_again(town: Town) -> None:
    first = town.begin()
    orders.cancel(town.shop, first.order)
    again = town.begin()
    assert again.order.id != first.order.id
    assert (again.order.state, town.level()) == (State.OPEN, (4, 1, 0))


def test_the_same_form_after_it_was_paid_leads_to_the_order_and_buys_nothing(town: Town) -> None:
    first = town.begin()
    town.stripe.pay(first.order.session)
    town.deliver()
    again = town.begin()
    assert (again.order.id, again.url) == (
        first.order.id,
        links.order(town.shop.settings, first.order.id),
    )
    assert (len(town.orders()), len(town.stripe.sessions)) == (1, 1)


def test_a_new_form_after_paying_buys_once_more(town: Town) -> None:
    first = town.begin(token="a")
    town.stripe.pay(first.order.session)
    town.deliver()
    second = town.begin(token="b")
    assert second.order.id != first.order.id
    assert town.level() == (3, 1, 1)


def test_another_basket_ends_the_old_hold_first(town: Town) -> None:
    first = town.begin({"poster": 2}, token="a")
    second = town.begin({"zine": 1}, token="b")
    old = town.order(first)
    assert (old.state, old.reason) == (State.RELEASED, "replaced")
    assert town.stripe.sessions[old.session]["status"] == "expired"
    assert (town.level("poster"), town.level("zine")) == ((5, 0, 0), (2, 1, 0))
    assert second.order.state is State.OPEN


def test_another_basket_leaves_the_old_one_when_stripe_is_unreachable(town: Town) -> None:
    first = town.begin({"poster": 2}, token="a")
    town.stripe.down()
    with pytest.raises(StripeUnreachable):
        town.begin({"zine": 1}, token="b")
    assert (town.order(first).state, town.level("zine")) == (State.OPEN, (3, 0, 0))
    assert len(town.orders()) == 1


def test_another_basket_after_the_old_one_was_paid_keeps_both(town: Town) -> None:
    first = town.begin({"poster": 2}, token="a")
    town.stripe.pay(first.order.session)
    second = town.begin({"zine": 1}, token="b")
    assert (town.order(first).state, second.order.state) == (State.PAID, State.OPEN)


def test_the_holder_of_the_last_unit_may_change_his_basket(town: Town) -> None:
    town.begin({"last": 1}, token="a")
    both = town.begin({"last": 1, "poster": 1}, token="b")
    assert both.order.state is State.OPEN
    assert (town.level("last"), town.level("poster")) == ((0, 1, 0), (4, 1, 0))


def test_a_shopper_s_own_hold_never_stands_in_his_way_though_he_may_have_two(
    build: Build,
) -> None:
    town = build(HOLDS_PER_VISITOR="2")
    first = town.begin({"last": 1}, token="a")
    assert town.begin({"last": 1, "poster": 1}, token="b").order.state is State.OPEN
    assert town.order(first).reason == "replaced"


def test_a_shopper_s_own_hold_that_cannot_be_ended_is_no_lack_of_stock(build: Build) -> None:
    town = build(HOLDS_PER_VISITOR="2")
    first = town.begin({"last": 1}, token="a")
    town.stripe.down()
    with pytest.raises(StripeUnreachable):
        town.begin({"last": 1, "poster": 1}, token="b")
    assert town.order(first).state is State.OPEN


def test_a_visitor_may_have_as_many_holds_as_the_setting_says_then_the_oldest_ends(
    build: Build,
) -> None:
    town = build(HOLDS_PER_VISITOR="2")
    started = []
    for sku in ("poster", "zine", "last"):
        started.append(town.begin({sku: 1}, token=sku))
        town.skip(1)
    assert [town.order(one).state for one in started] == [State.RELEASED, State.OPEN, State.OPEN]


def test_visitors_do_not_meet(town: Town) -> None:
    first = town.begin(visitor="ada", token="same")
    second = town.begin(visitor="bob", token="same")
    assert first.order.id != second.order.id
    assert town.level() == (3, 2, 0)


def test_an_address_has_so_many_holds_and_is_told_when_one_ends(build: Build) -> None:
    town = build(HOLDS_PER_IP="2")
    town.begin(visitor="a")
    town.begin(visitor="b")
    with pytest.raises(TooManyHolds) as refused:
        town.begin(visitor="c")
    assert refused.value.retry_after == 1920
    assert town.begin(visitor="c", address="192.0.2.2").order.state is State.OPEN
    assert len(town.orders()) == 3


def test_what_is_short_is_refused_with_what_is_left_and_nothing_is_held(town: Town) -> None:
    other = town.begin({"zine": 2}, visitor="bob")
    with pytest.raises(NotEnoughStock) as refused:
        town.begin({"poster": 1, "zine": 2})
    [shortage] = refused.value.shortages
    assert (shortage.sku, shortage.wanted, shortage.available, shortage.held) == ("zine", 2, 1, 2)
    assert shortage.returns_at == other.order.deadline
    assert (len(town.orders()), town.level()) == (1, (5, 0, 0))
    assert len(town.stripe.sessions) == 1


def test_a_hold_past_its_deadline_makes_room_though_no_worker_runs(town: Town) -> None:
    first = town.begin({"last": 1}, visitor="bob")
    town.skip(1920)
    second = town.begin({"last": 1})
    assert (town.order(first).state, second.order.state) == (State.RELEASED, State.OPEN)


def test_a_hold_past_its_deadline_that_was_paid_is_settled_instead(town: Town) -> None:
    first = town.begin({"last": 1}, visitor="bob")
    town.stripe.pay(first.order.session)
    town.skip(1920)
    with pytest.raises(NotEnoughStock):
        town.begin({"last": 1})
    assert (town.order(first).state, town.level("last")) == (State.PAID, (0, 0, 1))


def test_a_hold_past_its_deadline_stays_when_stripe_is_silent(town: Town) -> None:
    first = town.begin({"last": 1}, visitor="bob")
    town.skip(1920)
    town.stripe.down()
    with pytest.raises(NotEnoughStock):
        town.begin({"last": 1})
    assert town.order(first).state is State.OPEN


def test_what_is_not_on_sale_yet_is_refused_until_it_is(town: Town) -> None:
    with pytest.raises(NotOpenYet) as refused:
        town.begin({"soon": 1})
    assert refused.value.opens_at == town.shop.store.now() + 3600_000
    town.skip(3600)
    assert town.begin({"soon": 1}).order.state is State.OPEN


@pytest.mark.parametrize("sku", ["none", "gone", "never", ""])
def test_what_is_not_on_the_shelf_cannot_be_bought(town: Town, sku: str) -> None:
    with pytest.raises(UnknownSku):
        town.begin({sku: 1})
    assert town.orders() == []


@pytest.mark.parametrize(("sku", "limit"), [("poster", 10), ("few", 2)])
def test_one_order_has_so_many_units_of_one_sku(town: Town, sku: str, limit: int) -> None:
    with pytest.raises(OverLimit) as refused:
        town.begin({sku: limit + 1})
    assert refused.value.limit == limit
    assert town.orders() == []


@pytest.mark.parametrize(
    "wanted",
    [{"poster": 0}, {"poster": -1}, {f"sku-{n}": 1 for n in range(51)}],
)
def test_what_no_form_of_ours_sends_is_bad_input(town: Town, wanted: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        town.begin(wanted)
    assert town.orders() == []


def test_nothing_wanted_is_bad_input(town: Town) -> None:
    from storefront.services import checkout

    with pytest.raises(BadInput):
        checkout.begin(town.shop, visitor="v", address="a", form_token="t", wanted={})


def test_without_a_form_token_each_form_is_its_own_order(town: Town) -> None:
    first = town.begin(visitor="a", token="")
    second = town.begin(visitor="b", token="")
    assert first.order.id != second.order.id


def test_the_price_of_a_running_hold_stays_when_the_shop_changes_it(town: Town) -> None:
    started = town.begin()
    import json

    from storefront.domain.products import Product, Variant

    dearer = Product("poster", "Poster", (Variant("poster", 9900),))
    town.shop.store.scripts.publish_catalogue(
        {"poster": json.dumps(dearer.to_json())}, {}, version="v2", who="tests"
    )
    assert town.begin(token="b").order.amount == started.order.amount == 2500
    assert town.begin(visitor="bob").order.amount == 9900


def test_a_hold_shorter_than_stripe_s_minimum_is_ended_at_its_deadline(build: Build) -> None:
    town = build(HOLD_SECONDS="60")
    order = town.begin().order
    assert order.expires_at == town.shop.store.now() // 1000 + 1920
    town.pass_time(59)
    assert town.order(order).state is State.OPEN
    town.pass_time(2)
    assert (town.order(order).state, town.level()) == (State.RELEASED, (5, 0, 0))
    assert town.stripe.sessions[order.session]["status"] == "expired"


def test_no_more_is_ever_held_than_there_is(town: Town) -> None:
    for number in range(12):
        try:
            town.begin({"poster": 1 + number % 3}, visitor=f"v{number}")
        except NotEnoughStock:
            continue
    available, held, sold = town.level()
    assert (available, held, sold) == (0, 5, 0)
