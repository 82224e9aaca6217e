"""Reads the waitlist."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import redis

from storefront.domain.waitlist import Place, PlaceState
from storefront.storage.keys import Keys

LAST = "last"
"""The field of ``places`` that numbers the next one."""


class Waitlist:
    """The places of one shop."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys

    def get(self, place: str) -> Place | None:
        """The place as it stands; None when there is none, or none any more."""
        return next(iter(self.get_many([place])), None)

    def get_many(self, places: Sequence[str]) -> list[Place]:
        """Those of the places that exist, in the same order."""
        if not places:
            return []
        found = self._client.hmget(self._keys.name("places"), list(places))
        return [read_place(one, text) for one, text in zip(places, found, strict=True) if text]

    def ahead(self, place: Place) -> int:
        """How many confirmed places come before this one."""
        number: int = self._client.zlexcount(
            self._keys.name("waiting"), f"[{place.sku}:", f"({place.sku}:{place.number}:{place.id}"
        )
        return number

    def all(self) -> list[Place]:
        """Every place, by SKU and in the order of joining."""
        return read_places(self._client.hgetall(self._keys.name("places")))


def read_places(rows: Mapping[str, str]) -> list[Place]:
    """The places in the hash, by SKU and in the order of joining."""
    found: Iterable[Place] = (read_place(i, text) for i, text in rows.items() if i != LAST)
    return sorted(found, key=lambda place: (place.sku, place.number))


def read_place(place: str, text: str) -> Place:
    """The place that a row describes."""
    row: dict[str, Any] = json.loads(text)
    return Place(
        id=place,
        sku=row["sku"],
        state=PlaceState(row["state"]),
        number=row["number"],
        orders=tuple(row["orders"]),
        offered=int(row["offered"]),
        joined=int(row["joined"]),
        mailed=int(row["mailed"]),
        confirmed=int(row["confirmed"]),
        email=row.get("email", ""),
        language=row.get("language", ""),
    )
