"""Reads the books at one moment: all of them, or as far as a busy page may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis

from storefront.domain.orders import State
from storefront.domain.payment_links import ALLOTMENT
from storefront.domain.products import Level
from storefront.domain.waitlist import Place
from storefront.storage.asking import text_of
from storefront.storage.keys import Keys
from storefront.storage.order_fields import read_units
from storefront.storage.stock import COUNTERS
from storefront.storage.waitlist import read_places

READ_UNITS = text_of("read_units")
ENDED = frozenset({State.PAID, State.FULFILLED, State.RELEASED, State.REFUNDED, State.VOIDED})
"""In which orders stay, so that there are ever more of them."""
UNSETTLED = tuple(state for state in State if state not in ENDED)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one transaction read; every script leaves these in agreement.

    Unless it is ``whole``, ``orders`` are the newest, ``units`` those of them and of all that hold
    some, and ``states`` those of the orders that something is still to become of.
    """

    now: int
    """Milliseconds."""
    levels: Mapping[str, Level]
    units: Mapping[str, tuple[str, Mapping[str, int]]]
    """Order → (``held`` or ``sold``, units by SKU)."""
    allotments: Mapping[str, Mapping[str, int]]
    """Payment link → units by SKU that are held for it."""
    holds: Mapping[str, int]
    """Order → deadline (ms)."""
    states: Mapping[str, str]
    """Order → state, as indexed."""
    due: Mapping[str, int]
    """Job → when it is due (ms)."""
    tries: Mapping[str, int]
    """Job → times taken since it last went well."""
    orders: Sequence[str]
    """Every order, the oldest first."""
    places: Sequence[Place]
    """The waitlist, by SKU and in the order of joining."""
    line: Sequence[str]
    """Those who wait, as ``SKU:number:place``."""
    links: Sequence[str]
    """Every payment link, the oldest first."""
    last_entry: str
    """Id of the ledger's last entry; empty when there is none."""
    total: int
    """Orders in all."""
    listed: int
    """Entries in the index of states."""
    whole: bool


def take(client: redis.Redis, keys: Keys, newest: int | None = None) -> Snapshot:
    """The books of a shop at one moment, whatever else goes on.

    With ``newest`` (1 or more) at a cost that does not grow with the orders.
    """
    pipe = client.pipeline(transaction=True)
    for counter in COUNTERS:
        pipe.hgetall(keys.name(f"stock:{counter}"))
    if newest is None:
        pipe.hgetall(keys.name("units"))
        pipe.zrange(keys.name("states"), 0, -1)
        pipe.zrange(keys.name("orders"), 0, -1)
    else:
        of = (keys.name("units"), keys.name("holds"), keys.name("orders"), keys.links())
        pipe.eval(READ_UNITS, len(of), *of, newest)
        for state in UNSETTLED:
            pipe.zrangebylex(keys.name("states"), f"[{state}:", f"({state};")
        pipe.zrange(keys.name("orders"), -newest, -1)
        pipe.zcard(keys.name("orders"))
        pipe.zcard(keys.name("states"))
    pipe.zrange(keys.name("holds"), 0, -1, withscores=True)
    pipe.zrange(keys.name("due"), 0, -1, withscores=True)
    pipe.hgetall(keys.name("tries"))
    pipe.hgetall(keys.name("places"))
    pipe.zrange(keys.name("waiting"), 0, -1)
    pipe.zrange(keys.links(), 0, -1)
    pipe.xrevrange(keys.name("ledger"), count=1)
    pipe.time()
    *read, holds, due, tries, places, line, links, last, clock = pipe.execute()
    counters, counted = read[: len(COUNTERS)], read[len(COUNTERS) :]
    if newest is None:
        units, *states, orders = counted
        total, listed = len(orders), sum(map(len, states))
    else:
        units, *states, orders, total, listed = counted
        units = dict(zip(units[::2], units[1::2], strict=True))
    found = dict(zip(COUNTERS, counters, strict=True))
    skus = sorted({sku for counter in counters for sku in counter})
    return Snapshot(
        now=clock[0] * 1000 + clock[1] // 1000,
        levels={s: Level(s, **{c: int(found[c].get(s, 0)) for c in COUNTERS}) for s in skus},
        units={
            order: read_units(text)
            for order, text in units.items()
            if not order.startswith(ALLOTMENT)
        },
        allotments={
            name.removeprefix(ALLOTMENT): read_units(text)[1]
            for name, text in units.items()
            if name.startswith(ALLOTMENT)
        },
        holds={order: int(deadline) for order, deadline in holds},
        states={m.rpartition(":")[2]: m.partition(":")[0] for some in states for m in some},
        due={job: int(at) for job, at in due},
        tries={job: int(times) for job, times in tries.items()},
        orders=orders,
        places=read_places(places),
        line=line,
        links=links,
        last_entry=last[0][0] if last else "",
        total=total,
        listed=listed,
        whole=newest is None,
    )
