"""What Stripe tells by webhook: verify, settle, answer. No call to Stripe is made on the way.

An event only brings facts, and old ones at that: they may come late, twice, in any order. What a
snapshot cannot tell for sure is asked for at once by the worker.
"""

import logging
from typing import Any

from storefront.domain.errors import SignatureInvalid
from storefront.domain.orders import State
from storefront.domain.payments import (
    Payment,
    Verdict,
    from_intent,
    from_refund,
    from_session,
    verdict,
)
from storefront.services import metrics, refunds, settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Settled

log = logging.getLogger(__name__)


def receive(shop: Shop, body: bytes, signature: str) -> str:
    """Store the outcome of a signed event; answers what it was in a word.

    Raises SignatureInvalid when Stripe did not sign it, and the store's errors when the outcome
    could not be stored, so that Stripe sends it again.
    """
    event = shop.stripe.event(body, signature)
    outcome = _repeat(shop, event) or _take(shop, event)
    counts = {f"webhooks:{event['type']}:{outcome}": 1}
    if outcome in {Settled.SOLD, Settled.RETAKEN} and isinstance(event.get("created"), int):
        counts |= metrics.settlement(shop.store.now() / 1000 - event["created"])
    shop.store.count_all(counts)
    log.info("event %s %s: %s", event["id"], event["type"], outcome)
    return outcome


def _repeat(shop: Shop, event: dict[str, Any]) -> str:
    return "repeat" if shop.store.orders.seen(event["id"]) else ""


def _take(shop: Shop, event: dict[str, Any]) -> str:
    found: dict[str, Any] = event["data"]["object"]
    for part in ("metadata", "customer_details"):
        if not isinstance(found.get(part) or {}, dict):
            raise SignatureInvalid(f"signed, but its {part} is not what Stripe sends")
    if bool(event.get("livemode")) != shop.settings.livemode:
        return _nothing(shop, event, "other_mode")
    match event["type"].split("."):
        # The shopper finished, a delayed payment ended, or the session ran out.
        case ["checkout", "session", _] if found.get("object") == "checkout.session":
            return _payment(shop, event, from_session(found))
        # Money was taken or authorised, failed, or cannot come any more.
        case ["payment_intent", _] if found.get("object") == "payment_intent":
            return _payment(shop, event, from_intent(found))
        # A refund was made, here or in the dashboard, or its status changed.
        case ["refund", _] | ["charge", "refund", _] if found.get("object") == "refund":
            return _refund(shop, event, found)
        # The charge's refunds are not in it: they are listed.
        case ["charge", "refunded"]:
            return _look_at_refunds(shop, event, found)
        # The buyer's bank took the money back: a person must answer it.
        case ["charge", "dispute", "created"]:
            return _dispute(shop, event, found.get("payment_intent"))
    return _nothing(shop, event, "ignored")


def _payment(shop: Shop, event: dict[str, Any], payment: Payment) -> str:
    if payment.shop != shop.settings.shop_id:
        return _nothing(shop, event, "not_ours")
    order = shop.store.orders.get(payment.order) if payment.order else None
    if order is None:
        log.error("event %s is of unknown order %s", event["id"], payment.order)
        return _nothing(shop, event, "unknown_order")
    stands = verdict(payment)
    final = stands in {Verdict.PAID, Verdict.AUTHORIZED} or (
        stands is Verdict.EXPIRED and payment.session == order.session != ""
    )
    if final:
        return settlement.apply(shop, order, payment, event=event["id"])
    if stands is Verdict.OPEN:
        return _nothing(shop, event, "open")
    # Complete but unpaid may be a payment on its way or one that failed since; an intent alone
    # does not know its session. The units stay, and Stripe is asked.
    waiting = {State.PROCESSING, State.RELEASED}
    if payment.session_status == "complete" or order.state in waiting:
        shop.store.due.schedule(f"ask:{order.id}", shop.store.now())
    if payment.session_status == "complete":
        as_processing = Payment(
            session=payment.session,
            session_status="complete",
            payment_intent=payment.payment_intent,
            intent_status="processing",
            email=payment.email,
        )
        if order.state is not State.RELEASED:
            return settlement.apply(shop, order, as_processing, event=event["id"])
    return _nothing(shop, event, "asking")


def _refund(shop: Shop, event: dict[str, Any], found: dict[str, Any]) -> str:
    fact = from_refund(found)
    order_id = shop.store.orders.by_payment(fact.payment_intent) if fact.payment_intent else None
    order = shop.store.orders.get(order_id) if order_id else None
    if order is None:
        return _nothing(shop, event, "not_ours")
    return refunds.record(shop, order, fact, event=event["id"])


def _look_at_refunds(shop: Shop, event: dict[str, Any], charge: dict[str, Any]) -> str:
    payment_intent = charge.get("payment_intent")
    # It may be refunded before the shop has heard that it was paid; a charge has the metadata of
    # its PaymentIntent.
    order = _paid_by(shop, payment_intent) or _named(shop, charge.get("metadata") or {})
    if not order:
        return _nothing(shop, event, "not_ours")
    shop.store.due.schedule(f"refund:{order}:{payment_intent}", shop.store.now())
    return _nothing(shop, event, "asking")


def _dispute(shop: Shop, event: dict[str, Any], payment_intent: object) -> str:
    order = _paid_by(shop, payment_intent)
    if not order:
        return _nothing(shop, event, "not_ours")
    return shop.store.scripts.review_order(
        order, reason="the buyer's bank disputes the payment", event=event["id"]
    )


def _paid_by(shop: Shop, payment_intent: object) -> str | None:
    if not isinstance(payment_intent, str) or not payment_intent:
        return None
    return shop.store.orders.by_payment(payment_intent)


def _named(shop: Shop, metadata: dict[str, str]) -> str | None:
    """The order that an object's metadata names, if it is one of this shop's."""
    named = metadata.get("order")
    if metadata.get("shop") != shop.settings.shop_id or not named:
        return None
    return named if shop.store.orders.get(named) else None


def _nothing(shop: Shop, event: dict[str, Any], word: str) -> str:
    shop.store.orders.mark_seen(event["id"])
    return word
