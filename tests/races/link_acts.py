"""What the scripts of payment links can be asked to do, for a case that shares nothing with any other."""

from dataclasses import replace

from storefront.domain.payment_links import LinkState, PaymentLink
from tests.storage.steps import ASK_MS, PRICE, Book

UNITS = 2
RUN: dict[str, str] = {}
"""The server's run, as it was when the case's link was ended."""


def link(case: str) -> PaymentLink:
    return PaymentLink(
        id=f"link-{case}",
        sku=f"sku-{case}",
        units=UNITS,
        left=UNITS,
        state=LinkState.MAKING,
        unit_amount=PRICE,
        currency="usd",
        created=0,
        stripe=f"plink_{case}",
        url=f"https://buy.example/{case}",
    )


def stocked(book: Book, case: str) -> None:
    book.stock(**{f"sku-{case}": 2 * UNITS})


def made(book: Book, case: str) -> None:
    stocked(book, case)
    make(book, case)


def selling(book: Book, case: str) -> None:
    made(book, case)
    attach(book, case)


def sold_one(book: Book, case: str) -> None:
    selling(book, case)
    take(book, case)


def ended(book: Book, case: str) -> None:
    selling(book, case)
    end(book, case)
    _, RUN[case] = book.store.scripts.read_door()


def make(book: Book, case: str) -> object:
    return book.store.scripts.open_link(link(case), who="ada", ask_ms=ASK_MS)[0]


def attach(book: Book, case: str) -> object:
    known = link(case)
    return book.store.scripts.attach_link(known.id, stripe=known.stripe, url=known.url)


def attach_another(book: Book, case: str) -> object:
    return book.store.scripts.attach_link(link(case).id, stripe=f"plink_b_{case}", url="")


def take(book: Book, case: str, order: str = "") -> object:
    return book.store.scripts.take_unit(
        f"{order}{case}",
        link(case).line,
        link=link(case).id,
        session=f"cs_{order}{case}",
        currency="usd",
        expires_at=1_900_000_000,
        email=f"{case}@example.com",
        ask_ms=ASK_MS,
    )


def take_the_last(book: Book, case: str) -> object:
    return take(book, case, "second-")


def take_without_a_link(book: Book, case: str) -> object:
    return take(book, case)


def end(book: Book, case: str) -> object:
    return book.store.scripts.end_link(link(case).id, why="closed", who="ada")


def close(book: Book, case: str) -> object:
    return book.store.scripts.close_link(
        link(case).id, why="closed", stripe=link(case).stripe, run=RUN[case]
    )


def restore(book: Book, case: str) -> object:
    return book.store.scripts.restore_link(replace(link(case), left=1))


def restore_short(book: Book, case: str) -> object:
    return book.store.scripts.restore_link(replace(link(case), units=9, left=9))
