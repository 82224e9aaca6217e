"""What the shop knows of one customer: show it, and forget it. The books stay as they are."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from storefront.clients import mail
from storefront.domain.door import LOST
from storefront.domain.errors import BadInput, ShopClosed
from storefront.domain.orders import Order, State
from storefront.domain.waitlist import LONGEST_ADDRESS, Place, PlaceState
from storefront.services import orders, recovery, waitlist
from storefront.services.shop import Shop
from storefront.storage.answers import Forgot

JOB = "forget:all"
AGAIN_MS = 3600_000
SOON_MS = 1_000
BATCH = 100
"""Orders that one run of the job forgets; the next ones follow a second later."""
DAY_MS = 24 * 3600_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """What there is under one mail address."""

    email: str
    orders: tuple[Order, ...]
    """The newest first."""
    places: tuple[Place, ...]
    """In the waitlist."""

    @property
    def nothing(self) -> bool:
        """Whether there is neither an order nor a place."""
        return not (self.orders or self.places)


@dataclass(frozen=True, slots=True)
class Kept:
    """An order whose customer could not be forgotten yet."""

    order: str
    why: str
    """The rest of a sentence."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done."""

    orders: int
    places: int
    mails: int
    """Files; what a mail server took is not ours any more."""
    kept: tuple[Kept, ...]


def known(shop: Shop, email: str) -> Known:
    """All orders and places of an address, whatever the case of its letters.

    Raises BadInput for what is no address, ShopClosed while orders may be lost.
    """
    email = email.strip()
    if len(email) > LONGEST_ADDRESS or not mail.ADDRESS.fullmatch(email):
        raise BadInput("Write it like name@example.org.")
    if (door := recovery.stands(shop)) in LOST:
        raise ShopClosed(door)
    places = (one for one in shop.store.waitlist.all() if one.email.lower() == email.lower())
    return Known(email, tuple(shop.store.orders.by_email(email, most=-1)), tuple(places))


def export(shop: Shop, found: Known) -> dict[str, Any]:
    """All of it as one document for the customer; amounts in minor units."""
    return {
        "email": found.email,
        "orders": [
            orders.as_json(shop, order)
            | {
                "names": {line.sku: line.name for line in order.lines},
                "mails": {kind: orders.iso(at) for kind, at in order.notices.items() if at},
            }
            for order in found.orders
        ],
        "waitlist": [
            {
                "sku": place.sku,
                "state": place.state,
                "units": len(place.orders),
                "joined": orders.iso(place.joined),
                "confirmed": orders.iso(place.confirmed) if place.confirmed else None,
            }
            for place in found.places
        ],
    }


def forget(shop: Shop, email: str) -> Forgotten:
    """Forget whose the orders of an address are, and its places in the waitlist.

    An order for which something is still to be done keeps its address until that is done, and is
    named. Safe to repeat. Raises as ``known``.
    """
    found = known(shop, email)
    for place in found.places:
        waitlist.leave(shop, place)
    # Offers that ended with their places are orders of this address too.
    done, kept = _forget(shop, shop.store.orders.by_email(found.email, most=-1))
    mails = shop.mailer.forget("" if kept else found.email, done)
    log.info("a customer was forgotten: %d orders, %d kept for now", len(done), len(kept))
    return Forgotten(len(done), len(found.places), mails, tuple(kept))


def _forget(shop: Shop, found: Iterable[Order]) -> tuple[list[str], list[Kept]]:
    done, kept = [], []
    for order in found:
        word, what = shop.store.scripts.forget_customer(order.id)
        match word:
            case Forgot.FORGOTTEN:
                done.append(order.id)
            case Forgot.OWED:
                kept.append(Kept(order.id, f"this is still due for it: {what.partition(':')[0]}"))
            case Forgot.UNSENT:
                kept.append(Kept(order.id, "its goods are still to be sent"))
            case Forgot.UNDERWAY:
                kept.append(Kept(order.id, f"it is not over ({what.replace('_', ' ')})"))
    return done, kept


def forget_when_due(shop: Shop, _all: str) -> int | None:
    """The due job ``forget``: forget whose orders were that have been over for RETENTION_DAYS.

    It comes again every hour, or a second later while there are more.
    """
    if not shop.settings.retention_days:
        return None
    until = shop.store.now() - shop.settings.retention_days * DAY_MS
    old = shop.store.orders.each(shop.store.orders.with_email(until))
    done: list[str] = []
    for order in old:
        if order.updated <= until:
            done += _forget(shop, [order])[0]
        if len(done) == BATCH:
            break
    for place in shop.store.waitlist.all():
        if place.state is PlaceState.OFFERED and place.joined <= until and _over(shop, place):
            waitlist.leave(shop, place)
    if done:
        shop.mailer.forget("", done)
        log.info("%d customers were forgotten, as RETENTION_DAYS says", len(done))
    return SOON_MS if len(done) == BATCH else AGAIN_MS


def _over(shop: Shop, place: Place) -> bool:
    """Whether no offer of the place can be taken any more."""
    return all(
        order.state is not State.OFFERED for order in shop.store.orders.get_many(place.offers)
    )
