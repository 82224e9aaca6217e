"""Hold the books against what Stripe has: the half of the audit that asks Stripe.

What is on its way is no failure here either: what happened at Stripe lately, or is due, is left out.
"""

from collections import Counter

from storefront.domain.orders import HOLDING, MONEY_BACK, Order, Reason
from storefront.domain.payments import Payment, Verdict, verdict
from storefront.services import link_checks, mirroring, sessions
from storefront.services.checks import Check, Faults
from storefront.services.shop import Shop

WINDOW_SECONDS = 3 * 24 * 3600
"""How far back Stripe's sessions are compared: as long as Stripe repeats its webhooks."""
SETTLING_SECONDS = 120
"""What happened at Stripe so recently may still be on its way here."""
SESSION_ENDED = frozenset({Reason.EXPIRED, Reason.CANCELLED, Reason.REPLACED})
"""Reasons of a release before which Stripe has said that the session is over for good."""


def compare(shop: Shop) -> list[Check]:
    """Every invariant that only Stripe can tell about, over its sessions of the last three days.

    Raises StripeError.
    """
    goods = Faults("stripe: goods", "every paid session ended in goods or a refund")
    single = Faults("stripe: sessions", "I6: no order has two sessions that can be or were paid")
    amounts = Faults("stripe: amounts", "I10: money on the orders equals money at Stripe")
    in_time = Faults("stripe: in time", "I8: who paid inside the window got the goods")
    now = shop.store.now() // 1000
    due = {job.name for job in shop.store.due.jobs()}
    live: Counter[str] = Counter()
    for payment in sessions.between(shop, now - WINDOW_SECONDS, now + SETTLING_SECONDS):
        stands = verdict(payment)
        order = shop.store.orders.get(payment.order)
        if order is None and payment.link:
            goods.found += filter(None, [link_checks.without_order(shop, payment)])
            continue
        if order is None:
            if stands is not Verdict.EXPIRED:
                goods.found.append(f"session {payment.session} has no order")
            continue
        live[order.id] += _payable(order, payment, due, now)
        if stands is Verdict.PAID:
            _money(shop, order, payment, now, goods, amounts)
            if _came_too_late_by_our_fault(shop, order, payment):
                in_time.found.append(
                    f"order {order.id} was released while its session could be paid"
                )
        known = payment.payment_intent in order.authorizations
        if stands is Verdict.AUTHORIZED and not (known or _on_its_way(order, now)):
            goods.found.append(
                f"session {payment.session} is authorised, order {order.id} is {order.state}"
            )
    single.found += [f"order {order} has {number}" for order, number in live.items() if number > 1]
    return [
        goods.check(),
        in_time.check(),
        single.check(),
        amounts.check(),
        _mirror(shop),
        link_checks.compare(shop),
    ]


def _payable(order: Order, payment: Payment, due: set[str], now: int) -> bool:
    """Whether a session brought money that stays, or still can, and nobody is about to end it."""
    stands = verdict(payment)
    if stands is Verdict.PAID:
        return payment.paid_with in order.payments.keys() - order.refund_reasons.keys()
    if stands is Verdict.AUTHORIZED:
        return payment.payment_intent in order.authorizations.keys() - order.void_reasons.keys()
    if stands not in {Verdict.OPEN, Verdict.PROCESSING}:
        return False
    young = now - payment.created < SETTLING_SECONDS
    ending = f"stray:{order.id}:{payment.session}" in due
    return payment.session == order.session or not (young or ending)


def _money(
    shop: Shop, order: Order, payment: Payment, now: int, goods: Faults, amounts: Faults
) -> None:
    """Hold one paid session against its order."""
    paid = order.payments.get(payment.paid_with)
    if paid is None:
        told = payment.paid_with in order.voided  # nothing was charged, and nothing bought
        if not told and not _on_its_way(order, now):
            goods.found.append(
                f"session {payment.session} is paid, order {order.id} is {order.state}"
            )
        return
    if paid != payment.amount:
        amounts.found.append(f"order {order.id}: {paid} here, {payment.amount} at Stripe")
    ours = sum(r.amount for r in order.refunds if r.payment_intent == payment.payment_intent)
    back = payment.payment_intent and (
        payment.payment_intent in order.refund_reasons or order.refunds
    )
    theirs = sum(r.amount for r in shop.stripe.refunds(payment.payment_intent)) if back else 0
    if ours != theirs and not _on_its_way(order, now):
        amounts.found.append(f"order {order.id}: {ours} refunded here, {theirs} at Stripe")


def _on_its_way(order: Order, now: int) -> bool:
    """Whether the shop is still bound to ask Stripe about the order by itself."""
    return order.state in HOLDING or now - order.updated // 1000 < SETTLING_SECONDS


def _came_too_late_by_our_fault(shop: Shop, order: Order, payment: Payment) -> bool:
    """Whether units were given back though the order's own session could be paid, and was.

    Where Stripe never said that the session is over, it cannot have been heard. On a person's word
    units go back without Stripe's.
    """
    if order.state not in MONEY_BACK or payment.session != order.session:
        return False
    if order.refund_reasons.get(payment.payment_intent) != Reason.SOLD_OUT:
        return False
    released = [e for e in shop.store.ledger.walk() if (e.order, e.what) == (order.id, "release")]
    if all(entry.who or entry.why not in SESSION_ENDED for entry in released):
        return False
    return not shop.stripe.told_of_end(payment.session, payment.created)


def _mirror(shop: Shop) -> Check:
    faults = Faults("stripe: mirror", "stocked and written off are the same in Stripe's products")
    stocked = {level.sku: level for level in shop.store.stock.levels()}
    for sku, there in mirroring.differing(shop).items():
        here = f"{stocked[sku].stocked} stocked, {stocked[sku].written_off} written off here"
        kept = (
            f"{there.stocked} and {there.written_off} at Stripe" if there else "nothing at Stripe"
        )
        faults.found.append(f"{sku}: {here}, {kept}")
    return faults.check()
