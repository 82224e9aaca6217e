"""The Redis of tests that build a shop for every call at which something can go wrong.

It is the simulator's, many times as fast as fakeredis and held to it by ``tests/simulation``. There is one
for the whole process, which keeps the scripts that it has compiled and forgets all else for each shop.
"""

from functools import cache
from typing import Any

from tests.fakes.account import wall_clock
from tests.simulation.memory import Memory


class Quick(Memory):
    """Knows what tests write into a Redis by hand, too."""

    def raw_pexpireat(self, key: str, at: int) -> int:
        return self._do_pexpireat(key, at)

    def raw_xadd(self, key: str, fields: dict[str, str], id: str) -> str:  # noqa: A002
        self.data.setdefault(key, []).append((id, dict(fields)))
        first, _, second = id.partition("-")
        self._last = (int(first), int(second))
        self.changes += 1
        return id


@cache
def _kept() -> Quick:
    return Quick(wall_clock)


def quick_redis() -> Any:
    """An empty Redis; the one before it is gone."""
    redis = _kept()
    redis.flushall()
    redis.line = lambda _name, run: run()
    return redis
