"""Reads the ledger: every change of stock, in the order it happened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from storefront.storage.keys import Keys

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: so many units of a SKU from one counter to another, and the counters after it."""

    id: str
    at: int
    """Milliseconds."""
    sku: str
    what: str
    """``hold``, ``offer``, ``sell``, ``release``, ``retake``, ``restock``, ``write_off`` or
    ``return``; ``hand_over`` and ``take_back``, which move nothing between counters; of payment
    links ``allot``, ``take`` (by an order, from the link that ``why`` names) and ``unlink``."""
    quantity: int
    origin: str
    """The counter that lost the units; empty when they are new."""
    target: str
    order: str
    """Whose units they are: an order's id, or ``link:`` and a payment link's; may be empty."""
    why: str
    who: str
    available: int
    held: int
    sold: int
    written_off: int
    stocked: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries somebody looks for; what is empty or None does not matter."""

    sku: str = ""
    what: str = ""
    who: str = ""
    since: int | None = None
    """Milliseconds."""
    until: int | None = None
    """Milliseconds, the last that counts."""

    @property
    def some(self) -> bool:
        """Whether entries of its time may not be among them."""
        return bool(self.sku or self.what or self.who)

    def fits(self, entry: Entry) -> bool:
        """Whether an entry is one of them, its time aside."""
        return (
            self.sku in {"", entry.sku}
            and self.what in {"", entry.what}
            and self.who in {"", entry.who}
        )


class Ledger:
    """The ledger of one shop."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._key = keys.name("ledger")
        self._undone = keys.undone()

    def latest(self, count: int, sku: str | None = None) -> list[Entry]:
        """The last ``count`` entries, of one SKU if named, the newest first."""
        found: list[Entry] = []
        top = "+"
        while len(found) < count:
            rows = self._client.xrevrange(self._key, top, "-", count=max(count, 200))
            if not rows:
                break
            found += [e for e in map(read_entry, rows) if sku in {None, e.sku}]
            top = f"({rows[-1][0]}"
        return found[:count]

    def find(
        self, wanted: Wanted, before: str, *, most: int, look_at: int
    ) -> tuple[list[Entry], str]:
        """At most so many entries, the newest first, and where the next page begins.

        ``before`` is the id that they come before; empty for the newest. No more than about
        ``look_at`` entries are read, so a page may have few or none and still not be the last; the
        second answer is empty when it is.
        """
        found: list[Entry] = []
        top = f"({before}" if before else "+" if wanted.until is None else str(wanted.until)
        bottom = "-" if wanted.since is None else str(wanted.since)
        count = CHUNK if wanted.some else most + 1
        for _ in range(0, look_at, CHUNK):
            rows = self._client.xrevrange(self._key, top, bottom, count=count)
            for entry in map(read_entry, rows):
                if wanted.fits(entry):
                    if len(found) == most:
                        return found, found[-1].id
                    found.append(entry)
            if len(rows) < count:
                return found, ""
            top = f"({rows[-1][0]}"
        return found, top.removeprefix("(")

    def export(self, wanted: Wanted) -> Iterator[Entry]:
        """Every such entry, the oldest first, read in chunks."""
        bottom = "-" if wanted.since is None else str(wanted.since)
        top = "+" if wanted.until is None else str(wanted.until)
        while rows := self._client.xrange(self._key, bottom, top, count=CHUNK):
            yield from filter(wanted.fits, map(read_entry, rows))
            bottom = f"({rows[-1][0]}"

    def undone(self, entries: Sequence[str]) -> set[str]:
        """Which of these entries, by id, were undone."""
        if not entries:
            return set()
        found = self._client.hmget(self._undone, entries)
        return {entry for entry, at in zip(entries, found, strict=True) if at}

    def walk(self, until: str = "+") -> Iterator[Entry]:
        """Every entry up to an id, the oldest first, read in chunks."""
        bottom = "-"
        while rows := self._client.xrange(self._key, bottom, until, count=CHUNK):
            yield from map(read_entry, rows)
            bottom = f"({rows[-1][0]}"

    def since(self, at: int, until: str) -> Iterator[Entry]:
        """Every entry from a time (ms) up to an id, the oldest first, read in chunks."""
        bottom = f"{at}-0"
        while rows := self._client.xrange(self._key, bottom, until, count=CHUNK):
            yield from map(read_entry, rows)
            bottom = f"({rows[-1][0]}"

    def some(self, begin: int, until: int, *, after: str, most: int) -> list[Entry]:
        """At most so many entries from a time (ms) until another, the oldest first.

        ``after`` is the id that they come after; empty for the first.
        """
        bottom = f"({after}" if after else str(begin)
        return [read_entry(row) for row in self._client.xrange(self._key, bottom, until, most)]

    def tail(self, until: str, count: int) -> list[Entry]:
        """The last ``count`` entries up to an id, the oldest first, in one round trip."""
        rows = self._client.xrevrange(self._key, until, "-", count=count)
        return [read_entry(row) for row in reversed(rows)]


def read_entry(row: tuple[str, Mapping[str, str]]) -> Entry:
    """The entry that a row of the stream describes."""
    entry_id, fields = row
    return Entry(
        id=entry_id,
        at=int(entry_id.partition("-")[0]),
        sku=fields["sku"],
        what=fields["what"],
        quantity=int(fields["quantity"]),
        origin=fields["origin"],
        target=fields["target"],
        order=fields["order"],
        why=fields["why"],
        who=fields["who"],
        available=int(fields["available"]),
        held=int(fields["held"]),
        sold=int(fields["sold"]),
        written_off=int(fields["written_off"]),
        stocked=int(fields["stocked"]),
    )
