"""hold_stock: every line's units for one new order, or none."""

import json

import pytest
import redis

from storefront.domain.orders import State
from storefront.storage.answers import Held, Limits
from tests.books import raw
from tests.harness import wait_until
from tests.storage.steps import ASK_MS, HOLD_MS, PRICE, Book

DAY_MS = 24 * 3600 * 1000


def near(actual: int, expected: int, within: int = 5000) -> bool:
    return expected - within <= actual <= expected


def test_held_moves_every_line_from_available_to_held(book: Book) -> None:
    book.stock(poster=5, zine=3)
    before = book.store.now()
    answer = book.hold("o1", {"poster": 2, "zine": 3}, visitor="v", address="a")
    assert answer.word is Held.HELD
    assert (book.level("poster"), book.level("zine")) == ((3, 2, 0, 0, 5), (0, 3, 0, 0, 3))
    assert book.ledger()[2:] == [
        ("hold", "poster", 2, "available", "held"),
        ("hold", "zine", 3, "available", "held"),
    ]
    order = book.order("o1")
    assert (order.state, order.units, order.amount) == (State.PENDING, "held", 5 * PRICE)
    assert [(line.sku, line.quantity, line.unit_amount) for line in order.lines] == [
        ("poster", 2, PRICE),
        ("zine", 3, PRICE),
    ]
    assert before <= order.created <= book.store.now()
    assert order.deadline == order.created + HOLD_MS
    assert order.expires_at == order.created // 1000 + 1920
    assert (order.session_version, order.visitor, order.basket) == (1, "v", "poster=2,zine=3")
    assert book.store.orders.live_of("v") == ["o1"]
    assert book.due() == {
        "ask:o1": order.created + ASK_MS,
        "expire:o1": order.deadline,
    }


def test_the_key_of_a_hold_lives_until_its_deadline_and_the_grace_are_over(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 1}, hold_ms=60_000, grace_ms=7000)
    assert near(book.hold_ttl("o1"), 67_000)


def test_the_lapse_of_a_hold_s_key_alone_moves_nothing(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 1})
    book.store._client.delete(book.store.keys.hold("o1"))
    assert (book.level("poster"), book.order("o1").units) == ((4, 1, 0, 0, 5), "held")


def test_a_hold_shorter_than_stripe_s_minimum_still_asks_for_a_session_that_stripe_takes(
    book: Book,
) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 1}, hold_ms=1000)
    order = book.order("o1")
    assert order.deadline == order.created + 1000
    assert order.expires_at == order.created // 1000 + 1920


def test_a_long_hold_asks_for_a_session_as_long(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 1}, hold_ms=7_200_500)
    order = book.order("o1")
    assert order.expires_at == order.created // 1000 + 7201


def test_already_answers_a_repeat_and_holds_nothing_more(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    before = book.picture()
    assert book.hold("o1", {"poster": 2}).word is Held.ALREADY
    assert book.hold("o1", {"poster": 1}).word is Held.ALREADY
    assert book.picture() == before


def test_already_answers_though_the_order_has_ended(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.release("o1")
    before = book.picture()
    assert book.hold("o1", {"poster": 2}).word is Held.ALREADY
    assert book.picture() == before


def test_unknown_sku_is_one_that_was_never_stocked(book: Book) -> None:
    book.stock(poster=5)
    before = book.picture()
    answer = book.hold("o1", {"poster": 1, "none": 1})
    assert (answer.word, answer.sku) == (Held.UNKNOWN_SKU, "none")
    assert book.picture() == before


def test_over_limit_says_which_and_how_many_one_order_may_have(book: Book) -> None:
    book.stock(poster=5, zine=20)
    before = book.picture()
    answer = book.hold("o1", {"poster": 1, "zine": 11})
    assert (answer.word, answer.sku, answer.number) == (Held.OVER_LIMIT, "zine", 10)
    assert book.picture() == before


def test_not_open_says_from_when_it_is_on_sale(book: Book) -> None:
    book.stock(poster=5)
    opens_at = book.store.now() + DAY_MS
    before = book.picture()
    answer = book.hold("o1", {"poster": 1}, opens_at=opens_at)
    assert (answer.word, answer.sku, answer.number) == (Held.NOT_OPEN, "poster", opens_at)
    assert book.picture() == before
    assert book.hold("o1", {"poster": 1}, opens_at=book.store.now()).word is Held.HELD


def test_short_holds_no_line_when_one_is_short(book: Book) -> None:
    book.stock(poster=5, zine=3)
    before = book.picture()
    answer = book.hold("o1", {"poster": 1, "zine": 4})
    assert answer.word is Held.SHORT
    [shortage] = answer.shortages
    assert (shortage.sku, shortage.wanted, shortage.available, shortage.held) == ("zine", 4, 3, 0)
    assert shortage.returns_at is None
    assert book.picture() == before


def test_short_says_when_held_units_may_return(book: Book) -> None:
    book.stock(poster=3)
    book.hold("late", {"poster": 1}, hold_ms=2 * HOLD_MS)
    book.hold("soon", {"poster": 2})
    answer = book.hold("o1", {"poster": 1})
    [shortage] = answer.shortages
    assert (shortage.available, shortage.held) == (0, 3)
    assert shortage.returns_at == book.order("soon").deadline
    assert answer.overdue == ()


def test_short_names_the_holds_past_their_deadline_that_have_what_is_short(book: Book) -> None:
    book.stock(poster=2, zine=1)
    book.hold("over", {"poster": 1}, hold_ms=0)
    book.hold("other", {"zine": 1}, hold_ms=0)
    book.hold("running", {"poster": 1})
    answer = book.hold("o1", {"poster": 1})
    assert (answer.word, answer.overdue) == (Held.SHORT, ("over",))


def test_short_promises_no_return_of_units_whose_money_is_on_its_way(book: Book) -> None:
    book.stock(poster=1)
    book.hold("over", {"poster": 1}, hold_ms=0)
    book.attach("over")
    book.process("over")
    answer = book.hold("o1", {"poster": 1})
    [shortage] = answer.shortages
    assert (answer.overdue, shortage.returns_at, shortage.held) == ((), None, 1)


def test_visitor_limit_names_the_visitor_s_oldest_hold(book: Book) -> None:
    book.stock(poster=9)
    two = Limits(visitor=2, address=0)
    for order in ("first", "second"):
        assert book.hold(order, {"poster": 1}, visitor="v", limits=two).word is Held.HELD
        while book.store.now() == book.order(order).created:
            pass
    before = book.picture()
    answer = book.hold("third", {"poster": 1}, visitor="v", limits=two)
    assert (answer.word, answer.order) == (Held.VISITOR_LIMIT, "first")
    assert book.picture() == before
    assert book.hold("other", {"poster": 1}, visitor="w", limits=two).word is Held.HELD


def test_address_limit_says_in_how_many_seconds_the_first_hold_ends(book: Book) -> None:
    book.stock(poster=9)
    one = Limits(visitor=0, address=1)
    assert book.hold("o1", {"poster": 1}, address="::1/64", limits=one).word is Held.HELD
    before = book.picture()
    answer = book.hold("o2", {"poster": 1}, address="::1/64", limits=one)
    assert answer.word is Held.ADDRESS_LIMIT
    assert near(answer.number, HOLD_MS // 1000, within=5)
    assert book.picture() == before
    assert book.hold("o3", {"poster": 1}, address="::2/64", limits=one).word is Held.HELD


@pytest.mark.parametrize("end", ["sold", "released", "processing", "review"])
def test_an_order_whose_shopper_is_done_counts_for_no_limit(book: Book, end: str) -> None:
    book.stock(poster=9)
    one = Limits(visitor=1, address=1)
    book.hold("o1", {"poster": 2}, visitor="v", address="a", limits=one)
    book.attach("o1")
    match end:
        case "sold":
            book.settle("o1")
        case "released":
            book.release("o1")
        case "processing":
            book.process("o1")
        case "review":
            book.review("o1")
    assert book.hold("o2", {"poster": 1}, visitor="v", address="a", limits=one).word is Held.HELD


def test_a_limit_of_0_is_no_limit(book: Book) -> None:
    book.stock(poster=9)
    off = Limits(visitor=0, address=0)
    for number in range(9):
        answer = book.hold(f"o{number}", {"poster": 1}, visitor="v", address="a", limits=off)
        assert answer.word is Held.HELD


def test_no_unit_is_held_twice(book: Book) -> None:
    book.stock(poster=5)
    words = [book.hold(f"o{number}", {"poster": 2}).word for number in range(5)]
    assert words == [Held.HELD, Held.HELD, Held.SHORT, Held.SHORT, Held.SHORT]
    assert book.level("poster") == (1, 4, 0, 0, 5)


def test_the_open_pages_are_told_what_is_left(book: Book) -> None:
    book.stock(poster=5)
    [told] = book.published(lambda: book.hold("o1", {"poster": 2}))
    assert json.loads(told) == {"poster": {"available": 3, "held": 2}}
    assert book.published(lambda: book.hold("o2", {"poster": 9})) == []


def test_every_attempt_is_counted_by_its_answer(book: Book) -> None:
    book.stock(poster=5)
    for order, units in (("o1", 2), ("o1", 2), ("o2", 9)):
        book.hold(order, {"poster": units})
    assert book.store.metrics() == {
        "checkouts:held": 1,
        "checkouts:already": 1,
        "checkouts:short": 1,
    }


@pytest.mark.parametrize("quantity", [0, -1, 1.5])
def test_no_quantity_but_a_whole_number_above_0_reaches_the_books(
    book: Book, quantity: float
) -> None:
    book.stock(poster=5)
    before = book.picture()
    with pytest.raises(redis.ResponseError, match="whole number above 0"):
        book.hold("o1", {"poster": quantity})  # type: ignore[dict-item]
    assert book.picture() == before


def test_the_client_s_address_is_kept_no_longer_than_the_hold(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, address="192.0.2.1")
    assert raw(book.store, "o1")["address"] == "192.0.2.1"
    book.attach("o1")
    book.settle("o1")
    assert "address" not in raw(book.store, "o1")


def test_not_open_until_the_very_moment_by_redis_own_clock(book: Book) -> None:
    """Whatever a page or another clock says: asked again and again, the first yes comes in time."""
    book.stock(poster=1)
    opens_at = book.store.now() + 300
    refused = 0

    def held() -> bool:
        nonlocal refused
        answer = book.hold("o1", {"poster": 1}, opens_at=opens_at)
        refused += answer.word is Held.NOT_OPEN
        return answer.word is Held.HELD

    wait_until(held, "it opens")
    assert refused
    assert book.order("o1").created >= opens_at
