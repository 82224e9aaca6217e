"""Units come in and go out by the operator's hand."""

import logging
from dataclasses import dataclass

from storefront.domain.door import LOST
from storefront.domain.errors import ShopClosed
from storefront.domain.products import Level
from storefront.services import recovery
from storefront.services.shop import Shop
from storefront.storage.answers import Restocked as Word
from storefront.storage.ledger import Entry

MOST = 1_000_000
"""Units in one restock; more is a slip of the finger."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restocked:
    """What became of a restock, and the SKU's counters after it."""

    word: Word
    level: Level | None


def restock(shop: Shop, *, sku: str, delta: int, reason: str, who: str, key: str) -> Restocked:
    """Add units (``delta`` above 0), or take available ones away, once for each ``key``.

    Raises ShopClosed while the books are lost: a rebuild would not know of it.
    """
    if not 0 < abs(delta) <= MOST:
        raise ValueError(f"{delta} is not a change of 1 to {MOST} units")
    if (door := recovery.stands(shop)) in LOST:
        raise ShopClosed(door)
    word = shop.store.scripts.restock(sku, delta=delta, reason=reason, who=who, key=key)
    log.info("restock %s %+d by %s: %s", sku, delta, who, word)
    return Restocked(word, next((level for level in levels(shop) if level.sku == sku), None))


def levels(shop: Shop) -> list[Level]:
    """Every SKU's counters at one moment."""
    return shop.store.stock.levels()


def find(shop: Shop, text: str) -> Level | None:
    """The counters of the SKU that was typed or scanned; capitals count only to tell two apart."""
    if level := shop.store.stock.level(text):
        return level
    alike = [level for level in levels(shop) if level.sku.casefold() == text.casefold()]
    return alike[0] if len(alike) == 1 else None


def history(shop: Shop, sku: str | None = None, count: int = 50) -> list[Entry]:
    """The ledger's last entries, the newest first."""
    return shop.store.ledger.latest(count, sku)
