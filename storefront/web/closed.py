"""What shoppers read while the shop takes no holds."""

from storefront.domain.door import Door
from storefront.languages import _, mark

WORDS = {
    Door.RESTARTED: mark(
        "We are checking our books with Stripe after a restart; buying opens again in a moment."
    ),
    Door.REBUILD: mark(
        "We are bringing our books back from Stripe; buying opens again when they are whole. "
        "What was paid is not lost."
    ),
}
"""For the top of each page with goods. An empty shelf speaks for itself."""


def words(door: Door) -> str:
    """Why nothing can be bought, in the current language; empty while the shop is open."""
    return _(WORDS[door]) if door in WORDS else ""
