"""The operator looks for orders: by an id at once, else page by page, never through all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from storefront.domain.orders import Order, State
from storefront.services.shop import Shop

ROWS = 50
LOOKS = 2000
"""So many orders are looked through for one page; then a link leads further."""
CHUNK = 200
MOST_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; whatever is empty does not matter."""

    text: str = ""
    """An id of the order, a payment, a session or a refund; a mail address; or a part of a name."""
    sku: str = ""
    state: State | None = None

    @property
    def anything(self) -> bool:
        """Whether every order fits that is in the state."""
        return not self.text and not self.sku


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found, the newest first."""

    orders: list[Order]
    looked: int
    """Orders that were looked through for it, and for the pages before."""
    back_to: int | None
    """When the last of these was made (ms); None when it looked through none by time."""
    further: int | None
    """How many to pass over to go on; None when there are no more."""


def search(shop: Shop, wanted: Wanted, *, skip: int = 0) -> Found:
    """A page of the orders that fit, of which the first ``skip`` candidates were looked at before.

    An id or a whole mail address is looked up. For the rest at most ``LOOKS`` orders are read. An
    order that comes in between two pages can show another one twice.
    """
    exact = _by_id(shop, wanted.text)
    if exact is not None:
        return Found([exact] if _fits(exact, wanted, "") else [], 1, None, None)
    if "@" in wanted.text.strip("@"):
        all_of_address = shop.store.orders.by_email(wanted.text, most=LOOKS)
        if all_of_address:
            return _walk(lambda at: all_of_address[at : at + CHUNK], wanted, "", skip)

    def read(at: int) -> list[Order]:
        ids = shop.store.orders.newest(wanted.state, skip=at, most=CHUNK)
        return shop.store.orders.get_many(ids)

    return _walk(read, wanted, wanted.text.casefold(), skip)


def _walk(read: Callable[[int], list[Order]], wanted: Wanted, text: str, skip: int) -> Found:
    """Read orders in chunks from ``skip`` on, until a page is full or enough were looked at."""
    found: list[Order] = []
    at, back_to = skip, None
    while at < skip + LOOKS:
        chunk = read(at)
        for place, order in enumerate(chunk, 1):
            at, back_to = at + 1, order.created
            if _fits(order, wanted, text):
                found.append(order)
                if len(found) == ROWS:
                    more = place < len(chunk) or read(at)
                    return Found(found, at, back_to, at if more else None)
        if len(chunk) < CHUNK:
            return Found(found, at, back_to, None)
    return Found(found, at, back_to, at)


def _by_id(shop: Shop, text: str) -> Order | None:
    """The order with this id, or the one that this payment paid."""
    store = shop.store.orders
    if not text or " " in text:
        return None
    payer = store.by_payment(text)
    return store.get(payer) if payer else store.get(text.lower())


def _fits(order: Order, wanted: Wanted, text: str) -> bool:
    if wanted.state and order.state is not wanted.state:
        return False
    if wanted.sku and wanted.sku not in order.quantities:
        return False
    return not text or any(text in word.casefold() for word in _words(order))


def _words(order: Order) -> list[str]:
    """Everything about an order by which a person may know it."""
    return [
        order.email,
        order.recipient.name if order.recipient else "",
        *order.sessions,
        *order.payments,
        *order.authorizations,
        *(refund.id for refund in order.refunds),
        *(dispute.id for dispute in order.disputes),
        *(word for line in order.lines for word in (line.sku, line.name)),
    ]
