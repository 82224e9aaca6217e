"""Replay the ledger: it must lead to the counters, and to where each order's units are."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from storefront.domain.payment_links import ALLOTMENT
from storefront.services.checks import Check, Faults
from storefront.services.shop import Shop
from storefront.storage.ledger import Entry
from storefront.storage.snapshot import Snapshot
from storefront.storage.stock import COUNTERS


def replay(shop: Shop, snapshot: Snapshot, newest: int | None) -> Check:
    """I11: one entry for each change.

    With ``newest``, only so many of the last entries are read; what came before them is believed.
    """
    entries: Iterable[Entry] = ()
    whole = newest is None
    if snapshot.last_entry and newest is not None:
        last = shop.store.ledger.tail(snapshot.last_entry, newest)
        entries, whole = last, len(last) < newest
    elif snapshot.last_entry:
        entries = shop.store.ledger.walk(snapshot.last_entry)
    found, counts, places = _count(entries, whole)
    for sku, level in snapshot.levels.items():
        if sku in counts or whole:
            replayed = counts.get(sku, Counter())
            found += [
                f"{sku}: {name} is {getattr(level, name)}, the ledger says {replayed[name]}"
                for name in COUNTERS
                if replayed[name] != getattr(level, name)
            ]
    if whole:
        found += _misplaced(snapshot, places)
    fine = (
        "replaying the ledger gives the counters, and where each order's units are"
        if whole
        else "replaying the ledger's last entries gives the counters"
    )
    return Faults("I11 ledger", fine, found).check()


Places = dict[tuple[str, str], Counter[str]]
"""Units of each order or payment link and SKU by the counter that they were brought to."""


def _count(
    entries: Iterable[Entry], whole: bool
) -> tuple[list[str], Mapping[str, Counter[str]], Places]:
    """What entries contradict, the counters that they lead to, and where they brought the orders."""
    found: list[str] = []
    counts: dict[str, Counter[str]] = {}
    places: Places = defaultdict(Counter)
    for entry in entries:
        said = Counter({name: getattr(entry, name) for name in COUNTERS})
        if entry.sku not in counts and not whole:
            counts[entry.sku] = said
        else:
            replayed = counts.setdefault(entry.sku, Counter())
            _apply(replayed, entry)
            if replayed != said:
                found.append(f"{entry.sku}: entry {entry.id} says other counters than replayed")
        if entry.what == "take":  # from a payment link to an order
            places[entry.why, entry.sku]["held"] -= entry.quantity
            places[entry.order, entry.sku]["held"] += entry.quantity
        elif entry.order:
            _apply(places[entry.order, entry.sku], entry)
    return found, counts, places


def _apply(count: Counter[str], entry: Entry) -> None:
    if entry.origin:
        count[entry.origin] -= entry.quantity
    else:
        count["stocked"] += entry.quantity
    count[entry.target] += entry.quantity


def _named(order: str) -> str:
    return order.replace(":", " ") if order.startswith(ALLOTMENT) else f"order {order}"


def _misplaced(snapshot: Snapshot, places: Places) -> Iterator[str]:
    """Orders whose units are elsewhere than the ledger brought them."""
    units = {
        (order, sku): (at, number)
        for order, (at, basket) in snapshot.units.items()
        for sku, number in basket.items()
    } | {
        (ALLOTMENT + link, sku): ("held", number)
        for link, basket in snapshot.allotments.items()
        for sku, number in basket.items()
    }
    for order, sku in sorted(units.keys() | places.keys()):
        at, number = units.get((order, sku), ("", 0))
        for place in ("held", "sold"):
            moved, has = places[order, sku][place], number if at == place else 0
            if moved != has:
                yield f"{_named(order)} has {has} of {sku} {place}, the ledger says {moved}"
