"""Bring a shop back whose Redis was lost, from what Stripe keeps of it.

What came in and what was written off stands in Stripe's products (``mirroring``), every order in its
sessions, every refund in its own list. The order of steps and the code are those of a restart
(``reconciliation``); only the time that is walked is all of it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from storefront.domain import lost
from storefront.domain.door import Door
from storefront.domain.errors import ShopClosed
from storefront.domain.payments import Payment, RefundFact, mismatch
from storefront.domain.refunds import gone
from storefront.services import mirroring, reconciliation, recovery, restoring
from storefront.services.mirroring import Mirrored
from storefront.services.reconciliation import Kept
from storefront.services.shop import Shop

TOLD_BY = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "refund.created",
    "refund.updated",
)
"""Events that make the shop write to a customer."""
FROM_STRIPE = "rebuilt from Stripe"
MORE_SOLD = "rebuilt from Stripe: more were sold than it knew to have come in"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild brought back."""

    orders: int
    """Orders that were restored."""
    unknown: int
    """Sessions that do not say what was bought: a person must look at them."""
    stocked: Mapping[str, int]
    """Units by SKU that ever came in."""
    from_file: tuple[str, ...]
    """SKUs of which Stripe did not know how many came in, so that the imported file was believed."""
    raised: Mapping[str, int]
    """SKUs of which more were sold than came in, and by how many units that was raised."""


def rebuild(shop: Shop, step: Callable[[], None] = lambda: None) -> Rebuilt | None:
    """Bring the books of a lost shop back and open it; None when there is nothing to rebuild.

    ``step`` is called now and then. What was cut short begins again where it stopped; a shop that is
    whole stays as it is. Raises StripeError and BooksBroken, and the shop stays closed; ShopClosed
    before its catalogue was imported.
    """
    door, run = shop.store.scripts.read_door()
    if door is Door.EMPTY:
        raise ShopClosed(door)
    if door is not Door.REBUILD:
        return None
    mirror = mirroring.mirrored(shop)
    told = _told(shop)
    kept = reconciliation.gather(shop, 0, step)
    sold = _sold(shop, kept)
    remembered = shop.store.door.remembered_stock()
    from_file = tuple(sorted(remembered.keys() - mirror.keys()))
    raised = {}
    for sku in sorted(mirror.keys() | remembered.keys() | sold.keys()):
        known = mirror.get(sku) or Mirrored(remembered.get(sku, 0), 0)
        _count(shop, sku, known, FROM_STRIPE)
        more = sold[sku] + known.written_off - known.stocked
        if more > 0:
            raised[sku] = more
            log.error("%s: %d more were sold than came in", sku, more)
            _count(shop, sku, Mirrored(known.stocked + more, known.written_off), MORE_SOLD)
        step()
    done = reconciliation.settle(shop, kept, told=told, step=step)
    recovery.check_books(shop)
    recovery.open_up(shop, run, rebuilt=True)
    return Rebuilt(
        orders=len(shop.store.orders.ids()),
        unknown=done.unknown,
        stocked={level.sku: level.stocked for level in shop.store.stock.levels()},
        from_file=from_file,
        raised=raised,
    )


def _count(shop: Shop, sku: str, known: Mirrored, reason: str) -> None:
    shop.store.scripts.recount_stock(
        sku,
        stocked=known.stocked,
        written_off=known.written_off,
        reason=reason,
        who="rebuild",
    )


def _sold(shop: Shop, kept: Kept) -> Counter[str]:
    """Units by SKU that were paid for and whose money did not go back."""
    describe = restoring.describing(shop)
    sold: Counter[str] = Counter()
    for sessions in kept.sessions.values():
        paid = restoring.kept_of(sessions, kept.refunds)
        if not paid:
            continue
        try:
            found = lost.read(paid, describe)
        except lost.Unreadable:
            continue  # it is reported when it cannot be restored
        if not mismatch(paid[0], found.goods, found.currency, found.terms, found.way):
            bought = {line.sku: line.quantity for line in found.lines}
            plans = restoring.plans_of(shop, found.order, sessions, kept.refunds)
            sold.update(bought)
            sold.subtract(gone(plans, bought))
    return sold


def _told(shop: Shop) -> restoring.Told:
    """Whose mail went out: an endpoint took the event, and there was time enough to write.

    A sale counts as unnoticed while its payment page was opened less than a hold window ago, too.
    """
    unheard = set(shop.stripe.undelivered(TOLD_BY))
    latest = recovery.window_start(shop, shop.store.now())

    def told(about: Payment | RefundFact) -> bool:
        if isinstance(about, RefundFact):
            return about.id not in unheard
        heard = not unheard & {about.session, about.payment_intent}
        return heard and about.created < latest

    return told
