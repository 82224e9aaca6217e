"""A whole list of restocks: what it would do is said line by line, then each line is done once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from storefront.domain.restock_list import Row
from storefront.services import restocking, shelf
from storefront.services.shop import Shop
from storefront.storage.answers import Restocked as Word


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of the list beside the books of now."""

    row: Row
    name: str
    """Of the article; empty when no product has it."""
    before: int
    """Available before it is done, the lines above it done."""

    @property
    def after(self) -> int:
        """Available after it."""
        return self.before + self.row.delta


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a line."""

    row: Row
    word: Word
    available: int
    """Right after it."""


def look(shop: Shop, rows: Sequence[Row]) -> list[Seen]:
    """What the list would do to the books as they stand; changes nothing.

    A line that cannot be done says so in its row.
    """
    names = shelf.catalogue(shop).names
    available = {level.sku: level.available for level in restocking.levels(shop)}
    moved: Counter[str] = Counter()
    seen = []
    for row in rows:
        before = available.get(row.sku, 0) + moved[row.sku]
        wrong = row.wrong
        if not wrong and row.sku not in available:
            wrong = "No article has this number."
        elif not wrong and before + row.delta < 0:
            wrong = f"Only {before} are available: what is held or sold cannot be taken away."
        elif not wrong:
            moved[row.sku] += row.delta
        seen.append(Seen(replace(row, wrong=wrong), names.get(row.sku, ""), before))
    return seen


def carry_out(shop: Shop, rows: Sequence[Row], *, who: str, key: str) -> list[Done]:
    """Do every line, once for each ``key`` however often it is asked for.

    A line that the books do not allow any more is left out, and its answer says so. Raises ShopClosed
    while the books are lost.
    """
    done = []
    for row in rows:
        answer = restocking.restock(
            shop,
            sku=row.sku,
            delta=row.delta,
            reason=row.reason,
            who=who,
            key=f"{key}:{row.number}",
        )
        done.append(Done(row, answer.word, answer.level.available if answer.level else 0))
    return done
