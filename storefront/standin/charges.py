"""Charges and the account's book of balance transactions."""

from . import money
from .account import Account
from .identifiers import new_id
from .lists import equal, listed
from .state import Json

CAPTURE_SECONDS = 7 * 24 * 3600
"""How long an authorisation stands."""


def build(account: Account, intent: Json, method: Json) -> Json:
    """A charge for a PaymentIntent, not stored yet; the caller says how it ended."""
    kind = method["type"]
    return account.new(
        "ch",
        "charge",
        {
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": "STRIPE STAND-IN",
            "captured": False,
            "currency": intent["currency"],
            "customer": None,
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "metadata": intent["metadata"],
            "on_behalf_of": None,
            "outcome": outcome("authorized", "Payment complete."),
            "paid": True,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"type": kind, kind: payment_details(intent, method)},
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": intent["shipping"],
            "source": None,
            "source_transfer": None,
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "succeeded",
            "transfer_data": None,
            "transfer_group": None,
        },
    )


def outcome(type: str, message: str, reason: str | None = None) -> Json:  # noqa: A002
    """What the network and Stripe's risk check said."""
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if reason else "approved_by_network",
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": message,
        "type": type,
    }


def payment_details(intent: Json, method: Json) -> Json:
    """What a charge says of the means of payment."""
    kind = method["type"]
    if kind != "card":
        return {"last4": method[kind]["last4"], "fingerprint": "standin"}
    card = method["card"]
    names = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    return {
        **{name: card[name] for name in (*names, "last4", "regulated_status", "wallet")},
        "amount_authorized": intent["amount"],
        "authorization_code": "000000",
        "electronic_commerce_indicator": None,
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "network_transaction_id": new_id("n").removeprefix("n_"),
        "three_d_secure": None,
        "transaction_link_id": None,
    }


def book(account: Account, charge: Json, amount: int) -> str:
    """Books a capture of `amount`; the id of its balance transaction."""
    return write(account, charge, "charge", amount, money.fee(amount), charge["description"])


def book_refund(account: Account, refund: Json, amount: int) -> str:
    """Books a refund, or with a positive amount its return; the fee stays with Stripe."""
    kind = "refund" if amount < 0 else "refund_failure"
    return write(account, refund, kind, amount, 0, "REFUND FOR CHARGE")


def write(
    account: Account,
    source: Json,
    kind: str,
    amount: int,
    fee: int,
    description: str | None,
) -> str:
    """Stores a balance transaction; its id."""
    detail = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    entry = account.put(
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": account.clock.now(),
            "balance_type": "payments",
            "created": account.clock.now(),
            "currency": source["currency"],
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": amount - fee,
            "reporting_category": kind,
            "source": source["id"],
            "status": "available",
            "type": kind,
        }
    )
    return str(entry["id"])


def retrieve(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/charges/{id}."""
    return account.get("charge", id)


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/charges."""
    conditions = equal(params, "payment_intent")
    if {"customer", "transfer_group"} & params.keys():
        conditions.append(("0", ()))  # no charge here has any of these
    return listed(account, "charge", "/v1/charges", params, conditions)


def retrieve_entry(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/balance_transactions/{id}."""
    return account.get("balance_transaction", id)


def list_entries(account: Account, params: Json) -> Json:
    """GET /v1/balance_transactions."""
    conditions = equal(params, "type")
    for name in ("source", "currency"):
        if name in params:
            conditions.append((f"body ->> '{name}' = ?", params[name]))
    if "payout" in params:
        conditions.append(("0", ()))  # nothing here is ever paid out
    return listed(account, "balance_transaction", "/v1/balance_transactions", params, conditions)
