"""Mistakes at the counter: a form sells twice or is told wrong, or Stripe hears of money in the till."""

from itertools import count
from types import SimpleNamespace
from typing import Any

from storefront.domain import counter as rules
from storefront.domain.orders import Order, State
from storefront.domain.payments import Payment
from storefront.services import counter, handing, links, sessions
from storefront.services.counter import NotSold, Sale
from storefront.services.shop import Shop
from tests.simulation.bugs.bug import Bug
from tests.simulation.bugs.waiting import NO_OFFERS

numbers = count()
real_find = sessions.find
real_sell = counter.sell


def by_chance(*_parts: Any) -> str:
    return f"c{next(numbers):015}"


def find_any(shop: Shop, order: Order) -> Payment | None:
    return sessions.make(shop, order) if order.at_counter else real_find(shop, order)


def each_click(payment: str, about: str) -> str:
    return f"{payment}_back_{next(numbers)}_back_{about}"


def sell_unlooked(shop: Shop, **asked: Any) -> Sale:
    try:
        return real_sell(shop, **asked)
    except NotSold as late:
        if order := shop.store.orders.get(str(late)):
            return Sale(order, again=True)
        raise


def sell_only_at_once(shop: Shop, *, key: str, **asked: Any) -> Sale:
    begun = shop.store.orders.get(links.order_id(shop.settings, "counter", key))
    if begun and begun.state is State.PENDING:
        raise NotSold(begun.id)
    return real_sell(shop, key=key, **asked)


def nothing(*_: Any, **__: Any) -> None:
    pass


COUNTER = {"counter": True}
BUGS = (
    Bug(
        "sells again when a form of the counter is sent again",
        swaps=((counter, "links", SimpleNamespace(order_id=by_chance)),),
        town=COUNTER,
    ),
    Bug(
        "gives up what was broken off at the counter",
        swaps=((counter, "sell", sell_only_at_once),),
        town=COUNTER,
    ),
    Bug(
        "says of a form of the counter that comes too late that it sold",
        swaps=((counter, "sell", sell_unlooked),),
        town=COUNTER,
    ),
    Bug(
        "asks Stripe for the session of what was to be paid in cash",
        swaps=((sessions, "find", find_any),),
        town=COUNTER,
    ),
    Bug(
        "gives cash back once for every click",
        swaps=((rules, "refund_of", each_click),),
        town=COUNTER,
    ),
    Bug(
        "does not note what the counter hands over",
        swaps=((handing, "hand_over", nothing),),
        town=COUNTER,
    ),
    Bug(
        "sells at the counter what others wait for",
        lua=(
            *NO_OFFERS,
            (
                "hold_stock",
                "local waited = anyone_waits(line.sku)",
                "local waited = ask.visitor ~= '' and anyone_waits(line.sku)",
            ),
        ),
        town=COUNTER,
    ),
)
