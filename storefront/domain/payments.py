"""From what Stripe says to what the shop must do.

Facts decide: the status of the session and of the PaymentIntent, the amount, the currency. The
name of an event, its order of arrival and a query string decide nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storefront.domain import fields
from storefront.domain.orders import Form
from storefront.domain.payment_links import order_of
from storefront.domain.terms import PLAIN, Parts, Recipient, Terms, wrong_part


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


SESSION_STATUS = {
    "requires_payment_method": "open",
    "requires_confirmation": "open",
    "requires_action": "open",
    "canceled": "expired",
}
"""What a PaymentIntent of our own payment page is like, in the words of a session."""


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
    expires_at: int = 0
    """Seconds; of a session only."""
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    client_secret: str = field(default="", repr=False)
    """What lets a browser pay a PaymentIntent; Stripe tells it to us only, and it is never kept."""
    capture_before: int = 0
    """Seconds: when an authorisation runs out; 0 when Stripe did not say."""
    link: str = ""
    """The payment link that it came through; empty for all others."""
    parts: Parts | None = None
    """What the amount is made of; only a session tells that, a PaymentIntent alone does not."""
    recipient: Recipient | None = field(default=None, repr=False)
    """Whom the goods would be sent to, as the shopper gave it; with a pick-up it means nothing."""

    @property
    def paid_with(self) -> str:
        """What stands for it in the books: the session, when there was nothing to pay.

        A card that was tried before a code took all of it off has left a PaymentIntent there.
        """
        if self.payment_status == "no_payment_required":
            return self.session
        return self.payment_intent or self.session


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
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Charge:
    """Which payment a charge belongs to, and whose it is."""

    id: str
    payment_intent: str
    """Empty for a charge that was made without one."""
    order: str = ""
    shop: str = ""


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """What Stripe says about one dispute: a bank that takes a payment back for its customer."""

    id: str
    payment_intent: str
    amount: int
    status: str
    """``needs_response``, ``under_review``, ``won``, ``lost`` and a few more."""
    shop: str = ""


def verdict(payment: Payment) -> Verdict:
    """What these facts mean, whichever event or call brought them.

    The PaymentIntent's status goes before the session's: ``complete`` only says that the shopper
    has finished (https://docs.stripe.com/payments/checkout/fulfill-orders).
    """
    if (payment.session_status, payment.payment_status) == ("complete", "no_payment_required"):
        return Verdict.PAID  # a code took off all of it, maybe after a card had been tried
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
        case "complete", "paid":
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


def mismatch(
    payment: Payment, goods: int, currency: str, terms: Terms = PLAIN, way: str = ""
) -> str:
    """Why this payment must not buy this order, or an empty text.

    ``goods`` is what they cost in minor units. ``way`` is how they are to reach the customer, where
    that was settled before there was anything to pay, as on our own page.
    """
    if payment.currency != currency:
        return f"paid in {payment.currency}, held in {currency}"
    parts = payment.parts
    if parts is None:
        rate = terms.rate(way)
        due = goods + (rate.amount if rate else 0)
        return "" if payment.amount == due else _differs(payment.amount, due, currency)
    if parts.goods != goods:
        return _differs(parts.goods, goods, currency)
    return wrong_part(terms, parts, payment.amount, currency)


def _differs(paid: int, held: int, currency: str) -> str:
    return f"paid {paid} {currency}, held for {held} {currency}"


def lacks_parts(payment: Payment, terms: Terms) -> bool:
    """Whether only the session can tell what this amount is made of, and did not tell it here."""
    return payment.parts is None and not payment.session and not terms.plain


def from_session(session: Mapping[str, Any]) -> Payment:
    """The facts in a Checkout Session, its PaymentIntent expanded or not. Raises Malformed."""
    intent, expanded = fields.reference(session, "payment_intent")
    metadata = fields.part(session, "metadata")
    # We write both the same. Metadata can be edited at Stripe: what it says then is no fact.
    order, reference = fields.text(metadata, "order"), fields.text(session, "client_reference_id")
    if order and reference and order != reference:
        order = reference = ""
    # Whoever opens a link's address can put a reference of his own choice into it.
    if link := fields.text(metadata, "link"):
        order = order_of(fields.identity(session))
    payment = Payment(
        order=order or reference,
        shop=fields.text(metadata, "shop"),
        session=fields.identity(session),
        session_status=fields.word(session, "status"),
        payment_status=fields.word(session, "payment_status"),
        payment_intent=intent,
        intent_status=fields.word(expanded, "status"),
        amount=fields.whole(session, "amount_total"),
        currency=fields.word(session, "currency"),
        livemode=fields.flag(session, "livemode"),
        email=fields.line(fields.part(session, "customer_details"), "email"),
        url=fields.line(session, "url"),
        created=fields.whole(session, "created"),
        expires_at=fields.whole(session, "expires_at"),
        metadata=fields.texts(metadata),
        capture_before=_capture_before(expanded),
        link=link,
        parts=_parts(session),
        recipient=_recipient(
            fields.part(fields.part(session, "collected_information"), "shipping_details")
        ),
    )
    # What a subscription or a setup takes has another shape, and is not this shop's.
    if fields.word(session, "mode") in {"", "payment"}:
        if payment.payment_status == "paid":
            fields.required(session, "amount_total", "currency", "payment_intent")
        if payment.payment_status == "no_payment_required" and payment.amount:
            raise fields.Malformed("payment_status says that there was nothing to pay")
    return payment


def from_intent(intent: Mapping[str, Any]) -> Payment:
    """The facts in a PaymentIntent alone. Raises Malformed.

    One that our own payment page pays stands for the order's session itself; where its goods go
    was settled before it was made.
    """
    fields.required(intent, "amount", "currency", "status")
    metadata = fields.part(intent, "metadata")
    own = fields.text(metadata, "form") == Form.ELEMENTS
    return Payment(
        session=fields.identity(intent) if own else "",
        session_status=SESSION_STATUS.get(fields.word(intent, "status"), "complete") if own else "",
        client_secret=fields.line(intent, "client_secret"),
        order=fields.text(metadata, "order"),
        shop=fields.text(metadata, "shop"),
        payment_intent=fields.identity(intent),
        intent_status=fields.word(intent, "status"),
        amount=fields.whole(intent, "amount"),
        currency=fields.word(intent, "currency"),
        livemode=fields.flag(intent, "livemode"),
        email=fields.line(intent, "receipt_email"),
        created=fields.whole(intent, "created"),
        metadata=fields.texts(metadata),
        capture_before=_capture_before(intent),
        link=fields.text(metadata, "link"),
        recipient=_recipient(fields.part(intent, "shipping")),
    )


def _parts(session: Mapping[str, Any]) -> Parts | None:
    """What a session's total is made of; None when it does not say what the goods cost."""
    if session.get("amount_subtotal") is None:
        return None
    details = fields.part(session, "total_details")
    return Parts(
        goods=fields.whole(session, "amount_subtotal"),
        shipping=fields.whole(details, "amount_shipping"),
        tax=fields.whole(details, "amount_tax"),
        discount=fields.whole(details, "amount_discount"),
        rate=_rate(session),
    )


def _rate(session: Mapping[str, Any]) -> int | None:
    """The place of what the shopper chose among the session's shipping options."""
    chosen, _ = fields.reference(fields.part(session, "shipping_cost"), "shipping_rate")
    if not chosen:
        return None
    options = session.get("shipping_options") or []
    if not isinstance(options, list) or not all(isinstance(one, Mapping) for one in options):
        raise fields.Malformed("shipping_options is no list of objects")
    rates = [fields.reference(option, "shipping_rate")[0] for option in options]
    return rates.index(chosen) if chosen in rates else None


def _recipient(shipping: Mapping[str, Any]) -> Recipient | None:
    """Whom the goods go to, from ``shipping_details`` of a session or ``shipping`` of an intent."""
    address = fields.part(shipping, "address")
    if not address:
        return None
    return Recipient(
        name=fields.line(shipping, "name"),
        line1=fields.line(address, "line1"),
        line2=fields.line(address, "line2"),
        postal_code=fields.line(address, "postal_code"),
        city=fields.line(address, "city"),
        state=fields.line(address, "state"),
        country=fields.line(address, "country"),
    )


def _capture_before(intent: Mapping[str, Any]) -> int:
    """From the charge, where it is expanded and by card."""
    _, charge = fields.reference(intent, "latest_charge")
    details = fields.part(charge, "payment_method_details")
    return fields.whole(fields.part(details, "card"), "capture_before")


def from_refund(refund: Mapping[str, Any]) -> RefundFact:
    """The facts in a Refund. Raises Malformed."""
    fields.required(refund, "amount")
    metadata = fields.part(refund, "metadata")
    payment_intent, _ = fields.reference(refund, "payment_intent")
    return RefundFact(
        id=fields.identity(refund),
        payment_intent=payment_intent,
        amount=fields.whole(refund, "amount"),
        status=fields.word(refund, "status") or "pending",
        order=fields.text(metadata, "order"),
        shop=fields.text(metadata, "shop"),
        reason=fields.text(metadata, "reason"),
        metadata=fields.texts(metadata),
    )


def from_charge(charge: Mapping[str, Any]) -> Charge:
    """The facts in a Charge. Raises Malformed."""
    metadata = fields.part(charge, "metadata")
    payment_intent, _ = fields.reference(charge, "payment_intent")
    return Charge(
        id=fields.identity(charge),
        payment_intent=payment_intent,
        order=fields.text(metadata, "order"),
        shop=fields.text(metadata, "shop"),
    )


def from_dispute(dispute: Mapping[str, Any]) -> DisputeFact:
    """The facts in a Dispute. Raises Malformed."""
    payment_intent, _ = fields.reference(dispute, "payment_intent")
    metadata = fields.texts(fields.part(dispute, "metadata"))
    return DisputeFact(
        id=fields.identity(dispute),
        payment_intent=payment_intent,
        amount=fields.whole(dispute, "amount"),
        status=fields.word(dispute, "status") or "needs_response",
        shop=metadata.get("shop", ""),
    )
