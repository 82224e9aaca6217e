"""Reads the stock counters."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from storefront.domain.door import Door
from storefront.domain.products import Level
from storefront.storage.asking import text_of
from storefront.storage.keys import Keys

READ_DOOR = text_of("read_door")
READ_RETURNS = text_of("read_returns")
COUNTERS = ("available", "held", "sold", "written_off", "stocked")


@dataclass(frozen=True, slots=True)
class ShelfReading:
    """Everything about stock that a page shows, at one moment."""

    levels: Mapping[str, Level]
    """Available and held only."""
    catalogue_version: str
    now: int
    """Milliseconds, by Redis' clock."""
    door: Door


class Stock:
    """The counters of one shop."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys

    def shelf(self) -> ShelfReading:
        """What the shelf shows, in one round trip that costs the same however many holds stand."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hgetall(self._keys.name("stock:available"))
        pipe.hgetall(self._keys.name("stock:held"))
        pipe.get(self._keys.name("catalogue:version"))
        pipe.time()
        pipe.eval(READ_DOOR, 2, self._keys.door(), self._keys.name("stock:stocked"))
        available, held, version, (seconds, micros), (door, _) = pipe.execute()
        levels = {
            sku: Level(sku, available=int(number), held=int(held.get(sku, 0)))
            for sku, number in available.items()
        }
        return ShelfReading(levels, version or "", seconds * 1000 + micros // 1000, Door(door))

    def first_returns(self, skus: Sequence[str]) -> dict[str, int]:
        """When the first held unit of each SKU may return (ms), of those that may do so soon."""
        if not skus:
            return {}
        found = self._client.eval(
            READ_RETURNS,
            2,
            self._keys.name("returns"),
            self._keys.name("waiting"),
            json.dumps(list(skus)),
        )
        return {found[i]: int(found[i + 1]) for i in range(0, len(found), 2)}

    def levels(self) -> list[Level]:
        """Every SKU's counters at one moment, by SKU."""
        pipe = self._client.pipeline(transaction=True)
        for counter in COUNTERS:
            pipe.hgetall(self._keys.name(f"stock:{counter}"))
        found = dict(zip(COUNTERS, pipe.execute(), strict=True))
        return [
            Level(sku, **{counter: int(found[counter].get(sku, 0)) for counter in COUNTERS})
            for sku in sorted(found["stocked"])
        ]

    def level(self, sku: str) -> Level | None:
        """One SKU's counters at one moment; None when the shop has never seen it."""
        pipe = self._client.pipeline(transaction=True)
        for counter in COUNTERS:
            pipe.hget(self._keys.name(f"stock:{counter}"), sku)
        found = dict(zip(COUNTERS, pipe.execute(), strict=True))
        if found["stocked"] is None:
            return None
        return Level(sku, **{counter: int(found[counter] or 0) for counter in COUNTERS})
