"""Money that a bank has agreed to pay: captured once the goods are committed, else let go again.

An authorisation costs nothing to cancel, so a shopper for whom nothing is left gets no refund: no
money ever moved. https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
"""

from storefront.domain.errors import (
    StripeError,
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from storefront.domain.orders import Order, Reason
from storefront.domain.payments import Payment
from storefront.services import sessions, settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Settled


def capture_when_due(shop: Shop, order_id: str, payment_intent: str) -> int | None:
    """The due job ``capture``: take the money for goods that are the customer's.

    A bank that does not pay any more is believed: the goods go back on sale. Raises StripeError.
    """
    order = shop.store.orders.get(order_id)
    if order is None or payment_intent not in order.authorizations:
        return None
    if payment_intent in order.void_reasons:
        return None
    capture_before = order.capture_before.get(payment_intent)
    if capture_before is not None and capture_before <= shop.store.now() // 1000:
        # Its time is over: what became of it is known, and capturing blindly would hide it.
        facts = shop.stripe.intent(payment_intent)
        if facts.intent_status != "requires_capture":
            return _settle(shop, order, facts)
    version = order.capture_versions.get(payment_intent, 0)
    key = f"capture:{payment_intent}" + (f":{version}" if version else "")
    try:
        facts = shop.stripe.capture(payment_intent, key)
    except (StripeRefused, StripeSpent, StripeKeyMismatch) as no:
        facts = shop.stripe.intent(payment_intent)
        if facts.intent_status == "requires_capture":
            # This key will never say more, so the next number is stored before it is used.
            shop.store.scripts.number_capture(order.id, payment_intent)
            settlement.apply(shop, order, facts)  # keeps until when the bank has agreed
            raise _again(no, payment_intent) from no
    return _settle(shop, order, facts)


def void_when_due(shop: Shop, order_id: str, payment_intent: str) -> int | None:
    """The due job ``void``: cancel an authorisation that buys nothing. Raises StripeError."""
    order = shop.store.orders.get(order_id)
    if order is None or payment_intent not in order.authorizations:
        return None
    try:
        facts = shop.stripe.cancel_intent(payment_intent)
    except (StripeRefused, StripeSpent) as no:
        facts = shop.stripe.intent(payment_intent)
        if facts.intent_status == "requires_capture":
            raise _again(no, payment_intent) from no
    return _settle(shop, order, facts)


def _again(no: StripeError, payment_intent: str) -> StripeError:
    """What a no means for a payment that is still authorised: a clear one counts as such.

    One that is only said again may be about an authorisation before this one.
    """
    if isinstance(no, StripeRefused) and not no.replayed:
        return no
    return StripeUnreachable(f"{payment_intent} goes on under another key: {no}")


def _settle(shop: Shop, order: Order, facts: Payment) -> int | None:
    if facts.intent_status == "requires_payment_method" and facts.session:
        # The bank backed out, and on our own page it could be paid again. Nobody may while the
        # goods go back.
        facts = sessions.ended(shop, facts.session)
        if facts.intent_status == "requires_capture":
            raise StripeUnreachable(f"{facts.payment_intent} was authorised once more")
    # As Stripe has it now, and no old event: the bank backed out.
    if facts.intent_status == "requires_payment_method":
        shop.store.scripts.void_payment(
            order.id, payment_intent=facts.payment_intent, reason=Reason.LAPSED
        )
        return None
    waits = settlement.apply(shop, order, facts) is Settled.LATER
    return settlement.SHORTEST_ASK_MS if waits else None
