"""Adds up what all orders have that is sold, in pieces, while the shop goes on selling."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from storefront.storage.keys import Keys
from storefront.storage.ledger import CHUNK
from storefront.storage.order_fields import read_units

PIECE = 2000
"""Orders that Redis tells in one answer, so that nobody waits for it meanwhile."""
MOST = 100_000
"""Orders that are added up for one page."""
TRIES = 5


@dataclass(frozen=True, slots=True)
class Sold:
    """Units by SKU, both of one moment."""

    counted: Mapping[str, int]
    """What the counter says."""
    summed: Mapping[str, int]
    """What the orders have."""


def add_up(client: redis.Redis, keys: Keys) -> Sold | None:
    """What is sold, counted and summed; None when there are more than ``MOST`` orders.

    The orders are not read at one moment. But whatever moves units writes the order into the ledger in
    the same script. So those that the ledger names since the begin are read again, at one moment with
    the counter and the ledger's end, and no other has changed meanwhile. None, too, when the shop sells
    so fast that there is always one more.
    """
    asks: Any = client  # replies are text: its types also allow bytes
    units, ledger = keys.name("units"), keys.name("ledger")
    if asks.hlen(units) > MOST:
        return None
    last = _newest(asks.xrevrange(ledger, count=1))
    texts = dict(asks.hscan_iter(units, count=PIECE))
    moved: dict[str, None] = {}
    for _ in range(TRIES):
        while rows := asks.xrange(ledger, f"({last}" if last else "-", "+", count=CHUNK):
            moved |= {fields["order"]: None for _, fields in rows}
            last = rows[-1][0]
        pipe = asks.pipeline(transaction=True)
        pipe.hmget(units, [*moved, ""])
        pipe.hgetall(keys.name("stock:sold"))
        pipe.xrevrange(ledger, count=1)
        found, counted, newest = pipe.execute()
        if _newest(newest) == last:
            texts |= {order: text or "" for order, text in zip(moved, found, strict=False)}
            return Sold({sku: int(number) for sku, number in counted.items()}, _sum(texts))
    return None


def _newest(rows: list[tuple[str, object]]) -> str:
    return rows[0][0] if rows else ""


def _sum(texts: Mapping[str, str]) -> Counter[str]:
    """Units by SKU. Most orders have one of few baskets, so each basket is read once."""
    summed: Counter[str] = Counter()
    for text, times in Counter(texts.values()).items():
        if text.startswith("sold "):
            for sku, number in read_units(text)[1].items():
                summed[sku] += number * times
    return summed
