"""An operator counts what is there, and the books follow; or takes a restock back."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from storefront.domain.door import LOST
from storefront.domain.errors import ShopClosed
from storefront.domain.orders import State
from storefront.domain.products import Level
from storefront.services import recovery
from storefront.services.shop import Shop
from storefront.storage.answers import CorrectAnswer, UndoAnswer
from storefront.storage.ledger import Entry

SOLD = (State.PAID, State.AUTHORIZED, State.REVIEW)
"""Orders whose goods may still be here."""

log = logging.getLogger(__name__)


class Pile(StrEnum):
    """Which units somebody counted."""

    TABLE = "table"
    """What is on sale and what is held for orders being paid; sold units lie elsewhere."""
    ALL = "all"
    """Sold units that nobody has fetched yet, too."""


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted of a SKU, and the books as they were shown beside it."""

    level: Level
    counted: int
    pile: Pile
    apart: int
    """Sold and not handed over, as far as they were counted."""

    @property
    def expected(self) -> int:
        """How many units should have been counted."""
        return self.level.available + self.level.held + self.apart

    @property
    def delta(self) -> int:
        """What the books lack, or have too many."""
        return self.counted - self.expected

    @property
    def missing(self) -> int:
        """Units that are missing beyond those on sale: they are held or sold."""
        return max(0, -self.delta - self.level.available)


def look(shop: Shop, level: Level, counted: int, pile: Pile) -> Count:
    """What a count says beside the books of now; nothing is changed."""
    return Count(level, counted, pile, _apart(shop, level.sku, pile))


def correct(shop: Shop, count: Count, *, reason: str, who: str, key: str) -> CorrectAnswer:
    """Bring what is available to what was counted, once for each ``key``.

    ``stale`` when the books are not those of ``count`` any more. Raises ShopClosed while they are
    lost: a rebuild would not know of it.
    """
    if (door := recovery.stands(shop)) in LOST:
        raise ShopClosed(door)
    done = shop.store.scripts.correct_stock(
        count.level,
        counted=count.counted,
        apart=_apart(shop, count.level.sku, count.pile),
        apart_seen=count.apart,
        reason=f"counted {count.counted}: {reason}",
        who=who,
        key=key,
    )
    log.info("count %s %d by %s: %s", count.level.sku, count.counted, who, done.word)
    return done


def undo(shop: Shop, entry: str, *, who: str) -> UndoAnswer:
    """Move the units of a restock or a write-off back, once; ``entry`` is its id in the ledger.

    Raises ShopClosed while the books are lost.
    """
    if (door := recovery.stands(shop)) in LOST:
        raise ShopClosed(door)
    done = shop.store.scripts.undo_entry(entry, who=who)
    log.info("undo %s by %s: %s", entry, who, done.word)
    return done


def undoable(shop: Shop, entries: Sequence[Entry]) -> set[str]:
    """Which of these entries were made by hand and were not undone, by id."""
    by_hand = [e.id for e in entries if e.what in {"restock", "write_off"} and not e.order]
    return set(by_hand) - shop.store.ledger.undone(by_hand)


def _apart(shop: Shop, sku: str, pile: Pile) -> int:
    """Units of a SKU that are sold and still here, if they were counted."""
    if pile is Pile.TABLE:
        return 0
    return sum(
        order.to_hand_over.get(sku, 0)
        for state in SOLD
        for order in shop.store.orders.walk(state)
        if order.units == "sold"
    )
