"""An order's Checkout Session at Stripe: made once, found again.

The parameters follow from what the order stored before the first call, so a repeat by any process is
the same request. Stripe keeps idempotency keys for 24 hours at least.
"""

from datetime import UTC, datetime
from typing import Any

from storefront.domain import lost
from storefront.domain.errors import (
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from storefront.domain.orders import Order
from storefront.domain.payments import Payment
from storefront.services import links
from storefront.services.shop import Shop

SESSION_SECONDS = 1920
"""Stripe refuses an ``expires_at`` under 30 minutes away; a repeat within 2 minutes is still above."""
SHORTEST_SECONDS = 1810
"""With less than this left of ``expires_at``, a creation may come too late for Stripe."""
REFUSED_SECONDS = 1770
"""With less than this left, Stripe refuses the creation for sure: it takes more than 30 minutes, and
its clock and ours differ by 30 s at most."""
CLOCKS_SECONDS = 120
"""How far Stripe's clock and Redis' may differ when sessions are looked up by their creation."""


def key(order: Order) -> str:
    """The idempotency key of the session's creation."""
    return f"order:{order.id}:session:{order.session_version}"


def params(shop: Shop, order: Order) -> dict[str, Any]:
    """What Stripe gets to make the order's session."""
    metadata = {"order": order.id, "shop": shop.settings.shop_id} | lost.write(order)
    until = datetime.fromtimestamp(order.deadline // 1000, UTC)
    link = links.order(shop.settings, order.id)
    return {
        "mode": "payment",
        "client_reference_id": order.id,
        "line_items": [
            {
                "quantity": line.quantity,
                "price_data": {
                    "currency": order.currency,
                    "unit_amount": line.unit_amount,
                    "product_data": {"name": line.name, "metadata": {"sku": line.sku}},
                },
            }
            for line in order.lines
        ],
        "success_url": link,
        "cancel_url": link,
        "expires_at": order.expires_at,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "custom_text": {
            "submit": {"message": f"We hold this for you until {until:%H:%M} UTC ({until:%d %B})."}
        },
    }


def make(shop: Shop, order: Order) -> Payment:
    """Make the order's session, or get the one made before. Raises StripeError."""
    return shop.stripe.create_session(params(shop, order), key(order))


def creatable(shop: Shop, order: Order) -> bool:
    """Whether Stripe would still take the order's ``expires_at``."""
    return order.expires_at - shop.store.now() // 1000 >= SHORTEST_SECONDS


def find(shop: Shop, order: Order) -> Payment | None:
    """The session of an order that has none noted; None when Stripe confirms that none exists.

    While the stored request would still be taken, it is repeated under its key: only that also
    catches a first request that is still on its way. Afterwards a late one would be refused, so a
    look through Stripe's list is proof. Raises StripeUnreachable, and everything stays.
    """
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
    earliest = order.created // 1000 - CLOCKS_SECONDS
    latest = shop.store.now() // 1000 + CLOCKS_SECONDS
    rank = {"complete": 0, "open": 1}
    found = [
        payment
        for payment in shop.stripe.sessions_between(earliest, latest)
        if payment.order == order.id and payment.shop == shop.settings.shop_id
    ]
    return min(found, key=lambda payment: rank.get(payment.session_status, 2), default=None)
