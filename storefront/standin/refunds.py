"""Refunds: POST and GET /v1/refunds."""

from . import charges, texts
from .account import Account
from .errors import StripeError, invalid, missing, not_modelled
from .lists import equal, listed
from .state import Json

MODELLED = frozenset("amount charge payment_intent reason metadata".split())


def create(account: Account, params: Json) -> Json:
    """POST /v1/refunds: what is left of a charge, or a part of it."""
    for name in params:
        if name not in MODELLED:
            raise not_modelled(f"refunds with `{name}`", name)
    metadata = texts.metadata(params.get("metadata"))
    if "amount" in params and params["amount"] < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    charge = charge_of(account, params)
    if charge["disputed"]:
        raise StripeError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    left = charge["amount_captured"] - refunded(account, charge)
    if left <= 0:
        raise StripeError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = params.get("amount", left)
    if amount > left:
        raise StripeError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            param="amount",
        )
    refund = account.new(
        "re",
        "refund",
        {
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "currency": charge["currency"],
            "customer": None,
            "customer_account": None,
            "destination_details": {"type": "card", "card": {"type": "refund"}},
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": params.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": account.refunds_start,
            "transfer_reversal": None,
        },
    )
    del refund["livemode"]
    if refund["status"] == "pending":
        refund["pending_reason"] = "processing"
    refund["balance_transaction"] = charges.book_refund(account, refund, -amount)
    account.put(refund)
    sum_up(account, charge)
    account.tell("refund.created", refund)
    account.tell("charge.refunded", charge)
    return refund


def charge_of(account: Account, params: Json) -> Json:
    """The captured charge that the request names."""
    if "charge" in params and "payment_intent" in params:
        raise invalid("Pass only one of charge and payment_intent.", "payment_intent")
    if "charge" in params:
        charge = account.get("charge", params["charge"], "charge")
        named = f"charge ({charge['id']})"
    elif "payment_intent" in params:
        intent = account.get("payment_intent", params["payment_intent"], "payment_intent")
        charge = account.state.get("charge", intent["latest_charge"] or "") or {}
        named = f"PaymentIntent ({intent['id']})"
    else:
        raise missing("payment_intent")
    if not charge.get("captured"):
        raise StripeError(f"This {named} does not have a successful charge to refund.")
    return charge


def refunded(account: Account, charge: Json) -> int:
    """What was or will be given back of a charge, in minor units."""
    refunds = account.state.find("refund", charge=charge["id"])
    return sum(r["amount"] for r in refunds if r["status"] not in ("failed", "canceled"))


def sum_up(account: Account, charge: Json) -> None:
    """Writes on the charge how much of it has gone back."""
    uncaptured = charge["amount"] - charge["amount_captured"]
    charge["amount_refunded"] = refunded(account, charge) + uncaptured
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
    account.put(charge)


def settle(account: Account, refund: Json, status: str) -> Json:
    """Ends a refund as `succeeded` or `failed`; a failed one gives the money back to the shop."""
    if refund["status"] == status or refund["status"] in ("failed", "canceled"):
        raise invalid(f"A refund that is {refund['status']} cannot become {status}.", "status")
    refund["status"] = status
    refund.pop("pending_reason", None)
    if status == "failed":
        refund["failure_reason"] = "unknown"
        refund["failure_balance_transaction"] = charges.book_refund(
            account, refund, refund["amount"]
        )
    account.put(refund)
    sum_up(account, account.get("charge", refund["charge"]))
    if status == "failed":
        account.tell("refund.failed", refund)
    account.tell("refund.updated", refund)
    return refund


def retrieve(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/refunds/{id}."""
    return account.get("refund", id)


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/refunds."""
    conditions = equal(params, "charge", "payment_intent")
    return listed(account, "refund", "/v1/refunds", params, conditions)


def update(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/refunds/{id}: metadata only."""
    refund = account.get("refund", id)
    refund["metadata"] = texts.merged(refund["metadata"], params.get("metadata"))
    account.put(refund)
    account.tell("refund.updated", refund)
    return refund


def cancel(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/refunds/{id}/cancel: only while it waits for the customer, which none does here."""
    refund = account.get("refund", id)
    raise StripeError(
        f"You can only cancel a refund with a status of requires_action; this refund has a status "
        f"of {refund['status']}.",
    )
