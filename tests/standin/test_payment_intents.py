"""PaymentIntents: those of Checkout and those of a form of the shop's own."""

from typing import Any

import pytest
import stripe

from tests.standin.conftest import Standin


def create(standin: Standin, **more: Any) -> stripe.PaymentIntent:
    return standin.client.v1.payment_intents.create({"amount": 5000, "currency": "usd", **more})  # type: ignore[typeddict-item]


def authorised(standin: Standin) -> tuple[stripe.checkout.Session, stripe.PaymentIntent]:
    """A session that was paid with manual capture, and its intent."""
    session = standin.open_session(payment_intent_data={"capture_method": "manual"})
    done = standin.pay(session)
    assert isinstance(done.payment_intent, str)
    return done, standin.client.v1.payment_intents.retrieve(
        done.payment_intent, {"expand": ["latest_charge"]}
    )


def charge_of(standin: Standin, intent: stripe.PaymentIntent) -> stripe.Charge:
    return standin.client.v1.charges.list({"payment_intent": intent.id}).data[0]


def test_manual_capture_authorises_first_and_the_session_is_not_paid_yet(standin: Standin):
    session, intent = authorised(standin)
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert intent.status == "requires_capture"
    assert (intent.amount_capturable, intent.amount_received) == (5000, 0)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.captured is False
    assert charge.payment_method_details
    assert charge.payment_method_details.card
    assert charge.payment_method_details.card.capture_before == charge.created + 7 * 86400
    assert "payment_intent.amount_capturable_updated" in standin.event_types(intent.id)
    assert "payment_intent.succeeded" not in standin.event_types(intent.id)


def test_capture_takes_the_money_once(standin: Standin):
    session, intent = authorised(standin)
    intents = standin.client.v1.payment_intents
    captured = intents.capture(intent.id)
    assert (captured.status, captured.amount_received) == ("succeeded", 5000)
    assert standin.session(session.id).payment_status == "paid"
    assert standin.event_types(intent.id)[-1] == "payment_intent.succeeded"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        intents.capture(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"


def test_a_partial_capture_gives_the_rest_back(standin: Standin):
    _, intent = authorised(standin)
    captured = standin.client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2000})
    assert captured.amount_received == 2000
    charge = charge_of(standin, intent)
    assert (charge.amount_captured, charge.amount_refunded) == (2000, 3000)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        standin.client.v1.refunds.create({"payment_intent": intent.id, "amount": 2001})
    refund = standin.client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.amount == 2000


@pytest.mark.parametrize("amount", [0, -1, 5001])
def test_more_than_was_authorised_cannot_be_captured(standin: Standin, amount: int):
    _, intent = authorised(standin)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.payment_intents.capture(intent.id, {"amount_to_capture": amount})
    assert caught.value.param == "amount_to_capture"


def test_an_authorisation_of_checkout_can_be_cancelled_and_costs_nothing(standin: Standin):
    _, intent = authorised(standin)
    cancelled = standin.client.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "requested_by_customer"}
    )
    assert (cancelled.status, cancelled.amount_capturable) == ("canceled", 0)
    charge = charge_of(standin, intent)
    assert (charge.captured, charge.refunded, charge.balance_transaction) == (False, True, None)
    assert standin.client.v1.refunds.list({"payment_intent": intent.id}).data == []
    assert standin.event_types(intent.id)[-1] == "payment_intent.canceled"
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        standin.client.v1.refunds.create({"payment_intent": intent.id})


@pytest.mark.parametrize("fate", ["decline", "secure", "delayed_succeed", "pay"])
def test_a_payment_of_checkout_cannot_be_cancelled_otherwise(standin: Standin, fate: str):
    session = standin.open_session()
    standin.visit(session, fate=fate, delay_seconds="600")
    intent = standin.session(session.id).payment_intent
    assert isinstance(intent, str)
    with pytest.raises(stripe.InvalidRequestError, match="Expire the Checkout Session"):
        standin.client.v1.payment_intents.cancel(intent)
    with pytest.raises(stripe.InvalidRequestError):
        standin.client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})


def test_an_authorisation_lapses_after_seven_days(own_standin: Any):
    with own_standin() as standin:
        _, intent = authorised(standin)
        standin.control("clock", {"advance_seconds": 7 * 86400 + 1})
        lapsed = standin.client.v1.payment_intents.retrieve(intent.id)
        assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")
        with pytest.raises(stripe.InvalidRequestError):
            standin.client.v1.payment_intents.capture(intent.id)
        assert charge_of(standin, intent).refunded


def test_an_intent_of_ones_own_waits_for_a_payment_method(standin: Standin):
    intent = create(
        standin,
        metadata={"order": "1"},
        automatic_payment_methods={"enabled": True},
        allowed_payment_method_types=["card"],
    )
    assert intent.status == "requires_payment_method"
    assert intent.client_secret
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert intent.payment_method_types == ["card"]
    assert standin.event_types(intent.id) == ["payment_intent.created"]


def test_confirming_charges_the_test_card(standin: Standin):
    intent = create(standin, payment_method="pm_card_visa")
    assert intent.status == "requires_confirmation"
    paid = standin.client.v1.payment_intents.confirm(intent.id)
    assert (paid.status, paid.amount_received) == ("succeeded", 5000)
    at_once = create(standin, payment_method="pm_card_mastercard", confirm=True)
    assert at_once.status == "succeeded"


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_a_declined_card_is_a_402_and_the_intent_waits_on(
    standin: Standin, method: str, reason: str
):
    intent = create(standin)
    with pytest.raises(stripe.CardError) as caught:
        standin.client.v1.payment_intents.confirm(intent.id, {"payment_method": method})
    assert (caught.value.http_status, caught.value.code) == (402, "card_declined")
    assert caught.value.json_body["error"]["decline_code"] == reason
    waiting = standin.client.v1.payment_intents.retrieve(intent.id)
    assert waiting.status == "requires_payment_method"
    assert waiting.last_payment_error
    assert waiting.last_payment_error.decline_code == reason
    assert charge_of(standin, intent).status == "failed"


def test_a_secure_card_sends_the_shopper_to_the_bank_and_back(standin: Standin):
    back = f"{standin.url}/healthz?order=1"
    for answer, status, word in (
        ("confirm", "succeeded", "succeeded"),
        ("refuse", "requires_payment_method", "failed"),
    ):
        intent = standin.client.v1.payment_intents.confirm(
            create(standin).id,
            {"payment_method": "pm_card_threeDSecure2Required", "return_url": back},
        )
        assert intent.status == "requires_action"
        assert intent.next_action
        assert intent.next_action.redirect_to_url
        url = intent.next_action.redirect_to_url.url
        assert url
        assert "50.00 USD" in standin.http.get(url, timeout=30).text
        sent = standin.http.post(url, data={"answer": answer}, allow_redirects=False, timeout=30)
        assert sent.headers["Location"].startswith(f"{back}&payment_intent={intent.id}")
        assert f"redirect_status={word}" in sent.headers["Location"]
        assert standin.client.v1.payment_intents.retrieve(intent.id).status == status


def test_a_bank_debit_is_processing_until_it_settles(own_standin: Any):
    with own_standin() as standin:
        good = create(standin, payment_method="pm_usBankAccount", confirm=True)
        bad = create(standin, payment_method="pm_usBankAccount_insufficientFunds", confirm=True)
        assert (good.status, bad.status) == ("processing", "processing")
        standin.control("clock", {"advance_seconds": 10})
        intents = standin.client.v1.payment_intents
        assert intents.retrieve(good.id).status == "succeeded"
        assert intents.retrieve(bad.id).status == "requires_payment_method"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"amount": 49}, "amount"),
        ({"amount": 100_000_000}, "amount"),
        ({"currency": "us"}, "currency"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"payment_method": "pm_none"}, "payment_method"),
        ({"receipt_email": "nobody"}, "receipt_email"),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]"),
        ({"description": "x" * 1001}, "description"),
        ({"statement_descriptor": "x" * 23}, "statement_descriptor"),
        ({"return_url": "https://x.test"}, "return_url"),
        ({"customer": "cus_1"}, "customer"),
        ({"excluded_payment_method_types": ["card", "us_bank_account"]}, "allowed_payment_method_types"),
        ({"allowed_payment_method_types": ["card"], "payment_method": "pm_usBankAccount"}, "payment_method"),
    ],
)  # fmt: skip
def test_what_stripe_refuses_is_refused(standin: Standin, more: Any, param: str):
    before = standin.client.v1.payment_intents.list({"limit": 1}).data
    with pytest.raises(stripe.InvalidRequestError) as caught:
        create(standin, **more)
    assert caught.value.param == param
    after = standin.client.v1.payment_intents.list({"limit": 1}).data
    assert [i.id for i in after] == [i.id for i in before]


def test_an_intent_can_be_changed_until_money_is_on_its_way(standin: Standin):
    intents = standin.client.v1.payment_intents
    intent = create(standin, metadata={"a": "1"})
    changed = intents.update(intent.id, {"amount": 700, "metadata": {"b": "2"}})
    assert changed.amount == 700
    assert changed.metadata
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    with pytest.raises(stripe.InvalidRequestError):
        intents.update(intent.id, {"amount": 7})
    intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.InvalidRequestError):
        intents.update(intent.id, {"amount": 900})
    assert intents.update(intent.id, {"metadata": {"c": "3"}}).amount == 700


def test_an_intent_of_ones_own_can_be_cancelled_until_it_is_paid(standin: Standin):
    intents = standin.client.v1.payment_intents
    intent = create(standin)
    assert intents.cancel(intent.id).status == "canceled"
    for call in (intents.cancel, intents.confirm):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call(intent.id)
        assert caught.value.code == "payment_intent_unexpected_state"
    paid = create(standin, payment_method="pm_card_visa", confirm=True)
    with pytest.raises(stripe.InvalidRequestError):
        intents.cancel(paid.id)


def test_confirming_without_a_payment_method_is_refused(standin: Standin):
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        standin.client.v1.payment_intents.confirm(create(standin).id)


def test_intents_are_listed_newest_first(standin: Standin):
    first, second = create(standin), create(standin)
    listed = standin.client.v1.payment_intents.list({"limit": 2})
    assert [i.id for i in listed.data] == [second.id, first.id]
    assert standin.client.v1.payment_intents.list({"customer": "cus_none"}).data == []
