"""The shop at a glance: a few figures at one moment, however many orders it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis

from storefront.domain.orders import State
from storefront.domain.products import Level
from storefront.storage.keys import Keys
from storefront.storage.stock import COUNTERS

REVIEWS = 20
"""Orders in review that are named."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What one look reads. Times are milliseconds, by Redis' clock."""

    now: int
    levels: Sequence[Level]
    """By SKU."""
    sales: Mapping[int, int]
    """Units sold by minute since 1970, of the last two days; minutes without a sale are absent."""
    heard: int | None
    """When the last event came that Stripe has signed; None when none ever did."""
    reviews: int
    """Orders in review."""
    newest_reviews: Sequence[str]
    """The newest of them."""
    late_jobs: int
    first_due: int | None
    """When the earliest job is due."""
    oldest_hold: tuple[str, int] | None
    """The order whose hold ends first, and when."""


def take(client: redis.Redis, keys: Keys, now: int, late_ms: int) -> Glance:
    """The figures of this moment, in one round trip."""
    due, states = keys.name("due"), keys.name("states")
    pipe = client.pipeline(transaction=True)
    for counter in COUNTERS:
        pipe.hgetall(keys.name(f"stock:{counter}"))
    pipe.hgetall(keys.name("sales"))
    pipe.get(keys.name("heard"))
    pipe.zlexcount(states, f"[{State.REVIEW}:", f"({State.REVIEW};")
    pipe.zrevrangebylex(states, f"({State.REVIEW};", f"[{State.REVIEW}:", start=0, num=REVIEWS)
    pipe.zcount(due, "-inf", f"({now - late_ms}")
    pipe.zrange(due, 0, 0, withscores=True)
    pipe.zrange(keys.name("holds"), 0, 0, withscores=True)
    *counters, sales, heard, reviews, newest, late, first, oldest = pipe.execute()
    found = dict(zip(COUNTERS, counters, strict=True))
    return Glance(
        now=now,
        levels=[
            Level(sku, **{counter: int(found[counter].get(sku, 0)) for counter in COUNTERS})
            for sku in sorted(found["stocked"])
        ],
        sales=_sales(sales.values(), now // 60_000),
        heard=int(heard) if heard else None,
        reviews=reviews,
        newest_reviews=[member.rpartition(":")[2] for member in newest],
        late_jobs=late,
        first_due=int(first[0][1]) if first else None,
        oldest_hold=(oldest[0][0], int(oldest[0][1])) if oldest else None,
    )


def _sales(slots: Sequence[str], minute: int) -> dict[int, int]:
    """The ring by minute; a place that nobody took over for longer than two days is old."""
    pairs = (map(int, slot.split(" ")) for slot in slots)
    return {of: units for of, units in pairs if of > minute - 2880}
