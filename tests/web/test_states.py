"""An order's page has true words for every state."""

import dataclasses

import pytest

from storefront.domain.orders import Line, Order, Reason, Refund, State
from storefront.web import states

NOW = 1_000_000
ORDER = Order(
    id="o1",
    state=State.OPEN,
    created=NOW - 1000,
    currency="usd",
    amount=2500,
    lines=(Line("poster", 1, 2500),),
    deadline=NOW + 60_000,
    expires_at=2000,
    session_version=1,
)


def told(state: State, **changes: object) -> states.Told:
    return states.tell(dataclasses.replace(ORDER, state=state, **changes), NOW)  # type: ignore[arg-type]


def test_each_state_has_a_title_and_a_text_of_its_own() -> None:
    blocks = [told(state) for state in State]
    assert len({b.title for b in blocks}) == len(State)
    assert all(b.text for b in blocks)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.OFFERED, "waiting"),
        (State.PENDING, "waiting"),
        (State.OPEN, "waiting"),
        (State.PROCESSING, "waiting"),
        (State.AUTHORIZED, "good"),
        (State.PAID, "good"),
        (State.FULFILLED, "good"),
        (State.RELEASED, "neutral"),
        (State.REFUNDED, "neutral"),
        (State.VOIDED, "neutral"),
        (State.REFUND_DUE, "bad"),
        (State.VOID_DUE, "bad"),
        (State.REVIEW, "bad"),
    ],
)
def test_the_block_looks_like_what_it_says(state: State, kind: str) -> None:
    assert told(state).kind == kind


def test_only_states_with_the_goods_are_told_as_good() -> None:
    good = {state for state in State if told(state).kind == "good"}
    assert good == {State.AUTHORIZED, State.PAID, State.FULFILLED}


@pytest.mark.parametrize(
    "reason",
    [Reason.EXPIRED, Reason.CANCELLED, Reason.DECLINED, Reason.REPLACED, Reason.REFUSED, "unheard"],
)
def test_a_released_order_says_that_nothing_was_charged(reason: str) -> None:
    assert told(State.RELEASED, reason=reason).charged == "You were not charged."


def test_each_reason_of_a_release_has_its_own_words() -> None:
    titles = {told(State.RELEASED, reason=r).title for r in states.RELEASED}
    assert len(titles) == len(states.RELEASED)


def test_past_its_deadline_an_open_order_is_no_longer_called_held() -> None:
    late = told(State.OPEN, deadline=NOW)
    assert late.title == "The time is up"
    assert "checking with Stripe" in late.text


def test_money_that_goes_back_says_why_and_that_all_of_it_does() -> None:
    block = told(State.REFUND_DUE, reason=Reason.SOLD_OUT)
    assert "after your hold had ended" in block.text
    assert "full amount" in block.charged


@pytest.mark.parametrize(
    ("status", "says"), [("succeeded", "was sent back"), ("pending", "on its way back")]
)
def test_a_refund_is_not_called_done_before_it_is(status: str, says: str) -> None:
    refund = Refund("re_1", 2500, status, "pi_1")
    assert says in told(State.REFUNDED, refunds=(refund,)).charged


def test_every_state_that_passes_by_itself_is_looked_at_again() -> None:
    final = {
        State.PAID,
        State.FULFILLED,
        State.RELEASED,
        State.REFUNDED,
        State.VOIDED,
        State.REVIEW,
    }
    assert set(State) - final == states.UNDECIDED


@pytest.mark.parametrize(
    "status", ["succeeded", "pending", "requires_action", "failed", "canceled", "?"]
)
def test_each_refund_status_is_told_in_words(status: str) -> None:
    assert states.refund_words(status)
