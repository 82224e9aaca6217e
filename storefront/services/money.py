"""Money against goods, for one day: what Stripe says and what the shop says, added up.

The day is that of the shop's time zone. A day with very many movements is added up over several
looks, each of which takes a bounded time; how far that is stands in Redis, so that any process goes on
with it. What the counter took stands apart, as Stripe has nothing to say of it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from typing import Any

from storefront.domain import days
from storefront.domain.balance import Kind
from storefront.services import till
from storefront.services.movements import Row, Stage, Walk
from storefront.services.shop import Shop
from storefront.services.till import Movement

STEPS = 15
"""Steps of a walk in one look: enough for a day of some 5,000 movements."""
KEPT_MS = 60_000
"""A day that was added up in one look is shown for so long before Stripe is asked again."""
KEPT_LONG_MS = 3600_000
"""And one that took several."""
MOST_ROWS = 200
"""Differences that are shown; all are counted, and all are in the file."""

__all__ = ["Day", "Row", "Stage", "Sums", "look", "rows", "today"]


@dataclass(frozen=True, slots=True)
class Sums:
    """One kind of movement in one currency."""

    kind: Kind
    currency: str
    theirs: int
    ours: int


@dataclass
class Day:
    """A day's money, as far as it is added up."""

    walk: Walk
    number: int = 0
    """Movements that are added up."""
    totals: dict[tuple[Kind, str], tuple[int, int]] = field(default_factory=dict)
    """By kind and currency, what Stripe says and what the shop says."""
    fees: dict[str, int] = field(default_factory=dict)
    """What Stripe kept, by currency, in minor units."""
    differences: list[Row] = field(default_factory=list)
    """The first about which the two disagree."""
    differing: int = 0
    """How many there are."""
    looks: int = 0
    """In how many it was added up."""
    counter: Sequence[Movement] = ()
    """What was taken and given back at the counter."""

    @property
    def day(self) -> date:
        return self.walk.day

    @property
    def asked(self) -> int:
        """As of when it is (ms)."""
        return self.walk.asked

    @property
    def whole(self) -> bool:
        """Whether all of the day is added up."""
        return self.walk.stage is Stage.DONE

    @property
    def sums(self) -> Sequence[Sums]:
        """What is added up, by kind and currency."""
        first = list(Kind).index
        about = sorted(self.totals, key=lambda one: (first(one[0]), one[1]))
        return [Sums(*one, *self.totals[one]) for one in about]

    @property
    def tills(self) -> Sequence[till.Sums]:
        """What the counter took and gave back, by how."""
        return till.sums(self.counter)

    def add(self, row: Row) -> None:
        """Add one movement up."""
        theirs, ours = self.totals.get((row.kind, row.currency), (0, 0))
        self.totals[row.kind, row.currency] = (theirs + (row.theirs or 0), ours + (row.ours or 0))
        if row.fee:
            self.fees[row.fee_currency] = self.fees.get(row.fee_currency, 0) + row.fee
        self.number += 1
        if row.differs:
            self.differing += 1
            if len(self.differences) < MOST_ROWS:
                self.differences.append(row)

    def to_json(self) -> str:
        """As it is kept between two looks."""
        walk = self.walk
        return json.dumps(
            {
                "walk": [walk.asked, walk.stage, walk.last, walk.reached, sorted(walk.charged)],
                "number": self.number,
                "totals": [[*about, *total] for about, total in self.totals.items()],
                "fees": self.fees,
                "differences": [astuple(row) for row in self.differences],
                "differing": self.differing,
                "looks": self.looks,
            }
        )


def today(shop: Shop) -> date:
    """The day in the shop's time zone."""
    return days.day_of(shop.store.now(), shop.settings.zone)


def look(shop: Shop, day: date, *, anew: bool = False) -> Day:
    """The money of a day, added up one look further than before. Raises StripeError.

    What was whole is shown again for a minute, or for an hour when it took several looks; ``anew``
    begins again.
    """
    kept = None if anew else shop.store.additions.kept(day)
    found = _read(day, kept) if kept else None
    if found is None:
        found = Day(Walk(day, shop.store.now()))
    if found.walk.stage is not Stage.DONE:
        for _ in range(STEPS):
            for row in found.walk.step(shop):
                found.add(row)
        found.looks += 1
        some = found.looks > 1 or not found.whole
        shop.store.additions.keep(day, found.to_json(), KEPT_LONG_MS if some else KEPT_MS)
    found.differences.sort(key=lambda row: (row.at, row.source))
    found.counter = at_the_counter(shop, day)
    return found


def rows(shop: Shop, day: date) -> Iterator[Row]:
    """Every movement of a day, asked for as they are read: Stripe's, the newest first, then ours.

    Raises StripeError, also on the way: then what came so far is not all.
    """
    walk = Walk(day, shop.store.now())
    while walk.stage is not Stage.DONE:
        yield from walk.step(shop)


def at_the_counter(shop: Shop, day: date) -> Sequence[Movement]:
    """What was taken and given back at the counter on a day, the oldest first."""
    zone = shop.settings.zone
    return till.look(shop, days.begin_of(day, zone), days.end_of(day, zone))


def _read(day: date, text: str) -> Day | None:
    """What was kept; None when another version of the shop kept it otherwise."""
    try:
        kept: Mapping[str, Any] = json.loads(text)
        asked, stage, last, reached, charged = kept["walk"]
        return Day(
            Walk(day, asked, Stage(stage), last, reached, set(charged)),
            kept["number"],
            {(Kind(k), currency): (t, o) for k, currency, t, o in kept["totals"]},
            kept["fees"],
            [Row(at, Kind(kind), *rest) for at, kind, *rest in kept["differences"]],
            kept["differing"],
            kept["looks"],
        )
    except (KeyError, TypeError, ValueError):
        return None
