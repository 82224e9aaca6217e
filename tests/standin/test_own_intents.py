"""PaymentIntents that a shop makes itself, from their creation to their end."""

from typing import Any

import pytest
import stripe

from tests.standin.conftest import Standin
from tests.standin.test_payment_intents import create

ROUTES: dict[str, dict[str, Any]] = {
    "requires_payment_method": {},
    "requires_confirmation": {"payment_method": "pm_card_visa"},
    "requires_action": {"payment_method": "pm_card_threeDSecure2Required", "confirm": True},
    "requires_capture": {
        "payment_method": "pm_card_visa",
        "confirm": True,
        "capture_method": "manual",
    },
    "processing": {"payment_method": "pm_usBankAccount", "confirm": True},
    "succeeded": {"payment_method": "pm_card_visa", "confirm": True},
}
"""How an intent gets into each status."""


def in_status(standin: Standin, status: str) -> stripe.PaymentIntent:
    intent = create(standin, **ROUTES[status])
    assert intent.status == status
    return intent


@pytest.mark.parametrize("reason", ["abandoned", "duplicate", "fraudulent", None])
@pytest.mark.parametrize(
    "status",
    ["requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"],
)
def test_an_intent_is_canceled_from_every_status_before_the_money(
    standin: Standin, status: str, reason: Any
):
    intent = in_status(standin, status)
    given: Any = {"cancellation_reason": reason} if reason else {}
    canceled = standin.client.v1.payment_intents.cancel(intent.id, given)
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", reason)
    assert canceled.canceled_at
    assert canceled.amount_capturable == 0
    assert standin.event_types(intent.id)[-1] == "payment_intent.canceled"


@pytest.mark.parametrize("status", ["processing", "succeeded"])
def test_money_that_moved_is_not_canceled(standin: Standin, status: str):
    intent = in_status(standin, status)
    with pytest.raises(stripe.InvalidRequestError, match="You cannot cancel") as caught:
        standin.client.v1.payment_intents.cancel(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    assert caught.value.json_body["error"]["payment_intent"]["status"] == status


def test_a_reason_that_only_stripe_gives_is_refused(standin: Standin):
    intent = create(standin)
    given: Any = {"cancellation_reason": "automatic"}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.payment_intents.cancel(intent.id, given)
    assert caught.value.param == "cancellation_reason"


@pytest.mark.parametrize(
    ("status", "last"),
    [
        ("requires_payment_method", "created"),
        ("requires_confirmation", "created"),
        ("requires_action", "requires_action"),
        ("requires_capture", "amount_capturable_updated"),
        ("processing", "processing"),
        ("succeeded", "succeeded"),
    ],
)
def test_each_status_is_told(standin: Standin, status: str, last: str):
    intent = in_status(standin, status)
    types = standin.event_types(intent.id)
    assert types[0] == "payment_intent.created"
    assert types[-1] == f"payment_intent.{last}"


def test_a_refused_intent_is_told_and_kept(standin: Standin):
    with pytest.raises(stripe.CardError) as caught:
        create(standin, payment_method="pm_card_visa_chargeDeclined", confirm=True)
    made = caught.value.json_body["error"]["payment_intent"]["id"]
    assert standin.event_types(made)[-1] == "payment_intent.payment_failed"


def test_a_list_is_cut_by_time_and_paged_both_ways(own_standin: Any):
    with own_standin() as standin:
        ids, times = [], []
        for _ in range(5):
            intent = create(standin)
            ids.append(intent.id)
            times.append(intent.created)
            standin.control("clock", {"advance_seconds": 100})
        newest_first = ids[::-1]
        intents = standin.client.v1.payment_intents

        def listed(**params: Any) -> list[str]:
            return [intent.id for intent in intents.list(params).data]  # type: ignore[arg-type]

        assert listed() == newest_first
        assert listed(created={"gte": times[1], "lt": times[3]}) == [ids[2], ids[1]]
        assert listed(created={"gt": times[3]}) == [ids[4]]
        assert listed(created={"lte": times[0]}) == [ids[0]]
        assert listed(created=times[2]) == [ids[2]]
        first = intents.list({"limit": 2})
        assert first.has_more
        assert [intent.id for intent in first.auto_paging_iter()] == newest_first
        assert listed(starting_after=ids[2]) == [ids[1], ids[0]]
        assert listed(ending_before=ids[2], limit=1) == [ids[3]]


def test_what_belongs_to_an_intent_is_expanded(standin: Standin):
    intent = in_status(standin, "succeeded")
    intents = standin.client.v1.payment_intents
    whole = intents.retrieve(
        intent.id, {"expand": ["payment_method", "latest_charge.balance_transaction"]}
    )
    assert isinstance(whole.payment_method, stripe.PaymentMethod)
    assert isinstance(whole.latest_charge, stripe.Charge)
    assert isinstance(whole.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert whole.latest_charge.balance_transaction.amount == 5000
    listed = intents.list({"limit": 1, "expand": ["data.latest_charge"]}).data[0]
    assert isinstance(listed.latest_charge, stripe.Charge)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        intents.retrieve(intent.id, {"expand": ["metadata"]})


@pytest.mark.parametrize("call", ["create", "confirm", "cancel", "capture"])
def test_a_repeated_key_does_a_thing_once(standin: Standin, call: str):
    intents = standin.client.v1.payment_intents
    made = in_status(standin, "requires_capture" if call == "capture" else "requires_confirmation")
    options: Any = {"idempotency_key": f"{call}-{made.id}"}

    def once() -> stripe.PaymentIntent:
        if call == "create":
            return create_with(standin, options)
        act: Any = getattr(intents, call)
        done: stripe.PaymentIntent = act(made.id, {}, options)
        return done

    first, again = once(), once()
    assert again.id == first.id
    assert again.status == first.status
    types = standin.event_types(first.id)
    assert len(types) == len(set(types))
    charges = standin.client.v1.charges.list({"payment_intent": first.id}).data
    assert len(charges) == (1 if call in ("confirm", "capture") else 0)


def create_with(standin: Standin, options: Any) -> stripe.PaymentIntent:
    return standin.client.v1.payment_intents.create({"amount": 900, "currency": "usd"}, options)


def test_a_payment_method_is_described_as_well_as_named(standin: Standin):
    account: Any = {
        "type": "us_bank_account",
        "us_bank_account": {
            "account_number": "000123456789",
            "routing_number": "110000000",
            "account_holder_type": "individual",
        },
        "billing_details": {"name": "Ada", "email": "ada@example.com"},
    }
    intent = create(standin, payment_method_data=account)
    assert intent.status == "requires_confirmation"
    assert standin.client.v1.payment_intents.confirm(intent.id).status == "processing"
    bare = create(standin)
    changed = standin.client.v1.payment_intents.update(bare.id, {"payment_method_data": account})
    assert changed.status == "requires_confirmation"


def test_its_own_secret_opens_an_intent_to_the_shop_too(standin: Standin):
    intent = create(standin)
    intents = standin.client.v1.payment_intents
    assert intents.retrieve(intent.id, {"client_secret": str(intent.client_secret)}).id == intent.id
    with pytest.raises(stripe.InvalidRequestError) as caught:
        intents.retrieve(intent.id, {"client_secret": "wrong"})
    assert caught.value.param == "client_secret"
