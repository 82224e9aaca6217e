"""The scripts about goods that reach their customer, and notes; one typed method for each."""

from collections.abc import Mapping

from storefront.domain.orders import MOST_NOTES, UNDO_MS
from storefront.storage.answers import HandAnswer, Handed, NoteKept, TakenBack
from storefront.storage.asking import Asking


class Handing(Asking):
    """Hands orders over, takes it back, and keeps what people write about them."""

    def hand_over(
        self, order: str, *, key: str, who: str, units: Mapping[str, int], sent: bool = False
    ) -> HandAnswer:
        """Note once for each key that units are with the customer; none named: all that are left.

        ``sent``: they were handed to the post.
        """
        word, *rest = self._ask(
            "hand_over",
            order,
            key=key,
            units=[{"sku": sku, "quantity": number} for sku, number in sorted(units.items())],
            sent=sent,
            who=who,
            undo_ms=UNDO_MS,
        )
        match Handed(word):
            case Handed.TOO_MANY:
                return HandAnswer(Handed.TOO_MANY, sku=rest[0], left=int(rest[1]))
            case Handed.NOT_PAID:
                return HandAnswer(Handed.NOT_PAID, state=rest[0])
            case Handed.HANDED_OVER | Handed.ALREADY | Handed.TAKEN_BACK as done:
                return HandAnswer(done, at=int(rest[0]))
            case other:
                return HandAnswer(other)

    def take_back(self, order: str, *, key: str, who: str) -> TakenBack:
        """Note that what a form handed over was not, while it is no minute old."""
        return TakenBack(self._ask("take_back", order, key=key, who=who, undo_ms=UNDO_MS)[0])

    def note_order(self, order: str, *, key: str, text: str, who: str) -> NoteKept:
        """Keep once for each key what a person wrote about an order."""
        answer = self._ask("note_order", order, key=key, text=text, who=who, most=MOST_NOTES)
        return NoteKept(answer[0])
