"""Holds that outlived their deadline because Stripe could not be asked."""

import pytest

from storefront.domain.errors import StripeUnreachable
from storefront.domain.orders import Order, State
from storefront.services import holds, reconciliation, sessions
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


@pytest.fixture
def reviewed(town: Town) -> Order:
    """Ada's hold, which a person has been looking at since its payment could not be settled."""
    order = town.begin({"poster": 2}).order
    town.shop.store.scripts.review_order(order.id, reason="given up")
    town.work()
    return town.order(order)


def test_what_is_held_for_a_person_is_listed_until_something_was_paid(
    town: Town, reviewed: Order
) -> None:
    assert holds.waiting_for_a_person(town.shop) == [reviewed]
    assert holds.overdue(town.shop) == []
    town.stripe.pay(reviewed.session)
    town.deliver()
    assert holds.waiting_for_a_person(town.shop) == []


def test_a_person_may_release_what_a_review_holds_once_its_session_is_ended(
    town: Town, reviewed: Order
) -> None:
    assert holds.release_by_hand(town.shop, reviewed.id, "op") is Settled.RELEASED
    assert not town.stripe.pay(reviewed.session)
    assert (town.order(reviewed).state, town.level()) == (State.RELEASED, (5, 0, 0))
    [entry] = town.shop.store.ledger.latest(1)
    assert entry.who == "op"
    town.rest()


def test_what_was_paid_during_a_review_is_settled_instead(town: Town, reviewed: Order) -> None:
    town.stripe.pay(reviewed.session)
    town.lose_events()
    assert holds.release_by_hand(town.shop, reviewed.id, "op") is Settled.SOLD
    assert (town.order(reviewed).state, town.level()) == (State.PAID, (3, 0, 2))
    town.rest()


def test_another_sum_that_was_paid_during_a_review_keeps_the_units(
    town: Town, reviewed: Order
) -> None:
    town.stripe.pay(reviewed.session)
    town.lose_events()
    town.stripe.sessions[reviewed.session]["amount_total"] = 1
    assert holds.release_by_hand(town.shop, reviewed.id, "op") is Settled.REVIEW
    assert holds.release_by_hand(town.shop, reviewed.id, "op") is Settled.KEPT
    assert town.level() == (3, 2, 0)


def test_money_on_its_way_keeps_what_a_review_holds(town: Town, reviewed: Order) -> None:
    town.stripe.pay_later(reviewed.session)
    town.lose_events()
    assert holds.release_by_hand(town.shop, reviewed.id, "op") is Settled.KEPT
    assert (town.order(reviewed).state, town.level()) == (State.REVIEW, (3, 2, 0))


def test_without_stripe_s_word_a_review_keeps_its_units(town: Town, reviewed: Order) -> None:
    from storefront.domain.errors import StripeUnreachable

    town.stripe.down()
    with pytest.raises(StripeUnreachable):
        holds.release_by_hand(town.shop, reviewed.id, "op")
    assert town.level() == (3, 2, 0)


@pytest.mark.parametrize("made", [True, False])
def test_a_review_without_a_session_is_released_once_stripe_has_none_to_pay(
    town: Town, made: bool
) -> None:
    from storefront.domain.errors import StripeUnreachable

    town.stripe.fault("create_session", Fault.LOST_REPLY if made else Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    town.shop.store.scripts.review_order(order.id, reason="given up")
    assert holds.release_by_hand(town.shop, order.id, "op") is Settled.RELEASED
    assert [session["status"] for session in town.stripe.sessions.values()] == ["expired"]
    assert town.level() == (5, 0, 0)
    town.rest()


def test_every_session_that_a_reviewed_order_ever_had_is_ended_before_its_units_go(
    town: Town, reviewed: Order
) -> None:
    twin = town.stripe.create_session(sessions.params(town.shop, reviewed), "twin").session
    town.shop.store.scripts.attach_session(reviewed.id, session=twin, url="")
    assert holds.release_by_hand(town.shop, reviewed.id, "op") is Settled.RELEASED
    assert {session["status"] for session in town.stripe.sessions.values()} == {"expired"}
    town.rest()


@pytest.mark.parametrize("right", [True, False])
def test_what_a_bank_has_agreed_to_pay_during_a_review_is_committed_and_never_released(
    build: Build, right: bool
) -> None:
    town = build(CAPTURE_METHOD="manual")
    order = town.begin({"poster": 2}).order
    town.shop.store.scripts.review_order(order.id, reason="given up")
    town.stripe.authorize(order.session)
    town.lose_events()
    if not right:
        town.stripe.sessions[order.session]["amount_total"] = 1
    expected = Settled.AUTHORIZED if right else Settled.KEPT
    assert holds.release_by_hand(town.shop, order.id, "op") is expected
    assert town.level() == ((3, 0, 2) if right else (3, 2, 0))
    if right:
        town.rest()
