"""Hears of every change that open pages show, and counts those pages."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from storefront.storage.keys import Keys

STALE_MS = 20_000
"""A process that has not said for so long how many pages it serves is gone."""


class Changes:
    """One subscription. What a message says is not read: it only tells that it is time to look."""

    def __init__(self, messages: Any) -> None:
        self._messages = messages

    def wait(self, seconds: float) -> bool:
        """Return as soon as something has changed, or after so long; whether something did."""
        found = self._messages.get_message(timeout=seconds) is not None
        while self._messages.get_message(timeout=0) is not None:
            found = True
        return found


class Live:
    """What one shop publishes, and who listens."""

    def __init__(self, client: redis.Redis, listener: redis.Redis, keys: Keys) -> None:
        """``listener`` may stay silent for as long as nothing changes."""
        self._client: Any = client  # replies are text: its types also allow bytes
        self._listener: Any = listener
        self._keys = keys

    @contextmanager
    def listen(self) -> Iterator[Changes]:
        """A subscription for the block; what changes after its begin is heard."""
        with self._listener.pubsub(ignore_subscribe_messages=True) as messages:
            messages.subscribe(self._keys.name("live"))
            messages.get_message(timeout=1)  # the server's word that it stands
            yield Changes(messages)

    def note_streams(self, process: str, streams: int, now: int) -> None:
        """Keep how many open pages this process serves at a time (ms)."""
        key = self._keys.name("streams")
        if streams:
            self._client.hset(key, process, json.dumps([streams, now]))
        else:
            self._client.hdel(key, process)

    def streams(self, now: int, but: str) -> int:
        """Open pages of all processes but one; forgets processes that are gone."""
        key, total = self._keys.name("streams"), 0
        for process, text in self._client.hgetall(key).items():
            streams, at = json.loads(text)
            if at < now - STALE_MS:
                self._client.hdel(key, process)
            elif process != but:
                total += streams
        return total
