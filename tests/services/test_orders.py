"""Orders as their shoppers and operators see them."""

import pytest

from storefront.domain.errors import AlreadyPaid, StripeUnreachable
from storefront.domain.orders import Order, State
from storefront.services import holds, orders
from tests.services.conftest import Build
from tests.services.town import Town


def test_an_order_is_found_by_its_token_only(town: Town, opened: Order) -> None:
    token = orders.token(town.shop, opened.id)
    assert orders.find(town.shop, token) == opened
    assert orders.link(town.shop, opened.id) == f"https://shop.example/orders/{token}"
    for wrong in (opened.id, "", token[:-1] + "0", token.upper(), f"{token}\n"):
        assert orders.find(town.shop, wrong) is None
    assert orders.find(town.shop, orders.token(town.shop, "a" * 16)) is None


def test_refreshing_finds_the_payment_that_no_webhook_told_of(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    town.lose_events()
    order, asked = orders.refresh(town.shop, opened)
    assert (order.state, asked) == (State.PAID, True)


def test_refreshing_leaves_an_open_payment_open(town: Town, opened: Order) -> None:
    assert orders.refresh(town.shop, opened) == (opened, True)


def test_refreshing_after_the_deadline_ends_the_payment(build: Build) -> None:
    town = build(HOLD_SECONDS="60")
    opened = town.begin().order
    town.skip(60)
    order, asked = orders.refresh(town.shop, opened)
    assert (order.state, order.reason, asked) == (State.RELEASED, "expired", True)
    assert town.level() == (5, 0, 0)


def test_refreshing_finds_the_payment_that_came_after_the_release(build: Build) -> None:
    """No page says that nothing was charged without having asked."""
    town = build(HOLD_SECONDS="60")
    opened = town.begin().order
    town.skip(361)
    town.stripe.down()
    holds.release_by_hand(town.shop, opened.id, "operator")
    released = town.order(opened)
    assert orders.refresh(town.shop, released) == (released, False)
    town.stripe.up()
    assert orders.refresh(town.shop, released) == (released, True)
    town.stripe.pay(opened.session)
    town.lose_events()
    order, asked = orders.refresh(town.shop, released)
    assert (order.state, asked, town.level()) == (State.PAID, True, (4, 0, 1))


def test_refreshing_what_was_released_long_ago_asks_nobody(town: Town, opened: Order) -> None:
    orders.cancel(town.shop, opened)
    town.skip(3601)
    town.stripe.down()
    order = town.order(opened)
    assert orders.refresh(town.shop, order) == (order, True)


def test_refreshing_says_when_stripe_could_not_be_asked(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    town.lose_events()
    town.stripe.down()
    assert orders.refresh(town.shop, opened) == (opened, False)


def test_refreshing_what_is_settled_asks_nobody(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    town.deliver()
    town.stripe.down()
    order = town.order(opened)
    assert orders.refresh(town.shop, order) == (order, True)


def test_cancelling_gives_the_units_back_once_stripe_has_ended_the_payment(
    town: Town, opened: Order
) -> None:
    order = orders.cancel(town.shop, opened)
    assert (order.state, order.reason, town.level()) == (
        State.RELEASED,
        "cancelled",
        (5, 0, 0),
    )
    assert not town.stripe.pay(opened.session)
    assert orders.cancel(town.shop, order) == order


def test_cancelling_what_was_paid_a_moment_ago_is_a_sale(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    with pytest.raises(AlreadyPaid):
        orders.cancel(town.shop, opened)
    assert (town.order(opened).state, town.level()) == (State.PAID, (3, 0, 2))
    with pytest.raises(AlreadyPaid):
        orders.cancel(town.shop, town.order(opened))


def test_cancelling_while_the_money_is_on_its_way_is_too_late(town: Town, opened: Order) -> None:
    town.stripe.pay_later(opened.session)
    with pytest.raises(AlreadyPaid):
        orders.cancel(town.shop, opened)
    assert (town.order(opened).state, town.level()) == (State.PROCESSING, (3, 2, 0))


def test_cancelling_changes_nothing_while_stripe_is_silent(town: Town, opened: Order) -> None:
    town.stripe.down()
    with pytest.raises(StripeUnreachable):
        orders.cancel(town.shop, opened)
    assert town.order(opened) == opened


def test_a_visitor_s_live_hold_is_one_that_can_still_be_paid(town: Town, opened: Order) -> None:
    assert orders.live_hold(town.shop, "ada") == opened
    assert orders.live_hold(town.shop, "bob") is None
    assert orders.live_hold(town.shop, "") is None
    town.stripe.pay(opened.session)
    town.deliver()
    assert orders.live_hold(town.shop, "ada") is None


def test_orders_are_listed_the_oldest_first_by_state_and_time(town: Town, opened: Order) -> None:
    town.skip(10)
    second = town.begin(visitor="bob").order
    town.stripe.pay(second.session)
    town.deliver()
    ids = [order.id for order in orders.listing(town.shop)]
    assert ids == [opened.id, second.id]
    assert [o.id for o in orders.listing(town.shop, State.PAID)] == [second.id]
    assert [o.id for o in orders.listing(town.shop, None, opened.created + 1)] == [second.id]


def test_an_open_order_as_machines_read_it(town: Town, opened: Order) -> None:
    assert orders.as_json(town.shop, opened) == {
        "id": opened.id,
        "token": orders.token(town.shop, opened.id),
        "state": "open",
        "lines": [{"sku": "poster", "quantity": 2, "unit_amount": 2500}],
        "goods": 5000,
        "shipping": 0,
        "tax": 0,
        "discount": 0,
        "amount": 5000,
        "currency": "usd",
        "delivery": None,
        "checkout_session": "cs_test_1",
        "payment_intent": None,
        "through": "stripe",
        "email": None,
        "refunds": [],
        "created": "2026-12-01T10:00:00.000+00:00",
        "reason": None,
        "units": "held",
        "checkout_sessions": ["cs_test_1"],
    }
    assert orders.public_json(town.shop, opened) == {
        "state": "open",
        "reason": None,
        "held_until": "2026-12-01T10:32:00.000+00:00",
        "amount": 5000,
        "currency": "usd",
        "refunds": [],
    }


def test_a_refunded_order_as_machines_read_it(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    town.deliver()
    town.stripe.refund_by_hand("pi_1")
    town.deliver()
    order = town.order(opened)
    found = orders.as_json(town.shop, order)
    assert (found["state"], found["units"], found["email"], found["payment_intent"]) == (
        "refunded",
        "none",
        "ada@example.com",
        "pi_1",
    )
    assert found["refunds"] == [{"id": "re_1", "amount": 5000, "status": "succeeded"}]
    public = orders.public_json(town.shop, order)
    assert (public["held_until"], public["refunds"]) == (None, found["refunds"])
    assert "email" not in public
