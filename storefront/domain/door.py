"""Whether the shop may take holds: only while its books are known to be whole."""

from enum import StrEnum


class Door(StrEnum):
    """How the shop's door stands."""

    OPEN = "open"
    RESTARTED = "restarted"
    """Redis is another process than the one on which the books were last found whole."""
    REBUILD = "rebuild"
    """The books were lost; they come back from Stripe."""
    EMPTY = "empty"
    """Nothing was ever imported here, or all of it was lost."""


WHY = {
    Door.RESTARTED: "Redis was restarted: a worker, or `flask shop reconcile`, compares the books "
    "with Stripe, and then buying opens again.",
    Door.REBUILD: "The books were lost: run `flask shop rebuild --from-stripe`, and buying opens "
    "again.",
    Door.EMPTY: "Redis has no books of this shop: run `flask shop import` with its catalogue.",
}
"""What an operator must know of a closed shop."""

LOST = frozenset({Door.REBUILD, Door.EMPTY})
"""There are no books that could be trusted with an event from Stripe."""
