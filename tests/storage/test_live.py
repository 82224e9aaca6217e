"""Who listens is woken by every change; when held units may return is read for what is asked alone."""

from storefront.domain.products import Product, Variant
from storefront.storage.live import STALE_MS
from tests.storage.steps import HOLD_MS, Book


def test_a_listener_is_woken_by_a_change_and_by_nothing_else(book: Book) -> None:
    book.stock(poster=3)
    with book.store.live.listen() as changes:
        assert not changes.wait(0.05)
        book.hold("o1", {"poster": 1})
        assert changes.wait(20)
        assert not changes.wait(0.05)


def test_changes_that_came_together_wake_once(book: Book) -> None:
    book.stock(poster=3)
    with book.store.live.listen() as changes:
        for order in ("o1", "o2", "o3"):
            book.hold(order, {"poster": 1})
        assert changes.wait(20)
        while changes.wait(0.05):
            pass  # what was still on its way
        assert not changes.wait(0.05)


def test_a_change_of_the_catalogue_alone_wakes_too(book: Book) -> None:
    book.stock(poster=3)
    product = Product("poster", "Poster", (Variant("poster", 1),))
    with book.store.live.listen() as changes:
        book.store.scripts.publish_catalogue({product.slug: "{}"}, {}, version="v2", who="tests")
        assert changes.wait(20)


def test_the_first_return_of_each_sku_is_its_earliest_deadline(book: Book) -> None:
    book.stock(poster=3, zine=3)
    book.hold("late", {"poster": 1}, hold_ms=2 * HOLD_MS)
    book.hold("soon", {"poster": 1, "zine": 1})
    book.hold("other", {"zine": 1}, hold_ms=3 * HOLD_MS)
    deadline = book.order("soon").deadline
    stock = book.store.stock
    assert stock.first_returns(["poster", "zine", "mug"]) == {"poster": deadline, "zine": deadline}
    assert stock.first_returns(["poster"]) == {"poster": deadline}
    assert stock.first_returns([]) == {}


def test_units_of_a_payment_on_its_way_are_promised_to_nobody(book: Book) -> None:
    book.stock(poster=3)
    book.open("o1", {"poster": 1})
    book.process("o1")
    assert book.store.stock.first_returns(["poster"]) == {}


def test_open_pages_are_those_of_the_other_processes_that_live(book: Book) -> None:
    book.stock(poster=1)
    live, now = book.store.live, book.store.now()
    live.note_streams("a", 3, now)
    live.note_streams("b", 4, now - STALE_MS)
    live.note_streams("gone", 50, now - STALE_MS - 1)
    assert live.streams(now, but="") == 7
    assert live.streams(now, but="a") == 4
    live.note_streams("a", 0, now)
    assert book.store._client.hgetall(book.store.keys.name("streams")).keys() == {"b"}
