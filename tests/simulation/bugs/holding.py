"""Mistakes on the way from wanting to paying: holds, limits, keys and sessions."""

import itertools
from typing import Any

from storefront.domain import orders as rules
from storefront.domain.errors import Shortage, StripeError, StripeUnreachable
from storefront.domain.orders import Order, Reason
from storefront.services import checkout, links, sessions
from storefront.services.shop import Shop
from storefront.storage.answers import Held, HoldAnswer
from tests.fakes.faults import Fault
from tests.simulation.bugs.bug import Bug, release

real_open_payment = checkout.open_payment
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


def give_up_on_silence(shop: Shop, order: Order, *, first: bool = False) -> Any:
    try:
        return real_open_payment(shop, order, first=first)
    except StripeUnreachable:
        release(shop, order, Reason.REFUSED)
        raise


def find_once(shop: Shop, order: Order) -> Any:
    try:
        return sessions.make(shop, order)
    except StripeError:
        return None


def by_chance(*_parts: Any) -> str:
    return f"o{next(numbers):015}"


def no_end(order: Order, extension_ms: int) -> int:
    return order.deadline + extension_ms


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
        lua=(
            ("hold_stock", "if redis.call('HEXISTS', ORDER, 'state') == 1 then", "if false then"),
        ),
    ),
    Bug(
        "does not count a visitor's holds",
        lua=(("hold_stock", "if oldest then", "if false then"),),
    ),
    Bug(
        "does not count an address's holds",
        lua=(("hold_stock", "if first then", "if false then"),),
    ),
    Bug(
        "makes an order of every click",
        swaps=((links, "order_id", by_chance),),
        town={"per_visitor": 2, "per_address": 20, "stock": {"a": 5}},
    ),
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
        "takes an empty list for a proof while a request may be on its way",
        swaps=((sessions, "REFUSED_SECONDS", 10**9), (sessions, "SHORTEST_SECONDS", 1920)),
        town={"stripe": 0.5, "faults": (Fault.LATE,)},
    ),
    Bug(
        "attaches a session to an order that is over",
        lua=(
            (
                "attach_session",
                "if (order[1] ~= 'pending' and order[1] ~= 'offered') or order[2] then",
                "if false then",
            ),
        ),
        town={
            "workers": 0,
            "ui": "hosted",
            "stripe": 0.5,
            "stall": 0.02,
            "lost": 0.0,
            "late": 0.0,
            "crash": 0.0,
            "steps": 160,
        },
    ),
    Bug(
        "extends a hold again and again",
        lua=(("extend_hold", "if order[3] then", "if false then"),),
        swaps=((rules, "longest", no_end),),
    ),
    Bug(
        "extends a hold and not the job that ends it",
        lua=(("extend_hold", "redis.call('ZADD', DUE, deadline, 'expire:' .. ask.order)", ""),),
    ),
    Bug(
        "counts a restock for every click",
        lua=(("restock", "if redis.call('EXISTS', SEEN) == 1 then", "if false then"),),
    ),
)
