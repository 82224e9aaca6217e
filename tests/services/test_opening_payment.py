"""Opening the payment of a held order, whatever Stripe answers or does not."""

import pytest

from storefront.domain.errors import (
    StripeRefused,
    StripeUnreachable,
)
from storefront.domain.orders import State
from tests.fakes.faults import Fault
from tests.services.town import Crash, Fuse, Town

UNKNOWN = [
    Fault.LOST_REQUEST,
    Fault.LOST_REPLY,
    Fault.BUSY,
    Fault.LIMITED,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.LATE,
]


@pytest.mark.parametrize("fault", UNKNOWN)
def test_an_unknown_outcome_keeps_the_hold_until_stripe_has_spoken(
    town: Town, fault: Fault
) -> None:
    town.stripe.fault("create_session", fault)
    with pytest.raises(StripeUnreachable):
        town.begin()
    assert (town.orders()[0].state, town.level()) == (State.PENDING, (4, 1, 0))
    town.stripe.down()
    town.work()
    assert town.level() == (4, 1, 0)
    town.stripe.up()
    town.stripe.wire.arrive()
    town.rest()
    assert (town.orders()[0].state, town.level()) == (State.RELEASED, (5, 0, 0))


@pytest.mark.parametrize("fault", UNKNOWN)
def test_a_shopper_who_tries_again_after_an_unknown_outcome_comes_to_the_one_payment(
    town: Town, fault: Fault
) -> None:
    town.stripe.fault("create_session", fault)
    with pytest.raises(StripeUnreachable):
        town.begin()
    town.stripe.wire.arrive()
    started = town.begin()
    assert (started.order.state, len(town.orders()), town.level()) == (State.OPEN, 1, (4, 1, 0))
    town.stripe.pay(started.order.session)
    town.rest()
    assert town.level() == (4, 0, 1)
    live = [s for s in town.stripe.sessions.values() if s["status"] == "complete"]
    assert len(live) == 1


class TestAShopperComesBackWhileTheWorkerEndsWhatStripeDidNotAnswer:
    """Whoever notes the session first decides: it is paid, or it is ended and nobody is led to it."""

    @pytest.fixture
    def unanswered(self, town: Town) -> Town:
        town.stripe.fault("create_session", Fault.LIMITED)
        with pytest.raises(StripeUnreachable):
            town.begin()
        return town

    def test_the_shopper_was_first(self, unanswered: Town) -> None:
        town, urls = unanswered, list[str]()
        town.stripe.wire.meanwhile("create_session", after=lambda: urls.append(town.begin().url))
        town.work()
        [session] = town.stripe.sessions.values()
        assert (session["status"], urls) == ("open", [session["url"]])
        assert [order.state for order in town.orders()] == [State.OPEN]
        assert town.level() == (4, 1, 0)

    def test_the_worker_was_first(self, unanswered: Town) -> None:
        town = unanswered
        refused: list[StripeUnreachable] = []

        def click() -> None:
            with pytest.raises(StripeUnreachable) as answer:
                town.begin()
            refused.append(answer.value)

        town.stripe.wire.meanwhile("create_session", after=town.work)
        click()
        assert len(refused) == 1
        assert [order.state for order in town.orders()] == [State.RELEASED]
        started = town.begin()
        assert started.url == town.stripe.sessions[started.order.session]["url"]
        assert town.level() == (4, 1, 0)

    def test_the_shopper_comes_between_the_note_and_stripe_s_end(self, unanswered: Town) -> None:
        """Stripe calls the worker's key busy."""
        town, refused = unanswered, list[StripeUnreachable]()

        def click() -> None:
            with pytest.raises(StripeUnreachable) as answer:
                town.begin()
            refused.append(answer.value)

        town.stripe.wire.meanwhile("expire_session", before=click)
        town.work()
        assert len(refused) == 1
        assert [order.state for order in town.orders()] == [State.RELEASED]
        assert town.level() == (5, 0, 0)

    def test_a_worker_that_was_stopped_before_stripe_s_end_blocks_nobody(
        self, unanswered: Town
    ) -> None:
        town = unanswered
        with town.fused(Fuse(1, only="stripe expire_session")), pytest.raises(Crash):
            town.work()
        assert [(one.state, one.ending) for one in town.orders()] == [(State.OPEN, "expired")]
        started = town.begin()
        assert town.stripe.sessions[started.order.session]["status"] == "open"
        assert town.level() == (4, 1, 0)

    def test_a_worker_that_could_not_end_it_leaves_it_to_be_paid(self, unanswered: Town) -> None:
        town = unanswered
        town.stripe.fault("expire_session", Fault.LIMITED)
        town.work()
        [order] = town.orders()
        assert (order.state, order.ending) == (State.OPEN, "")
        assert town.begin().url == order.url


@pytest.mark.parametrize("fault", [Fault.SPENT_BEFORE, Fault.SPENT_AFTER])
def test_a_spent_key_leads_on_to_a_payment_at_once(town: Town, fault: Fault) -> None:
    town.stripe.fault("create_session", fault)
    started = town.begin()
    assert (started.order.state, len(town.stripe.sessions)) == (State.OPEN, 1)
    version = 1 if fault is Fault.SPENT_AFTER else 2
    assert started.order.session_version == version


def test_the_next_key_s_number_and_expiry_are_stored_before_stripe_sees_them(town: Town) -> None:
    town.stripe.fault("create_session", Fault.SPENT_BEFORE)
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    [session] = town.stripe.sessions.values()
    assert (order.session_version, order.expires_at) == (2, session["expires_at"])
    town.skip(100)
    assert town.begin().order.session == session["id"]


def test_stripe_that_answers_every_key_with_an_error_leaves_nothing_behind(town: Town) -> None:
    town.stripe.fault("create_session", Fault.SPENT_BEFORE, times=3)
    with pytest.raises(StripeUnreachable):
        town.begin()
    town.rest()
    assert town.level() == (5, 0, 0)


def test_units_go_back_at_once_when_stripe_is_well_again_after_spending_every_key(
    town: Town,
) -> None:
    town.stripe.fault("create_session", Fault.SPENT_BEFORE, times=3)
    with pytest.raises(StripeUnreachable):
        town.begin()
    assert town.level() == (4, 1, 0)
    town.work()
    assert town.level() == (5, 0, 0)


def test_a_twin_that_stripe_s_list_showed_too_late_is_ended(town: Town) -> None:
    town.stripe.fault("create_session", Fault.SPENT_AFTER)
    twins = []

    def hide(call: str) -> None:
        if call == "sessions_between":
            twins.extend(town.stripe.sessions)
            for session in twins:
                town.stripe.sessions[session]["client_reference_id"] = ""
                town.stripe.sessions[session]["metadata"] = {"shop": "test"}

    town.stripe.wire.choose = hide  # type: ignore[assignment]
    started = town.begin()
    town.stripe.up()
    for session in twins:
        town.stripe.sessions[session]["metadata"] = {"shop": "test", "order": started.order.id}
    assert started.order.session not in twins
    town.stripe.pay(started.order.session)
    town.rest()
    assert town.level() == (4, 0, 1)


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.UNAUTHORIZED])
def test_a_clear_no_at_the_first_call_lets_the_units_go_at_once(town: Town, fault: Fault) -> None:
    town.stripe.fault("create_session", fault, times=2)  # by its Prices, and by the amounts
    with pytest.raises(StripeRefused):
        town.begin()
    [order] = town.orders()
    assert (order.state, order.reason, town.level()) == (State.RELEASED, "refused", (5, 0, 0))
    town.stripe.up()
    town.rest()


def test_a_clear_no_after_an_unknown_outcome_is_believed_only_when_it_proves_something(
    town: Town,
) -> None:
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    town.stripe.fault("create_session", Fault.UNAUTHORIZED)
    with pytest.raises(StripeRefused):
        town.begin()
    assert (town.orders()[0].state, town.level()) == (State.PENDING, (4, 1, 0))
    town.rest()
    assert town.level() == (5, 0, 0)


def test_a_creation_too_late_for_its_expiry_is_looked_up_before_anything_is_made_anew(
    town: Town,
) -> None:
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    town.skip(200)
    started = town.begin()
    assert (started.order.session_version, len(town.stripe.sessions)) == (1, 1)


def test_a_creation_too_late_for_its_expiry_that_made_nothing_gets_a_new_expiry(
    town: Town,
) -> None:
    town.stripe.fault("create_session", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        town.begin()
    town.skip(200)
    started = town.begin()
    assert (started.order.session_version, started.order.state) == (2, State.OPEN)
    assert started.order.expires_at == town.shop.store.now() // 1000 + 1920
