"""More time to pay: once, and never past what Stripe's page has left."""

from collections.abc import Callable

import pytest

from storefront.domain.errors import NotExtendable
from storefront.domain.orders import SESSION_MARGIN_MS, Order, State, longest
from storefront.services import orders, settlement
from tests.services.town import Town

MORE_MS = 600_000
Build = Callable[..., Town]


@pytest.fixture
def short(build: Build) -> Town:
    """Holds of fifteen minutes: Stripe's sessions live longer than that."""
    return build(HOLD_SECONDS="900")


def test_an_extended_hold_ends_at_its_new_deadline_and_not_before(short: Town) -> None:
    order = short.begin({"poster": 2}).order
    assert orders.extension(short.shop, order) == order.deadline + MORE_MS
    later = orders.extend(short.shop, order)
    assert later.deadline == order.deadline + MORE_MS
    short.skip(901)
    short.work()
    assert short.order(order).state is State.OPEN
    assert short.stripe.sessions[order.session]["status"] == "open"
    short.skip(600)
    short.work()
    assert short.order(order).state is State.RELEASED
    assert short.stripe.sessions[order.session]["status"] == "expired"


def test_who_pays_in_the_time_that_was_added_gets_the_goods(short: Town) -> None:
    order = orders.extend(short.shop, short.begin({"last": 1}).order)
    short.skip(1400)
    short.work()
    short.stripe.pay(order.session)
    settlement.ask(short.shop, short.order(order))
    assert short.order(order).state is State.PAID


def test_a_second_time_is_not_added(short: Town) -> None:
    order = orders.extend(short.shop, short.begin().order)
    assert orders.extension(short.shop, order) is None
    assert orders.extend(short.shop, order).deadline == order.deadline
    short.skip(1000)
    assert orders.extend(short.shop, order).deadline == order.deadline


def test_a_click_in_a_page_that_has_not_heard_of_the_first_adds_nothing(short: Town) -> None:
    order = short.begin().order
    first = orders.extend(short.shop, order)
    assert orders.extend(short.shop, order).deadline == first.deadline


def test_stripes_page_gives_no_more_than_its_session_has_left(build: Build) -> None:
    town = build(HOLD_SECONDS="1500")
    order = town.begin().order
    ends = order.expires_at * 1000 - SESSION_MARGIN_MS
    assert order.deadline < ends < order.deadline + MORE_MS
    assert orders.extend(town.shop, order).deadline == ends


def test_a_hold_as_long_as_stripes_session_has_no_room(town: Town) -> None:
    order = town.begin().order
    assert orders.extension(town.shop, order) is None
    with pytest.raises(NotExtendable) as refusal:
        orders.extend(town.shop, order)
    assert refusal.value.no_room
    assert town.order(order).deadline == order.deadline


def test_our_own_payment_page_has_room_whatever_the_hold(build: Build) -> None:
    town = build(CHECKOUT_UI="elements", STRIPE_PUBLISHABLE_KEY="pk_test_x")
    order = town.begin().order
    assert orders.extend(town.shop, order).deadline == order.deadline + MORE_MS


def test_an_operator_can_switch_it_off(build: Build) -> None:
    town = build(HOLD_SECONDS="900", HOLD_EXTEND_SECONDS="0")
    order = town.begin().order
    assert orders.extension(town.shop, order) is None
    with pytest.raises(NotExtendable):
        orders.extend(town.shop, order)


def test_after_the_deadline_it_is_too_late(short: Town) -> None:
    order = short.begin().order
    short.skip(900)
    assert orders.extension(short.shop, order) is None
    with pytest.raises(NotExtendable) as refusal:
        orders.extend(short.shop, order)
    assert not refusal.value.no_room


def test_an_extended_hold_that_was_lost_comes_back_and_could_be_extended_no_further(
    short: Town,
) -> None:
    """Stripe keeps the first deadline, so the longest is the same however often it is asked for."""
    order: Order = short.begin().order
    once = orders.extend(short.shop, order)
    assert longest(order, MORE_MS) == once.deadline == longest(once, MORE_MS)
