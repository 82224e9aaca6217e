"""What Stripe tells by webhook: verified, stored, answered, in any order and any number of times."""

import itertools
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
import redis

from storefront.domain.errors import SignatureInvalid
from storefront.domain.orders import Order, State
from tests.services.conftest import Build
from tests.services.town import Fuse, Town

HOUR = 3600


def test_a_payment_is_settled_without_a_call_to_stripe(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    calls = len(town.stripe.wire.calls)
    assert town.deliver() == ["sold", "already"]
    assert len(town.stripe.wire.calls) == calls
    order = town.order(opened)
    assert (order.state, order.email, town.level()) == (
        State.PAID,
        "ada@example.com",
        (3, 0, 2),
    )


def test_an_event_that_comes_again_changes_nothing(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    told = town.stripe.new_events()
    for event in told:
        town.receive(event)
    before = town.order(opened)
    assert [town.receive(event) for event in told] == ["repeat", "repeat"]
    assert town.order(opened) == before


def test_two_events_for_one_fact_sell_once(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    told = town.stripe.new_events()
    for event in (*told, *map(town.stripe.twin, told)):
        town.receive(event)
    assert town.level() == (3, 0, 2)
    town.rest()
    assert town.mails() == ["confirmed"]


def delayed_success(town: Town, session: str) -> None:
    town.stripe.pay_later(session)
    town.stripe.money_comes(session)


def delayed_failure(town: Town, session: str) -> None:
    town.stripe.pay_later(session)
    town.stripe.money_fails(session)


def declined_then_paid(town: Town, session: str) -> None:
    town.stripe.decline(session)
    town.stripe.pay(session)


def declined_then_ended(town: Town, session: str) -> None:
    town.stripe.decline(session)
    town.stripe.expire_session(session)


@pytest.mark.parametrize(
    ("happens", "level"),
    [
        (delayed_success, (3, 0, 2)),
        (delayed_failure, (5, 0, 0)),
        (declined_then_paid, (3, 0, 2)),
        (declined_then_ended, (5, 0, 0)),
    ],
)
def test_the_order_in_which_events_arrive_decides_nothing(
    build: Build, happens: Callable[[Town, str], None], level: tuple[int, int, int]
) -> None:
    town = build()
    for order in itertools.permutations(range(3)):
        town = build()
        opened = town.begin({"poster": 2}).order
        happens(town, opened.session)
        told = town.stripe.new_events()
        for number in order:
            if number < len(told):
                town.receive(told[number])
        town.work()
        assert town.level() == level
        town.rest()


@pytest.mark.parametrize("lost", range(4))
def test_any_one_event_may_be_lost(town: Town, opened: Order, lost: int) -> None:
    delayed_success(town, opened.session)
    for number, event in enumerate(town.stripe.new_events()):
        if number != lost:
            town.receive(event)
    town.work()
    town.pass_time(HOUR)
    assert town.order(opened).state is State.PAID
    town.rest()


def test_completed_but_unpaid_keeps_the_units_and_asks_stripe_at_once(
    town: Town, opened: Order
) -> None:
    town.stripe.pay_later(opened.session)
    assert town.deliver() == ["processing"]
    assert (town.order(opened).state, town.level()) == (State.PROCESSING, (3, 2, 0))
    assert town.due() == {f"ask:{opened.id}", f"mail:processing:{opened.id}"}
    town.work()
    assert town.order(opened).state is State.PROCESSING


def test_an_old_snapshot_of_a_delayed_payment_does_not_hold_back_what_stripe_says_now(
    town: Town, opened: Order
) -> None:
    delayed_failure(town, opened.session)
    completed = town.stripe.new_events()[0]
    town.receive(completed)
    town.work()
    assert (town.order(opened).reason, town.level()) == ("declined", (5, 0, 0))


def test_a_declined_card_leaves_the_shopper_his_hold(town: Town, opened: Order) -> None:
    town.stripe.decline(opened.session)
    town.deliver()
    town.work()
    assert (town.order(opened).state, town.level()) == (State.OPEN, (3, 2, 0))
    assert town.stripe.pay(opened.session)


def test_an_expired_session_gives_the_units_back(town: Town, opened: Order) -> None:
    town.skip(1920)
    assert town.deliver() == ["released"]
    assert (town.order(opened).reason, town.level()) == ("expired", (5, 0, 0))


def test_an_event_of_another_session_of_the_order_gives_nothing_back(
    town: Town, opened: Order
) -> None:
    from storefront.services import sessions

    twin = town.stripe.create_session(sessions.params(town.shop, opened), "twin").session
    town.stripe.expire_session(twin)
    town.deliver()
    town.work()
    assert (town.order(opened).state, town.level()) == (State.OPEN, (3, 2, 0))


def test_a_payment_is_told_before_the_creation_of_its_session_was_answered(town: Town) -> None:
    def paid_at_once() -> None:
        [session] = town.stripe.sessions
        town.stripe.pay(session)
        town.deliver()

    town.stripe.wire.meanwhile("create_session", after=paid_at_once)
    started = town.begin()
    assert started.order.state is State.PAID
    assert town.level() == (4, 0, 1)
    town.rest()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"metadata": {"shop": "other", "order": "x"}}, "not_ours"),
        ({"metadata": {}}, "not_ours"),
        ({"metadata": None}, "not_ours"),
        ({"metadata": {"shop": "test", "order": "x"}}, "unknown_order"),
        ({"metadata": {"shop": "test"}, "client_reference_id": None}, "unknown_order"),
    ],
)
def test_what_is_not_ours_is_answered_and_changes_nothing(
    town: Town, opened: Order, change: dict[str, Any], word: str
) -> None:
    town.stripe.pay(opened.session)
    for event in town.stripe.new_events():
        if event["type"].startswith("checkout"):
            event["data"]["object"].update(change)
            assert town.receive(event) == word
            assert town.receive(event) == "repeat"
    assert town.order(opened) == opened


@pytest.mark.parametrize("part", ["metadata", "customer_details"])
@pytest.mark.parametrize("value", [5, "text", True, ["a list"]])
def test_an_event_whose_parts_are_not_what_stripe_sends_is_no_event(
    town: Town, opened: Order, part: str, value: object
) -> None:
    town.stripe.pay(opened.session)
    for event in town.stripe.new_events():
        if part in event["data"]["object"]:
            event["data"]["object"][part] = value
            with pytest.raises(SignatureInvalid):
                town.receive(event)
    assert town.order(opened) == opened


def test_an_event_of_the_other_mode_is_answered_and_changes_nothing(
    town: Town, opened: Order
) -> None:
    town.stripe.livemode = True
    town.stripe.pay(opened.session)
    assert set(town.deliver()) == {"other_mode"}
    assert town.order(opened) == opened


@pytest.mark.parametrize(
    "kind",
    ["customer.created", "checkout.session", "charge", "", "payment_link.updated", "v1.x.y.z"],
)
def test_events_that_the_shop_has_no_use_for_are_ignored(town: Town, kind: str) -> None:
    event = {"id": "evt_x", "type": kind, "data": {"object": {}}, "livemode": False}
    assert town.receive(event) == "ignored"


def test_the_amount_and_the_mode_are_checked_before_goods_are_given(
    town: Town, opened: Order
) -> None:
    town.stripe.sessions[opened.session]["amount_total"] = 1
    town.stripe.pay(opened.session)
    assert town.deliver("checkout.session.completed") == ["review"]
    assert (town.order(opened).state, town.level()) == (State.REVIEW, (3, 2, 0))


def test_a_dispute_puts_the_order_before_a_person(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    town.deliver()
    town.stripe.dispute(town.order(opened).payment_intent)
    assert town.deliver() == ["review"]
    order = town.order(opened)
    assert (order.state, order.units) == (State.REVIEW, "sold")
    town.work()
    assert town.mails("review") == [order.id]


def test_a_dispute_and_a_refund_of_another_shop_s_payment_are_not_ours(town: Town) -> None:
    charge = {"id": "ch_x", "object": "charge", "payment_intent": "pi_x", "metadata": {}}
    refund = {"id": "re_x", "object": "refund", "payment_intent": "pi_x", "amount": 1}
    for kind, about in (
        ("charge.dispute.created", charge | {"object": "dispute"}),
        ("charge.refunded", charge),
        ("charge.refunded", charge | {"payment_intent": None}),
        ("charge.refunded", charge | {"metadata": {"shop": "test", "order": "none"}}),
        ("charge.refunded", charge | {"metadata": {"shop": "other", "order": "x"}}),
        ("refund.created", refund),
        ("refund.updated", refund | {"payment_intent": None}),
    ):
        event = {"id": f"evt_{kind}_{id(about)}", "type": kind, "data": {"object": about}}
        assert town.receive(event) == "not_ours"


def test_a_payment_that_bought_one_order_buys_no_other_whatever_is_written_on_it(
    town: Town, opened: Order
) -> None:
    town.stripe.pay(opened.session)
    town.deliver()
    other = town.begin({"poster": 2}, visitor="bob").order
    [intent] = town.stripe.intents.values()
    intent["metadata"] = {**intent["metadata"], "order": other.id}
    town.stripe._tell("payment_intent.succeeded", intent)
    assert town.deliver() == ["other_order"]
    assert (town.order(other), town.level()) == (other, (1, 2, 2))


def test_more_refunded_than_was_paid_is_asked_for_and_not_believed(
    town: Town, opened: Order
) -> None:
    town.stripe.pay(opened.session)
    town.deliver()
    payment = town.order(opened).payment_intent
    refund = town.stripe.refund_by_hand(payment, 2000)
    told = next(e for e in town.stripe.new_events() if e["type"] == "refund.created")
    impossible = {**told, "id": "evt_impossible"}
    impossible["data"] = {"object": told["data"]["object"] | {"id": "re_x", "amount": 5001}}
    assert town.receive(impossible) == "asking"
    assert town.order(opened).refunds == ()
    town.work()
    assert [(r.id, r.amount) for r in town.order(opened).refunds] == [(refund, 2000)]
    beside = {**impossible, "id": "evt_beside"}
    beside["data"] = {"object": told["data"]["object"] | {"id": "re_y", "amount": 3001}}
    assert town.receive(beside) == "asking"
    assert town.order(opened).refunded == 2000


def test_a_new_refund_is_known_before_the_failure_of_an_older_one(
    town: Town, opened: Order
) -> None:
    """Their events come in any order; the list tells how it was."""
    town.stripe.pay(opened.session)
    town.deliver()
    payment = town.order(opened).payment_intent
    first = town.stripe.refund_by_hand(payment, status="pending")
    town.deliver()
    town.stripe.refund_ends(first, "failed")
    second = town.stripe.refund_by_hand(payment)
    [new] = [
        e
        for e in town.stripe.new_events()
        if e["type"] == "refund.created" and e["data"]["object"]["id"] == second
    ]
    assert town.receive(new) == "asking"
    town.work()
    assert {r.id: r.status for r in town.order(opened).refunds} == {
        first: "failed",
        second: "succeeded",
    }
    assert town.order(opened).refunded == 5000


def test_what_an_event_asks_for_and_that_it_was_heard_are_one_write(
    town: Town, opened: Order
) -> None:
    """Else a restart could lose the first, and Stripe's next try would be taken for a repeat."""
    town.stripe.pay(opened.session)
    town.deliver()
    town.stripe.refund_by_hand(town.order(opened).payment_intent, 1000)
    [event] = [e for e in town.stripe.new_events() if e["type"] == "charge.refunded"]
    client = town.shop.store._client
    alone = AssertionError("written alone")
    with (
        patch.object(client, "set", side_effect=alone),
        patch.object(client, "zadd", side_effect=alone),
    ):
        assert town.receive(event) == "asking"
    assert any(job.startswith("refund:") for job in town.due())
    assert town.shop.store.orders.seen(event["id"])


def test_nothing_is_answered_before_the_outcome_is_stored(town: Town, opened: Order) -> None:
    """Redis is away at each call in turn: Stripe must be told to send the event again."""
    town.stripe.pay(opened.session)
    [event] = [e for e in town.stripe.new_events() if e["type"].startswith("checkout")]

    def away() -> None:
        raise redis.ConnectionError("away")

    for at in range(1, 20):
        with town.fused(Fuse(at, away, "redis")) as fuse:
            try:
                word = town.receive(event)
            except redis.ConnectionError:
                continue
        assert not fuse.reached
        assert town.order(opened).state is State.PAID
        assert word in {"sold", "repeat"}
        return
    raise AssertionError("never stored")


def test_each_event_is_counted_by_type_and_outcome_and_the_time_it_took(
    town: Town, opened: Order
) -> None:
    town.stripe.pay(opened.session)
    town.skip(4)
    town.deliver()
    metrics = town.shop.store.metrics()
    assert metrics["webhooks:payment_intent.succeeded:sold"] == 1
    assert metrics["webhooks:checkout.session.completed:already"] == 1
    assert (metrics["settle:5"], metrics["settle_milliseconds"]) == (1, 4000)
