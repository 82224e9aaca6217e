"""number_key and note_ending: what is kept of an order or a link while Stripe is asked about it."""

from storefront.storage.answers import Noted
from tests.storage.steps import Book
from tests.storage.test_scripts_links import link, selling


def test_a_number_is_stored_before_it_is_used(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    scripts = book.store.scripts
    assert [scripts.number_refund("o1", "pi_1") for _ in range(2)] == [1, 2]
    assert scripts.number_refund("o1", "pi_1:k1") == 1
    assert scripts.number_capture("o1", "pi_1") == 1
    order = book.order("o1")
    assert order.refund_versions == {"pi_1": 2, "pi_1:k1": 1}
    assert order.capture_versions == {"pi_1": 1}


def test_a_link_s_creation_has_a_number_from_the_start(book: Book) -> None:
    selling(book)
    assert book.store.scripts.number_link("l1") == 2
    assert link(book).version == 2


def test_nothing_is_written_of_what_redis_has_lost(book: Book) -> None:
    book.stock(poster=5)
    before = book.picture()
    scripts = book.store.scripts
    assert scripts.number_refund("gone", "pi_1") == scripts.number_capture("gone", "pi_1") == 0
    assert scripts.number_link("gone") == 0
    assert scripts.note_ending("gone", "cancelled") is Noted.UNKNOWN_ORDER
    assert book.picture() == before


def test_why_an_order_is_being_ended_is_kept_until_the_attempt_fails(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    before = book.picture()
    assert book.store.scripts.note_ending("o1", "cancelled") is Noted.NOTED
    assert book.store.scripts.note_ending("o1", "") is Noted.NOTED
    assert book.picture() == before
    book.store.scripts.note_ending("o1", "cancelled")
    book.release("o1")
    assert book.order("o1").reason == "cancelled"
