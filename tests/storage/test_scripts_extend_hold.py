"""extend_hold: an open hold gets more time, once, everywhere at the same moment."""

import pytest

from storefront.domain.orders import State
from storefront.storage.answers import Extended
from tests.books import raw
from tests.storage.steps import GRACE_MS, HOLD_MS, Book

MORE_MS = 600_000


@pytest.fixture
def opened(book: Book) -> Book:
    """Two posters and a zine held for o1, whose payment page is open."""
    book.stock(poster=5, zine=1)
    book.open("o1", {"poster": 2, "zine": 1})
    return book


def extend(book: Book, order: str = "o1", more_ms: int = MORE_MS) -> Extended:
    found = book.store.orders.get(order)
    until_ms = (found.deadline if found else 0) + more_ms
    return book.store.scripts.extend_hold(order, until_ms=until_ms, grace_ms=GRACE_MS)


def test_extended_moves_the_deadline_everywhere(opened: Book) -> None:
    before = opened.order("o1")
    levels, ledger = opened.level("poster"), opened.ledger()
    assert extend(opened) is Extended.EXTENDED
    order, deadline = opened.order("o1"), before.deadline + MORE_MS
    assert (order.state, order.deadline, order.extended) == (State.OPEN, deadline, True)
    assert raw(opened.store, "o1")["extended"] == str(before.deadline)
    assert opened.due() == {"expire:o1": deadline}
    assert opened.store.orders.holding() == [("o1", deadline)]
    assert opened.store.stock.first_returns(["poster", "zine"]) == {
        "poster": deadline,
        "zine": deadline,
    }
    client, hold = opened.store._client, opened.store.keys.hold("o1")
    assert client.hget(hold, "deadline") == str(deadline)
    assert HOLD_MS + MORE_MS < opened.hold_ttl("o1") <= HOLD_MS + MORE_MS + GRACE_MS
    assert (opened.level("poster"), opened.ledger()) == (levels, ledger)


def test_already_answers_a_repeat_and_changes_nothing(opened: Book) -> None:
    extend(opened)
    before = opened.picture()
    assert extend(opened) is Extended.ALREADY
    assert opened.picture() == before


@pytest.mark.parametrize("more_ms", [0, -1, -HOLD_MS])
def test_no_room_when_the_new_deadline_is_not_later(opened: Book, more_ms: int) -> None:
    before = opened.picture()
    assert extend(opened, more_ms=more_ms) is Extended.NO_ROOM
    assert opened.picture() == before


@pytest.mark.parametrize("state", ["pending", "paid", "processing", "released", "review"])
def test_too_late_for_an_order_that_is_not_open(book: Book, state: str) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    if state != "pending":
        book.attach("o1")
    match state:
        case "paid":
            book.settle("o1")
        case "processing":
            book.process("o1")
        case "released":
            book.release("o1")
        case "review":
            book.review("o1")
    before = book.picture()
    assert extend(book) is Extended.TOO_LATE
    assert book.picture() == before


def test_too_late_once_the_deadline_has_passed(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, hold_ms=0)
    book.attach("o1")
    before = book.picture()
    assert extend(book) is Extended.TOO_LATE
    assert book.picture() == before


def test_unknown_order_is_told_when_one_that_is_lost_is_extended(book: Book) -> None:
    assert (extend(book, "none"), book.picture()) == (Extended.UNKNOWN_ORDER, {})


def test_an_extended_hold_ends_like_any_other(opened: Book) -> None:
    extend(opened)
    opened.release("o1")
    assert opened.level("poster") == (5, 0, 0, 0, 5)
    assert opened.due() == {}
