"""Refunds, disputes and the book that they are written in."""

from typing import Any

import pytest
import stripe

from tests.standin.conftest import Standin


def refund(standin: Standin, **params: Any) -> stripe.Refund:
    return standin.client.v1.refunds.create(params)  # type: ignore[arg-type]


def charge_of(standin: Standin, intent: stripe.PaymentIntent) -> stripe.Charge:
    assert isinstance(intent.latest_charge, str)
    return standin.client.v1.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})


def test_a_refund_gives_everything_back_once(standin: Standin):
    intent = standin.paid_intent()
    given = refund(
        standin,
        payment_intent=intent.id,
        reason="requested_by_customer",
        metadata={"order": "1"},
    )
    assert (given.amount, given.status, given.currency) == (5000, "succeeded", "usd")
    assert given.payment_intent == intent.id
    assert given.charge == intent.latest_charge
    charge = charge_of(standin, intent)
    assert (charge.refunded, charge.amount_refunded) == (True, 5000)
    assert charge.refunds
    assert [r.id for r in charge.refunds.data] == [given.id]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        refund(standin, payment_intent=intent.id)
    assert caught.value.code == "charge_already_refunded"
    assert standin.event_types(given.id) == ["refund.created"]
    assert standin.event_types(charge.id)[-1] == "charge.refunded"


def test_parts_add_up_to_the_whole_and_no_further(standin: Standin):
    intent = standin.paid_intent()
    assert refund(standin, payment_intent=intent.id, amount=2000).amount == 2000
    charge = charge_of(standin, intent)
    assert (charge.refunded, charge.amount_refunded) == (False, 2000)
    with pytest.raises(
        stripe.InvalidRequestError, match="greater than unrefunded amount"
    ) as caught:
        refund(standin, payment_intent=intent.id, amount=3001)
    assert caught.value.param == "amount"
    assert refund(standin, charge=charge.id).amount == 3000
    assert charge_of(standin, intent).refunded
    listed = standin.client.v1.refunds.list({"payment_intent": intent.id})
    assert [r.amount for r in listed.data] == [3000, 2000]
    assert standin.client.v1.refunds.list({"charge": charge.id, "limit": 1}).has_more


def test_a_pending_refund_counts_until_it_fails(standin: Standin):
    standin.control("refunds", {"start": "pending"})
    intent = standin.paid_intent()
    pending = refund(standin, payment_intent=intent.id)
    assert (pending.status, pending.pending_reason) == ("pending", "processing")
    assert charge_of(standin, intent).refunded
    with pytest.raises(stripe.InvalidRequestError) as caught:
        refund(standin, payment_intent=intent.id)
    assert caught.value.code == "charge_already_refunded"
    standin.control(f"refunds/{pending.id}", {"status": "failed"})
    failed = standin.client.v1.refunds.retrieve(pending.id)
    assert (failed.status, failed.failure_reason) == ("failed", "unknown")
    assert failed.failure_balance_transaction
    charge = charge_of(standin, intent)
    assert (charge.refunded, charge.amount_refunded) == (False, 0)
    assert standin.event_types(pending.id) == ["refund.created", "refund.failed", "refund.updated"]
    again = refund(standin, payment_intent=intent.id)
    standin.control(f"refunds/{again.id}", {"status": "succeeded"})
    assert standin.client.v1.refunds.retrieve(again.id).status == "succeeded"
    assert standin.event_types(again.id) == ["refund.created", "refund.updated"]


def test_a_refund_that_succeeded_can_still_fail_but_not_the_other_way(standin: Standin):
    given = refund(standin, payment_intent=standin.paid_intent().id)
    standin.control(f"refunds/{given.id}", {"status": "failed"})
    answer = standin.http.post(
        f"{standin.url}/_standin/refunds/{given.id}", json={"status": "succeeded"}, timeout=30
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "payment_intent"),
        ({"payment_intent": "pi_none"}, "payment_intent"),
        ({"charge": "ch_none"}, "charge"),
        ({"payment_intent": "pi_1", "charge": "ch_1"}, "payment_intent"),
        ({"payment_intent": "pi_1", "amount": 0}, "amount"),
        ({"payment_intent": "pi_1", "reason": "oversold"}, "reason"),
        ({"payment_intent": "pi_1", "metadata": {"k": "v" * 501}}, "metadata[k]"),
        ({"payment_intent": "pi_1", "origin": "customer_balance"}, "origin"),
    ],
)
def test_what_stripe_refuses_is_refused(standin: Standin, params: Any, param: str):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        refund(standin, **params)
    assert (caught.value.http_status, caught.value.param) == (400, param)


def test_what_was_never_paid_cannot_be_refunded(standin: Standin):
    intent = standin.client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        refund(standin, payment_intent=intent.id)


def test_only_metadata_of_a_refund_can_change(standin: Standin):
    given = refund(standin, payment_intent=standin.paid_intent().id, metadata={"a": "1"})
    changed = standin.client.v1.refunds.update(given.id, {"metadata": {"b": "2"}})
    assert changed.metadata
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    with pytest.raises(stripe.InvalidRequestError, match="requires_action"):
        standin.client.v1.refunds.cancel(given.id)


def test_a_disputed_charge_cannot_be_refunded(standin: Standin):
    intent = standin.paid_intent()
    dispute = standin.control(f"payment_intents/{intent.id}/dispute")
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 5000)
    assert charge_of(standin, intent).disputed
    assert standin.event_types(dispute["id"]) == ["charge.dispute.created"]
    found = standin.client.v1.disputes.list({"payment_intent": intent.id}).data
    assert [d.id for d in found] == [dispute["id"]]
    assert standin.client.v1.disputes.retrieve(dispute["id"]).reason == "fraudulent"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        refund(standin, payment_intent=intent.id)
    assert caught.value.code == "charge_disputed"


def test_stripe_keeps_its_fee_when_a_payment_is_refunded(standin: Standin):
    intent = standin.paid_intent()
    charge = standin.client.v1.charges.retrieve(
        str(intent.latest_charge), {"expand": ["balance_transaction"]}
    )
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (charge.balance_transaction.amount, charge.balance_transaction.fee) == (5000, 175)
    given = refund(standin, payment_intent=intent.id)
    assert isinstance(given.balance_transaction, str)
    entry = standin.client.v1.balance_transactions.retrieve(given.balance_transaction)
    assert (entry.amount, entry.fee, entry.net, entry.source) == (-5000, 0, -5000, given.id)
    listed = standin.client.v1.balance_transactions.list({"source": given.id})
    assert [e.id for e in listed.data] == [entry.id]
