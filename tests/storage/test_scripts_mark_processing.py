"""mark_processing: the units stay while the money is on its way."""

import pytest

from storefront.domain.orders import State
from storefront.storage.answers import Settled
from tests.storage.steps import AGAIN_MS, Book


@pytest.fixture
def opened(book: Book) -> Book:
    """Two of five posters held for o1, whose payment page cs_1 is open."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    return book


def test_processing_keeps_the_units_with_no_deadline_and_asks_later(opened: Book) -> None:
    before = opened.store.now()
    assert opened.process("o1", event="evt_1") is Settled.PROCESSING
    order = opened.order("o1")
    assert (order.state, order.units) == (State.PROCESSING, "held")
    assert (order.payment_intent, order.email) == ("pi_1", "ada@example.com")
    assert opened.level("poster") == (3, 2, 0, 0, 5)
    assert opened.hold_ttl("o1") == -1
    due = opened.due()
    assert set(due) == {"ask:o1", "mail:processing:o1"}
    assert before + AGAIN_MS <= due["ask:o1"] <= opened.store.now() + AGAIN_MS
    assert before <= due["mail:processing:o1"] <= opened.store.now()
    assert opened.store.orders.live_of(order.visitor) == []
    assert opened.store.orders.seen("evt_1")


def test_nothing_is_told_to_open_pages_because_no_unit_moved(opened: Book) -> None:
    assert opened.published(lambda: opened.process("o1")) == []


def test_processing_of_a_pending_order_notes_its_session(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    assert book.process("o1", "cs_1") is Settled.PROCESSING
    assert book.order("o1").session == "cs_1"
    assert set(book.due()) == {"ask:o1", "mail:processing:o1"}


def test_an_order_whose_shopper_was_told_before_redis_was_lost_owes_no_second_mail(
    opened: Book,
) -> None:
    opened.store._client.hset(opened.store.keys.order("o1"), "mail:processing", "1")
    assert opened.process("o1") is Settled.PROCESSING
    assert set(opened.due()) == {"ask:o1"}


def test_already_answers_a_repeat_and_never_puts_the_next_question_off(opened: Book) -> None:
    opened.process("o1")
    opened.store.due.schedule("ask:o1", 5)
    before = opened.picture()
    assert opened.process("o1") is Settled.ALREADY
    assert opened.picture() == before


def test_a_worker_that_looked_before_does_not_take_the_question_off_the_list(
    opened: Book,
) -> None:
    """It asked while the order was open, and found nothing left to ask."""
    opened.store.due.schedule("ask:o1", 5)
    job = opened.claim()["ask:o1"]
    assert opened.process("o1") is Settled.PROCESSING
    assert opened.store.scripts.finish_due(job, order="o1") == "taken"
    assert opened.due()["ask:o1"] == job.lease - 1


@pytest.mark.parametrize(
    ("end", "state"),
    [("paid", State.PAID), ("review", State.REVIEW), ("refund_due", State.REFUND_DUE)],
)
def test_kept_never_undoes_what_was_settled(opened: Book, end: str, state: State) -> None:
    match end:
        case "paid":
            opened.settle("o1")
        case "review":
            opened.review("o1")
            opened.store.scripts.note_email("o1", "ada@example.com")
        case "refund_due":
            opened.release("o1")
            opened.hold("o2", {"poster": 4})
            opened.settle("o1")
    before = opened.picture()
    assert opened.process("o1") is Settled.KEPT
    assert (opened.order("o1").state, opened.picture()) == (state, before)


def test_kept_asks_later_about_the_payment_of_an_order_that_was_released(opened: Book) -> None:
    opened.release("o1")
    assert opened.process("o1") is Settled.KEPT
    assert (opened.order("o1").state, set(opened.due())) == (State.RELEASED, {"ask:o1"})
    assert opened.level("poster") == (5, 0, 0, 0, 5)


def test_unknown_order_changes_nothing(book: Book) -> None:
    assert book.process("none") is Settled.UNKNOWN_ORDER
    assert book.picture() == {}
