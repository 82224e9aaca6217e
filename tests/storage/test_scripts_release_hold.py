"""release_hold: units go back, on Stripe's word that nothing can be paid any more."""

import json

import pytest
import redis

from storefront.domain.orders import State
from storefront.storage.answers import Settled
from tests.storage.steps import Book


@pytest.fixture
def opened(book: Book) -> Book:
    """Two of five posters held for o1, whose payment page cs_1 is open."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    return book


def test_released_moves_the_units_from_held_to_available(opened: Book) -> None:
    assert opened.release("o1", reason="cancelled", event="evt_1") is Settled.RELEASED
    assert opened.level("poster") == (5, 0, 0, 0, 5)
    assert opened.ledger()[-1] == ("release", "poster", 2, "held", "available")
    order = opened.order("o1")
    assert (order.state, order.reason, order.units) == (State.RELEASED, "cancelled", "none")
    assert opened.due() == {}
    assert opened.hold_ttl("o1") == -2
    assert opened.store.orders.live_of(order.visitor) == []
    assert opened.store.orders.seen("evt_1")


def test_the_open_pages_are_told_that_units_are_back(opened: Book) -> None:
    [told] = opened.published(lambda: opened.release("o1"))
    assert json.loads(told) == {"poster": {"available": 5, "held": 0}}


@pytest.mark.parametrize(
    ("state", "due"), [("open", set()), ("processing", {"mail:processing:o1"})]
)
def test_released_from_every_state_that_holds(opened: Book, state: str, due: set[str]) -> None:
    if state == "processing":
        opened.process("o1")
    assert opened.release("o1") is Settled.RELEASED
    assert (opened.level("poster"), opened.due().keys()) == ((5, 0, 0, 0, 5), due)


def test_declined_makes_the_mail_about_it_due_unless_it_went_out(book: Book) -> None:
    book.stock(poster=5)
    for number in "12":
        book.open(f"o{number}", {"poster": 2}, f"cs_{number}")
    book.store._client.hset(book.store.keys.order("o2"), "mail:declined", "1")
    before = book.store.now()
    for number in "12":
        assert book.release(f"o{number}", f"cs_{number}", reason="declined") is Settled.RELEASED
    assert list(book.due()) == ["mail:declined:o1"]
    assert before <= book.due()["mail:declined:o1"] <= book.store.now()


def test_released_without_a_session_when_stripe_says_that_none_exists(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    assert book.release("o1", "") is Settled.RELEASED
    assert (book.level("poster"), book.due()) == ((5, 0, 0, 0, 5), {})


def test_already_answers_a_repeat_and_gives_nothing_back_twice(opened: Book) -> None:
    opened.release("o1")
    before = opened.picture()
    assert opened.release("o1") is Settled.ALREADY
    assert opened.picture() == before


@pytest.mark.parametrize("end", ["paid", "refund_due", "review", "refunded"])
def test_kept_never_undoes_a_sale_or_what_a_person_looks_at(opened: Book, end: str) -> None:
    match end:
        case "paid":
            opened.settle("o1")
        case "refund_due":
            opened.release("o1")
            opened.hold("o2", {"poster": 4})
            opened.settle("o1")
        case "review":
            opened.review("o1")
        case "refunded":
            opened.settle("o1")
            opened.refund("o1")
    before = opened.picture()
    assert opened.release("o1") is Settled.KEPT
    if end != "review":
        assert opened.release("o1", who="ada") is Settled.KEPT
    assert opened.picture() == before


def test_a_person_releases_what_is_held_for_an_order_in_review_that_nothing_was_paid_for(
    opened: Book,
) -> None:
    opened.review("o1")
    assert opened.release("o1", who="ada") is Settled.RELEASED
    assert opened.level("poster") == (5, 0, 0, 0, 5)
    assert (opened.order("o1").state, opened.order("o1").units) == ("released", "none")
    assert opened.hold_ttl("o1") == -2
    assert opened.store.ledger.latest(1)[0].who == "ada"
    assert opened.release("o1", who="ada") is Settled.ALREADY


@pytest.mark.parametrize("how", ["paid another sum", "failed refund", "nothing held"])
def test_kept_in_review_is_what_was_paid_for_even_against_a_person(opened: Book, how: str) -> None:
    match how:
        case "paid another sum":
            opened.review("o1", payment_intent="pi_1", amount=1)
        case "failed refund":
            opened.settle("o1")
            opened.refund("o1", status="failed")
        case "nothing held":
            opened.release("o1")
            opened.review("o1")
    before = opened.picture()
    assert opened.release("o1", who="ada") is Settled.KEPT
    assert opened.picture() == before


def test_other_session_keeps_the_units_of_an_order_that_has_a_session_by_now(
    opened: Book,
) -> None:
    before = opened.picture()
    assert opened.release("o1", "") is Settled.OTHER_SESSION
    assert opened.release("o1", "cs_2") is Settled.OTHER_SESSION
    assert opened.picture() == before


def test_other_session_keeps_the_units_when_another_key_is_in_use_by_now(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    book.store.scripts.renew_session("o1", version=1, session_seconds=2000)
    before = book.picture()
    assert book.release("o1", "", version=1) is Settled.OTHER_SESSION
    assert book.picture() == before
    assert book.release("o1", "", version=2) is Settled.RELEASED


def test_kept_while_a_later_key_and_its_session_may_be_lost_whatever_stripe_says_of_this_one(
    book: Book,
) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    door = book.store.keys.door()
    run = book.store._client.hget(door, "run")
    book.store._client.hset(door, "run", "another")
    before = book.picture()
    assert book.release("o1", "", version=1) is Settled.KEPT
    assert book.picture() == before
    book.store._client.hset(door, "run", run)
    assert book.release("o1", "", version=1) is Settled.RELEASED


def test_while_something_may_be_lost_a_word_of_the_session_counts_and_a_person_s_too(
    opened: Book,
) -> None:
    opened.hold("o2", {"poster": 1})
    opened.store._client.hset(opened.store.keys.door(), "run", "another")
    assert opened.release("o1") is Settled.RELEASED
    assert opened.release("o2", "", who="ada") is Settled.RELEASED


def test_a_person_releases_whatever_session_there_is_and_is_named_in_the_ledger(
    opened: Book,
) -> None:
    assert opened.release("o1", "", who="ada") is Settled.RELEASED
    [entry] = opened.store.ledger.latest(1)
    assert (entry.who, entry.why, entry.order) == ("ada", "expired", "o1")


def test_a_session_that_may_still_be_open_when_a_person_releases_is_to_be_ended(
    opened: Book,
) -> None:
    opened.release("o1", "", who="ada")
    assert set(opened.due()) == {"stray:o1:cs_1"}


def test_a_person_s_release_of_an_order_without_a_session_leaves_nothing_to_end(
    book: Book,
) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    book.release("o1", "", who="ada")
    assert book.due() == {}


def test_unknown_order_changes_nothing(book: Book) -> None:
    assert book.release("none") is Settled.UNKNOWN_ORDER
    assert book.picture() == {}


def test_books_that_disagree_stop_a_release_before_anything_is_written(opened: Book) -> None:
    opened.put("held", "poster", 1)
    before = opened.picture()
    with pytest.raises(redis.ResponseError, match="the books disagree"):
        opened.release("o1")
    assert opened.picture() == before
    opened.put("held", "poster", 2)
    assert opened.release("o1") is Settled.RELEASED
