"""Tells every open page what the shelf holds, while it changes.

One subscription for a process, whatever number of pages is open: it only wakes, and what is told is
read anew each time, so that no message lost on the way can leave a page wrong. Each state is written
once for all pages. A page that has the state before hears the changes; one that missed any hears all.
"""

import hashlib
import json
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from storefront.domain.errors import TooManyStreams
from storefront.services.shelf import look
from storefront.services.shop import Shop
from storefront.storage.connection import UNREACHABLE
from storefront.storage.live import Changes

SPACING_SECONDS = 0.25
"""Changes that come closer together are told together."""
LOOK_SECONDS = 1.0
"""The shelf is looked at so often even if nothing is heard: a dead connection says nothing."""
HEARTBEAT_SECONDS = 10.0
"""A page hears something so often, or proxies on the way take it for dead."""
PAUSES_SECONDS = (0.2, 5.0)
"""The first and the longest pause before Redis is asked again after it was silent."""
RETRY_MS = (1_000, 6_000)
"""A page that lost its stream comes back after so long: not all at once."""

NOTE_SECONDS = 5.0
"""Other processes hear so often how many pages are open here, and sooner when that has changed."""
JUST_NOW_SECONDS = 0.02
"""A page that opens so soon after a look at the shelf begins with what was seen."""

Levels = Mapping[str, Mapping[str, int | str]]
Events = Mapping[str, Mapping[str, object]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stock:
    """What pages may know of the stock at one moment."""

    levels: Levels
    """By SKU: ``available``, ``held``, and ``opens_at`` until it is on sale."""
    returns: Mapping[str, str]
    """When the first held unit may return, of SKUs that are all held."""
    now: int
    """Milliseconds, by Redis' clock."""
    opens_at: int | None
    """The next moment at which a product goes on sale by itself."""


def stock(shop: Shop) -> Stock:
    """What pages may know of the stock now: published products only."""
    shelf = look(shop)
    levels: dict[str, dict[str, int | str]] = {}
    opening: list[int] = []
    for product, variant in shelf.catalogue.entries(shelf.catalogue.published):
        level = shelf.level(variant.sku)
        levels[variant.sku] = {"available": level.available, "held": level.held}
        if product.opens_at is not None and shelf.opens_later(product):
            levels[variant.sku]["opens_at"] = _iso(product.opens_at)
            opening.append(product.opens_at)
    all_held = [sku for sku, level in levels.items() if level["held"] and not level["available"]]
    returns = shop.store.stock.first_returns(all_held)
    return Stock(
        levels,
        {sku: _iso(at) for sku, at in returns.items()},
        shelf.now,
        min(opening, default=None),
    )


def _iso(milliseconds: int) -> str:
    """ISO 8601 in UTC to the second, and never earlier than the time itself."""
    return datetime.fromtimestamp(-(-milliseconds // 1000), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Told:
    """One state as it goes out, written once for all pages."""

    number: int
    events: Events
    full: bytes
    changes: bytes
    """Since the state with the number before."""


class Streams:
    """The open pages of this process. Nothing runs until the first one opens."""

    def __init__(
        self,
        shop: Shop,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` answers seconds; the heartbeat counts by it."""
        self.heartbeat, self.clock = heartbeat, clock
        self._shop = shop
        self._changed = threading.Condition()
        self._looking = threading.Lock()
        self._told = Told(0, {"stock": {}, "returns": {}}, b"", b"")
        self._looked_at = self._wake_at = 0.0
        self._open = 0
        self._listening = False
        self.stopped = False

    @property
    def _process(self) -> str:
        """A name for this process that tells strangers nothing."""
        return hashlib.sha256(f"{socket.gethostname()}:{os.getpid()}".encode()).hexdigest()[:12]

    @property
    def open(self) -> int:
        """How many pages are open."""
        return self._open

    def everywhere(self) -> int:
        """How many pages are open in all processes of the shop."""
        store = self._shop.store
        return self._open + store.live.streams(store.now(), but=self._process)

    def join(self) -> "Stream":
        """One more open page, to be closed by whoever serves it.

        Raises TooManyStreams, and the store's errors when nothing true could be told.
        """
        with self._changed:
            if self.stopped or self._open >= self._shop.settings.live_streams:
                raise TooManyStreams
            self._open += 1
        stream = Stream(self)
        try:
            self._look(unless=JUST_NOW_SECONDS)
            self._listen_if_nobody_does()
        except BaseException:
            stream.close()
            raise
        return stream

    def leave(self) -> None:
        """One page less."""
        with self._changed:
            self._open -= 1

    def stop(self) -> None:
        """End every stream now, and let none begin: the process is to end."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def after(self, number: int, seconds: float) -> Told | None:
        """The state that stands once it is another than this; None when it still is after so long."""
        with self._changed:
            if self._told.number == number and not self.stopped and seconds > 0:
                self._changed.wait(seconds)
            return self._told if self._told.number != number else None

    def _listen_if_nobody_does(self) -> None:
        with self._changed:
            if self._listening or self.stopped:
                return
            self._listening = True
        threading.Thread(target=self._listen, name="live", daemon=True).start()

    def _needed(self) -> bool:
        """Whether any page is open; if none is, the listener ends and the next page starts another."""
        with self._changed:
            if self._open and not self.stopped:
                return True
            self._listening = False
            return False

    def _listen(self) -> None:
        """Look at the shelf at every change, while any page is open. Nothing ends it but that."""
        pause = PAUSES_SECONDS[0]
        while self._needed():
            try:
                with self._shop.store.live.listen() as changes:
                    self._look()
                    pause = PAUSES_SECONDS[0]
                    self._follow(changes)
            except UNREACHABLE as error:
                log.warning("open pages hear nothing new: %s", error)
            except Exception:  # a fault here must not leave open pages without their listener
                log.exception("open pages hear nothing new")
            else:
                break
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
            pause = min(pause * 2, PAUSES_SECONDS[1])
        with suppress(*UNREACHABLE):  # else it is forgotten by itself
            self._shop.store.live.note_streams(self._process, 0, 0)

    def _follow(self, changes: Changes) -> None:
        noted_at, noted = 0.0, 0
        while self._needed():
            if self._open != noted or time.monotonic() >= noted_at + NOTE_SECONDS:
                noted_at, noted = time.monotonic(), self._open
                self._shop.store.live.note_streams(self._process, noted, self._shop.store.now())
            left = self._wake_at - time.monotonic()
            heard = changes.wait(max(0.001, min(left, LOOK_SECONDS)))
            self._look()
            if heard:
                time.sleep(SPACING_SECONDS)

    def _look(self, unless: float = 0.0) -> None:
        """Read the stock, and tell every page if it is another than before.

        ``unless``: not if somebody did so within so many seconds.
        """
        with self._looking:
            if self._told.number and time.monotonic() < self._looked_at + unless:
                return
            self._looked_at = time.monotonic()
            now = stock(self._shop)
            left = LOOK_SECONDS if now.opens_at is None else (now.opens_at - now.now) / 1000
            self._wake_at = time.monotonic() + min(max(left, 0), LOOK_SECONDS)
            before, number = self._told, self._told.number + 1
            events: Events = {"stock": now.levels, "returns": now.returns}
            if before.number and events == before.events:
                return
            taken_off = before.events["stock"].keys() - now.levels
            changes: Events = {
                "stock": {
                    **{sku: {"available": 0, "held": 0} for sku in taken_off},
                    **_changed(before.events["stock"], now.levels),
                },
                "returns": _changed(before.events["returns"], now.returns),
            }
            told = Told(number, events, self._text(number, events), self._text(number, changes))
            with self._changed:
                self._told = told
                self._changed.notify_all()

    def _text(self, number: int, events: Events) -> bytes:
        """These events, but for empty ones, as they go out."""
        return b"".join(
            f"id: {self._process}:{number}\nevent: {name}\n"
            f"data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
            for name, data in events.items()
            if data or name == "stock"
        )


def _changed(before: Mapping[str, object], now: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in now.items() if before.get(name) != value}


class Stream:
    """What one open page hears, as Server-Sent Events: the full state first, then what changes.

    It begins with the full state even when the page says what it has heard last (``Last-Event-ID``):
    another process may have told that, and a state heard twice changes nothing.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._number = 0
        self._spoke_at = streams.clock()
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """What the page hears next; waits for it. StopIteration when the process is to end."""
        streams, text = self._streams, b""
        while not text:
            left = self._spoke_at + streams.heartbeat - streams.clock()
            told = streams.after(self._number, left)
            if streams.stopped or self._closed:
                raise StopIteration
            if told:
                text = self._tell(told)
            if streams.clock() >= self._spoke_at + streams.heartbeat:
                self._spoke_at = streams.clock()
                text += b": still here\n\n"
        return text

    def _tell(self, told: Told) -> bytes:
        known, self._number = self._number, told.number
        if not known:
            return f"retry: {random.randint(*RETRY_MS)}\n\n".encode() + told.full  # noqa: S311 - spreads load
        return told.changes if told.number == known + 1 else told.full

    def close(self) -> None:
        """The page is gone; whoever serves it calls this, once or more often."""
        if not self._closed:
            self._closed = True
            self._streams.leave()
