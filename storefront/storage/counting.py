"""The scripts by which an operator puts stock right, one typed method for each."""

from collections.abc import Mapping

from storefront.domain.products import Level
from storefront.storage.answers import CorrectAnswer, Corrected, UndoAnswer, Undone
from storefront.storage.asking import Asking
from storefront.storage.stock import COUNTERS


class Counting(Asking):
    """Brings the books to what a person found."""

    def correct_stock(
        self,
        seen: Level,
        *,
        counted: int,
        apart: int,
        apart_seen: int,
        reason: str,
        who: str,
        key: str,
    ) -> CorrectAnswer:
        """Bring what is available to what was counted, once for each key.

        ``seen`` are the counters that the operator was shown; ``apart`` are units among the counted
        that are sold and not handed over, now and (``apart_seen``) as shown.
        """
        shown: Mapping[str, int] = {name: getattr(seen, name) for name in COUNTERS}
        answer = self._ask(
            "correct_stock",
            "",
            key,
            seen=self._keys.restock(key),
            sku=seen.sku,
            counted=counted,
            apart=apart,
            shown={**shown, "apart": apart_seen},
            reason=reason,
            who=who,
        )
        word = Corrected(answer[0])
        return CorrectAnswer(word, int(answer[1]) if len(answer) > 1 else 0)

    def undo_entry(self, entry: str, *, who: str) -> UndoAnswer:
        """Move an entry's units back, once; ``entry`` is an id of the ledger's."""
        own = (self._keys.undone(), self._keys.hold(""))
        answer = self._ask("undo_entry", "", own=own, entry=entry, who=who)
        word, sku, left = (*answer, "", "")[:3]
        return UndoAnswer(Undone(word), sku, int(left or 0))
