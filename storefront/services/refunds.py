"""Money goes back: in full, once, and told."""

import logging

from storefront.domain.errors import (
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from storefront.domain.orders import REFUND_TAKEN, Order
from storefront.domain.payments import RefundFact
from storefront.services import settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Recorded

PENDING_ASK_MS = 3600_000
"""How often a refund that is on its way is looked at again."""
ON_ITS_WAY = frozenset({"pending", "requires_action"})
FAILED = frozenset({"failed", "canceled"})

log = logging.getLogger(__name__)


def send_back_when_due(shop: Shop, order_id: str, payment_intent: str) -> int | None:
    """The due job ``refund``: what a payment still owes its shopper goes back.

    Refunds that exist are read first, so that a repeat, or one made in Stripe's dashboard, never
    becomes a second one. A payment that is not to go back is only read. Answers in how many
    milliseconds to look again (0: at once), or None when done. Raises StripeError.
    """
    order = shop.store.orders.get(order_id)
    if order is None:
        return None
    if payment_intent not in order.payments:  # refunded before the shop knew that it was paid
        settlement.apply(shop, order, shop.stripe.intent(payment_intent))
        order = shop.store.orders.get(order_id) or order
    if payment_intent not in order.payments:  # an authorisation: what was let go is no refund
        return None
    known = shop.stripe.refunds(payment_intent)
    told = [record(shop, order, fact) for fact in known]
    if Recorded.FAILED in told or any(r.status in FAILED for r in known):
        return None  # a person looks at it now
    taken = sum(fact.amount for fact in known if fact.status in REFUND_TAKEN)
    owed = order.payments.get(payment_intent, 0) - taken
    reason = order.refund_reasons.get(payment_intent)
    if reason is None or owed <= 0:
        return PENDING_ASK_MS if any(fact.status in ON_ITS_WAY for fact in known) else None

    version = order.refund_versions.get(payment_intent, 0)
    try:
        made = shop.stripe.create_refund(
            payment_intent,
            amount=owed,
            metadata={"order": order.id, "shop": shop.settings.shop_id, "reason": reason},
            key=f"refund:{payment_intent}" + (f":{version}" if version else ""),
        )
    except (StripeSpent, StripeKeyMismatch) as spent:
        # This key will never say more, so the next number is stored; the list shows what it made.
        # Stripe is in trouble: it is asked again less and less often.
        shop.store.orders.number_refund(order.id, payment_intent)
        raise StripeUnreachable(f"the refund goes on under another key: {spent}") from spent
    except StripeRefused as refused:
        if refused.code == "charge_already_refunded":
            if _newer(shop, known, payment_intent):
                return 0
            return _give_up(shop, order, refused)
        if refused.code == "charge_disputed":
            return _give_up(shop, order, refused)
        raise
    record(shop, order, made)
    return PENDING_ASK_MS if made.status in ON_ITS_WAY else None


def record(shop: Shop, order: Order, fact: RefundFact, event: str = "") -> Recorded:
    """Note a refund on its order as Stripe tells it, whoever made it."""
    outcome = shop.store.scripts.record_refund(
        order.id,
        refund=fact.id,
        payment_intent=fact.payment_intent,
        amount=fact.amount,
        status=fact.status,
        reason=order.refund_reasons.get(fact.payment_intent, fact.reason),
        again_ms=PENDING_ASK_MS,
        event=event,
    )
    if outcome is not Recorded.ALREADY:
        log.info("order %s: refund %s %s", order.id, fact.id, outcome, extra={"order": order.id})
    return outcome


def possible(order: Order, fact: RefundFact) -> bool:
    """Whether what was paid allows this refund beside the others that are known.

    If not, one of them failed since, or what told of it is not true: Stripe's list says. So it does
    of a status that nobody knows here.
    """
    if not fact.amount or fact.status not in REFUND_TAKEN | FAILED:
        return False
    others = sum(
        refund.amount
        for refund in order.refunds
        if refund.payment_intent == fact.payment_intent
        and refund.id != fact.id
        and refund.status not in FAILED
    )
    paid = order.payments.get(fact.payment_intent, 0)
    return fact.status in FAILED or others + fact.amount <= paid


def _newer(shop: Shop, known: list[RefundFact], payment_intent: str) -> bool:
    """Whether Stripe lists more by now, so that looking again settles it."""
    return len(shop.stripe.refunds(payment_intent)) > len(known)


def _give_up(shop: Shop, order: Order, refused: StripeRefused) -> int | None:
    """A person must look; nothing is due any more."""
    shop.store.scripts.review_order(order.id, reason=f"the refund was refused: {refused}")
    return None
