"""What shoppers read while the shop takes no holds."""

from storefront.domain.door import Door

WORDS = {
    Door.RESTARTED: "We are checking our books with Stripe after a restart; buying opens again in a "
    "moment.",
    Door.REBUILD: "We are bringing our books back from Stripe; buying opens again when they are whole. "
    "What was paid is not lost.",
}
"""For the top of each page with goods. An empty shelf speaks for itself."""
