"""Orders as their shoppers and operators see them."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from storefront.domain import orders as rules
from storefront.domain.door import Door
from storefront.domain.errors import (
    AlreadyPaid,
    NotExtendable,
    ShopClosed,
    StripeError,
    StripeUnreachable,
)
from storefront.domain.orders import AWAITING, GOODS, HOLDING, Form, Order, Reason, State
from storefront.domain.payments import Payment, Verdict, verdict
from storefront.services import links, recovery, sessions, settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Extended, NoteKept, Settled


def token(shop: Shop, order_id: str) -> str:
    """The unguessable part of the order's link."""
    return links.token(shop.settings, order_id)


def link(shop: Shop, order_id: str) -> str:
    """The absolute link to the order's page."""
    return links.order(shop.settings, order_id)


def resume_link(shop: Shop, order: Order) -> str:
    """Where its shopper goes on to pay; empty while there is no such page."""
    return links.payment_page(shop.settings, order.id) if order.undecided else order.url


def find(shop: Shop, text: str) -> Order | None:
    """The order that a link's token opens.

    Raises ShopClosed for a link of ours whose order may only be lost for now.
    """
    order_id = links.open_token(shop.settings, text)
    order = shop.store.orders.get(order_id) if order_id else None
    if order_id and order is None and (door := recovery.stands(shop)) is not Door.OPEN:
        raise ShopClosed(door)
    return order


def refresh(shop: Shop, order: Order) -> tuple[Order, bool]:
    """The order as it truly stands, Stripe asked when a webhook may be missing.

    False: Stripe could not be asked, or what it said has to wait, so the order is as we knew it last.
    """
    if order.undecided and order.deadline <= shop.store.now():
        try:
            settlement.end(shop, order, Reason.EXPIRED)  # Stripe knows of nothing yet
        except StripeError:
            return order, False
        return shop.store.orders.get(order.id) or order, True
    if order.state not in AWAITING | {State.PROCESSING, State.RELEASED} or not order.session:
        return order, True
    walked = order.updated + shop.settings.reconcile_seconds * 1000
    if order.state is State.RELEASED and walked < shop.store.now():
        return order, True  # by now the worker has asked about a payment that came too late
    try:
        if order.state is State.OPEN and order.deadline <= shop.store.now():
            outcome = settlement.end(shop, order, Reason.EXPIRED)
        else:
            outcome = settlement.ask(shop, order)
    except StripeError:
        return shop.store.orders.get(order.id) or order, False
    return shop.store.orders.get(order.id) or order, outcome is not Settled.LATER


def payable(shop: Shop, order: Order) -> tuple[Order, Payment | None]:
    """What our own payment page needs, as Stripe has it now; None when there is nothing to pay.

    Raises StripeError when Stripe cannot be asked.
    """
    if order.form is Form.HOSTED or order.state is not State.OPEN:
        return order, None
    if order.deadline <= shop.store.now():
        settlement.end(shop, order, Reason.EXPIRED)
        return shop.store.orders.get(order.id) or order, None
    facts = sessions.read(shop, order.session)
    settlement.apply(shop, order, facts)
    order = shop.store.orders.get(order.id) or order
    return order, facts if order.state is State.OPEN and verdict(facts) is Verdict.OPEN else None


def cancel(shop: Shop, order: Order) -> Order:
    """Give the shopper's hold back, once Stripe has ended its payment.

    Raises AlreadyPaid when the payment was quicker, StripeError when Stripe cannot be asked.
    """
    if order.state in HOLDING:
        outcome = settlement.end(shop, order, Reason.CANCELLED)
        if outcome is Settled.OPEN:
            raise StripeUnreachable("the payment could not be ended")
        order = shop.store.orders.get(order.id) or order
    if order.state in GOODS | {State.PROCESSING}:
        raise AlreadyPaid(order.id)
    return order


def extension(shop: Shop, order: Order) -> int | None:
    """Until when (ms) the shopper may let the hold be extended; None when it cannot be."""
    until = rules.longest(order, shop.settings.hold_extend_seconds * 1000)
    open_still = order.state is State.OPEN and shop.store.now() < order.deadline
    return until if open_still and until > order.deadline else None


def extend(shop: Shop, order: Order) -> Order:
    """Give the shopper's hold more time, once; a repeat answers with the same order.

    Raises NotExtendable when it is too late, or when Stripe's page would end before.
    """
    answer = shop.store.scripts.extend_hold(
        order.id,
        until_ms=rules.longest(order, shop.settings.hold_extend_seconds * 1000),
        grace_ms=shop.settings.hold_grace_seconds * 1000,
    )
    if answer not in {Extended.EXTENDED, Extended.ALREADY}:
        raise NotExtendable(no_room=answer is Extended.NO_ROOM)
    return shop.store.orders.get(order.id) or order


def live_hold(shop: Shop, visitor: str) -> Order | None:
    """The visitor's newest hold that can still be paid."""
    live = shop.store.orders.get_many(shop.store.orders.live_of(visitor))
    return next((order for order in reversed(live) if order.payable), None)


def listing(shop: Shop, state: State | None = None, since_ms: int | None = None) -> Iterator[Order]:
    """Every order, or those in a state or made since a time (ms), oldest first."""
    return shop.store.orders.walk(state, since_ms)


def listed(shop: Shop, state: State | None, page: int, most: int) -> tuple[list[Order], bool]:
    """One page of the orders in a state or in any, the newest first; whether older ones follow."""
    ids = shop.store.orders.newest(state, skip=(page - 1) * most, most=most + 1)
    return shop.store.orders.get_many(ids[:most]), len(ids) > most


def counts(shop: Shop) -> dict[State, int]:
    """How many orders are in each state."""
    return shop.store.orders.counts()


def by_id(shop: Shop, order_id: str) -> Order | None:
    """The order of this id, for the operator."""
    return shop.store.orders.get(order_id)


def note(shop: Shop, order: Order, text: str, *, key: str, who: str) -> NoteKept:
    """Keep once for each key what a person wrote about an order; customers never see it."""
    return shop.store.scripts.note_order(order.id, key=key, text=text, who=who)


def as_json(shop: Shop, order: Order) -> dict[str, Any]:
    """The order as ``flask shop orders --json`` tells it."""
    return {
        "id": order.id,
        "token": token(shop, order.id),
        "state": order.state,
        "lines": [
            {"sku": line.sku, "quantity": line.quantity, "unit_amount": line.unit_amount}
            for line in order.lines
        ],
        "goods": order.goods,
        "shipping": order.shipping,
        "tax": order.tax,
        "discount": order.discount,
        "amount": order.amount,
        "currency": order.currency,
        "delivery": asdict(order.recipient) if order.recipient else None,
        "checkout_session": order.session or None if order.form is Form.HOSTED else None,
        "payment_intent": _intent(order) or None,
        "through": str(order.form) if order.at_counter else "stripe",
        "email": order.email or None,
        "refunds": refunds_json(order),
        "created": iso(order.created),
        "reason": order.reason or None,
        "units": order.units,
        "checkout_sessions": list(order.checkout_sessions),
    }


def public_json(_shop: Shop, order: Order) -> dict[str, Any]:
    """The order as ``GET /orders/<token>.json`` tells it."""
    return {
        "state": order.state,
        "reason": order.reason or None,
        "held_until": iso(order.deadline) if order.units == "held" else None,
        "amount": order.amount,
        "currency": order.currency,
        "refunds": refunds_json(order),
    }


def _intent(order: Order) -> str:
    """The PaymentIntent that paid it, or that our own payment page is to pay; none at the counter."""
    if order.at_counter:
        return ""
    return order.payment_intent or (order.session if order.form is Form.ELEMENTS else "")


def refunds_json(order: Order) -> list[dict[str, Any]]:
    """The order's refunds, in minor units."""
    return [{"id": r.id, "amount": r.amount, "status": r.status} for r in order.refunds]


def iso(ms: int) -> str:
    """A time in milliseconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
