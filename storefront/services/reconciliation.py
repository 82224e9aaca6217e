"""Walk what Stripe has, and settle whatever was missed."""

import logging
from collections import Counter
from dataclasses import dataclass

from storefront.domain.errors import StripeError
from storefront.domain.orders import HOLDING, Order, State
from storefront.domain.payments import Payment, Verdict, verdict
from storefront.services import mirroring, refunds, settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Recorded, Settled

JOB = "reconcile:all"
WINDOW_SECONDS = 3 * 24 * 3600
"""How far back the worker looks: as long as Stripe repeats its webhooks."""
AHEAD_SECONDS = 120
"""How much later than ours Stripe's clock may be."""

NOTHING_NEW = frozenset({Settled.ALREADY, Settled.KEPT, Settled.OTHER_ORDER, Settled.OPEN})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a walk found."""

    sessions: int
    """Sessions of this shop that were looked at."""
    settled: int
    """Orders that were brought further."""
    ended: int
    """Sessions that were ended because their order went on without them."""
    refunds: int
    """Refunds that were not known, or not as they are by now."""
    unknown: int
    """Sessions whose order is not here: it was lost, or never stored."""


def reconcile(shop: Shop, since: int | None = None) -> Reconciled:
    """Bring every order to what Stripe's sessions and refunds since a time (seconds) say.

    Without ``since``, those of the last three days. Safe to repeat and to run beside everything
    else. Raises StripeError.
    """
    now = shop.store.now() // 1000
    earliest, latest = since if since is not None else now - WINDOW_SECONDS, now + AHEAD_SECONDS
    found: Counter[str] = Counter()
    for payment in shop.stripe.sessions_between(earliest, latest):
        if payment.shop == shop.settings.shop_id:
            found["sessions"] += 1
            found[_session(shop, payment)] += 1
    for fact in shop.stripe.refunds_between(earliest, latest):
        order_id = shop.store.orders.by_payment(fact.payment_intent)
        order = shop.store.orders.get(order_id) if order_id else None
        known = {(refund.id, refund.status) for refund in order.refunds} if order else set()
        if order is not None and (fact.id, fact.status) not in known:
            found["refunds"] += refunds.record(shop, order, fact) is not Recorded.ALREADY
    done = Reconciled(
        found["sessions"], found["settled"], found["ended"], found["refunds"], found["unknown"]
    )
    log.info("reconciled: %s", done)
    return done


def reconcile_when_due(shop: Shop, _all: str) -> int:
    """The due job ``reconcile``, which comes again every ``RECONCILE_SECONDS``.

    It looks after the mirror of the stock too.
    """
    try:
        reconcile(shop)
        if skus := mirroring.mirror_again(shop):
            log.warning("other numbers at Stripe than here, written again: %s", ", ".join(skus))
    except StripeError as error:
        log.warning("reconciling was cut short: %s", error)
    return shop.settings.reconcile_seconds * 1000


def _session(shop: Shop, payment: Payment) -> str:
    """Settle one session; answers which number it counts for."""
    order = shop.store.orders.get(payment.order)
    stands = verdict(payment)
    if order is None:
        if stands is not Verdict.EXPIRED:
            log.error("session %s is of unknown order %s", payment.session, payment.order)
        return "unknown"
    if stands is Verdict.OPEN:
        return _open(shop, order, payment)
    if not _news(order, payment, stands):
        return "known"
    outcome = settlement.apply(shop, order, payment)
    return "known" if outcome in NOTHING_NEW else "settled"


def _open(shop: Shop, order: Order, payment: Payment) -> str:
    """End an open session that its order went on without."""
    if order.state is State.PENDING or (
        order.state in HOLDING and order.session == payment.session
    ):
        return "known"
    try:
        settlement.end_stray(shop, order.id, payment.session)
    except (
        StripeError
    ):  # one that cannot be ended just now must not keep the others from being seen
        shop.store.due.schedule(f"stray:{order.id}:{payment.session}", shop.store.now())
        return "known"
    return "ended"


def _news(order: Order, payment: Payment, stands: Verdict) -> bool:
    """Whether a session that is not open can say anything that the order does not know."""
    if stands is Verdict.PAID:
        return payment.payment_intent not in order.payments
    return order.state in HOLDING
