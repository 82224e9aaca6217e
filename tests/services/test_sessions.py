"""An order's Checkout Session: what Stripe is asked for, and how it is found again."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from storefront.domain.errors import StripeRefused, StripeUnreachable
from storefront.domain.orders import Order
from storefront.services import links, sessions
from tests.fakes.faults import Fault
from tests.services.town import Town


@pytest.fixture
def pending(town: Town) -> Order:
    """An order whose creation of a session never reached Stripe."""
    town.stripe.fault("create_session", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        town.begin({"poster": 2, "zine": 1})
    return town.orders()[0]


def test_stripe_is_told_the_order_the_shop_and_the_lines_at_the_frozen_prices(town: Town) -> None:
    order = town.begin({"poster": 2, "zine": 1}).order
    [session] = town.stripe.sessions.values()
    assert session["client_reference_id"] == order.id
    expected = {
        "order": order.id,
        "shop": "test",
        "held_at": str(order.created),
        "held_until": str(order.deadline),
        "lines": "poster=2@2500,zine=1@450",
    }
    assert session["metadata"] == expected
    params = sessions.params(town.shop, order)
    assert params["payment_intent_data"]["metadata"] == expected
    by_price = [(town.stripe.all_prices[line["price"]], line) for line in params["line_items"]]
    assert [
        (price["metadata"]["sku"], line["quantity"], price["unit_amount"], price["currency"])
        for price, line in by_price
    ] == [("poster", 2, 2500, "usd"), ("zine", 1, 450, "usd")]
    anew = sessions.params(town.shop, replace(order, session_version=2))
    assert [
        (
            line["price_data"]["product_data"]["metadata"]["sku"],
            line["quantity"],
            line["price_data"]["unit_amount"],
            line["price_data"]["currency"],
        )
        for line in anew["line_items"]
    ] == [("poster", 2, 2500, "usd"), ("zine", 1, 450, "usd")]
    assert session["amount_total"] == order.amount == 5450
    link = links.order(town.shop.settings, order.id)
    assert session["success_url"] == session["cancel_url"] == link
    assert session["expires_at"] == order.expires_at
    assert "until 10:32 UTC (01 December)" in session["custom_text"]["submit"]["message"]


def test_a_repeat_is_the_same_request_whenever_and_by_whomever_it_is_made(
    town: Town, pending: Order
) -> None:
    first = sessions.params(town.shop, pending)
    town.skip(100)
    assert sessions.params(town.shop, town.order(pending)) == first
    assert sessions.key(town.order(pending)) == sessions.key(pending)


def test_a_creation_can_be_repeated_until_stripe_would_refuse_its_expiry(
    town: Town, pending: Order
) -> None:
    assert sessions.creatable(town.shop, pending)
    town.skip(110)
    assert sessions.creatable(town.shop, pending)
    assert sessions.make(town.shop, pending).session_status == "open"
    town.skip(1)
    assert not sessions.creatable(town.shop, pending)


def test_finding_repeats_the_creation_so_that_nothing_can_turn_up_later(
    town: Town, pending: Order
) -> None:
    found = sessions.find(town.shop, pending)
    assert found is not None
    assert [session["id"] for session in town.stripe.sessions_of(pending.id)] == [found.session]


def test_finding_is_a_clear_no_when_stripe_refuses_the_same_request(
    town: Town, pending: Order
) -> None:
    town.stripe.fault("create_session", Fault.REFUSED)
    assert sessions.find(town.shop, pending) is None


def test_a_key_that_is_no_longer_accepted_proves_nothing(town: Town, pending: Order) -> None:
    town.stripe.fault("create_session", Fault.UNAUTHORIZED)
    town.stripe.fault("sessions_between", Fault.UNAUTHORIZED)
    with pytest.raises(StripeRefused):
        sessions.find(town.shop, pending)


def test_finding_looks_through_the_list_when_the_key_is_spent(town: Town) -> None:
    town.stripe.fault("create_session", Fault.ERROR_AFTER)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    found = sessions.find(town.shop, order)
    assert found is not None
    assert (found.order, found.session_status) == (order.id, "open")


def test_finding_after_the_request_would_be_refused_is_a_look_through_the_list(
    town: Town, pending: Order
) -> None:
    town.skip(200)
    calls = len(town.stripe.wire.calls)
    assert sessions.find(town.shop, pending) is None
    listed = [name for name, _ in town.stripe.wire.calls[calls:]]
    assert listed == ["sessions_between", "intents_between"]


def test_finding_nothing_proves_nothing_while_stripe_may_still_take_a_late_request(
    town: Town,
) -> None:
    town.stripe.fault("create_session", Fault.LATE)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    town.skip(115)
    with pytest.raises(StripeUnreachable):
        sessions.find(town.shop, order)
    town.stripe.wire.arrive()
    assert (sessions.find(town.shop, order) or order).session == "cs_test_1"


@pytest.mark.parametrize(("seconds", "proven"), [(111, False), (150, False), (151, True)])
def test_finding_nothing_is_a_proof_once_every_clock_says_that_a_request_is_too_late(
    town: Town, pending: Order, seconds: float, proven: bool
) -> None:
    town.skip(seconds)
    with nullcontext() if proven else pytest.raises(StripeUnreachable):
        assert sessions.find(town.shop, pending) is None


def test_silence_while_finding_is_passed_on(town: Town, pending: Order) -> None:
    town.stripe.down()
    with pytest.raises(StripeUnreachable):
        sessions.find(town.shop, pending)


def test_a_paid_session_is_found_before_an_open_one_and_that_before_any_other(
    town: Town, pending: Order
) -> None:
    params = sessions.params(town.shop, pending)
    made = [town.stripe.create_session(params, f"stray-{n}").session for n in range(3)]
    assert (sessions.look_up(town.shop, pending) or pending).session == made[2]
    town.stripe.expire_session(made[2])
    town.stripe.expire_session(made[1])
    assert (sessions.look_up(town.shop, pending) or pending).session == made[0]
    other = town.stripe.create_session(params, "stray-paid").session
    town.stripe.pay(made[0])
    assert (sessions.look_up(town.shop, pending) or pending).session == made[0]
    town.stripe.expire_session(other)


def test_the_sessions_of_others_are_not_ours(town: Town, pending: Order) -> None:
    params = sessions.params(town.shop, pending)
    elsewhere = params | {"metadata": {"order": pending.id, "shop": "other"}}
    session = town.stripe.create_session(elsewhere, "other").session
    assert sessions.look_up(town.shop, pending) is None
    town.stripe.expire_session(session)
