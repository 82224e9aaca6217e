"""Write an order that the shop lost down again, from what Stripe keeps of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from storefront.domain import lost
from storefront.domain.errors import StripeError
from storefront.domain.lost import Describe, Lost, Unreadable
from storefront.domain.orders import REFUND_TAKEN, Line, Plan, Reason, Refund, State
from storefront.domain.payments import Payment, RefundFact, Verdict, verdict
from storefront.domain.refunds import gone, read
from storefront.services import settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Restored

Told = Callable[[Payment | RefundFact], bool]
"""Whether the customer has the mail about this sale or refund already."""
Refunds = Mapping[str, Sequence[RefundFact]]
"""Every refund, by PaymentIntent."""

WEIGHT = {
    Verdict.PAID: 0,
    Verdict.AUTHORIZED: 1,
    Verdict.PROCESSING: 2,
    Verdict.UNCLEAR: 2,
    Verdict.OPEN: 3,
    Verdict.DECLINED: 4,
    Verdict.EXPIRED: 4,
}
"""Of several sessions of one order, the one that weighs least is its own."""

log = logging.getLogger(__name__)


def restore(
    shop: Shop, sessions: Sequence[Payment], refunds: Refunds, describe: Describe, told: Told
) -> bool:
    """Bring back the order that these sessions are about, and do what they ask for.

    Whoever paid gets the goods if they are there; who is paying gets them held again, or is told that
    it is over; money that went back needs no goods. False when nothing says what was bought. Safe to
    repeat after any crash. Raises StripeError.
    """
    ordered = in_order(sessions)
    paid = [one for one in ordered if verdict(one) is Verdict.PAID]
    kept = kept_of(sessions, refunds)
    back = {one.payment_intent: one.amount for one in paid if one not in kept}
    own = (kept or ordered)[0]
    try:
        found = lost.read([own, *(one for one in ordered if one is not own)], describe)
    except Unreadable as why:
        log.error("order %s is lost, and a person must look: %s", own.order, why)  # noqa: TRY400 - the reason says it all
        return False
    plans = plans_of(shop, found.order, ordered, refunds)
    found = replace(
        found,
        payments=back,
        refunds=tuple(_rows(refunds, back)),
        plans=plans,
        gone=gone(plans, {line.sku: line.quantity for line in found.lines}) if kept else {},
    )
    mails = _mails(ordered, refunds, told)
    is_open = {one.session for one in ordered if verdict(one) is Verdict.OPEN}

    if kept or (not paid and WEIGHT[verdict(own)] == WEIGHT[Verdict.PROCESSING]):
        state = State.RELEASED if kept else State.OPEN
        _write(shop, replace(found, strays=tuple(sorted(is_open))), state, mails)
        for one in kept or [own]:
            if order := shop.store.orders.get(found.order):
                settlement.apply(shop, order, one, in_turn=True)
    elif paid:
        reason = next((r.reason for r in found.refunds if r.reason), "")
        _write(shop, replace(found, strays=tuple(sorted(is_open))), State.REFUNDED, mails, reason)
    elif own.session in is_open:
        _hold_again(shop, found, is_open, mails)
    else:
        declined = verdict(own) is Verdict.DECLINED
        reason = Reason.DECLINED if declined else Reason.EXPIRED
        failed = replace(found, payment_intent=own.payment_intent if declined else "")
        _write(shop, failed, State.RELEASED, mails, reason)
    log.info("order %s was lost and is restored", found.order, extra={"order": found.order})
    return True


def in_order(sessions: Sequence[Payment]) -> list[Payment]:
    """An order's sessions, the one that says most about it first."""
    return sorted(sessions, key=lambda one: (WEIGHT[verdict(one)], one.created))


def kept_of(sessions: Sequence[Payment], refunds: Refunds) -> list[Payment]:
    """Those that were paid, or authorised, and whose money did not go back in full."""
    return [
        one
        for one in in_order(sessions)
        if verdict(one) in {Verdict.PAID, Verdict.AUTHORIZED} and not _back(refunds, one)
    ]


def plans_of(
    shop: Shop, order: str, sessions: Sequence[Payment], refunds: Refunds
) -> tuple[Plan, ...]:
    """What the operator sent back of an order, each with what became of its units."""
    found = (
        read(fact, shop.settings.shop_id, order)
        for payment_intent in dict.fromkeys(one.payment_intent for one in sessions)
        for fact in refunds.get(payment_intent, ())
    )
    return tuple({plan.key: plan for plan in found if plan}.values())


def describing(shop: Shop) -> Describe:
    """What the catalogue says of each SKU by now, on the shelf or off it."""
    catalogue = shop.store.catalogue.read()
    known = {
        variant.sku: Line(
            variant.sku, 1, variant.price, product.name_of(variant), product.slug, product.image
        )
        for product, variant in catalogue.entries(catalogue.products)
    }
    return known.get


def _hold_again(shop: Shop, found: Lost, is_open: set[str], mails: Sequence[str]) -> None:
    """Hold an open payment's units again; where they are gone, it ends."""
    twins = replace(found, strays=tuple(sorted(is_open - {found.sessions[0]})))
    if _put(shop, twins, State.OPEN, mails) is not Restored.SHORT:
        return
    over = replace(found, strays=tuple(sorted(is_open)))
    _put(shop, over, State.RELEASED, mails, Reason.EXPIRED)
    for session in over.strays:
        try:
            settlement.end_stray(shop, found.order, session)
        except StripeError as error:  # it is due, so it will be ended as soon as that can be
            log.warning("order %s: not ended yet: %s", found.order, error)


def _write(
    shop: Shop, found: Lost, state: State, mails: Sequence[str], reason: str = Reason.EXPIRED
) -> None:
    """Write the order; one that cannot be held comes back without its units."""
    if _put(shop, found, state, mails, reason) is Restored.SHORT:
        _put(shop, found, State.RELEASED, mails, reason)


def _put(shop: Shop, found: Lost, state: State, mails: Sequence[str], reason: str = "") -> Restored:
    return shop.store.scripts.restore_order(
        found,
        state=state,
        reason="" if state is State.OPEN else reason,
        grace_ms=shop.settings.hold_grace_seconds * 1000,
        told=mails,
    )


def _back(refunds: Refunds, payment: Payment) -> bool:
    """Whether all that was charged went back; of nothing, nothing can."""
    return 0 < payment.amount <= _taken(refunds, payment.payment_intent)


def _taken(refunds: Refunds, payment_intent: str) -> int:
    found = refunds.get(payment_intent, ())
    return sum(fact.amount for fact in found if fact.status in REFUND_TAKEN)


def _rows(refunds: Refunds, back: Mapping[str, int]) -> list[Refund]:
    return [
        Refund(fact.id, fact.amount, fact.status, payment_intent, fact.reason)
        for payment_intent in back
        for fact in refunds.get(payment_intent, ())
    ]


def _mails(sessions: Sequence[Payment], refunds: Refunds, told: Told) -> list[str]:
    """The kinds of mails about this order that need not go out any more."""
    paid = [one for one in sessions if verdict(one) is Verdict.PAID]
    kinds = ["confirmed"] if paid and all(map(told, paid)) else []
    if any(verdict(one) is Verdict.PROCESSING and told(one) for one in sessions):
        kinds.append("processing")
    if any(verdict(one) is Verdict.DECLINED and told(one) for one in sessions):
        kinds.append("declined")
    intents = dict.fromkeys(one.payment_intent for one in paid)
    return kinds + [
        f"refunded:{fact.id}"
        for payment_intent in intents
        for fact in refunds.get(payment_intent, ())
        if told(fact)
    ]
