"""correct_stock and undo_entry: the books follow what a person found."""

import json
from dataclasses import replace

import pytest
import redis

from storefront.domain.products import Level
from storefront.storage.answers import CorrectAnswer, Corrected, UndoAnswer, Undone
from tests.storage.steps import Book

KEY_SECONDS = 35 * 24 * 3600


def seen(book: Book, sku: str = "poster") -> Level:
    return book.store.stock.level(sku) or Level(sku)


def correct(
    book: Book, counted: int, *, apart: int = 0, shown: Level | None = None, key: str = "k1"
) -> CorrectAnswer:
    return book.store.scripts.correct_stock(
        shown or seen(book),
        counted=counted,
        apart=apart,
        apart_seen=apart,
        reason="counted",
        who="ada",
        key=key,
    )


def test_done_adds_what_was_counted_beyond_available_and_held(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    [told] = book.published(lambda: correct(book, 9))
    assert json.loads(told) == {"poster": {"available": 7, "held": 2}}
    assert book.level("poster") == (7, 2, 0, 0, 9)
    [entry] = book.store.ledger.latest(1)
    assert (entry.what, entry.quantity, entry.why, entry.who) == ("restock", 4, "counted", "ada")
    assert "mirror:poster" in book.due()


def test_done_writes_off_what_is_missing(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    assert correct(book, 3) == CorrectAnswer(Corrected.DONE, -2)
    assert book.level("poster") == (1, 2, 0, 2, 5)


def test_sold_units_that_were_counted_are_no_surplus(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.settle("o1")
    assert correct(book, 5, apart=2).word is Corrected.SAME
    assert correct(book, 4, apart=2) == CorrectAnswer(Corrected.DONE, -1)
    assert book.level("poster") == (2, 0, 2, 1, 5)


def test_same_changes_nothing_and_uses_up_no_key(book: Book) -> None:
    book.stock(poster=5)
    before = book.picture()
    assert correct(book, 5).word is Corrected.SAME
    assert book.picture() == before
    assert correct(book, 6).word is Corrected.DONE


def test_already_counts_the_same_key_once_and_remembers_it_for_35_days(book: Book) -> None:
    book.stock(poster=5)
    shown = seen(book)
    correct(book, 7, shown=shown)
    before = book.level("poster")
    assert correct(book, 7, shown=shown).word is Corrected.ALREADY
    assert book.level("poster") == before == (7, 0, 0, 0, 7)
    ttl = book.store._client.ttl(book.store.keys.restock("k1"))
    assert KEY_SECONDS - 5 <= ttl <= KEY_SECONDS


@pytest.mark.parametrize("name", ["available", "held", "sold", "written_off", "stocked"])
def test_stale_when_any_counter_is_another_than_was_shown(book: Book, name: str) -> None:
    book.stock(poster=5)
    before = book.picture()
    shown = replace(seen(book), **{name: getattr(seen(book), name) + 1})
    assert correct(book, 9, shown=shown).word is Corrected.STALE
    assert book.picture() == before


def test_stale_when_sold_units_were_handed_over_meanwhile(book: Book) -> None:
    book.stock(poster=5)
    before = book.picture()
    answer = book.store.scripts.correct_stock(
        seen(book), counted=5, apart=1, apart_seen=2, reason="r", who="w", key="k1"
    )
    assert answer.word is Corrected.STALE
    assert book.picture() == before


def test_not_enough_takes_nothing_that_is_held_or_sold(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 3})
    before = book.picture()
    assert correct(book, 2) == CorrectAnswer(Corrected.NOT_ENOUGH, 2)
    assert book.picture() == before
    assert correct(book, 3) == CorrectAnswer(Corrected.DONE, -2)


def test_an_unknown_sku_cannot_be_counted(book: Book) -> None:
    assert correct(book, 1).word is Corrected.UNKNOWN_SKU
    assert book.picture() == {}


@pytest.mark.parametrize("counted", [-1, 0.5])
def test_a_count_is_a_whole_number(book: Book, counted: float) -> None:
    book.stock(poster=5)
    with pytest.raises(redis.ResponseError, match="whole number, 0 or more"):
        correct(book, counted)  # type: ignore[arg-type]


def test_units_that_a_count_finds_are_offered_to_who_waits(book: Book) -> None:
    book.shelve(poster=0)
    book.wait("ada", "bob")
    assert correct(book, 1).word is Corrected.DONE
    assert (book.level("poster"), book.offered()) == ((0, 1, 0, 0, 1), ["ada-1"])


def newest(book: Book) -> str:
    return book.store.ledger.latest(1)[0].id


def restock(book: Book, delta: int, key: str = "k1") -> str:
    """The id of its entry."""
    book.store.scripts.restock("poster", delta=delta, reason="box", who="ada", key=key)
    return newest(book)


def undo(book: Book, entry: str) -> UndoAnswer:
    return book.store.scripts.undo_entry(entry, who="bob")


def test_done_writes_off_what_came_in_and_says_which_entry_it_undoes(book: Book) -> None:
    book.stock(poster=5)
    entry = restock(book, 3)
    assert undo(book, entry) == UndoAnswer(Undone.DONE, "poster")
    assert book.level("poster") == (5, 0, 0, 3, 8)
    [undone] = book.store.ledger.latest(1)
    assert (undone.what, undone.origin, undone.target) == ("write_off", "available", "written_off")
    assert (undone.quantity, undone.why, undone.who) == (3, f"undo of {entry}", "bob")


def test_done_brings_back_what_was_written_off(book: Book) -> None:
    book.stock(poster=5)
    entry = restock(book, -3)
    book.store._client.delete(book.store.keys.name("due"))
    assert undo(book, entry).word is Undone.DONE
    assert book.level("poster") == (5, 0, 0, 0, 5)
    assert book.ledger()[-1] == ("restock", "poster", 3, "written_off", "available")
    assert set(book.due()) == {"mirror:poster"}


def test_an_undoing_can_be_undone(book: Book) -> None:
    book.stock(poster=5)
    restock(book, -3)
    undo(book, newest(book))
    undo(book, newest(book))
    assert book.level("poster") == (2, 0, 0, 3, 5)


def test_already_undoes_an_entry_once_and_for_ever(book: Book) -> None:
    book.stock(poster=5)
    entry = restock(book, 3)
    undo(book, entry)
    before = book.picture()
    assert undo(book, entry).word is Undone.ALREADY
    assert book.picture() == before
    assert book.store._client.ttl(book.store.keys.undone()) == -1


def test_not_enough_when_the_units_are_gone_and_later_it_can_be_undone(book: Book) -> None:
    book.stock(poster=0)
    entry = restock(book, 3)
    book.open("o1", {"poster": 2})
    before = book.picture()
    assert undo(book, entry) == UndoAnswer(Undone.NOT_ENOUGH, "poster", 1)
    assert book.picture() == before
    book.release("o1")
    assert undo(book, entry).word is Undone.DONE


def test_what_an_order_did_cannot_be_undone(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 1})
    before = book.picture()
    assert undo(book, newest(book)).word is Undone.NOT_BY_HAND
    assert undo(book, "1-1").word is Undone.UNKNOWN_ENTRY
    assert book.picture() == before


def test_units_that_an_undoing_brings_back_are_offered_to_who_waits(book: Book) -> None:
    book.shelve(poster=1)
    entry = restock(book, -1)
    book.wait("ada")
    undo(book, entry)
    assert (book.level("poster"), book.offered()) == ((0, 1, 0, 0, 1), ["ada-1"])
