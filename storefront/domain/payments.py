"""From what Stripe says to what the shop must do.

Facts decide: the status of the session and of the PaymentIntent, the amount, the currency. The
name of an event, its order of arrival and a query string decide nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What Stripe's facts mean for an order."""

    PAID = "paid"
    AUTHORIZED = "authorized"
    PROCESSING = "processing"
    OPEN = "open"
    EXPIRED = "expired"
    DECLINED = "declined"
    UNCLEAR = "unclear"
    """Only asking Stripe for the PaymentIntent can tell."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What Stripe says about one way of paying an order: a session, its PaymentIntent, or both."""

    order: str = ""
    shop: str = ""
    session: str = ""
    session_status: str = ""
    payment_status: str = ""
    payment_intent: str = ""
    intent_status: str = ""
    """Empty when Stripe did not send the PaymentIntent itself."""
    amount: int = 0
    """Minor units: what the session or PaymentIntent asks for."""
    currency: str = ""
    livemode: bool = False
    email: str = ""
    url: str = ""
    created: int = 0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class RefundFact:
    """What Stripe says about one refund."""

    id: str
    payment_intent: str
    amount: int
    status: str
    order: str = ""
    shop: str = ""
    reason: str = ""


def verdict(payment: Payment) -> Verdict:
    """What these facts mean, whichever event or call brought them.

    The PaymentIntent's status goes before the session's: ``complete`` only says that the shopper
    has finished (https://docs.stripe.com/payments/checkout/fulfill-orders).
    """
    match payment.intent_status:
        case "succeeded":
            return Verdict.PAID
        case "requires_capture":
            return Verdict.AUTHORIZED
        case "processing":
            return Verdict.PROCESSING
        case "canceled" if payment.session_status != "open":
            return Verdict.EXPIRED if payment.session_status == "expired" else Verdict.DECLINED
    match payment.session_status, payment.payment_status:
        case "complete", "paid" | "no_payment_required":
            return Verdict.PAID
        case "complete", _ if payment.intent_status == "requires_payment_method":
            return Verdict.DECLINED
        case "complete", _ if payment.intent_status:
            return Verdict.PROCESSING
        case "expired", _:
            return Verdict.EXPIRED
        case "open", _:
            return Verdict.OPEN
    return Verdict.UNCLEAR


def mismatch(payment: Payment, amount: int, currency: str) -> str:
    """Why this payment must not buy this order (amount in minor units), or an empty text."""
    if payment.currency != currency:
        return f"paid in {payment.currency}, held in {currency}"
    if payment.amount != amount:
        return f"paid {payment.amount} {currency}, held for {amount} {currency}"
    return ""


def from_session(session: Mapping[str, Any]) -> Payment:
    """The facts in a Checkout Session, its PaymentIntent expanded or not."""
    intent = session.get("payment_intent")
    expanded = intent if isinstance(intent, Mapping) else {}
    metadata = session.get("metadata") or {}
    return Payment(
        order=metadata.get("order") or session.get("client_reference_id") or "",
        shop=metadata.get("shop") or "",
        session=session["id"],
        session_status=session.get("status") or "",
        payment_status=session.get("payment_status") or "",
        payment_intent=expanded.get("id") or (intent if isinstance(intent, str) else ""),
        intent_status=expanded.get("status") or "",
        amount=session.get("amount_total") or 0,
        currency=session.get("currency") or "",
        livemode=bool(session.get("livemode")),
        email=(session.get("customer_details") or {}).get("email") or "",
        url=session.get("url") or "",
        created=session.get("created") or 0,
    )


def from_intent(intent: Mapping[str, Any]) -> Payment:
    """The facts in a PaymentIntent alone."""
    metadata = intent.get("metadata") or {}
    return Payment(
        order=metadata.get("order") or "",
        shop=metadata.get("shop") or "",
        payment_intent=intent["id"],
        intent_status=intent.get("status") or "",
        amount=intent.get("amount") or 0,
        currency=intent.get("currency") or "",
        livemode=bool(intent.get("livemode")),
        email=intent.get("receipt_email") or "",
        created=intent.get("created") or 0,
    )


def from_refund(refund: Mapping[str, Any]) -> RefundFact:
    """The facts in a Refund."""
    metadata = refund.get("metadata") or {}
    intent = refund.get("payment_intent")
    return RefundFact(
        id=refund["id"],
        payment_intent=(intent["id"] if isinstance(intent, Mapping) else intent) or "",
        amount=refund.get("amount") or 0,
        status=refund.get("status") or "pending",
        order=metadata.get("order") or "",
        shop=metadata.get("shop") or "",
        reason=metadata.get("reason") or "",
    )
