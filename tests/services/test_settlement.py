"""An order is brought to what Stripe says is true, whoever brings the facts."""

from dataclasses import replace

import pytest

from storefront.domain.errors import StripeRefused, StripeUnreachable
from storefront.domain.orders import Order, Reason, State
from storefront.domain.payments import Payment
from storefront.services import settlement
from storefront.storage.answers import Settled
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Town

HOUR = 3600
DAY = 24 * HOUR


def pay(town: Town, order: Order) -> Payment:
    assert town.stripe.pay(order.session)
    return town.stripe.session(order.session)


def test_a_payment_in_full_gives_the_goods_once(town: Town, opened: Order) -> None:
    paid = pay(town, opened)
    assert settlement.apply(town.shop, opened, paid) is Settled.SOLD
    assert settlement.apply(town.shop, opened, paid) is Settled.ALREADY
    assert (town.order(opened).state, town.level()) == (State.PAID, (3, 0, 2))
    town.rest()
    assert town.mails() == ["confirmed"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": 4999}, "paid 4999 usd, held for 5000 usd"),
        ({"amount": 5001}, "paid 5001 usd, held for 5000 usd"),
        ({"currency": "eur"}, "paid in eur, held in usd"),
    ],
)
def test_another_amount_or_currency_gives_no_goods_and_comes_before_a_person(
    town: Town, opened: Order, changes: dict[str, object], said: str
) -> None:
    wrong = replace(pay(town, opened), **changes)  # type: ignore[arg-type]
    assert settlement.apply(town.shop, opened, wrong) is Settled.REVIEW
    order = town.order(opened)
    assert (order.state, order.reason, order.units) == (State.REVIEW, said, "held")
    assert town.level() == (3, 2, 0)
    town.work()
    assert town.mails() == ["review"]


def test_facts_that_say_open_or_nothing_change_nothing(town: Town, opened: Order) -> None:
    facts = town.stripe.session(opened.session)
    assert settlement.apply(town.shop, opened, facts) is Settled.OPEN
    unclear = replace(facts, session_status="complete", intent_status="")
    assert settlement.apply(town.shop, opened, unclear) is Settled.OPEN
    assert town.order(opened) == opened


def test_expired_after_completed_never_undoes_a_sale(town: Town, opened: Order) -> None:
    settlement.apply(town.shop, opened, pay(town, opened))
    expired = Payment(order=opened.id, session=opened.session, session_status="expired")
    assert settlement.apply(town.shop, opened, expired) is Settled.KEPT
    assert town.level() == (3, 0, 2)


def test_completed_after_expired_gives_the_goods_that_are_still_there(
    town: Town, opened: Order
) -> None:
    expired = Payment(order=opened.id, session=opened.session, session_status="expired")
    paid = pay(town, opened)
    assert settlement.apply(town.shop, opened, expired) is Settled.RELEASED
    assert settlement.apply(town.shop, opened, paid) is Settled.RETAKEN
    assert town.level() == (3, 0, 2)


def test_a_shopper_who_pays_inside_the_window_gets_the_goods_though_no_webhook_ever_comes(
    town: Town, opened: Order
) -> None:
    town.skip(1919)
    assert town.stripe.pay(opened.session)
    town.lose_events()
    town.pass_time(30)
    assert town.order(opened).state is State.PAID
    town.rest()


def test_a_hold_that_nobody_paid_ends_at_its_deadline_and_its_session_with_it(
    build: Build,
) -> None:
    town = build(HOLD_SECONDS="300")
    opened = town.begin({"poster": 2}).order
    town.pass_time(299)
    assert town.level() == (3, 2, 0)
    town.pass_time(6)
    assert (town.order(opened).state, town.order(opened).reason) == (State.RELEASED, "expired")
    assert town.level() == (5, 0, 0)
    assert not town.stripe.pay(opened.session)


def test_units_never_go_back_while_stripe_is_silent(town: Town, opened: Order) -> None:
    town.stripe.down()
    town.pass_time(6 * HOUR)
    assert (town.order(opened).state, town.level()) == (State.OPEN, (3, 2, 0))
    town.stripe.up()
    town.pass_time(31)
    assert (town.order(opened).state, town.level()) == (State.RELEASED, (5, 0, 0))


def test_a_payment_during_stripe_s_silence_is_found_when_it_is_back(
    town: Town, opened: Order
) -> None:
    assert town.stripe.pay(opened.session)
    town.lose_events()
    town.stripe.down()
    town.pass_time(2 * HOUR)
    town.stripe.up()
    town.pass_time(31)
    assert town.order(opened).state is State.PAID


def test_ending_a_payment_that_was_quicker_settles_it(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    assert settlement.end(town.shop, opened, Reason.CANCELLED) is Settled.SOLD
    assert town.order(opened).state is State.PAID


def test_ending_what_holds_nothing_asks_nobody(town: Town, opened: Order) -> None:
    settlement.apply(town.shop, opened, pay(town, opened))
    calls = len(town.stripe.wire.calls)
    assert settlement.end(town.shop, town.order(opened), Reason.CANCELLED) is Settled.KEPT
    assert len(town.stripe.wire.calls) == calls


def test_ending_leaves_everything_as_it_is_when_stripe_is_silent(town: Town, opened: Order) -> None:
    town.stripe.down()
    with pytest.raises(StripeUnreachable):
        settlement.end(town.shop, opened, Reason.CANCELLED)
    assert (town.order(opened).state, town.level()) == (State.OPEN, (3, 2, 0))


def test_ending_a_pending_order_ends_the_session_that_its_lost_answer_told_of(
    town: Town,
) -> None:
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    assert settlement.end(town.shop, order, Reason.EXPIRED) is Settled.RELEASED
    [session] = town.stripe.sessions.values()
    assert session["status"] == "expired"
    assert town.order(order).sessions == (session["id"],)


def test_the_reason_that_the_shopper_gave_stays_when_stripe_s_event_is_quicker(
    town: Town, opened: Order
) -> None:
    town.stripe.wire.meanwhile("expire_session", after=town.deliver)
    settlement.end(town.shop, opened, Reason.CANCELLED)
    assert town.order(opened).reason == "cancelled"


def test_an_order_without_payment_page_is_looked_after_within_half_a_minute(town: Town) -> None:
    """Its web process ended right after it took the hold."""
    from contextlib import suppress

    from tests.services.town import Crash, Fuse

    with town.fused(Fuse(1, only="stripe")), suppress(Crash):
        town.begin()
    [order] = town.orders()
    assert order.state is State.PENDING
    town.pass_time(35)
    assert (town.order(order).state, town.level()) == (State.RELEASED, (5, 0, 0))


def test_an_unknown_order_is_nobody_s_job(town: Town) -> None:
    assert settlement.ask_when_due(town.shop, "none") is None
    assert settlement.end_when_due(town.shop, "none") is None
    with pytest.raises(StripeRefused):
        settlement.end_stray(town.shop, "none", "cs_none")
