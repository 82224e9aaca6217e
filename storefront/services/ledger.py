"""The ledger as an operator reads it: filtered, page by page, or as a file for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime

from storefront.services.shop import Shop
from storefront.storage.ledger import Entry, Wanted

__all__ = ["Entry", "Wanted", "as_csv", "page"]

KINDS = (
    *("restock", "write_off", "hold", "offer", "sell", "release", "retake", "return", "keep"),
    *("hand_over", "take_back", "allot", "take", "unlink"),
)
"""What an entry can be about."""
LOOK_AT = 20_000
"""Entries that are read for one page, at most."""
COLUMNS = (
    *("id", "at", "sku", "what", "quantity", "origin", "target", "order", "why", "who"),
    *("available", "held", "sold", "written_off", "stocked"),
    "time_zone",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would take what begins so for a formula, and do what it says."""


def page(shop: Shop, wanted: Wanted, before: str, most: int) -> tuple[list[Entry], str]:
    """A page of the entries, the newest first, and the id that the next page comes before."""
    return shop.store.ledger.find(wanted, before, most=most, look_at=LOOK_AT)


def as_csv(shop: Shop, wanted: Wanted) -> Iterator[str]:
    """Every such entry as a line of CSV, the oldest first, after a line with the columns' names.

    Times are ISO 8601 in the shop's time zone, with their offset. A text that a spreadsheet would take
    for a formula gets a ' in front.
    """
    yield _line(COLUMNS)
    zone, name = shop.settings.zone, shop.settings.shop_timezone
    for entry in shop.store.ledger.export(wanted):
        at = datetime.fromtimestamp(entry.at / 1000, zone).isoformat(timespec="milliseconds")
        known = asdict(entry) | {"at": at, "time_zone": name}
        yield _line(known[column] for column in COLUMNS)


def safe(cell: object) -> object:
    """A cell as no spreadsheet takes it for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _line(cells: Iterable[object]) -> str:
    file = io.StringIO()
    csv.writer(file).writerow([safe(cell) for cell in cells])
    return file.getvalue()
