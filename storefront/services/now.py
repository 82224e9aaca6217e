"""The shop now: what is sold, where the units are, and what needs a person.

All of it costs the same however many orders there are: the figures are counted as they happen
(``note_sale`` in books.lua), and what needs a person is read from the lists' ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from storefront.domain import days
from storefront.domain.door import WHY, Door
from storefront.domain.orders import AWAITING, Order, State
from storefront.domain.products import Level
from storefront.services import recovery, shelf
from storefront.services.integrity import LATE_MS
from storefront.services.shop import Shop
from storefront.storage.glance import Glance

MINUTE_MS = 60_000
CHART_MINUTES = 60
SILENCE_MS = 5 * MINUTE_MS
"""A sale that no webhook has told of for so long: Stripe tells within seconds."""
MOST_HOLDS = 200
"""Holds past their deadline that are looked at."""


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute's sales."""

    at: int
    """Its beginning, in milliseconds."""
    units: int


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the units of one SKU are."""

    name: str
    level: Level


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that a person should do, and where it is done."""

    kind: str
    """``review``, ``refund``, ``overdue``, ``late``, ``silence``, ``redis`` or ``door``."""
    about: str = ""
    """The order; else a sentence of the shop's own."""
    count: int = 0
    """Of what there are several; of lateness and silence, milliseconds."""
    units: int = 0
    """Sold while Stripe was silent."""


@dataclass(frozen=True, slots=True)
class Now:
    """What the operator sees first. Times are milliseconds."""

    at: int
    sold_today: int
    """Units, since midnight in the shop's time zone. What came back since is not taken off."""
    held: int
    left: int
    minutes: Sequence[Minute]
    """The last hour, the oldest first; the last is still running."""
    stands: Sequence[Stand]
    concerns: Sequence[Concern]
    heard: int | None
    """When Stripe was last heard by webhook."""
    oldest_hold: tuple[str, int] | None
    """The order whose hold ends first, and when."""

    @property
    def busiest(self) -> int:
        """The most units in one minute of the hour; at least 1, so that it can be divided by."""
        return max(1, *(minute.units for minute in self.minutes))

    @property
    def sold_in_the_hour(self) -> int:
        """Units."""
        return sum(minute.units for minute in self.minutes)


def look(shop: Shop) -> Now:
    """The shop as it is at this moment."""
    seen = shop.store.glance(LATE_MS)
    minute = seen.now // MINUTE_MS
    zone = shop.settings.zone
    today = days.begin_of(days.day_of(seen.now, zone), zone) // MINUTE_MS
    names = _names(shop)
    return Now(
        at=seen.now,
        sold_today=sum(units for of, units in seen.sales.items() if of >= today),
        held=sum(level.held for level in seen.levels),
        left=sum(level.available for level in seen.levels),
        minutes=[
            Minute(of * MINUTE_MS, seen.sales.get(of, 0))
            for of in range(minute - CHART_MINUTES + 1, minute + 1)
        ],
        stands=[Stand(names.get(level.sku, ""), level) for level in seen.levels],
        concerns=[*_door(shop), *_orders(shop, seen), *_machines(shop, seen)],
        heard=seen.heard,
        oldest_hold=seen.oldest_hold,
    )


def _names(shop: Shop) -> dict[str, str]:
    catalogue = shelf.catalogue(shop)
    return {v.sku: p.name_of(v) for p, v in catalogue.entries(catalogue.products)}


def _door(shop: Shop) -> list[Concern]:
    door = recovery.stands(shop)
    return [] if door in {Door.OPEN, Door.EMPTY} else [Concern("door", WHY[door])]


def _orders(shop: Shop, seen: Glance) -> list[Concern]:
    """Orders that only a person brings further, the newest first; then those held too long."""
    reviews = [
        Concern("refund" if _refund_failed(order) else "review", order.id)
        for order in shop.store.orders.get_many(seen.newest_reviews)
        if order.state is State.REVIEW
    ]
    if more := seen.reviews - len(seen.newest_reviews):
        reviews.append(Concern("reviews", count=more))
    latest = seen.now - shop.settings.hold_grace_seconds * 1000
    ids = [o for o, _ in shop.store.orders.holding(until_ms=latest, most=MOST_HOLDS)]
    waiting = AWAITING | {State.OFFERED}
    overdue = [order for order in shop.store.orders.get_many(ids) if order.state in waiting]
    return [*reviews, *([Concern("overdue", count=len(overdue))] if overdue else [])]


def _refund_failed(order: Order) -> bool:
    return any(refund.status in {"failed", "canceled"} for refund in order.refunds)


def _machines(shop: Shop, seen: Glance) -> list[Concern]:
    found = []
    if seen.late_jobs and seen.first_due is not None:
        found.append(Concern("late", str(seen.late_jobs), seen.now - seen.first_due))
    if silence := _silence(seen):
        found.append(silence)
    strict = shop.settings.env == "production"
    found += [Concern("redis", sentence) for sentence in shop.store.durability(strict=strict)]
    return found


def _silence(seen: Glance) -> Concern | None:
    """Whether units were sold that no webhook told of, though there was time for it."""
    heard = seen.heard or 0
    # A webhook within the minute of the sale may be about it, or not: only later minutes are sure.
    untold = {
        of: units
        for of, units in seen.sales.items()
        if of > heard // MINUTE_MS and seen.now - (of + 1) * MINUTE_MS >= SILENCE_MS
    }
    if not untold:
        return None
    return Concern("silence", "", seen.now - min(untold) * MINUTE_MS, sum(untold.values()))
