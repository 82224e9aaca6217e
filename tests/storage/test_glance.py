"""What a look at the shop reads, and the counting of sales by the minute."""

import pytest

from storefront.domain.orders import State
from tests.storage.steps import Book

MINUTE_MS = 60_000


def sold(book: Book) -> int:
    """Units sold lately; a test is over within minutes."""
    return sum(book.store.glance(MINUTE_MS).sales.values())


@pytest.fixture
def opened(book: Book) -> Book:
    """Two of five posters held for o1, whose payment page cs_1 is open."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    return book


def test_a_sale_counts_its_units_in_its_minute_once(opened: Book) -> None:
    before = opened.store.now() // MINUTE_MS
    assert sold(opened) == 0
    opened.settle("o1")
    opened.settle("o1")
    after = opened.store.now() // MINUTE_MS
    [(minute, units)] = opened.store.glance(MINUTE_MS).sales.items()
    assert before <= minute <= after
    assert units == 2


def test_an_authorised_card_is_a_sale_and_its_capture_none(opened: Book) -> None:
    opened.authorize("o1")
    opened.settle("o1")
    assert sold(opened) == 2


def test_a_late_payer_s_units_are_sold_and_a_release_sells_nothing(opened: Book) -> None:
    opened.release("o1")
    assert sold(opened) == 0
    opened.settle("o1")
    assert sold(opened) == 2


def test_sales_of_the_same_minute_add_up(opened: Book) -> None:
    opened.open("o2", {"poster": 1}, "cs_2")
    opened.settle("o1")
    opened.settle("o2", "pi_2", session="cs_2", amount=2500)
    assert sold(opened) == 3


def test_the_ring_never_outgrows_two_days_and_forgets_the_minute_it_takes_over(
    opened: Book,
) -> None:
    key, client = opened.store.keys.name("sales"), opened.store._client
    minute = opened.store.now() // MINUTE_MS
    full = {m % 2880: f"{m} 7" for m in range(minute - 2880 - 5, minute - 5)}
    client.hset(key, mapping={str(slot): text for slot, text in full.items()})
    old = opened.store.glance(MINUTE_MS).sales
    assert len(old) >= 2870
    assert set(old.values()) == {7}
    client.hset(key, mapping={str(m % 2880): f"{m - 2880} 7" for m in range(minute, minute + 10)})
    opened.settle("o1")
    after = opened.store.glance(MINUTE_MS).sales
    assert [units for of, units in after.items() if of >= minute] == [2]
    assert client.hlen(key) == 2880
    assert client.ttl(key) == -1


def test_a_glance_tells_reviews_late_jobs_and_the_hold_that_ends_first(opened: Book) -> None:
    opened.open("o2", {"poster": 1}, "cs_2")
    opened.review("o2")
    now = opened.store.now()
    opened.store.due.schedule("mirror:poster", now - 90_000)
    seen = opened.store.glance(MINUTE_MS)
    assert (seen.reviews, list(seen.newest_reviews)) == (1, ["o2"])
    assert opened.order("o2").state is State.REVIEW
    assert (seen.late_jobs, seen.first_due) == (1, now - 90_000)
    assert seen.oldest_hold == ("o1", opened.order("o1").deadline)
    assert [level.sku for level in seen.levels] == ["poster"]
    assert seen.heard is None
    opened.store.count_all({"webhooks:x:y": 1}, heard=now)
    assert opened.store.glance(MINUTE_MS).heard == now
