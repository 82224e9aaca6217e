"""What Stripe tells by webhook: verify, settle, answer. No call to Stripe is made on the way.

An event only brings facts, and old ones at that: they may come late, twice, in any order. What a
snapshot cannot tell for sure is asked for at once by the worker.
"""

import logging

from storefront.domain.door import Door
from storefront.domain.errors import ShopClosed, SignatureInvalid
from storefront.domain.events import Event, from_event
from storefront.domain.fields import Malformed
from storefront.domain.orders import Order, State
from storefront.domain.payment_links import LinkFact
from storefront.domain.payments import Charge, DisputeFact, Payment, RefundFact, Verdict, verdict
from storefront.services import (
    link_sessions,
    metrics,
    payment_links,
    reconciliation,
    recovery,
    refunds,
    settlement,
)
from storefront.services.shop import Shop
from storefront.storage.answers import Disputed, Recorded, Settled

SOON_MS = 60_000
"""By then the payment that an event belongs to has been told, or was missed."""

log = logging.getLogger(__name__)


def receive(shop: Shop, body: bytes, signature: str) -> str:
    """Store the outcome of a signed event; answers what it was in a word.

    Raises SignatureInvalid when Stripe did not sign it, or would never send it so: then nothing is
    noted of it. Raises the store's errors when the outcome could not be stored, and ShopClosed when
    the order that it is about may be lost for now, or has to wait for those that are, so that Stripe
    sends it again.
    """
    signed = shop.stripe.event(body, signature)
    try:
        event = from_event(signed)
    except Malformed as wrong:
        log.warning("an event was signed, but is not what Stripe sends: %s", wrong)
        raise SignatureInvalid(f"signed, but {wrong}") from wrong
    outcome = _repeat(shop, event) or _take(shop, event)
    counts = {f"webhooks:{event.type}:{outcome}": 1}
    now = shop.store.now()
    if outcome in {Settled.SOLD, Settled.RETAKEN} and event.created is not None:
        counts |= metrics.settlement(now / 1000 - event.created)
    shop.store.count_all(counts, heard=now)
    log.info("event %s %s: %s", event.id, event.type, outcome)
    return outcome


def _repeat(shop: Shop, event: Event) -> str:
    return "repeat" if shop.store.orders.seen(event.id) else ""


def _take(shop: Shop, event: Event) -> str:
    if event.modes != {shop.settings.livemode}:
        return _nothing(shop, event, "other_mode")
    match event.fact:
        case Payment() as payment:
            return _payment(shop, event, payment)
        case RefundFact() as refund:
            return _refund(shop, event, refund)
        case LinkFact() as fact:
            return _link(shop, event, fact)
        case Charge() as charge:
            return _look_at_refunds(shop, event, charge)
        case DisputeFact() as dispute:
            return _dispute(shop, event, dispute)
    return _nothing(shop, event, "ignored")


def _payment(shop: Shop, event: Event, payment: Payment) -> str:
    if payment.shop != shop.settings.shop_id:
        return _nothing(shop, event, "not_ours")
    order = _through_link(shop, payment) if payment.link else _order(shop, payment.order)
    if order is None and payment.link and payment.session_status != "complete":
        return _nothing(shop, event, "visit")
    if order is None:
        _may_be_lost(shop, payment.shop)
        log.error("event %s is of unknown order %.64r", event.id, payment.order)
        return _nothing(shop, event, "unknown_order")
    stands = verdict(payment)
    final = (
        stands in {Verdict.PAID, Verdict.AUTHORIZED}
        # Who has finished paying did so after it was said that the session is over, if it ever was.
        or (
            stands is Verdict.EXPIRED
            and payment.session == order.session != ""
            and order.state is not State.PROCESSING
        )
        or (payment.intent_status == "canceled" and payment.payment_intent in order.authorizations)
    )
    order = settlement.recall(shop, order, payment)
    if final and settlement.needs_session(order, payment):
        # An intent does not say what its amount is made of, so only the session can buy the goods.
        return _asking(shop, event, f"ask:{order.id}:{payment.payment_intent}")
    if final:
        return _stored(settlement.apply(shop, order, payment, event=event.id))
    if stands is Verdict.OPEN:
        return _nothing(shop, event, "open")
    if payment.payment_intent in {*order.authorizations, *order.payments}:
        return _nothing(shop, event, "known")
    # Complete but unpaid may be a payment on its way or one that failed since; an intent alone
    # does not know its session. The units stay, and Stripe is asked.
    job = f"ask:{order.id}"
    if payment.session_status == "complete" and order.state is not State.RELEASED:
        shop.store.due.schedule(job, shop.store.now())
        as_processing = Payment(
            session=payment.session,
            session_status="complete",
            payment_intent=payment.payment_intent,
            intent_status="processing",
            email=payment.email,
        )
        return _stored(settlement.apply(shop, order, as_processing, event=event.id))
    if order.state in {State.PROCESSING, State.RELEASED}:
        return _asking(shop, event, job)
    return _nothing(shop, event, "asking")


def _order(shop: Shop, order_id: str | None) -> Order | None:
    return shop.store.orders.get(order_id) if order_id else None


def _through_link(shop: Shop, payment: Payment) -> Order | None:
    """The order of a payment through a link: made when its session is completed.

    All PaymentIntents of a link have the same metadata, so an event of one leads to its order only once
    that is known to be paid by it. Raises ShopClosed while the link may be lost.
    """
    if not payment.session:
        return _order(shop, _paid_by(shop, payment.payment_intent))
    if payment.session_status == "complete" and payment_links.find(shop, payment.link) is None:
        _may_be_lost(shop, payment.shop)
    return link_sessions.arrive(shop, payment)


def _link(shop: Shop, event: Event, fact: LinkFact) -> str:
    if fact.shop != shop.settings.shop_id:
        return _nothing(shop, event, "not_ours")
    word = payment_links.told(shop, fact)
    if word == "unknown_link":
        _may_be_lost(shop, fact.shop)
    return _nothing(shop, event, word)


def _refund(shop: Shop, event: Event, fact: RefundFact) -> str:
    order_id = _paid_by(shop, fact.payment_intent)
    order = shop.store.orders.get(order_id) if order_id else None
    if order is None:
        _may_be_lost(shop, fact.shop)
        return _nothing(shop, event, "not_ours")
    if refunds.possible(order, fact):
        outcome = refunds.record(shop, order, fact, event=event.id)
        if outcome is not Recorded.UNPAID:
            return _stored(outcome)
    return _asking(shop, event, f"refund:{order.id}:{fact.payment_intent}")


def _look_at_refunds(shop: Shop, event: Event, charge: Charge) -> str:
    # It may be refunded before the shop has heard that it was paid; a charge has the metadata of
    # its PaymentIntent. One without a PaymentIntent was never made by this shop.
    order = _paid_by(shop, charge.payment_intent) or _named(shop, charge)
    if not order or not charge.payment_intent:
        _may_be_lost(shop, charge.shop)
        if charge.shop == shop.settings.shop_id:
            # Of a link's session that nobody has told of yet: the walk finds both.
            shop.store.due.hasten(reconciliation.JOB, shop.store.now())
        return _nothing(shop, event, "not_ours")
    return _asking(shop, event, f"refund:{order}:{charge.payment_intent}")


def _dispute(shop: Shop, event: Event, dispute: DisputeFact) -> str:
    order = _paid_by(shop, dispute.payment_intent)
    if not order:
        _may_be_lost(shop, dispute.shop)
        # Its payment may be one that nobody has told of yet: the walk finds both.
        shop.store.due.hasten(reconciliation.JOB, shop.store.now() + SOON_MS)
        return _nothing(shop, event, "not_ours")
    return _stored(shop.store.scripts.record_dispute(order, dispute, event=event.id))


def _paid_by(shop: Shop, payment_intent: str) -> str | None:
    return shop.store.orders.by_payment(payment_intent) if payment_intent else None


def _named(shop: Shop, charge: Charge) -> str | None:
    """The order that a charge's metadata names, if it is one of this shop's."""
    if charge.shop != shop.settings.shop_id or not charge.order:
        return None
    return charge.order if shop.store.orders.get(charge.order) else None


def _may_be_lost(shop: Shop, named: str) -> None:
    """Return when the order of an event is truly not here. Raises ShopClosed.

    What is made by hand at Stripe names no shop, so it may be this one's.
    """
    if named in {"", shop.settings.shop_id} and (door := recovery.stands(shop)) is not Door.OPEN:
        raise ShopClosed(door)


def _stored(outcome: Settled | Recorded | Disputed) -> str:
    """What a script made of an event, when it made anything of it. Raises ShopClosed.

    An order that was here when the event was read, and is not by now, was lost in between: whatever
    the door says, the next time the event finds it restored, or is told of it as not here.
    """
    if outcome in {Settled.LATER, Settled.UNKNOWN_ORDER}:
        raise ShopClosed(Door.RESTARTED)
    return outcome


def _asking(shop: Shop, event: Event, job: str) -> str:
    """Stripe is to be asked what the event does not say."""
    shop.store.due.schedule_asked(job, shop.store.now(), event=event.id)
    return "asking"


def _nothing(shop: Shop, event: Event, word: str) -> str:
    shop.store.orders.mark_seen(event.id)
    return word
