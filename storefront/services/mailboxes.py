"""Somebody has lost the link to their order: they get it by mail, and nobody else learns a thing."""

from storefront.clients import mail
from storefront.domain.door import LOST
from storefront.domain.errors import BadInput, ShopClosed
from storefront.services import recovery
from storefront.services.shop import Shop

PAUSE_MS = 600_000
"""An address gets at most one such mail in so long, whoever asks."""
MOST_CHARACTERS = 254


def mail_orders(shop: Shop, email: str) -> None:
    """Mail the links to an address's orders to it, if it has any and did not just get them.

    It does the same, and takes the same time, whether it has or not; the worker sends the mail.
    Raises BadInput for what is no address, ShopClosed while orders may be lost.
    """
    if len(email) > MOST_CHARACTERS or not mail.ADDRESS.fullmatch(email):
        raise BadInput("Write it like name@example.org.")
    if (door := recovery.stands(shop)) in LOST:
        raise ShopClosed(door)
    shop.store.scripts.mail_orders(email, pause_ms=PAUSE_MS)
