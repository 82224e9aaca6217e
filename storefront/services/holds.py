"""Holds that a person may end: those that outlived their deadline, and those of reviews."""

import logging

from storefront.domain.errors import StripeError, StripeUnreachable
from storefront.domain.orders import AWAITING, Order, Reason, State
from storefront.domain.payments import Verdict, verdict
from storefront.services import sessions, settlement
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


def waiting_for_a_person(shop: Shop) -> list[Order]:
    """Orders in review that nothing was paid for and whose units are held, the oldest first."""
    return [order for order in shop.store.orders.walk(State.REVIEW) if releasable(order)]


def release_by_hand(shop: Shop, order_id: str, who: str) -> Settled:
    """Release on a person's word a hold that is overdue, or that an order in review has for nothing.

    Stripe is asked first. An overdue hold is released even if it does not answer; should the shopper
    have paid all the same, the order is settled as soon as Stripe tells: goods if they are still
    there, else the money back. What a review holds stays until Stripe has said that nothing can be
    paid any more: then raises StripeError.
    """
    order = shop.store.orders.get(order_id)
    if order is None:
        return Settled.UNKNOWN_ORDER
    if releasable(order):
        return _end_review(shop, order, who)
    if order.id not in {late.id for late in overdue(shop)}:
        return Settled.KEPT
    try:
        return settlement.end(shop, order, Reason.EXPIRED)
    except StripeError:
        log.warning("order %s: released by %s, Stripe silent", order.id, who)
    return _release(shop, order, who)


def releasable(order: Order) -> bool:
    """Whether an order in review holds units that nothing was paid for."""
    paid = order.payments or order.authorizations
    return order.state is State.REVIEW and order.units == "held" and not paid


def _end_review(shop: Shop, order: Order, who: str) -> Settled:
    """End every session that the order ever had, then release; what was paid is settled instead."""
    known = order.sessions
    if not known:
        found = sessions.find(shop, order)
        known = (found.session,) if found else ()
    for session in known:
        payment = sessions.ended(shop, session)
        match verdict(payment):
            case Verdict.EXPIRED | Verdict.DECLINED:
                continue
            case Verdict.PAID | Verdict.AUTHORIZED:
                outcome = settlement.apply(shop, order, payment)
                return Settled.KEPT if outcome is Settled.ALREADY else outcome
            case Verdict.OPEN:  # a payment is being made in it at this moment
                raise StripeUnreachable(f"{session} could not be ended yet")
            case _:
                return Settled.KEPT
    return _release(shop, order, who)


def _release(shop: Shop, order: Order, who: str) -> Settled:
    return shop.store.scripts.release_hold(
        order.id,
        session=order.session,
        version=order.session_version,
        reason=Reason.EXPIRED,
        who=who,
    )
