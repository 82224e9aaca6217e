"""Fills a shop with settled orders, each by the scripts that a real one asks: in bulk, two at once."""

import json
import sys
from concurrent.futures import ProcessPoolExecutor

from storefront.domain.products import Product, Variant
from storefront.domain.terms import Recipient, Way
from storefront.storage.answers import Settled
from storefront.storage.charging import Charged
from storefront.storage.connection import connect
from storefront.storage.store import Store, open_store
from tests.storage.steps import PRICE, Book

SHOP_ID = "popup"
SKUS = tuple(f"print-{number:02d}" for number in range(20))
RARE = "print-of-one"
"""A SKU that only the first order has."""
FIRST = "Wilhelmina Firstcomer"
"""Whose name only the first order has."""
PROCESSES = 2
BATCH = 500
"""Orders made between two words about how far it got."""
LEASE_MS = 3_600_000


class CannotFill(Exception):
    """A script answered otherwise than with an order that is settled."""


def order_id(number: int) -> str:
    """As long as a real one's."""
    return f"order{number:011d}"


def payment_id(number: int) -> str:
    """As long as a real one's."""
    return f"pi_{number:024d}"


def email(number: int) -> str:
    """Each shopper comes ten times."""
    return f"shopper{number // 10}@example.com"


def units(number: int) -> dict[str, int]:
    """What an order is of."""
    return {SKUS[number % len(SKUS)]: 1 + number % 2} | ({RARE: 1} if number == 0 else {})


def amount(number: int) -> int:
    """What it costs, in minor units."""
    return PRICE * sum(units(number).values())


def open_store_at(url: str) -> Store:
    return open_store(connect(url), SHOP_ID)


def put_on_the_shelf(url: str, orders: int) -> None:
    """Products with more than enough units of each."""
    goods = [Product(sku, sku.title(), (Variant(sku, PRICE),)) for sku in (*SKUS, RARE)]
    open_store_at(url).scripts.publish_catalogue(
        {product.slug: json.dumps(product.to_json()) for product in goods},
        {product.slug: 2 * orders for product in goods},
        version="v1",
        who="benchmark",
    )


def fill(url: str, orders: int) -> None:
    """Sell so many orders, the newest last; says on stderr how far it got."""
    put_on_the_shelf(url, orders)
    but_one = orders - 1
    parts = [(url, at, min(at + BATCH, but_one)) for at in range(0, but_one, BATCH)]
    done = 0
    with ProcessPoolExecutor(PROCESSES) as pool:
        for made in pool.map(_sell, parts):
            done += made
            print(f"\r{done} orders settled", end="", file=sys.stderr, flush=True)
    done += _sell(
        (url, but_one, orders)
    )  # on its own, for a batch before may have ended after others
    print(f"\r{done} orders settled", file=sys.stderr)
    rest_up(open_store_at(url))


def _sell(part: tuple[str, int, int]) -> int:
    url, first, last = part
    store = open_store_at(url)
    for number in range(first, last):
        sell(Book(store), number)
    rest_up(store)
    return last - first


def sell(book: Book, number: int) -> None:
    """One order that is paid; every tenth is handed over, and every twentieth goes back."""
    order, payment, session = order_id(number), payment_id(number), f"cs_test_{number:052d}"
    paid = amount(number)
    book.open(order, units(number), session)
    to = Recipient("Ada Shopper" if number else FIRST, "12 St James's Square", country="GB")
    settled = book.settle(
        order,
        payment,
        session=session,
        amount=paid,
        parts=Charged(paid, way=Way.PICKUP, recipient=to),
        email=email(number),
        event=f"evt_{number:024d}",
    )
    if settled is not Settled.SOLD:
        raise CannotFill(f"{order}: {settled}")
    if number % 20 == 7:
        book.refund(order, f"re_{number:024d}", payment, amount=paid, reason="asked")
    elif number % 10 == 3:
        book.hand_over(order, key=f"scan-{number:06d}")


def rest_up(store: Store) -> None:
    """Every mail is sent, and nothing is due that a worker would do at once."""
    while jobs := store.scripts.claim_due(limit=200, lease_ms=LEASE_MS):
        for job in jobs:
            order, field = _mail(job.name)
            store.scripts.finish_due(job, order=order, field=field)


def _mail(job: str) -> tuple[str, str]:
    """The order and its field in which a mail is noted, by the job's name."""
    what, *rest = job.split(":")
    if what != "mail":
        return "", ""
    kind, order, *about = rest
    return order, ":".join((what, kind, *about))
