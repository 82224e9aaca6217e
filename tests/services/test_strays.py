"""A session that its order went on without is ended, or settled when it was paid."""

import pytest

from storefront.domain.errors import StripeUnreachable
from storefront.domain.orders import Order, State
from storefront.services import sessions
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Town

HOUR = 3600
DAY = 24 * HOUR


def test_a_stray_session_is_ended(town: Town, opened: Order) -> None:
    stray = twin(town, opened)
    town.shop.store.scripts.attach_session(opened.id, session=stray, url="u")
    town.work()
    assert town.stripe.sessions[stray]["status"] == "expired"
    assert town.order(opened).state is State.OPEN


def twin(town: Town, order: Order) -> str:
    """A second session for the order, which Stripe should never have had to make."""
    params = sessions.params(town.shop, order)
    return town.stripe.create_session(params, f"twin of {order.id}").session


def test_a_stray_session_that_was_paid_buys_the_goods_and_the_order_s_own_is_ended(
    town: Town, opened: Order
) -> None:
    stray = twin(town, opened)
    town.stripe.pay(stray)
    town.shop.store.scripts.attach_session(opened.id, session=stray, url="u")
    town.work()
    assert town.order(opened).state is State.PAID
    assert town.stripe.sessions[opened.session]["status"] == "expired"
    town.rest()


def test_two_sessions_that_were_both_paid_end_in_goods_and_one_refund(
    town: Town, opened: Order
) -> None:
    stray = twin(town, opened)
    town.stripe.pay(stray)
    town.stripe.pay(opened.session)
    town.deliver()
    town.rest()
    order = town.order(opened)
    assert (order.state, len(order.payments), town.level()) == (State.PAID, 2, (3, 0, 2))
    assert [(r.amount, r.reason) for r in order.refunds] == [(5000, "duplicate")]
    assert sorted(town.mails()) == ["confirmed", "refunded"]


def test_what_was_let_go_in_a_stray_session_does_not_end_the_order_s_own(build: Build) -> None:
    town = build(CAPTURE_METHOD="manual")
    order = town.begin().order
    stray = twin(town, order)
    town.stripe.pay(stray)
    intent = town.stripe.sessions[stray]["payment_intent"]
    town.stripe.cancel_by_hand(intent)
    town.lose_events()
    town.shop.store.due.schedule(f"refund:{order.id}:{intent}", town.shop.store.now())
    town.work()
    assert town.order(order).state is State.OPEN
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    assert town.order(order).state is State.PAID
    town.rest()


def test_a_stray_session_that_cannot_be_ended_just_now_is_tried_again(
    town: Town, opened: Order
) -> None:
    """Stripe refuses to end a session while a payment is being made in it."""
    stray = twin(town, opened)
    town.shop.store.scripts.attach_session(opened.id, session=stray, url="u")
    town.stripe.fault("expire_session", Fault.REFUSED)
    town.work()
    assert f"stray:{opened.id}:{stray}" in town.due()
    town.pass_time(60)
    assert town.stripe.sessions[stray]["status"] == "expired"


def test_a_delayed_payment_in_a_stray_session_is_asked_about_until_it_ends(
    town: Town, opened: Order
) -> None:
    stray = twin(town, opened)
    town.stripe.pay_later(stray)
    town.shop.store.scripts.attach_session(opened.id, session=stray, url="u")
    town.lose_events()
    town.pass_time(DAY)
    assert town.order(opened).state in {State.PROCESSING, State.RELEASED}
    town.stripe.money_comes(stray)
    town.lose_events()
    town.pass_time(HOUR)
    assert town.order(opened).state is State.PAID


def test_a_payment_intent_that_nobody_can_name_is_ended_without_a_walk(build: Build) -> None:
    """A slow process makes the order's own, and who went on under the next number heard no answer."""
    town = build(CHECKOUT_UI="elements", STRIPE_PUBLISHABLE_KEY="pk_test_1", HOLD_SECONDS="3600")
    slow, unnamed = _under_two_numbers(town)
    town.lose_events()
    town.pass_time(50)
    assert town.stripe.intents[unnamed]["status"] == "requires_payment_method"
    town.pass_time(20)
    assert town.stripe.intents[unnamed]["status"] == "canceled"
    [order] = town.orders()
    assert (order.state, order.session, town.due()) == (State.OPEN, slow, {f"expire:{order.id}"})


def test_the_own_payment_intent_of_an_order_is_left_open_though_it_had_two_numbers(
    build: Build,
) -> None:
    town = build(CHECKOUT_UI="elements", STRIPE_PUBLISHABLE_KEY="pk_test_1", HOLD_SECONDS="3600")
    slow, _ = _under_two_numbers(town)
    town.stripe.down()
    town.pass_time(65)
    assert f"look:{town.orders()[0].id}" in town.due()
    town.stripe.up()
    town.pass_time(60)
    assert town.stripe.pay(slow)
    town.rest()
    assert (town.orders()[0].state, town.level()) == (State.PAID, (4, 0, 1))


def _under_two_numbers(town: Town) -> tuple[str, str]:
    """An order with its own PaymentIntent, and one of its second number of which no answer came."""
    town.stripe.fault("create_intent", Fault.SPENT_BEFORE)
    town.stripe.fault("create_intent", Fault.ERROR_AFTER)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    assert (order.state, order.session_version) == (State.PENDING, 2)
    [unnamed] = town.stripe.intents
    own = town.stripe.create_intent(sessions.intent_params(town.shop, order), "its first key")
    town.shop.store.scripts.attach_session(order.id, session=own.session, url=own.url)
    return own.session, unnamed
