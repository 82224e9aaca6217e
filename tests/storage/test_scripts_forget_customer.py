"""forget_customer: an order without its customer, and nothing personal that comes back to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from storefront.domain.terms import Recipient
from storefront.storage.answers import Forgot, Noted, Wished
from tests.storage.steps import Book

ADA = "Ada@Example.com"
STREET = "12 Analytical Row"
FORGOTTEN = (Forgot.FORGOTTEN, "")


def texts(client: Any) -> Iterator[str]:
    """Every key and every value of a Redis."""
    for key in client.scan_iter():
        yield key
        match client.type(key):
            case "string":
                yield client.get(key)
            case "hash":
                yield from (part for pair in client.hgetall(key).items() for part in pair)
            case "zset":
                yield from client.zrange(key, 0, -1)
            case "stream":
                yield from (text for _, row in client.xrange(key) for text in row.values())
            case other:
                raise AssertionError(f"{key} is a {other}, which nobody looked into")


def left(book: Book, *words: str) -> list[str]:
    """Every text in Redis in which one of the words stands, in any case."""
    return [
        text
        for text in texts(book.store._client)
        if any(word.lower() in text.lower() for word in words)
    ]


@pytest.fixture
def sold(book: Book) -> Book:
    """Ada has two posters, and all mails about them are sent."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.settle("o1", email=ADA)
    book.store._client.hset(
        book.store.keys.order("o1"), "recipient", Recipient("Ada", STREET).to_json()
    )
    clear(book)
    return book


def clear(book: Book) -> None:
    """What is due is done."""
    book.store._client.delete(book.store.keys.name("due"))


def forget(book: Book, order: str = "o1") -> tuple[Forgot, str]:
    return book.store.scripts.forget_customer(order)


def test_forgotten_leaves_no_address_in_any_value_and_the_books_as_they_were(sold: Book) -> None:
    sold.store.scripts.mail_orders(ADA, pause_ms=600_000)
    clear(sold)
    assert len(left(sold, ADA, STREET)) == 4, "the order's two, the list, and who asked"
    before = sold.order("o1")
    assert forget(sold) == FORGOTTEN
    assert left(sold, ADA, STREET) == []
    after = sold.order("o1")
    assert (after.email, after.recipient, after.visitor) == ("", None, "")
    assert after.erased > 0
    assert (after.state, after.lines, after.payments, after.units) == (
        before.state,
        before.lines,
        before.payments,
        before.units,
    )
    assert sold.store.orders.by_email(ADA, most=9) == []
    assert sold.store.scripts.mail_orders(ADA, pause_ms=1) is Wished.NONE


@pytest.mark.parametrize("field", ["note", "receipt"])
def test_an_address_left_anywhere_is_found(sold: Book, field: str) -> None:
    """What looks through all values finds one that a script forgot."""
    forget(sold)
    sold.store._client.hset(sold.store.keys.order("o1"), field, f"to {ADA.lower()}")
    assert left(sold, ADA) == [f"to {ADA.lower()}"]


def test_already_changes_nothing(sold: Book) -> None:
    forget(sold)
    before = sold.picture()
    assert forget(sold) == (Forgot.ALREADY, "")
    assert sold.picture() == before


def test_nothing_that_stripe_tells_later_brings_the_address_back(sold: Book) -> None:
    forget(sold)
    assert sold.store.scripts.note_email("o1", ADA) is Noted.NOTED
    assert sold.settle("o1", email=ADA) == "already"
    assert sold.settle("o1", "pi_2", email=ADA) == "duplicate"
    assert left(sold, ADA) == []


@pytest.mark.parametrize(
    "job", ["mail:refunded:o1:re_1", "refund:o1:pi_1", "stray:o1:cs_2", "ask:o1"]
)
def test_owed_names_what_is_due_and_changes_nothing(sold: Book, job: str) -> None:
    sold.store.due.schedule(job, sold.store.now() + 5000)
    before = sold.picture()
    assert forget(sold) == (Forgot.OWED, job)
    assert sold.picture() == before


@pytest.mark.parametrize("job", ["mail:confirmed:o11", "ask:no1", "mirror:poster"])
def test_what_is_due_for_another_order_does_not_matter(sold: Book, job: str) -> None:
    sold.store.due.schedule(job, sold.store.now())
    assert forget(sold) == FORGOTTEN


def test_unsent_goods_keep_their_address(sold: Book) -> None:
    sold.store._client.hset(sold.store.keys.order("o1"), "way", "delivery")
    before = sold.picture()
    assert forget(sold) == (Forgot.UNSENT, "")
    assert sold.picture() == before
    sold.store.scripts.hand_over("o1", key="k", who="admin", units={}, sent=True)
    clear(sold)
    assert forget(sold) == FORGOTTEN


def test_underway_names_the_state(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    assert forget(book) == (Forgot.UNDERWAY, "open")
    book.store.scripts.review_order("o1", reason="look", email=ADA)
    clear(book)
    assert forget(book) == (Forgot.UNDERWAY, "review")
    assert book.order("o1").email == ADA


def test_unknown_order_makes_none(book: Book) -> None:
    assert forget(book, "nobodys") == (Forgot.UNKNOWN_ORDER, "")
    assert book.store.orders.get("nobodys") is None


def test_only_orders_with_an_address_are_listed_until_a_time(sold: Book) -> None:
    sold.open("o2", {"poster": 1}, "cs_2")
    created = sold.order("o1").created
    assert sold.store.orders.with_email(created) == ["o1"]
    assert sold.store.orders.with_email(created - 1) == []
    forget(sold)
    assert sold.store.orders.with_email(created) == []
