"""Keeps how far the money of a day is added up, so that any process can go on with it."""

from datetime import date
from typing import Any

import redis

from storefront.storage.keys import Keys


class Additions:
    """What was added up, by day. Only a convenience: without it, the addition begins again."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys

    def keep(self, day: date, text: str, kept_ms: int) -> None:
        """Keep it for so long (ms)."""
        self._client.set(self._keys.money(day.isoformat()), text, px=kept_ms)

    def kept(self, day: date) -> str | None:
        """What was kept of a day; None when nothing was, or not any more."""
        found: str | None = self._client.get(self._keys.money(day.isoformat()))
        return found
