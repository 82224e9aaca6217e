"""An order's session at Stripe: made once, found again.

It is a Checkout Session, or a PaymentIntent when the shopper pays on our own page: whatever the order
can be paid through, and there is one of it.

The parameters follow from what the order stored before the first call, so a repeat by any process is
the same request. Stripe keeps idempotency keys for 24 hours at least.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from storefront.domain import lost
from storefront.domain.errors import (
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from storefront.domain.orders import Form, Line, Order
from storefront.domain.payments import Payment, Verdict, lacks_parts, verdict
from storefront.domain.terms import Rate, Way
from storefront.services import links
from storefront.services.shop import Shop

SESSION_SECONDS = 1920
"""Stripe refuses an ``expires_at`` under 30 minutes away; a repeat within 2 minutes is still above."""
SHORTEST_SECONDS = 1810
"""With less than this left of ``expires_at``, a creation may come too late for Stripe."""
REFUSED_SECONDS = 1770
"""With less than this left, Stripe refuses the creation for sure: it takes more than 30 minutes, and
its clock and ours differ by 30 s at most."""
INTENT = "pi_"
"""How the ids of PaymentIntents begin."""
WAYS = {Way.PICKUP: "Pick-up", Way.DELIVERY: "Delivery"}
"""As Stripe's page calls them."""
SHIPPING_TAX_CODE = "txcd_92010001"
"""Stripe's for what sending costs: https://docs.stripe.com/tax/tax-codes."""
KEY_MS = 23 * 3600_000
"""Stripe keeps an idempotency key for 24 hours at least."""
CLOCKS_SECONDS = 120
"""How far Stripe's clock and Redis' may differ when sessions are looked up by their creation."""


def key(order: Order) -> str:
    """The idempotency key of the session's creation."""
    kind = "intent" if order.form is Form.ELEMENTS else "session"
    return f"order:{order.id}:{kind}:{order.session_version}"


def params(shop: Shop, order: Order) -> dict[str, Any]:
    """What Stripe gets to make the order's session."""
    metadata = {"order": order.id, "shop": shop.settings.shop_id} | lost.write(order)
    until = datetime.fromtimestamp(order.deadline // 1000, UTC)
    link = links.order(shop.settings, order.id)
    return {
        "mode": "payment",
        "client_reference_id": order.id,
        "line_items": [{"quantity": line.quantity, **_price(order, line)} for line in order.lines],
        "success_url": link,
        "cancel_url": link,
        "expires_at": order.expires_at,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata, **_capture(shop)},
        **_methods(shop),
        "custom_text": {
            "submit": {"message": f"We hold this for you until {until:%H:%M} UTC ({until:%d %B})."}
        },
        **_on_top(order),
    }


def _on_top(order: Order) -> dict[str, Any]:
    """What Stripe's page may add or take off; nothing for an order with plain terms."""
    terms = order.terms
    asked: dict[str, Any] = {}
    if terms.rates:
        asked["shipping_options"] = [
            {"shipping_rate_data": _rate(rate, order)} for rate in terms.rates
        ]
        asked["shipping_address_collection"] = {"allowed_countries": list(terms.countries)}
    if terms.tax:
        asked["automatic_tax"] = {"enabled": True}
    if terms.codes:
        asked["allow_promotion_codes"] = True
    return asked


def _rate(rate: Rate, order: Order) -> dict[str, Any]:
    return {
        "type": "fixed_amount",
        "display_name": WAYS[rate.way],
        "fixed_amount": {"amount": rate.amount, "currency": order.currency},
        **({"tax_code": SHIPPING_TAX_CODE} if order.terms.tax else {}),
    }


def names_prices(order: Order) -> bool:
    """Whether the session is asked for by the ids of Prices, which somebody may have archived.

    Only the first request does so. Those under a later number say the amounts themselves, so that
    nothing that is done to a Price can stand in the way of a payment.
    """
    first = order.form is Form.HOSTED and order.session_version == 1
    return first and any(line.price for line in order.lines)


def _price(order: Order, line: Line) -> dict[str, Any]:
    """What a line costs: as it was frozen when the units were held."""
    if line.price and names_prices(order):
        return {"price": line.price}
    return {
        "price_data": {
            "currency": order.currency,
            "unit_amount": line.unit_amount,
            "product_data": {"name": line.name, "metadata": {"sku": line.sku}},
        }
    }


def intent_params(shop: Shop, order: Order) -> dict[str, Any]:
    """What Stripe gets to make the order's PaymentIntent, which our own page pays."""
    return {
        "amount": order.amount,
        "currency": order.currency,
        "description": f"Order {order.id}",
        "metadata": {
            "order": order.id,
            "shop": shop.settings.shop_id,
            "form": str(Form.ELEMENTS),
        }
        | lost.write(order),
        **_methods(shop),
        **_shipping(order),
        **_capture(shop),
    }


def _methods(shop: Shop) -> dict[str, list[str]]:
    """Cards, and the wallets that hold them, unless the operator lets money be on its way for days.

    Without a word Stripe offers whatever the account allows.
    """
    return {} if shop.settings.delayed_methods else {"allowed_payment_method_types": ["card"]}


def _shipping(order: Order) -> dict[str, Any]:
    """Whom the goods go to; nothing when they are picked up."""
    to = order.recipient
    if to is None:
        return {}
    address = {
        "line1": to.line1,
        "line2": to.line2,
        "postal_code": to.postal_code,
        "city": to.city,
        "state": to.state,
        "country": to.country,
    }
    given = {name: text for name, text in address.items() if text}
    return {"shipping": {"name": to.name, "address": given}}


def _capture(shop: Shop) -> dict[str, str]:
    """Nothing when money is taken at once: that is how Stripe does it unless told otherwise."""
    return {"capture_method": "manual"} if shop.settings.capture_method == "manual" else {}


def make(shop: Shop, order: Order) -> Payment:
    """Make the order's session, or get the one made before. Raises StripeError."""
    if order.form is Form.ELEMENTS:
        return _with_page(shop, shop.stripe.create_intent(intent_params(shop, order), key(order)))
    return shop.stripe.create_session(params(shop, order), key(order))


def read(shop: Shop, session: str) -> Payment:
    """What a session is now. Raises StripeError."""
    if session.startswith(INTENT):
        return _with_page(shop, shop.stripe.intent(session))
    return shop.stripe.session(session)


def paid_by(shop: Shop, order: Order, payment_intent: str) -> Payment:
    """What one of the order's payments is now, with what its amount is made of.

    Of one that was let go, with the session that ended so. Raises StripeError.
    """
    found = shop.stripe.intent(payment_intent)
    let_go = found.intent_status == "canceled" and not found.session
    if let_go or lacks_parts(found, order.terms):
        return shop.stripe.session_of(payment_intent) or found
    return found


def ended(shop: Shop, session: str) -> Payment:
    """What a session is after an attempt to end it: expired, or what was quicker."""
    try:
        if session.startswith(INTENT):
            # Stripe would cancel an authorisation too, and it belongs to who paid in time.
            found = read(shop, session)
            return shop.stripe.cancel_intent(session) if verdict(found) is Verdict.OPEN else found
        return shop.stripe.expire_session(session)
    except (StripeRefused, StripeSpent):  # it is not open, or no key will ever say more
        return read(shop, session)


def between(shop: Shop, earliest: int, latest: int) -> Iterator[Payment]:
    """Every session of this shop made in this time (seconds, both included). Raises StripeError."""
    for payment in shop.stripe.sessions_between(earliest, latest):
        if payment.shop == shop.settings.shop_id:
            yield payment
    for payment in shop.stripe.intents_between(earliest, latest):
        if payment.shop == shop.settings.shop_id and payment.session:
            yield _with_page(shop, payment)


def _with_page(shop: Shop, payment: Payment) -> Payment:
    return replace(payment, url=links.payment_page(shop.settings, payment.order))


def creatable(shop: Shop, order: Order) -> bool:
    """Whether a repeat of the creation under its key is sure to find what the first try made."""
    if order.form is Form.ELEMENTS:
        # An offer was there long before anything was created for it, and a later key is younger.
        since = max(order.created, order.taken)
        if order.session_version > 1:
            since = (order.expires_at - SESSION_SECONDS) * 1000
        return shop.store.now() - since < KEY_MS
    return order.expires_at - shop.store.now() // 1000 >= SHORTEST_SECONDS


def find(shop: Shop, order: Order) -> Payment | None:
    """The session of an order that has none noted; None when Stripe confirms that none exists.

    While the stored request would still be taken, it is repeated under its key: only that also
    catches a first request that is still on its way. Afterwards a late one would be refused, so a
    look through Stripe's list is proof. Raises StripeUnreachable, and everything stays.
    """
    # Nobody may have asked Stripe for one yet, or never does.
    if order.undecided or order.at_counter:
        return None
    if not creatable(shop, order):
        return look_up_late(shop, order)
    try:
        return make(shop, order)
    except StripeRefused as refused:
        if made_nothing(order, refused):
            return None
    except (StripeSpent, StripeKeyMismatch):
        pass
    return look_up(shop, order)


def look_up_late(shop: Shop, order: Order) -> Payment | None:
    """As ``look_up``, for an order whose creation is not repeated any more.

    While Stripe might still take one that is on its way, a list without it proves nothing: raises
    StripeUnreachable.
    """
    left = order.expires_at - shop.store.now() // 1000  # before the list is asked for
    found = look_up(shop, order)
    if found is None and left >= REFUSED_SECONDS:
        raise StripeUnreachable(f"a session of {order.id} may still be on its way")
    return found


def made_nothing(order: Order, refused: StripeRefused) -> bool:
    """Whether a refusal proves that no earlier try of the same request made a session.

    A repeat is answered with what the first try made, before its parameters are looked at; but a
    key that is no longer accepted (401, 403) is turned away before even that.
    """
    return order.session_version == 1 and refused.status not in {401, 403}


def look_up(shop: Shop, order: Order) -> Payment | None:
    """The order's session in Stripe's list: one that was paid, else an open one, else any."""
    rank = {"complete": 0, "open": 1}
    found = of_order(shop, order)
    return min(found, key=lambda payment: rank.get(payment.session_status, 2), default=None)


def of_order(shop: Shop, order: Order) -> list[Payment]:
    """The order's sessions in Stripe's list, the newest first. Raises StripeError."""
    earliest = order.created // 1000 - CLOCKS_SECONDS
    latest = shop.store.now() // 1000 + CLOCKS_SECONDS
    return [p for p in between(shop, earliest, latest) if p.order == order.id]
