"""Mistakes that shops make, put into this one on purpose: the simulator must catch each of them.

Each is a change of the shop's Lua text, or another function in the place of one of its own, for as
long as the test runs. Nothing in the shop knows of them.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from storefront.domain.errors import Shortage, StripeError, StripeRefused, StripeUnreachable
from storefront.domain.events import Event, from_event
from storefront.domain.orders import HOLDING, Order, Reason, State
from storefront.domain.payments import from_session
from storefront.services import checkout, events, links, refunds, sessions, settlement, work
from storefront.services.shop import Shop
from storefront.storage.answers import Held, HoldAnswer, Settled
from storefront.storage.connection import UNREACHABLE
from storefront.storage.orders import Orders
from tests.fakes.stripe import FakeStripe
from tests.simulation.town import Ground

Change = tuple[str, str, str]
"""Script, text, other text."""
Swap = tuple[Any, str, Any]
"""Module or class, name, what stands there instead."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One mistake."""

    name: str
    lua: tuple[Change, ...] = ()
    swaps: tuple[Swap, ...] = ()


@contextmanager
def ground_with(bug: Bug) -> Iterator[Ground]:
    """The ground of a shop that has this mistake."""
    ground = Ground()
    for name, old, new in bug.lua:
        script: Any = ground.store.scripts._scripts[name]
        assert old in script.script, f"{bug.name}: {name}.lua has no {old!r} any more"
        script.script = script.script.replace(old, new)
    with ExitStack() as stack:
        for owner, name, other in bug.swaps:
            stack.enter_context(patch.object(owner, name, other))
        yield ground


# What stands in the place of the shop's own functions.

real_begin_payment = checkout.open_payment
real_end = settlement.end
real_hold = checkout._hold
numbers = itertools.count()


def hold_after_looking(shop: Shop, order_id: str, lines: Any, *rest: Any) -> HoldAnswer:
    levels = {level.sku: level for level in shop.store.stock.levels()}
    short = tuple(
        Shortage(w.line.sku, w.line.quantity, levels[w.line.sku].available, 0, None)
        for w in lines
        if levels[w.line.sku].available < w.line.quantity
    )
    if short:
        return HoldAnswer(Held.SHORT, shortages=short)
    return real_hold(shop, order_id, lines, *rest)


def release(shop: Shop, order: Order, reason: Reason) -> Settled:
    return shop.store.scripts.release_hold(
        order.id, session=order.session, version=order.session_version, reason=reason
    )


def give_up_on_silence(shop: Shop, order: Order, *, first: bool = False) -> Any:
    try:
        return real_begin_payment(shop, order, first=first)
    except StripeUnreachable:
        release(shop, order, Reason.REFUSED)
        raise


def end_unasked(shop: Shop, order_id: str) -> None:
    order = shop.store.orders.get(order_id)
    if order is not None and order.state in HOLDING - {State.PROCESSING}:
        release(shop, order, Reason.EXPIRED)


def end_processing_too(shop: Shop, order_id: str) -> int | None:
    order = shop.store.orders.get(order_id)
    if order is not None and order.state is State.PROCESSING:
        release(shop, order, Reason.EXPIRED)
        return None
    return settlement.end_when_due(shop, order_id)


def end_unasked_for(*reasons: Reason) -> Callable[..., Settled]:
    def end(shop: Shop, order: Order, reason: Reason) -> Settled:
        if reason in reasons and order.state in HOLDING - {State.PROCESSING}:
            return release(shop, order, reason)
        return real_end(shop, order, reason)

    return end


def note_before_taking(shop: Shop, event: Event) -> str:
    if shop.store.orders.seen(event.id):
        return "repeat"
    shop.store.orders.mark_seen(event.id)
    return ""


def always_200(shop: Shop, body: bytes, signature: str) -> str:
    event = from_event(shop.stripe.event(body, signature))
    try:
        return events._repeat(shop, event) or events._take(shop, event)
    except UNREACHABLE:
        return "failed"


def refund_unlisted(shop: Shop, order_id: str, payment_intent: str) -> None:
    order = shop.store.orders.get(order_id)
    if order is None or payment_intent not in order.refund_reasons:
        return
    made = shop.stripe.create_refund(
        payment_intent,
        amount=order.payments[payment_intent],
        metadata={"order": order.id, "shop": shop.settings.shop_id},
        key=f"refund:{next(numbers)}",
    )
    refunds.record(shop, order, made)


def drop(shop: Shop, job: Any, order: str, *_rest: Any) -> None:
    shop.store.scripts.finish_due(job, order=order)


def find_once(shop: Shop, order: Order) -> Any:
    try:
        return sessions.make(shop, order)
    except StripeError:
        return None


def ask_one_key(_fake: Any, session: str) -> Any:
    made = _fake.wire.post(
        "expire_session", f"session:{session}:expire", session, lambda: _fake._expire(session)
    )
    return from_session(made.body)


def never_look(shop: Shop, session: str) -> Any:
    try:
        return shop.stripe.expire_session(session)
    except StripeRefused:
        return shop.stripe.session(session)


def expired_whatever(shop: Shop, order: Order) -> Settled:
    """The order's page takes a session that is not paid for one that is over."""
    payment = shop.stripe.session(order.session)
    if payment.session_status != "complete":
        return release(shop, order, Reason.EXPIRED)
    return settlement.apply(shop, order, payment)


def lost(_self: Any, _order: str, _payment: str) -> int:
    return 0


def by_chance(*_parts: Any) -> str:
    return f"o{next(numbers):015}"


def number_each(order: Order) -> str:
    return f"order:{order.id}:{next(numbers)}"


BUGS = (
    Bug(
        "looks at the stock, then takes it",
        lua=(("hold_stock", "if #short > 0 then", "if false then"),),
        swaps=((checkout, "_hold", hold_after_looking),),
    ),
    Bug(
        "holds again for the same order",
        lua=(("hold_stock", "if redis.call('EXISTS', ORDER) == 1 then", "if false then"),),
    ),
    Bug(
        "does not count a visitor's holds",
        lua=(("hold_stock", "if oldest then", "if false then"),),
    ),
    Bug(
        "does not count an address's holds",
        lua=(("hold_stock", "if first then", "if false then"),),
    ),
    Bug("makes an order of every click", swaps=((links, "order_id", by_chance),)),
    Bug("a new key for every try", swaps=((sessions, "key", number_each),)),
    Bug(
        "takes a timeout for a no",
        swaps=((checkout, "open_payment", give_up_on_silence),),
    ),
    Bug(
        "takes a timeout for no session, when it looks again",
        swaps=((sessions, "find", find_once),),
    ),
    Bug(
        "attaches a session to an order that is over",
        lua=(("attach_session", "if order[1] ~= 'pending' or order[2] then", "if order[2] then"),),
    ),
    Bug(
        "releases at the deadline without asking Stripe",
        swaps=((work, "WORK", work.WORK | {"expire": end_unasked}),),
    ),
    Bug(
        "releases what is overdue at a checkout without asking Stripe",
        swaps=((settlement, "end", end_unasked_for(Reason.EXPIRED)),),
    ),
    Bug(
        "releases a replaced hold before Stripe's word",
        swaps=((settlement, "end", end_unasked_for(Reason.REPLACED)),),
    ),
    Bug(
        "releases a cancelled hold before Stripe's word",
        swaps=((settlement, "end", end_unasked_for(Reason.CANCELLED)),),
    ),
    Bug("takes an open session for an expired one", swaps=((settlement, "ask", expired_whatever),)),
    Bug(
        "releases on the word about any session",
        lua=(
            ("release_hold", "session ~= ask.session", "false"),
            ("release_hold", "tonumber(fields[5]) ~= ask.version", "false"),
        ),
    ),
    Bug(
        "releases money that is on its way at the deadline",
        lua=(("mark_processing", "redis.call('ZREM', DUE, 'expire:' .. ask.order)", ""),),
        swaps=((work, "WORK", work.WORK | {"expire": end_processing_too}),),
    ),
    Bug(
        "undoes a sale when an old event says expired",
        lua=(
            ("release_hold", "if not holding then", "if state == 'review' then"),
            ("release_hold", "assert(units_at(lines) == 'held'", "assert(units_at(lines)"),
            ("release_hold", "'held', 'available'", "units_at(lines), 'available'"),
        ),
    ),
    Bug("notes an event before it is taken", swaps=((events, "_repeat", note_before_taking),)),
    Bug("answers 200 though nothing was stored", swaps=((events, "receive", always_200),)),
    Bug(
        "settles a payment twice",
        lua=(
            (
                "settle_payment",
                "if redis.call('HEXISTS', ORDER, payment) == 1 then",
                "if false then",
            ),
        ),
    ),
    Bug(
        "gives goods for a late payment without looking at the stock",
        lua=(
            (
                "settle_payment",
                "if at == 'none' and not all_in(AVAILABLE, lines) then",
                "if false then",
            ),
        ),
    ),
    Bug(
        "keeps a second payment",
        lua=(
            (
                "settle_payment",
                """redis.call('HSET', ORDER, 'refund_reason:' .. ask.payment_intent, 'duplicate')
  schedule(refund, now)""",
                "",
            ),
        ),
    ),
    Bug(
        "sells without a mail",
        lua=(("settle_payment", "schedule('mail:confirmed:' .. ask.order, now)", ""),),
    ),
    Bug(
        "refunds without a mail",
        lua=(("record_refund", "if not was then schedule(", "if false then schedule("),),
    ),
    Bug(
        "refunds without looking, each time with a new key",
        swaps=((work, "WORK", work.WORK | {"refund": refund_unlisted}),),
    ),
    Bug("asks with a spent key for ever", swaps=((Orders, "number_refund", lost),)),
    Bug(
        "ends with spent keys for ever",
        swaps=((settlement, "ended", never_look), (FakeStripe, "expire_session", ask_one_key)),
    ),
    Bug(
        "takes a part refunded for the whole",
        lua=(("record_refund", "back < paid or", ""),),
    ),
    Bug(
        "forgets the whole refund once a part is noted",
        lua=(("record_refund", "back < tonumber(fields[6])", "false"),),
    ),
    Bug(
        "loses the units of what a person must look at",
        lua=(
            ("review_order", "redis.call('PERSIST', HOLD)", "redis.call('HDEL', UNITS, ask.order)"),
        ),
    ),
    Bug(
        "counts a restock for every click",
        lua=(("restock", "if redis.call('EXISTS', SEEN) == 1 then", "if false then"),),
    ),
    Bug("drops a job that fails", swaps=((work, "_again_or_review", drop),)),
    Bug("never gives a lease back", swaps=((work, "LEASE_MS", 10**11),)),
)
