"""Nobody jumps the line: what the waitlist must agree with in the books, and in the ledger."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from storefront.domain.products import Level
from storefront.domain.waitlist import Place, PlaceState
from storefront.services.checks import Check, Faults
from storefront.services.shop import Shop
from storefront.storage.ledger import Entry
from storefront.storage.snapshot import Snapshot

RESTORED = "restored"
"""Why units were held or taken again that were somebody's before Redis lost it."""


def check(shop: Shop, snapshot: Snapshot) -> list[Check]:
    """That everybody in line is who should be, and got what came free before anybody else.

    Only those who wait now are looked at, so of the ledger only what came after the first of them.
    """
    waiting: dict[str, list[Place]] = defaultdict(list)
    for place in snapshot.places:
        if place.state is PlaceState.WAITING:
            waiting[place.sku].append(place)
    return [_places(snapshot, waiting), _first(shop, snapshot, waiting)]


def _places(snapshot: Snapshot, waiting: Mapping[str, Sequence[Place]]) -> Check:
    faults = Faults("I13 places", "in line is who confirmed a place and waits for a unit")
    should = {f"{p.sku}:{p.number}:{p.id}" for places in waiting.values() for p in places}
    for member in sorted(should ^ set(snapshot.line)):
        which = "waits and is not in line" if member in should else "is in line and does not wait"
        faults.found.append(f"place {member.rpartition(':')[2]} {which}")
    for place in snapshot.places:
        used_up = place.offered >= len(place.orders)
        if place.offered > len(place.orders) or (place.state is PlaceState.WAITING and used_up):
            faults.found.append(f"place {place.id} was offered {place.offered} units")
        if place.state is PlaceState.UNCONFIRMED and f"lapse:{place.id}" not in snapshot.due:
            faults.found.append(f"place {place.id} never lapses")
    return faults.check()


def _first(shop: Shop, snapshot: Snapshot, waiting: Mapping[str, Sequence[Place]]) -> Check:
    faults = Faults("I13 line", "nobody got a unit before those who waited for it longer")
    for sku in waiting:
        available = snapshot.levels.get(sku, Level(sku)).available
        if available > 0 and f"offer:{sku}" not in snapshot.due:
            faults.found.append(f"{sku}: {available} are there, nobody is offered them")
    if waiting and snapshot.last_entry:
        faults.found += _jumps(shop, snapshot, waiting)
    return faults.check()


def _jumps(shop: Shop, snapshot: Snapshot, waiting: Mapping[str, Sequence[Place]]) -> Iterator[str]:
    """Units that went to somebody else while these places waited for them."""
    number = {order: place.number for place in snapshot.places for order in place.orders}
    since = min(place.confirmed for places in waiting.values() for place in places)
    for entry in shop.store.ledger.since(since, snapshot.last_entry):
        for place in waiting.get(entry.sku, ()):
            if place.confirmed < entry.at and _before(entry, number.get(entry.order, ""), place):
                yield f"{entry.sku}: order {entry.order} came before place {place.id}"


def _before(entry: Entry, number: str, place: Place) -> bool:
    """Whether this change gave units to somebody who is behind the place, or not in line at all."""
    if entry.what == "offer":
        return number > place.number
    return entry.what in {"hold", "retake", "allot"} and entry.why != RESTORED
