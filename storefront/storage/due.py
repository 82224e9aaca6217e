"""Reads the list of what the shop must still do."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import redis

from storefront.storage.keys import SEEN_SECONDS, Keys


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job on the list: its name (``refund:<order>:<payment>``), when it is due, tries so far."""

    name: str
    at: int
    """Milliseconds."""
    tries: int


class Due:
    """What is due in one shop."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys

    def jobs(self) -> list[DueJob]:
        """Every job, the earliest first."""
        pipe = self._client.pipeline(transaction=True)
        pipe.zrange(self._keys.name("due"), 0, -1, withscores=True)
        pipe.hgetall(self._keys.name("tries"))
        jobs, tries = pipe.execute()
        return [DueJob(name, int(at), int(tries.get(name, 0))) for name, at in jobs]

    def counts(self) -> Counter[str]:
        """How many jobs there are of each kind."""
        return Counter(job.name.partition(":")[0] for job in self.jobs())

    def schedule(self, job: str, at_ms: int) -> None:
        """Make a job due at a time (ms); one that is due earlier stays so."""
        self._client.zadd(self._keys.name("due"), {job: at_ms}, lt=True)

    def schedule_asked(self, job: str, at_ms: int, *, event: str) -> None:
        """As ``schedule``, and note the event that asked for it as seen.

        Both or neither: a restart that loses the job must not leave the note that it was heard.
        """
        pipe = self._client.pipeline(transaction=True)
        pipe.zadd(self._keys.name("due"), {job: at_ms}, lt=True)
        pipe.set(self._keys.seen(event), "1", ex=SEEN_SECONDS)
        pipe.execute()

    def hasten(self, job: str, at_ms: int) -> None:
        """Make a job that is on the list due at a time (ms), unless it is due earlier."""
        self._client.zadd(self._keys.name("due"), {job: at_ms}, xx=True, lt=True)
