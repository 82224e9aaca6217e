"""Who works on the shop's door, and what it remembers for a rebuild."""

from collections.abc import Mapping
from typing import Any

import redis

from storefront.storage.keys import Keys

STOCK = "stock:"


class Doors:
    """The door of one shop, beside its scripts."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys

    def lease(self, ms: int) -> bool:
        """Let one process alone bring the shop back, for so long; False when another one does."""
        return bool(self._client.set(self._keys.lease(), "1", px=ms, nx=True))

    def keep_lease(self, ms: int) -> None:
        """Make the lease last so long from now on."""
        self._client.pexpire(self._keys.lease(), ms)

    def end_lease(self) -> None:
        """Let the next one begin at once."""
        self._client.delete(self._keys.lease())

    def count_failure(self) -> int:
        """How often in a row bringing the shop back has failed, this time included."""
        failures: int = self._client.hincrby(self._keys.door(), "failures", 1)
        return failures

    def loss_began(self) -> int | None:
        """When the server before wrote the last entry that is left (ms), once this one wrote one."""
        since: str | None = self._client.hget(self._keys.door(), "since")
        return None if since is None else int(since)

    def remembered_stock(self) -> Mapping[str, int]:
        """Units by SKU that an import found in its file while the books were lost."""
        found: dict[str, str] = self._client.hgetall(self._keys.door())
        return {
            name.removeprefix(STOCK): int(units)
            for name, units in found.items()
            if name.startswith(STOCK)
        }
