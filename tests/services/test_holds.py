"""Holds that outlived their deadline because Stripe could not be asked."""

import pytest

from storefront.domain.errors import StripeUnreachable
from storefront.domain.orders import Order, State
from storefront.services import holds, reconciliation
from storefront.storage.answers import Settled
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Crash, Fuse, Town


@pytest.fixture
def town(build: Build) -> Town:
    """A shop whose holds last a minute and have a grace of ten seconds."""
    return build(HOLD_SECONDS="60", HOLD_GRACE_SECONDS="10")


@pytest.fixture
def late(town: Town) -> Order:
    """Ada's hold, past its deadline and its grace."""
    order = town.begin({"poster": 2}).order
    town.skip(70)
    return order


def test_a_hold_is_overdue_when_its_grace_is_over(town: Town) -> None:
    order = town.begin().order
    town.skip(69.9)
    assert holds.overdue(town.shop) == []
    town.skip(0.1)
    assert holds.overdue(town.shop) == [order]


def test_a_hold_whose_money_is_on_its_way_is_never_overdue(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay_later(order.session)
    town.deliver()
    town.skip(9999)
    assert holds.overdue(town.shop) == []


def test_a_hold_that_is_not_overdue_is_not_released_by_hand(town: Town) -> None:
    order = town.begin().order
    assert holds.release_by_hand(town.shop, order.id, "op") is Settled.KEPT
    assert holds.release_by_hand(town.shop, "none", "op") is Settled.UNKNOWN_ORDER
    assert town.level() == (4, 1, 0)


def test_stripe_is_asked_first_and_heard_if_it_answers(town: Town, late: Order) -> None:
    assert holds.release_by_hand(town.shop, late.id, "op") is Settled.RELEASED
    assert not town.stripe.pay(late.session)
    assert town.level() == (5, 0, 0)
    town.rest()


def test_what_was_paid_is_settled_instead(town: Town, late: Order) -> None:
    town.stripe.pay(late.session)
    assert holds.release_by_hand(town.shop, late.id, "op") is Settled.SOLD
    assert (town.order(late).state, town.level()) == (State.PAID, (3, 0, 2))


@pytest.mark.parametrize("paid", [True, False])
def test_a_person_may_release_while_stripe_is_silent_and_the_session_is_ended_when_it_is_back(
    town: Town, late: Order, paid: bool
) -> None:
    if paid:
        town.stripe.pay(late.session)
        town.lose_events()
    town.stripe.down()
    assert holds.release_by_hand(town.shop, late.id, "op") is Settled.RELEASED
    assert town.level() == (5, 0, 0)
    [entry] = town.shop.store.ledger.latest(1)
    assert entry.who == "op"
    town.pass_time(60)
    town.stripe.up()
    town.rest()
    assert town.order(late).state is (State.PAID if paid else State.RELEASED)


def test_an_order_without_a_session_may_be_released_too_and_what_turns_up_is_ended(
    town: Town,
) -> None:
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    town.skip(70)
    town.stripe.down()
    assert holds.release_by_hand(town.shop, order.id, "op") is Settled.RELEASED
    assert town.level() == (5, 0, 0)
    town.stripe.up()
    reconciliation.reconcile(town.shop)
    [session] = town.stripe.sessions.values()
    assert session["status"] == "expired"


def test_a_session_that_was_only_found_while_a_person_released_its_order_is_ended_too(
    town: Town,
) -> None:
    """Stripe told of the session, and was silent when it was to be ended."""
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    town.skip(1000)
    town.stripe.fault("expire_session", Fault.LOST_REQUEST)
    assert holds.release_by_hand(town.shop, order.id, "op") is Settled.RELEASED
    town.work()
    [session] = town.stripe.sessions.values()
    assert session["status"] == "expired"


def test_a_process_that_ends_right_after_a_person_s_release_leaves_no_session_open(
    town: Town, late: Order
) -> None:
    town.stripe.down()
    with town.fused(Fuse(1, only="redis EVALSHA", after=True)), pytest.raises(Crash):
        holds.release_by_hand(town.shop, late.id, "op")
    assert town.order(late).state is State.RELEASED
    town.stripe.up()
    town.work()
    assert town.stripe.sessions[late.session]["status"] == "expired"
