"""A session's total: the goods, less a promotion code, with the delivery that was chosen and with tax."""

from typing import Any

import pytest
import stripe

from tests.standin.conftest import Standin, line

COUNTRIES = {"allowed_countries": ["GB", "DE"]}


def option(name: str, amount: int, currency: str = "usd") -> dict[str, Any]:
    fixed = {"amount": amount, "currency": currency}
    data = {"type": "fixed_amount", "display_name": name, "fixed_amount": fixed}
    return {"shipping_rate_data": data}


BOTH = [option("Pick-up", 0), option("Delivery", 490)]
ALL: dict[str, Any] = {
    "shipping_options": BOTH,
    "shipping_address_collection": COUNTRIES,
    "automatic_tax": {"enabled": True},
    "allow_promotion_codes": True,
}


def parts(session: stripe.checkout.Session) -> tuple[int | None, ...]:
    """Goods, discount, shipping, tax and all together."""
    details = session.total_details
    assert details
    return (
        session.amount_subtotal,
        details.amount_discount,
        details.amount_shipping,
        details.amount_tax,
        session.amount_total,
    )


def test_the_first_option_stands_until_another_is_chosen(standin: Standin):
    session = standin.open_session(shipping_options=BOTH[::-1])
    assert parts(session) == (5000, 0, 490, 0, 5490)
    assert session.shipping_options[0].shipping_amount == 490
    assert session.shipping_cost
    assert session.shipping_cost.shipping_rate == session.shipping_options[0].shipping_rate


def test_what_is_chosen_on_the_page_is_charged_and_told_in_its_parts(standin: Standin):
    session = standin.open_session(**ALL)
    done = standin.pay(session, option="1", code="TEN", country="GB", name="Ada Lovelace")
    assert parts(done) == (5000, 500, 490, 499, 5489)
    assert done.shipping_cost
    assert done.shipping_cost.shipping_rate == done.shipping_options[1].shipping_rate
    assert isinstance(done.payment_intent, str)
    intent = standin.client.v1.payment_intents.retrieve(done.payment_intent)
    assert (intent.amount, intent.amount_received) == (5489, 5489)
    assert intent.shipping
    assert intent.shipping.name == "Ada Lovelace"
    lines = standin.client.v1.checkout.sessions.line_items.list(session.id).data
    assert [(one.amount_discount, one.amount_tax, one.amount_total) for one in lines] == [
        (500, 450, 4950)
    ]


def test_the_total_can_be_worked_out_before_anything_is_paid(standin: Standin):
    session = standin.open_session(**ALL)
    page = standin.visit(session, option="1", code="TEN", update="1")
    assert page.status_code == 200
    assert "54.89 USD" in page.text
    again = standin.session(session.id)
    assert (again.status, again.payment_intent, again.amount_total) == ("open", None, 5489)


def test_a_code_for_all_of_it_needs_no_payment(standin: Standin):
    done = standin.pay(standin.open_session(allow_promotion_codes=True), code="FREE")
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert (done.payment_intent, done.amount_total) == (None, 0)


def test_a_code_of_nobody_or_a_wrong_option_is_shown_and_nothing_is_paid(standin: Standin):
    session = standin.open_session(**ALL)
    for form in ({"code": "ELEVEN"}, {"option": "2"}, {"option": "x"}, {"option": "-1"}):
        assert standin.visit(session, **form).status_code == 422
    assert standin.session(session.id).payment_intent is None


def test_a_code_counts_for_nothing_where_none_is_asked_for(standin: Standin):
    done = standin.pay(standin.open_session(), code="TEN")
    assert parts(done) == (5000, 0, 0, 0, 5000)


def test_a_card_that_was_declined_first_pays_what_is_chosen_then(standin: Standin):
    session = standin.open_session(**ALL)
    assert standin.visit(session, option="0", fate="decline").status_code == 402
    done = standin.pay(session, option="1", country="DE")
    assert isinstance(done.payment_intent, str)
    intent = standin.client.v1.payment_intents.retrieve(done.payment_intent)
    assert (intent.amount, done.amount_total) == (6039, 6039)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"shipping_options": BOTH * 3}, "shipping_options"),
        (
            {"shipping_options": [option("A", -1)]},
            "shipping_options[0][shipping_rate_data][fixed_amount][amount]",
        ),
        (
            {"shipping_options": [option("A", 1, "eur")]},
            "shipping_options[0][shipping_rate_data][fixed_amount][currency]",
        ),
        (
            {"shipping_options": [{"shipping_rate_data": {"display_name": "A"}}]},
            "shipping_options[0][shipping_rate_data][fixed_amount]",
        ),
        (
            {"shipping_options": [{"shipping_rate_data": {"type": "fixed_amount"}}]},
            "shipping_options[0][shipping_rate_data][display_name]",
        ),
        (
            {"shipping_options": [option("A" * 101, 1)]},
            "shipping_options[0][shipping_rate_data][display_name]",
        ),
        (
            {"shipping_address_collection": {"allowed_countries": ["XX"]}},
            "shipping_address_collection[allowed_countries][0]",
        ),
    ],
)
def test_what_stripe_refuses_is_refused_by_name(standin: Standin, more: Any, param: str):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        standin.open_session(**more)
    assert refused.value.param == param


def test_a_line_that_costs_nothing_takes_no_code(standin: Standin):
    session = standin.open_session(line_items=[line(0), line(100)], allow_promotion_codes=True)
    assert parts(standin.pay(session, code="TEN")) == (100, 10, 0, 0, 90)
