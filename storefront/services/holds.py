"""Holds that outlived their deadline because Stripe could not be asked."""

import logging

from storefront.domain.errors import StripeError
from storefront.domain.orders import AWAITING, Order, Reason, State
from storefront.services import settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Settled

LATE_MS = 120_000
"""What the worker may need after deadline and grace before a hold counts as overdue."""

log = logging.getLogger(__name__)


def overdue(shop: Shop) -> list[Order]:
    """Holds that still stand though their deadline and the grace are over, the oldest first."""
    latest = shop.store.now() - shop.settings.hold_grace_seconds * 1000
    ids = [order for order, _ in shop.store.orders.holding(until_ms=latest)]
    waiting = AWAITING | {State.OFFERED}
    return [order for order in shop.store.orders.get_many(ids) if order.state in waiting]


def release_by_hand(shop: Shop, order_id: str, who: str) -> Settled:
    """Release an overdue hold on a person's word; Stripe is asked first, and heard if it answers.

    Should the shopper have paid all the same, the order is settled as soon as Stripe tells: goods if
    they are still there, else the money back.
    """
    order = shop.store.orders.get(order_id)
    if order is None:
        return Settled.UNKNOWN_ORDER
    if order.id not in {late.id for late in overdue(shop)}:
        return Settled.KEPT
    try:
        return settlement.end(shop, order, Reason.EXPIRED)
    except StripeError:
        log.warning("order %s: released by %s, Stripe silent", order.id, who)
    return shop.store.scripts.release_hold(
        order.id,
        session=order.session,
        version=order.session_version,
        reason=Reason.EXPIRED,
        who=who,
    )
