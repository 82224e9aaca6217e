"""How often one client address may ask, so that one visitor cannot keep the others out.

Posts are counted in Redis, one count for all processes. Pages are counted in each process's own
memory: the shelf must not cost a second trip to Redis, and a limit on reading needs no exactness.
"""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

from flask import Flask, request
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from storefront.domain.errors import Refusal
from storefront.web import addresses

CHECKOUTS: Final = RateLimitItemPerMinute(30, namespace="checkouts")
POSTS: Final = RateLimitItemPerMinute(60, namespace="posts")
PAGES: Final = RateLimitItemPerMinute(600, namespace="pages")
LOGINS: Final = RateLimitItemPerMinute(5, namespace="logins")

EXEMPT: Final = frozenset({"static", "pictures", "health", "webhooks", "live"})
"""Endpoints, or their blueprints, that are never limited."""

REDIS_PAUSE: Final = 5.0
"""Seconds in which memory counts alone after Redis did not answer."""


class TooOften(Refusal):
    """This client address asked more often than the limit allows."""

    def __init__(self, limit: str, retry_after: int) -> None:
        super().__init__(limit)
        self.limit = limit
        self.retry_after = retry_after
        """Seconds until it may ask again."""


@dataclass(slots=True)
class Minute:
    """This process's own counts of the running minute; forgotten when it ends."""

    number: int
    counts: Counter[tuple[str, str]]


class Limits:
    """Counts in Redis while it answers, in this process's memory while it does not."""

    def __init__(self, shared: Storage | None) -> None:
        """``shared`` raises limits' StorageError when unreachable; None counts in memory only."""
        self._shared = FixedWindowRateLimiter(shared) if shared else None
        self._shared_again = 0.0
        self._minute = Minute(0, Counter())

    def take(self, limit: RateLimitItemPerMinute, address: str) -> None:
        """Count one more; raises TooOften when that is one too many."""
        left = None if limit is PAGES else self._take_shared(limit, address)
        if left is None:
            left = self._take_own(limit, address)
        if left:
            raise TooOften(limit.namespace, left)

    def give_back(self, limit: RateLimitItemPerMinute, address: str) -> None:
        """Forget what was counted, as after a right password."""
        self._minute.counts.pop((limit.namespace, address), None)
        if self._shared and time.monotonic() >= self._shared_again:
            try:
                self._shared.clear(limit, address)
            except StorageError:
                self._shared_again = time.monotonic() + REDIS_PAUSE

    def _take_shared(self, limit: RateLimitItemPerMinute, address: str) -> int | None:
        """Seconds to wait, 0 for none; None when Redis cannot say."""
        if self._shared is None or time.monotonic() < self._shared_again:
            return None
        try:
            if self._shared.hit(limit, address):
                return 0
            reset = self._shared.get_window_stats(limit, address).reset_time
        except StorageError:
            self._shared_again = time.monotonic() + REDIS_PAUSE
            return None
        return max(1, round(reset - time.time()))

    def _take_own(self, limit: RateLimitItemPerMinute, address: str) -> int:
        """Seconds to wait, 0 for none."""
        now = time.time()
        number = int(now // 60)
        if number != self._minute.number:
            self._minute = Minute(number, Counter())
        counts = self._minute.counts
        counts[limit.namespace, address] += 1
        if counts[limit.namespace, address] <= limit.amount:
            return 0
        return max(1, round((number + 1) * 60 - now))


def register(app: Flask, limits: Limits, secret_key: str) -> None:
    """Count every request to ``app`` but those that are exempt, by its sender's mark."""

    @app.before_request
    def count() -> None:
        endpoint = request.endpoint or ""
        if endpoint in EXEMPT or request.blueprint in EXEMPT:
            return
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            limit = PAGES
        else:
            limit = CHECKOUTS if endpoint == "checkout.begin" else POSTS
        limits.take(limit, addresses.mark(secret_key))
