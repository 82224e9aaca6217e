"""Money goes back: in full, once, and told."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from storefront.domain import counter
from storefront.domain import refunds as plans_at_stripe
from storefront.domain.door import Door
from storefront.domain.errors import (
    ShopClosed,
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from storefront.domain.orders import REFUND_TAKEN, Order, Plan
from storefront.domain.payments import RefundFact
from storefront.services import sessions, settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Recorded

PENDING_ASK_MS = 3600_000
"""How often a refund that is on its way is looked at again."""
ON_ITS_WAY = frozenset({"pending", "requires_action"})
FAILED = frozenset({"failed", "canceled"})

log = logging.getLogger(__name__)


def send_back_when_due(shop: Shop, order_id: str, payment_intent: str) -> int | None:
    """The due job ``refund``: what a payment still owes its shopper, and what the operator wants sent.

    Refunds that exist are read first, so that a repeat, or one made in Stripe's dashboard, never
    becomes a second one. A payment that is not to go back is only read. Answers in how many
    milliseconds to look again (0: at once), or None when done. Raises StripeError.
    """
    order = shop.store.orders.get(order_id)
    if order is None:
        return None
    if counter.form_of(payment_intent):
        give_back_by_hand(shop, order, payment_intent)
        return None
    if payment_intent not in order.payments:  # refunded before the shop knew that it was paid
        settlement.apply(shop, order, sessions.paid_by(shop, order, payment_intent))
        order = shop.store.orders.get(order_id) or order
    if payment_intent not in order.payments:  # an authorisation: what was let go is no refund
        return None
    known = shop.stripe.refunds(payment_intent)
    told = [record(shop, order, fact) for fact in known]
    order = shop.store.orders.get(order_id) or order
    plans = order.waiting(payment_intent)
    failed = any(fact.status in FAILED for fact in known)
    if Recorded.UNPAID in told:  # Redis was restarted, and has lost the payment
        return 0
    if Recorded.FAILED in told or (failed and not plans):
        return None  # a person looks at it now
    left = order.payments[payment_intent] - sum(f.amount for f in known if f.status in REFUND_TAKEN)
    wanted = [_of_plan(shop, order, plan) for plan in plans]
    reason = order.refund_reasons.get(payment_intent)
    if reason is not None and left > 0 and not failed:
        wanted.append(_of_the_rest(shop, order, payment_intent, reason, left))
    made: list[RefundFact] = []
    for one in wanted:
        if one.amount > left:
            why = f"{one.amount} {order.currency} was wanted, and {left} is left"
            _give_up(shop, order, f"the refund does not fit any more: {why}")
            return None
        try:
            fact = _make(shop, order, payment_intent, one)
        except StripeRefused as refused:
            if refused.code == "charge_already_refunded":
                if _newer(shop, [*known, *made], payment_intent):
                    return 0
            elif refused.code != "charge_disputed":
                raise
            _give_up(shop, order, f"the refund was refused: {refused}")
            return None
        if record(shop, order, fact) is Recorded.FAILED:
            return None
        made.append(fact)
        left -= fact.amount
    return PENDING_ASK_MS if any(f.status in ON_ITS_WAY for f in [*known, *made]) else None


def give_back_by_hand(shop: Shop, order: Order, payment: str) -> None:
    """Note what goes back of a payment that was taken at the counter, each once.

    Stripe never knew of it: a person gives the money back, and was told so when they asked for it.
    Raises ShopClosed when Redis has lost that they asked.
    """
    wanted = [(plan.key, _of_plan(shop, order, plan)) for plan in order.waiting(payment)]
    reason, left = order.refund_reasons.get(payment), order.money_left(payment)
    if reason is not None and left > 0:
        wanted.append(("rest", _of_the_rest(shop, order, payment, reason, left)))
    if wanted:
        shop.store.orders.note_given_back(order.id, shop.store.now())
    for about, one in wanted:
        fact = RefundFact(
            id=counter.refund_of(payment, about),
            payment_intent=payment,
            amount=one.amount,
            status="succeeded",
            order=order.id,
            shop=shop.settings.shop_id,
            reason=one.metadata["reason"],
            metadata=one.metadata,
        )
        lost = {Recorded.UNWANTED, Recorded.UNPAID, Recorded.UNKNOWN_ORDER}
        if record(shop, order, fact, by_hand=True) in lost:
            raise ShopClosed(Door.RESTARTED)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One refund that Stripe is to be asked for, always with the same parameters."""

    amount: int
    metadata: Mapping[str, str]
    about: str
    """The payment, and the plan if it was planned: what its key is made of."""


def _of_the_rest(shop: Shop, order: Order, payment_intent: str, reason: str, left: int) -> _Wanted:
    metadata = {"order": order.id, "shop": shop.settings.shop_id, "reason": reason}
    return _Wanted(left, metadata, payment_intent)


def _of_plan(shop: Shop, order: Order, plan: Plan) -> _Wanted:
    metadata = plans_at_stripe.write(shop.settings.shop_id, order, plan)
    return _Wanted(plan.amount, metadata, f"{plan.payment_intent}:{plan.key}")


def _make(shop: Shop, order: Order, payment_intent: str, wanted: _Wanted) -> RefundFact:
    """Ask Stripe for a refund, under the number of its key that was stored last."""
    version = order.refund_versions.get(wanted.about, 0)
    try:
        return shop.stripe.create_refund(
            payment_intent,
            amount=wanted.amount,
            metadata=wanted.metadata,
            key=f"refund:{wanted.about}" + (f":{version}" if version else ""),
        )
    except (StripeSpent, StripeKeyMismatch) as spent:
        # This key will never say more, so the next number is stored; the list shows what it made.
        # Stripe is in trouble: it is asked again less and less often.
        shop.store.scripts.number_refund(order.id, wanted.about)
        raise StripeUnreachable(f"the refund goes on under another key: {spent}") from spent


def record(
    shop: Shop, order: Order, fact: RefundFact, event: str = "", *, by_hand: bool = False
) -> Recorded:
    """Note a refund on its order as Stripe tells it, whoever made it, or as it is given by hand."""
    outcome = shop.store.scripts.record_refund(
        order.id,
        refund=fact.id,
        payment_intent=fact.payment_intent,
        amount=fact.amount,
        status=fact.status,
        reason=order.refund_reasons.get(fact.payment_intent, fact.reason),
        again_ms=PENDING_ASK_MS,
        plan=plans_at_stripe.read(fact, shop.settings.shop_id, order.id),
        by_hand=by_hand,
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


def _give_up(shop: Shop, order: Order, why: str) -> None:
    """A person must look; nothing is due any more."""
    shop.store.scripts.review_order(order.id, reason=why)
