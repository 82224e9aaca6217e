"""note_email and mail_orders: whose orders are whose, and the mail that says so."""

import pytest

from storefront.storage.answers import Noted, Wished
from tests.storage.steps import Book

PAUSE_MS = 600_000
ADA = "ada@example.com"


@pytest.fixture
def known(book: Book) -> Book:
    """Three orders: o1 and o3 are Ada's, o2 is Bob's."""
    book.stock(poster=9)
    for number, email in enumerate((ADA, "bob@example.com", "Ada@Example.com"), 1):
        book.open(f"o{number}", {"poster": 2}, f"cs_{number}")
        book.settle(f"o{number}", f"pi_{number}", session=f"cs_{number}", email=email)
    book.store._client.delete(book.store.keys.name("due"))
    return book


def found(book: Book, email: str, most: int = 20) -> list[str]:
    return [order.id for order in book.store.orders.by_email(email, most=most)]


def wish(book: Book, email: str, pause_ms: int = PAUSE_MS) -> Wished:
    return book.store.scripts.mail_orders(email, pause_ms=pause_ms)


def test_the_orders_of_an_address_are_found_newest_first_whatever_its_case(known: Book) -> None:
    assert found(known, ADA) == ["o3", "o1"]
    assert found(known, "ADA@EXAMPLE.COM") == ["o3", "o1"]
    assert found(known, ADA, most=1) == ["o3"]


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@example.co", "ada@example.com ", "\u212a@k.example"]
)
def test_another_address_finds_nothing(known: Book, email: str) -> None:
    assert found(known, email) == []


def test_no_order_is_found_by_letters_that_only_look_alike(known: Book) -> None:
    """Python takes the Kelvin sign for a k when it makes letters small; a mail server does not."""
    known.store.scripts.note_email("o2", "k@example.com")
    assert found(known, "\u212a@example.com") == []
    assert wish(known, "\u212a@example.com") is Wished.NONE


def test_an_address_that_is_noted_later_takes_the_place_of_another(known: Book) -> None:
    assert known.store.scripts.note_email("o1", "bob@example.com") is Noted.NOTED
    assert known.order("o1").email == "bob@example.com"
    assert found(known, ADA) == ["o3"]
    assert found(known, "bob@example.com") == ["o2", "o1"]


def test_no_order_comes_from_an_address_alone(book: Book) -> None:
    assert book.store.scripts.note_email("nobodys", ADA) is Noted.UNKNOWN_ORDER
    assert found(book, ADA) == []


def test_due_names_the_newest_order_and_no_address(known: Book) -> None:
    assert wish(known, "ADA@example.com") is Wished.DUE
    assert known.due().keys() == {"mail:orders:o3"}
    assert known.due()["mail:orders:o3"] <= known.store.now()


def test_none_makes_nothing_due_and_counts_like_any_other(known: Book) -> None:
    assert wish(known, "eve@example.com") is Wished.NONE
    assert wish(known, "eve@example.com") is Wished.AGAIN
    assert known.due() == {}


def test_again_changes_nothing(known: Book) -> None:
    wish(known, ADA)
    before = known.picture()
    assert wish(known, "ADA@EXAMPLE.COM") is Wished.AGAIN
    assert known.picture() == before


def test_after_the_pause_it_may_be_asked_for_once_more(known: Book) -> None:
    wish(known, ADA)
    asked = known.store.keys.asked()
    known.store._client.zadd(asked, {ADA: known.store.now() - PAUSE_MS})
    assert wish(known, ADA) is Wished.DUE


def test_addresses_that_were_asked_for_are_forgotten_after_the_pause(known: Book) -> None:
    wish(known, ADA)
    assert PAUSE_MS - 5000 <= known.store._client.pttl(known.store.keys.asked()) <= PAUSE_MS
    known.store._client.zadd(known.store.keys.asked(), {ADA: 1})
    wish(known, "bob@example.com")
    assert known.store._client.zrange(known.store.keys.asked(), 0, -1) == ["bob@example.com"]


def test_a_mail_that_is_being_sent_is_sent_once_more(known: Book) -> None:
    """The worker that has it in hand looked before this wish."""
    wish(known, ADA)
    job = known.claim()["mail:orders:o3"]
    known.store._client.delete(known.store.keys.asked())
    wish(known, ADA)
    assert known.store.scripts.finish_due(job, order="o3", field="mail:orders") == "taken"
