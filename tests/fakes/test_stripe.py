"""The fake keeps Stripe's contract, or the tests that stand on it prove nothing."""

import inspect
import json
from collections.abc import Iterator
from types import ModuleType
from urllib.parse import urlencode

import pytest
import stripe as library
import time_machine

from storefront.clients.stripe_api import Stripe
from storefront.domain.errors import (
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from tests.fakes.checks import SESSION_PARAMS
from tests.fakes.description import NOW, flat, link, load, wanted
from tests.fakes.faults import Fault
from tests.fakes.links import LINK_PARAMS
from tests.fakes.stripe import FakeStripe


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def stripe(clock: time_machine.Traveller) -> FakeStripe:
    return FakeStripe()


def kinds(stripe: FakeStripe) -> list[str]:
    return [event["type"] for event in stripe.new_events()]


def test_it_has_exactly_the_calls_of_the_real_client() -> None:
    for name, real in inspect.getmembers(Stripe, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(FakeStripe, name)) == inspect.signature(real), name


def test_a_key_makes_one_session_and_its_replay_tells_what_that_session_is_now(
    stripe: FakeStripe,
) -> None:
    made = stripe.create_session(wanted(), "k")
    assert (made.session, made.session_status, made.amount) == ("cs_test_1", "open", 5000)
    assert stripe.pay(made.session)
    again = stripe.create_session(wanted(), "k")
    assert (again.session, again.session_status, again.intent_status) == (
        "cs_test_1",
        "complete",
        "succeeded",
    )
    assert len(stripe.sessions) == 1


def test_other_parameters_under_one_key_are_an_error(stripe: FakeStripe) -> None:
    stripe.create_session(wanted(), "k")
    with pytest.raises(StripeKeyMismatch):
        stripe.create_session(wanted(client_reference_id="o2"), "k")


@pytest.mark.parametrize(
    ("kind", "error", "sessions", "then"),
    [
        (Fault.LOST_REQUEST, StripeUnreachable, 0, None),
        (Fault.LOST_REPLY, StripeUnreachable, 1, None),
        (Fault.BUSY, StripeUnreachable, 0, None),
        (Fault.LIMITED, StripeUnreachable, 0, None),
        (Fault.ERROR_BEFORE, StripeUnreachable, 0, StripeSpent),
        (Fault.ERROR_AFTER, StripeUnreachable, 1, StripeSpent),
        (Fault.SPENT_BEFORE, StripeSpent, 0, StripeSpent),
        (Fault.SPENT_AFTER, StripeSpent, 1, StripeSpent),
        (Fault.REFUSED, StripeRefused, 0, None),
        (Fault.UNAUTHORIZED, StripeRefused, 0, None),
    ],
)
def test_each_fault_does_what_it_says_and_leaves_the_key_as_stripe_would(
    stripe: FakeStripe,
    kind: Fault,
    error: type[Exception],
    sessions: int,
    then: type[Exception] | None,
) -> None:
    stripe.fault("create_session", kind)
    with pytest.raises(error):
        stripe.create_session(wanted(), "k")
    assert len(stripe.sessions) == sessions
    if then:
        with pytest.raises(then):
            stripe.create_session(wanted(), "k")
        assert len(stripe.sessions) == sessions
    else:
        assert stripe.create_session(wanted(), "k").session == "cs_test_1"
        assert len(stripe.sessions) == 1


def test_a_late_request_is_in_flight_until_it_arrives(stripe: FakeStripe) -> None:
    stripe.fault("create_session", Fault.LATE)
    for _ in range(2):
        with pytest.raises(StripeUnreachable):
            stripe.create_session(wanted(), "k")
    assert (len(stripe.sessions), stripe.wire.arrive(), len(stripe.sessions)) == (0, ["k"], 1)
    assert stripe.create_session(wanted(), "k").session == "cs_test_1"


def test_a_late_request_that_is_no_longer_valid_makes_nothing(
    stripe: FakeStripe, clock: time_machine.Traveller
) -> None:
    stripe.fault("create_session", Fault.LATE)
    with pytest.raises(StripeUnreachable):
        stripe.create_session(wanted(), "k")
    clock.shift(120)
    assert (stripe.wire.arrive(), len(stripe.sessions)) == (["k"], 0)


@pytest.mark.parametrize("seconds", [1800, 24 * 3600 + 1])
def test_a_session_lives_more_than_30_minutes_and_at_most_24_hours(
    stripe: FakeStripe, seconds: int
) -> None:
    with pytest.raises(StripeRefused):
        stripe.create_session(wanted(expires_at=int(NOW.timestamp()) + seconds), "k")
    assert stripe.create_session(wanted(), "k").session_status == "open"


def test_what_is_wrong_with_a_session_is_refused(stripe: FakeStripe) -> None:
    line = wanted()["line_items"][0]
    for wrong in (
        {"payment_intent_data": {"metadata": {"k" * 41: "v"}}},
        {"metadata": {"k": "v" * 501}},
        {"metadata": {str(n): "v" for n in range(51)}},
        {"line_items": []},
        {"line_items": [line] * 101},
        {"line_items": [line | {"quantity": 0}]},
        {"client_reference_id": "o" * 201},
        {"custom_text": {"submit": {"message": "m" * 1201}}},
        {"mode": "subscription"},
        {"payment_method_types": ["card"]},
    ):
        with pytest.raises(StripeRefused):
            stripe.create_session(wanted(**wrong), "k")
    assert not stripe.sessions


def test_only_an_open_session_can_be_ended_and_then_nobody_can_pay_it(stripe: FakeStripe) -> None:
    first = stripe.create_session(wanted(), "1").session
    assert stripe.decline(first)
    ended = stripe.expire_session(first)
    assert (ended.session_status, ended.url) == ("expired", "")
    assert not stripe.pay(first)
    second = stripe.create_session(wanted(), "2").session
    assert stripe.pay(second)
    with pytest.raises(StripeRefused) as refused:
        stripe.expire_session(second)
    assert refused.value.code == ""


def test_a_session_expires_by_itself_and_says_so(
    stripe: FakeStripe, clock: time_machine.Traveller
) -> None:
    made = stripe.create_session(wanted(), "k").session
    clock.shift(1919)
    assert stripe.session(made).session_status == "open"
    clock.shift(1)
    assert not stripe.pay(made)
    assert kinds(stripe) == ["checkout.session.expired"]


def test_ending_passes_over_keys_that_only_replay_an_error(stripe: FakeStripe) -> None:
    made = stripe.create_session(wanted(), "k").session
    stripe.fault("expire_session", Fault.SPENT_BEFORE, times=2)
    assert stripe.expire_session(made).session_status == "expired"


def test_a_delayed_payment_completes_unpaid_and_ends_later(stripe: FakeStripe) -> None:
    good, bad = (stripe.create_session(wanted(), key).session for key in "ab")
    for session in (good, bad):
        assert stripe.pay_later(session)
        found = stripe.session(session)
        assert (found.session_status, found.payment_status, found.intent_status) == (
            "complete",
            "unpaid",
            "processing",
        )
    stripe.money_comes(good)
    stripe.money_fails(bad)
    assert stripe.session(good).intent_status == "succeeded"
    assert stripe.session(bad).intent_status == "requires_payment_method"
    assert kinds(stripe) == [
        "checkout.session.completed",
        "checkout.session.completed",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]


def test_no_more_is_refunded_than_was_paid(stripe: FakeStripe) -> None:
    stripe.pay(stripe.create_session(wanted(), "k").session)
    part = stripe.create_refund("pi_1", amount=2000, metadata={}, key="r1")
    assert (part.status, stripe.taken("o1")) == ("succeeded", {"pi_1": 3000})
    with pytest.raises(StripeRefused):
        stripe.create_refund("pi_1", amount=3001, metadata={}, key="r2")
    stripe.refund_by_hand("pi_1", 3000)
    with pytest.raises(StripeRefused) as refused:
        stripe.create_refund("pi_1", amount=1, metadata={}, key="r3")
    assert refused.value.code == "charge_already_refunded"
    assert [refund.id for refund in stripe.refunds("pi_1")] == ["re_2", "re_1"]


def test_a_refund_that_fails_gives_the_money_back_to_the_shop(stripe: FakeStripe) -> None:
    stripe.pay(stripe.create_session(wanted(), "k").session)
    refund = stripe.refund_by_hand("pi_1", status="pending")
    assert stripe.taken("o1") == {"pi_1": 0}
    stripe.refund_ends(refund, "failed")
    assert (stripe.taken("o1"), stripe.refunds("pi_1")[0].status) == ({"pi_1": 5000}, "failed")


def test_a_disputed_charge_cannot_be_refunded(stripe: FakeStripe) -> None:
    stripe.pay(stripe.create_session(wanted(), "k").session)
    stripe.dispute("pi_1")
    with pytest.raises(StripeRefused) as refused:
        stripe.create_refund("pi_1", amount=5000, metadata={}, key="r")
    assert refused.value.code == "charge_disputed"


def test_its_deliveries_are_signed_so_that_the_real_check_takes_them(
    stripe: FakeStripe,
) -> None:
    stripe.pay(stripe.create_session(wanted(), "k").session)
    for event in stripe.new_events():
        assert stripe.event(*stripe.signed(event)) == event
        assert stripe.twin(event)["id"] != event["id"]


def test_reading_what_does_not_exist_is_refused(stripe: FakeStripe) -> None:
    for call in (stripe.session, stripe.intent, stripe.expire_session):
        with pytest.raises(StripeRefused) as refused:
            call("none")
        assert refused.value.status == 404


def test_the_same_calls_are_the_same_run(clock: time_machine.Traveller) -> None:
    def run() -> str:
        stripe = FakeStripe()
        stripe.pay(stripe.create_session(wanted(), "k").session)
        stripe.refund_by_hand("pi_1")
        return json.dumps([stripe.new_events(), stripe.sessions, stripe.wire.calls])

    assert run() == run()


@pytest.fixture(scope="module")
def description() -> ModuleType | None:
    return load()


TYPES: dict[str, type] = {
    "checkout.session": library.checkout.Session,
    "payment_intent": library.PaymentIntent,
    "charge": library.Charge,
    "refund": library.Refund,
    "dispute": library.Dispute,
    "payment_link": library.PaymentLink,
}


def test_its_objects_are_as_stripe_describes_them(
    stripe: FakeStripe, description: ModuleType | None
) -> None:
    paid, ended, late = (stripe.create_session(wanted(), key).session for key in "abc")
    stripe.pay(paid)
    stripe.decline(ended)
    stripe.expire_session(ended)
    stripe.pay_later(late)
    stripe.refund_by_hand("pi_1", 100)
    stripe.dispute("pi_1")
    stripe.deactivate_payment_link(stripe.create_payment_link(link(), "l").id)
    events = stripe.new_events()
    assert {event["data"]["object"]["object"] for event in events} == set(TYPES)
    for event in events:
        about = event["data"]["object"]
        assert set(about) <= set(TYPES[about["object"]].__annotations__)
        if description:
            assert description.check_response(about["object"], about) == [], event["type"]
            assert description.check_response("event", event) == []


def test_it_takes_only_what_stripe_describes(description: ModuleType | None) -> None:
    known = set(library.params.checkout.SessionCreateParams.__annotations__)
    assert set(wanted()) <= SESSION_PARAMS <= known
    if description:
        body = urlencode(list(flat(wanted())))
        assert description.check_request("POST", "/v1/checkout/sessions", body) == []
    known = set(library.params.PaymentLinkCreateParams.__annotations__)
    assert set(link()) <= LINK_PARAMS <= known
    if description:
        body = urlencode(list(flat(link())))
        assert description.check_request("POST", "/v1/payment_links", body) == []


def test_a_link_opens_sessions_until_its_limit_of_completed_ones(stripe: FakeStripe) -> None:
    made = stripe.create_payment_link(link(), "l")
    first, second, third = (stripe.visit(made.id) for _ in range(3))
    assert stripe.pay(first)
    assert stripe.payment_link(made.id).count == 1
    assert stripe.pay(second)
    assert (stripe.payment_link(made.id).active, stripe.visit(made.id)) == (False, "")
    assert [one.session for one in stripe.link_sessions(made.id, "open")] == [third]
    assert stripe.pay(third), "a session that was opened before stays payable"
    with pytest.raises(StripeRefused):
        stripe.switch_by_hand(made.id, True)


def test_a_saved_answer_does_not_switch_a_link_off_again(stripe: FakeStripe) -> None:
    made = stripe.create_payment_link(link(), "l")
    for _ in range(2):
        assert not stripe.deactivate_payment_link(made.id).active
        stripe.switch_by_hand(made.id, True)
    assert [one.id for one in stripe.payment_links(active=True)] == [made.id]
