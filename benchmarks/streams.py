"""``make streams``: how soon open pages see a change, and how fast the shop stops with them open.

Two web processes, many open streams, and fifty changes of stock a second. What counts is how long after
the last of them each page shows what is true.
"""

import argparse
import json
import selectors
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchmarks.browser import SHOP_ID
from benchmarks.servers import CATALOGUE, SETTINGS, CannotMeasure, flask
from storefront.storage.connection import connect
from storefront.storage.store import Store, open_store
from tests.harness import Running, start_redis, start_shop, start_standin, wait_until

CHANGES_A_SECOND = 50
WORST_SECONDS = 30
"""A page that has not heard of the last change after so long has missed it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run came to, in seconds."""

    streams: int
    changes: int
    messages: int
    """That all pages together heard."""
    median: float
    worst: float
    stop: float

    def __str__(self) -> str:
        return (
            f"{self.streams} streams, {self.changes} changes at {CHANGES_A_SECOND} a second: each page "
            f"heard {self.messages / self.streams:.0f} messages and saw the last change after "
            f"{self.median * 1000:.0f} ms at the median, {self.worst * 1000:.0f} ms at worst; the shop "
            f"stopped in {self.stop:.1f} s with all of them open"
        )


@dataclass
class Page:
    """One open page."""

    connection: socket.socket
    text: bytes = b""
    stock: dict[str, tuple[int, int]] = field(default_factory=dict)
    messages: int = 0
    changed_at: float = 0.0

    def hear(self) -> None:
        """Read what has come. Raises CannotMeasure when the stream ends."""
        if not (got := self.connection.recv(1 << 16)):
            raise CannotMeasure("a stream ended")
        self.text += got
        *events, self.text = self.text.split(b"\n\n")
        for event in events:
            for line in event.splitlines():
                if line.startswith(b"data: ") and b"event: stock" in event:
                    for sku, level in json.loads(line[6:]).items():
                        self.stock[sku] = (level["available"], level["held"])
                    self.messages += 1
                    self.changed_at = time.monotonic()


def measure(streams: int, seconds: float) -> Seen:
    """One run. Raises CannotMeasure."""
    with _shop() as (shop, store):
        pages = [Page(_open(shop.url)) for _ in range(streams)]
        with selectors.DefaultSelector() as ready:
            for page in pages:
                ready.register(page.connection, selectors.EVENT_READ, page)
            _hear_until(ready, lambda: all(page.stock for page in pages), "the full state")
            last: list[float] = []
            changer = threading.Thread(target=_change, args=(store, seconds, last))
            before = sum(page.messages for page in pages)
            changer.start()
            _hear_until(ready, lambda: bool(last), "the changes are made")
            changer.join()
            final = _stock(store)
            _hear_until(
                ready, lambda: all(page.stock == final for page in pages), "the last change"
            )
        late = [max(0.0, page.changed_at - last[0]) for page in pages]
        heard = sum(page.messages for page in pages) - before
        begun = time.monotonic()
        if shop.stop() != 0:
            raise CannotMeasure("the shop did not end well")
        stop = time.monotonic() - begun
        for page in pages:
            page.connection.close()
    changes = round(seconds * CHANGES_A_SECOND)
    return Seen(streams, changes, heard, statistics.median(late), max(late), stop)


@contextmanager
def _shop() -> Iterator[tuple[Running, Store]]:
    with start_redis() as redis, start_standin() as standin, connect(redis.url) as client:
        settings = {
            **SETTINGS,
            "REDIS_URL": redis.url,
            "STRIPE_API_BASE": standin.url,
            "WEB_CONCURRENCY": "2",
        }
        with start_shop(settings) as shop:
            flask(shop, "import", str(CATALOGUE))
            yield shop, open_store(client, SHOP_ID)


def _open(url: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30)
    connection.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return connection


def _change(store: Store, seconds: float, last: list[float]) -> None:
    """Change the stock so often a second, evenly; note when the last change was there."""
    skus = sorted(level.sku for level in store.stock.levels())
    begun = time.monotonic()
    for number in range(round(seconds * CHANGES_A_SECOND)):
        time.sleep(max(0.0, begun + number / CHANGES_A_SECOND - time.monotonic()))
        store.scripts.restock(
            skus[number % len(skus)], delta=1, reason="measured", who="streams", key=f"k{number}"
        )
    last.append(time.monotonic())


def _stock(store: Store) -> dict[str, tuple[int, int]]:
    return {level.sku: (level.available, level.held) for level in store.stock.levels()}


def _hear_until(ready: selectors.BaseSelector, done: Callable[[], bool], what: str) -> None:
    def listen() -> bool:
        for key, _ in ready.select(timeout=0.05):
            key.data.hear()
        return done()

    wait_until(listen, what, WORST_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=500, help="open pages")
    parser.add_argument("--seconds", type=float, default=10, help="how long the stock changes")
    options = parser.parse_args()
    try:
        print(measure(options.streams, options.seconds))
    except (AssertionError, CannotMeasure) as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
