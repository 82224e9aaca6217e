"""note_order keeps what a person wrote, and every script lists the event that told it."""

import pytest

from storefront.domain.orders import MOST_NOTES
from storefront.storage.answers import NoteKept
from tests.storage.steps import Book


@pytest.fixture
def opened(book: Book) -> Book:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    return book


def note(book: Book, key: str, order: str = "o1", text: str = "rang") -> NoteKept:
    return book.store.scripts.note_order(order, key=key, text=text, who="admin")


def test_noted_keeps_text_who_and_when(opened: Book) -> None:
    before = opened.store.now()
    assert note(opened, "form-1") is NoteKept.NOTED
    assert note(opened, "form-2", text="comes on Friday") is NoteKept.NOTED
    notes = opened.order("o1").notes
    assert {one.text: one.who for one in notes} == {"rang": "admin", "comes on Friday": "admin"}
    assert all(before <= one.at <= opened.store.now() for one in notes)


def test_already_counts_a_form_once(opened: Book) -> None:
    note(opened, "form-1")
    before = opened.picture()
    assert note(opened, "form-1", text="other") is NoteKept.ALREADY
    assert opened.picture() == before


def test_full_after_so_many(opened: Book) -> None:
    for number in range(MOST_NOTES):
        assert note(opened, f"form-{number}") is NoteKept.NOTED
    before = opened.picture()
    assert note(opened, "form-more") is NoteKept.FULL
    assert opened.picture() == before


def test_unknown_order_makes_none(book: Book) -> None:
    assert note(book, "form-1") is NoteKept.UNKNOWN_ORDER
    assert book.store.orders.get("o1") is None


def test_the_events_of_an_order_are_listed_in_it_once_with_their_time(opened: Book) -> None:
    before = opened.store.now()
    opened.settle("o1", event="evt_1")
    first = opened.order("o1").events
    opened.settle("o1", event="evt_1")
    opened.settle("o1", event="evt_2")
    events = opened.order("o1").events
    assert events.keys() == {"evt_1", "evt_2"}
    assert events["evt_1"] == first["evt_1"] >= before


def test_an_event_of_no_order_makes_none(book: Book) -> None:
    book.settle("o1", event="evt_1")
    assert book.store.orders.get("o1") is None
    assert book.seen_ttl("evt_1") == -2


def test_an_order_lists_no_events_without_end(opened: Book) -> None:
    name = opened.store.keys.order("o1")
    opened.store._client.hset(name, mapping={f"event:evt_{n}": "1" for n in range(400)})
    opened.settle("o1", event="evt_more")
    assert "evt_more" not in opened.order("o1").events
    assert opened.seen_ttl("evt_more") > 0
