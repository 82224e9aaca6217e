"""What moved on the account's balance at Stripe, with the fee that it cost.

https://docs.stripe.com/api/balance_transactions/object
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from storefront.domain import fields


class Kind(StrEnum):
    """What moved."""

    SOLD = "sold"
    REFUNDED = "refunded"
    RETURNED = "returned"
    """A refund failed, and its money came back."""
    OTHER = "other"
    """Payouts and the like: nothing of an order's."""


KINDS = {
    "charge": Kind.SOLD,
    "payment": Kind.SOLD,
    "refund": Kind.REFUNDED,
    "payment_refund": Kind.REFUNDED,
    "refund_failure": Kind.RETURNED,
    "payment_failure_refund": Kind.RETURNED,
}
"""By Stripe's types; those beginning with ``payment`` are of other methods than cards."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement. Amounts are minor units of the balance's currency, below 0 when it left."""

    id: str
    kind: Kind
    at: int
    """Seconds since 1970."""
    amount: int
    fee: int
    currency: str
    source: str
    """The charge or the refund."""
    payment_intent: str
    shop: str
    """The shop that its metadata names; empty when they name none."""
    charged: int
    """What the charge or the refund itself says, in ``charged_in``, without a sign."""
    charged_in: str
    """The currency in which the customer paid: another than the balance's when Stripe exchanged it."""


def from_entry(entry: Mapping[str, Any]) -> Entry:
    """The facts in a BalanceTransaction with its source. Raises Malformed."""
    source, found = fields.reference(entry, "source")
    payment_intent, _ = fields.reference(found, "payment_intent")
    kind = KINDS.get(fields.word(entry, "type"), Kind.OTHER)
    captured = "amount_captured" if kind is Kind.SOLD else "amount"
    return Entry(
        id=fields.identity(entry),
        kind=kind,
        at=fields.whole(entry, "created"),
        amount=_signed(entry, "amount"),
        fee=_signed(entry, "fee"),
        currency=fields.word(entry, "currency"),
        source=source,
        payment_intent=payment_intent,
        shop=fields.text(fields.part(found, "metadata"), "shop"),
        charged=fields.whole(found, captured) if kind is not Kind.OTHER else 0,
        charged_in=fields.word(found, "currency"),
    )


def _signed(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if type(value) is not int or abs(value) > fields.LARGEST_NUMBER:
        raise fields.Malformed(f"{name} is no whole number")
    return value
