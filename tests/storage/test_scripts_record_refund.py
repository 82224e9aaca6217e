"""record_refund: what Stripe tells about a refund, by whomever it was made."""

import json

import pytest
import redis

from storefront.domain.orders import State
from storefront.storage.answers import Recorded
from tests.storage.steps import AGAIN_MS, PRICE, Book

ALL = 2 * PRICE


@pytest.fixture
def paid(book: Book) -> Book:
    """Two of five posters sold to o1 for pi_1."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.settle("o1", "pi_1")
    return book


@pytest.fixture
def owed(book: Book) -> Book:
    """o1 was paid with pi_1 after its units were gone."""
    book.stock(poster=2)
    book.open("o1", {"poster": 2})
    book.release("o1")
    book.open("o2", {"poster": 2}, "cs_2")
    book.settle("o1", "pi_1")
    return book


def test_refunded_ends_an_order_whose_money_was_owed(owed: Book) -> None:
    assert owed.refund("o1", event="evt_1") is Recorded.REFUNDED
    order = owed.order("o1")
    assert (order.state, order.reason) == (State.REFUNDED, "sold_out")
    [refund] = order.refunds
    assert (refund.id, refund.amount, refund.status) == ("re_1", ALL, "succeeded")
    assert (refund.payment_intent, refund.reason) == ("pi_1", "sold_out")
    assert set(owed.due()) == {"expire:o2", "mail:refunded:o1:re_1"}
    assert owed.level("poster") == (0, 2, 0, 0, 2)
    assert owed.store.orders.seen("evt_1")


def test_refunded_gives_sold_units_that_were_not_handed_over_back_on_sale(paid: Book) -> None:
    [told] = paid.published(lambda: paid.refund("o1", reason=""))
    assert json.loads(told) == {"poster": {"available": 5, "held": 0}}
    assert paid.level("poster") == (5, 0, 0, 0, 5)
    assert paid.ledger()[-1] == ("return", "poster", 2, "sold", "available")
    assert (paid.order("o1").state, paid.order("o1").units) == (State.REFUNDED, "none")


def test_refunded_writes_handed_over_units_off(paid: Book) -> None:
    paid.hand_over()
    assert paid.refund("o1") is Recorded.REFUNDED
    assert paid.level("poster") == (3, 0, 0, 2, 5)
    assert paid.ledger()[-1] == ("return", "poster", 2, "sold", "written_off")


def test_handed_over_units_are_written_off_also_when_a_person_looked_at_the_order(
    paid: Book,
) -> None:
    paid.hand_over()
    paid.review("o1", "disputed")
    assert paid.refund("o1") is Recorded.REFUNDED
    assert paid.level("poster") == (3, 0, 0, 2, 5)


def test_refunded_gives_units_back_that_were_still_held_before_a_person(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.review("o1", "paid 3000", payment_intent="pi_1", amount=3000)
    assert book.refund("o1", amount=3000) is Recorded.REFUNDED
    assert (book.level("poster"), book.hold_ttl("o1")) == ((5, 0, 0, 0, 5), -2)
    assert book.store.orders.holding() == []


def test_recorded_lists_a_partial_refund_and_changes_no_state(paid: Book) -> None:
    assert paid.refund("o1", "re_1", amount=ALL - 1) is Recorded.RECORDED
    assert (paid.order("o1").state, paid.order("o1").refunded) == (State.PAID, ALL - 1)
    assert paid.level("poster") == (3, 0, 2, 0, 5)
    assert "mail:refunded:o1:re_1" in paid.due()


def test_partial_refunds_that_are_everything_together_end_the_order(paid: Book) -> None:
    paid.refund("o1", "re_1", amount=ALL - 1)
    assert paid.refund("o1", "re_2", amount=1) is Recorded.REFUNDED
    assert paid.level("poster") == (5, 0, 0, 0, 5)
    assert {"mail:refunded:o1:re_1", "mail:refunded:o1:re_2"} <= set(paid.due())


def test_recorded_lists_the_refund_of_a_second_payment_and_keeps_the_goods(paid: Book) -> None:
    paid.settle("o1", "pi_2", session="cs_2")
    assert paid.refund("o1", "re_1", "pi_2", reason="duplicate") is Recorded.RECORDED
    assert (paid.order("o1").state, paid.level("poster")) == (State.PAID, (3, 0, 2, 0, 5))
    assert set(paid.due()) == {"mail:confirmed:o1", "mail:refunded:o1:re_1"}


@pytest.mark.parametrize("status", ["pending", "requires_action"])
def test_a_refund_on_its_way_counts_and_is_asked_about_again(owed: Book, status: str) -> None:
    job = owed.claim()["refund:o1:pi_1"]
    owed.store.scripts.finish_due(job, order="o1")
    before = owed.store.now()
    assert owed.refund("o1", status=status) is Recorded.REFUNDED
    at = owed.due()["refund:o1:pi_1"]
    assert before + AGAIN_MS <= at <= owed.store.now() + AGAIN_MS
    assert "mail:refunded:o1:re_1" in owed.due()


def test_recorded_when_a_pending_refund_succeeds_and_nobody_is_told_twice(owed: Book) -> None:
    owed.refund("o1", status="pending")
    mail = owed.claim()["mail:refunded:o1:re_1"]
    owed.store.scripts.finish_due(mail, order="o1", field="mail:refunded:re_1")
    assert owed.refund("o1", status="succeeded") is Recorded.RECORDED
    assert owed.order("o1").refunds[0].status == "succeeded"
    assert set(owed.due()) == {"expire:o2"}


@pytest.mark.parametrize("status", ["failed", "canceled"])
@pytest.mark.parametrize("first", ["", "pending", "succeeded"])
def test_failed_puts_the_order_before_a_person_whatever_the_refund_was_before(
    owed: Book, status: str, first: str
) -> None:
    if first:
        owed.refund("o1", status=first)
    assert owed.refund("o1", status=status) is Recorded.FAILED
    order = owed.order("o1")
    assert (order.state, order.reason) == (State.REVIEW, f"refund re_1 {status}")
    assert (order.refunded, order.refunds[0].status) == (0, status)
    assert "mail:review:o1" in owed.due()
    assert "refund:o1:pi_1" not in owed.due()


def test_failed_keeps_the_units_of_an_order_that_still_holds_them_and_promises_nothing(
    book: Book,
) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, visitor="ada")
    before = book.picture()
    assert book.refund("o1", status="failed") is Recorded.UNPAID
    assert book.picture() == before, "the payment comes first"
    book.store.scripts.review_order("o1", reason="odd", payment_intent="pi_1", amount=ALL + 1)
    assert book.refund("o1", status="failed") is Recorded.FAILED
    assert (book.order("o1").state, book.level("poster")) == (State.REVIEW, (3, 2, 0, 0, 5))
    assert set(book.due()) == {"mail:review:o1"}
    assert book.store.orders.live_of("ada") == []
    assert book.hold_ttl("o1") == -1


def test_a_new_refund_after_a_failed_one_ends_the_order_after_all(owed: Book) -> None:
    owed.refund("o1", "re_1", status="failed")
    assert owed.refund("o1", "re_2") is Recorded.REFUNDED
    assert owed.order("o1").state is State.REFUNDED


@pytest.fixture
def twice(paid: Book) -> Book:
    """o1 was paid a second time, with pi_2, and the refund of that has failed."""
    paid.settle("o1", "pi_2", session="cs_2")
    paid.refund("o1", "re_2", "pi_2", status="failed")
    return paid


def test_recorded_keeps_an_order_before_a_person_while_another_payment_is_owed(
    twice: Book,
) -> None:
    assert twice.refund("o1", "re_1", "pi_1") is Recorded.RECORDED
    order = twice.order("o1")
    assert (order.state, order.reason) == (State.REVIEW, "refund re_2 failed")
    assert (order.units, twice.level("poster")) == ("none", (5, 0, 0, 0, 5))


def test_refunded_once_everything_that_was_paid_is_back(twice: Book) -> None:
    twice.refund("o1", "re_1", "pi_1")
    assert twice.refund("o1", "re_3", "pi_2", reason="duplicate") is Recorded.REFUNDED
    assert (twice.order("o1").state, twice.level("poster")) == (State.REFUNDED, (5, 0, 0, 0, 5))


def test_a_worker_that_looked_before_a_refund_was_made_does_not_forget_it(owed: Book) -> None:
    job = owed.claim()["refund:o1:pi_1"]
    owed.refund("o1", status="pending")
    assert owed.store.scripts.finish_due(job, order="o1") == "taken"
    assert owed.due()["refund:o1:pi_1"] == job.lease - 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("succeeded", "succeeded"),
        ("succeeded", "pending"),
        ("succeeded", "requires_action"),
        ("failed", "pending"),
        ("failed", "succeeded"),
        ("pending", "pending"),
    ],
)
def test_already_answers_what_is_no_news_in_whatever_order_events_come(
    owed: Book, first: str, then: str
) -> None:
    owed.refund("o1", status=first)
    before = owed.picture()
    assert owed.refund("o1", status=then) is Recorded.ALREADY
    assert owed.picture() == before


def test_a_status_that_stripe_may_invent_is_taken_for_pending(owed: Book) -> None:
    assert owed.refund("o1", status="thinking") is Recorded.REFUNDED
    assert owed.refund("o1", status="succeeded") is Recorded.RECORDED


def test_unknown_order_changes_nothing(book: Book) -> None:
    assert book.refund("none") is Recorded.UNKNOWN_ORDER
    assert book.picture() == {}


def test_books_that_disagree_stop_a_refund_before_anything_is_written(paid: Book) -> None:
    paid.put("sold", "poster", 1)
    before = paid.picture()
    with pytest.raises(redis.ResponseError, match="the books disagree"):
        paid.refund("o1")
    assert paid.picture() == before
    paid.put("sold", "poster", 2)
    assert paid.refund("o1") is Recorded.REFUNDED


def test_unwanted_gives_nothing_back_by_hand_that_redis_no_longer_knows_of(owed: Book) -> None:
    before = owed.picture()
    assert owed.refund("o1", plan=owed.plan(), by_hand=True) is Recorded.UNWANTED
    assert owed.picture() == before
    assert owed.refund("o1", by_hand=True) is Recorded.REFUNDED, "all of it is owed"


def test_unwanted_gives_nothing_back_by_hand_of_what_nobody_owes(paid: Book) -> None:
    before = paid.picture()
    assert paid.refund("o1", by_hand=True) is Recorded.UNWANTED
    assert paid.picture() == before
