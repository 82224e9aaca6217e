"""The line for what is sold out or held: join it, see one's place, take what is offered, or leave.

Who is offered what is decided in the scripts that free units. Here is what a shopper, the operator
and the worker do about it.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from storefront import languages
from storefront.domain.door import LOST
from storefront.domain.errors import (
    BadInput,
    NotOpenYet,
    OverLimit,
    ShopClosed,
    StripeUnreachable,
    UnknownSku,
)
from storefront.domain.orders import AWAITING, HOLDING, Order, Reason, State
from storefront.domain.products import Product
from storefront.domain.waitlist import MOST_UNITS, Place, PlaceState
from storefront.services import checkout, links, recovery, sessions, settlement, terms
from storefront.services.checkout import Started
from storefront.services.shop import Shop
from storefront.storage.answers import Passed, Settled, Taken

LAPSE_MS = 48 * 3600_000
"""An unconfirmed place is forgotten after so long."""
MAIL_AGAIN_MS = 6 * 3600_000
"""Who joins again unconfirmed gets the mail again, but no stranger can have it sent more often."""
AGAIN_MS = 60_000
"""When to look again whether units can be offered that are off the shelf."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """A place with what is true of it now."""

    place: Place
    ahead: int
    """Confirmed places before it."""
    offers: tuple[Order, ...]
    """The orders that were offered to it, the oldest first."""

    @property
    def open_offers(self) -> tuple[Order, ...]:
        """Those that can be taken."""
        return tuple(order for order in self.offers if order.state is State.OFFERED)

    @property
    def taken(self) -> tuple[Order, ...]:
        """Those that were taken."""
        return tuple(order for order in self.offers if order.taken)


def limit_of(shop: Shop, product: Product) -> int:
    """Units of one SKU that one place may wait for."""
    return min(product.max_per_order or shop.settings.max_per_order, MOST_UNITS)


def join(shop: Shop, *, sku: str, email: str, quantity: int = 1) -> None:
    """Take a place in the line for a SKU; it counts once the mail's link confirmed it.

    An address that is in line already keeps its place, and nothing tells whether it was. Raises the
    refusals of ``domain.errors``, with nothing changed.
    """
    if (door := recovery.stands(shop)) in LOST:
        raise ShopClosed(door)
    found = shop.store.catalogue.current().by_sku(sku)
    if found is None:
        raise UnknownSku(sku)
    product, _ = found
    if quantity < 1:
        raise BadInput("Choose a quantity of 1 or more.")
    if quantity > (limit := limit_of(shop, product)):
        raise OverLimit(sku, limit)
    now = shop.store.now()
    if product.opens_at and product.opens_at > now:
        raise NotOpenYet(sku, product.opens_at)
    ids = links.place_ids(shop.settings, sku, email)
    known = next(iter(shop.store.waitlist.get_many(ids)), None)
    place = known.id if known else ids[0]
    # Another set for each time that the place is taken: an order is made once.
    turn = (place, known.number if known else "", str(now))
    numbers = range(1, quantity + 1)
    word = shop.store.scripts.join_line(
        place,
        sku=sku,
        email=email,
        orders=[links.order_id(shop.settings, "offer", *turn, str(n)) for n in numbers],
        renew=known is not None and _over(shop, known),
        again_ms=MAIL_AGAIN_MS,
        lapse_ms=LAPSE_MS,
        language=languages.current(),
    )
    if word == "unknown_sku":
        raise UnknownSku(sku)
    log.info("waitlist of %s: %s", sku, word)


def _over(shop: Shop, place: Place) -> bool:
    """Whether nothing that was offered to the place is still held for it."""
    offers = shop.store.orders.get_many(place.offers)
    return not any(order.state in HOLDING or order.state is State.REVIEW for order in offers)


def link(shop: Shop, order: Order) -> str:
    """The absolute link to the page on which an offer is taken."""
    return links.place(shop.settings, order.place)


def find(shop: Shop, token: str) -> Standing | None:
    """The place that a link's token opens, as it stands; None when it is no place of ours any more."""
    place = links.open_place(shop.settings, token)
    found = shop.store.waitlist.get(place) if place else None
    return _standing(shop, found) if found else None


def _standing(shop: Shop, place: Place) -> Standing:
    offers = tuple(shop.store.orders.get_many(place.offers))
    return Standing(place, shop.store.waitlist.ahead(place), offers)


def confirm(shop: Shop, place: Place) -> None:
    """Let the place count, from where it joined."""
    word = shop.store.scripts.confirm_place(place.id)
    log.info("waitlist of %s: a place is %s", place.sku, word)


def leave(shop: Shop, place: Place) -> None:
    """Take the place out of the line; what is offered to it goes to the next ones.

    What was taken already is an order like any other, and stays.
    """
    _end(shop, place, PlaceState.LEFT)


def _end(shop: Shop, place: Place, how: PlaceState, who: str = "") -> None:
    # First the place: else the unit that it gives back would be offered to it again.
    word = shop.store.scripts.leave_line(place.id, how)
    log.info("waitlist of %s: a place has %s: %s", place.sku, how, word)
    for order in shop.store.orders.get_many(place.offers):
        if order.state is State.OFFERED:
            settlement.withdraw(shop, order, Reason.CANCELLED, who)


def take(shop: Shop, standing: Standing, order_id: str = "") -> Started | None:
    """Turn an offer into a hold and open its payment; None when there is nothing to be taken.

    ``order_id`` names one of several offers; without it the first that is not over is meant, so a
    second click leads back to the first one's payment. Raises StripeError as ``checkout.begin``
    does, and ShopClosed.
    """
    named = [one for one in standing.offers if order_id in {"", one.id} and one.state in HOLDING]
    if not named:
        return None
    order, settings = named[0], shop.settings
    if order.state is not State.OFFERED:
        return checkout.resume(shop, order)
    answer = shop.store.scripts.take_offer(
        order.id,
        form=settings.checkout_ui,
        terms=terms.offered_now(shop, order),
        hold_ms=settings.hold_seconds * 1000,
        grace_ms=settings.hold_grace_seconds * 1000,
        session_seconds=sessions.SESSION_SECONDS,
        ask_ms=checkout.ASK_MS,
    )
    log.info("order %s: offer %s", order.id, answer.word, extra={"order": order.id})
    order = shop.store.orders.get(order.id) or order
    match answer.word:
        case Taken.TAKEN:
            return checkout.open_payment(shop, order, first=True)
        case Taken.ALREADY if order.state in AWAITING:
            return checkout.resume(shop, order)
        case Taken.CLOSED:
            raise ShopClosed(answer.door)
        case Taken.LATE:
            settlement.withdraw(shop, order, Reason.EXPIRED)
        case Taken.UNKNOWN_ORDER:  # only when Redis lost what it had acknowledged
            raise StripeUnreachable(f"order {order.id} is gone")
    return None


def pass_on_when_due(shop: Shop, sku: str) -> int | None:
    """The due job ``offer``: offer units that the script which freed them could not.

    Answers in how many milliseconds to look again while they are off the shelf.
    """
    return AGAIN_MS if shop.store.scripts.offer_units(sku) is Passed.LATER else None


def lapse_when_due(shop: Shop, place: str) -> None:
    """The due job ``lapse``: forget a place that was never confirmed."""
    shop.store.scripts.leave_line(place, "lapsed")


def running(shop: Shop) -> Iterator[Standing]:
    """Every place that waits, is to be confirmed, or has something offered, by SKU and in line."""
    for place in shop.store.waitlist.all():
        standing = _standing(shop, place)
        ended = place.state not in {PlaceState.UNCONFIRMED, PlaceState.WAITING}
        if not ended or standing.open_offers:
            yield standing


def stop(shop: Shop, place_id: str, who: str) -> bool:
    """End a place by the operator's hand, its offers too; False when there is no such place."""
    place = shop.store.waitlist.get(place_id)
    if place is not None:
        _end(shop, place, PlaceState.STOPPED, who)
    return place is not None


def stop_offer(shop: Shop, order_id: str, who: str) -> Settled:
    """End one offer by the operator's hand: its unit goes to the next in line."""
    order = shop.store.orders.get(order_id)
    if order is None:
        return Settled.UNKNOWN_ORDER
    if order.state is not State.OFFERED:
        return Settled.KEPT
    return settlement.withdraw(shop, order, Reason.CANCELLED, who)
