"""record_dispute and end_review: what a bank takes back, and an order that may go on."""

import pytest

from storefront.domain.orders import State
from storefront.domain.payments import DisputeFact
from storefront.storage.answers import Disputed, Resumed
from tests.storage.steps import PRICE, Book

ALL = 2 * PRICE


@pytest.fixture
def paid(book: Book) -> Book:
    """Two of five posters sold to o1 for pi_1."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.settle("o1", "pi_1")
    return book


def dispute(book: Book, status: str = "needs_response", name: str = "dp_1", event: str = "") -> str:
    fact = DisputeFact(name, "pi_1", ALL, status)
    return book.store.scripts.record_dispute("o1", fact, event=event)


def end(book: Book) -> tuple[str, str]:
    return book.store.scripts.end_review("o1")


@pytest.mark.parametrize("status", ["needs_response", "warning_needs_response", "lost", "thinking"])
def test_review_is_where_the_first_word_of_a_dispute_leads(paid: Book, status: str) -> None:
    assert dispute(paid, status, event="evt_1") is Disputed.REVIEW
    order = paid.order("o1")
    assert (order.state, order.units) == (State.REVIEW, "sold")
    assert order.reason == "the buyer's bank disputes the payment (dp_1)"
    assert "mail:review:o1" in paid.due()
    assert paid.store.orders.seen("evt_1")
    before = paid.picture()
    assert dispute(paid, status) is Disputed.ALREADY
    assert paid.picture() == before
    paid.check()


def test_a_held_order_keeps_its_hold_for_a_person(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    dispute(book)
    assert (book.hold_ttl("o1"), book.level("poster")) == (-1, (3, 2, 0, 0, 5))


@pytest.mark.parametrize("status", ["won", "warning_closed", "prevented"])
def test_recorded_when_it_is_over_in_the_shop_s_favour(paid: Book, status: str) -> None:
    assert dispute(paid, status) is Disputed.RECORDED
    assert paid.order("o1").state is State.PAID
    assert dispute(paid, "needs_response") is Disputed.ALREADY
    assert [d.status for d in paid.order("o1").disputes] == [status]


def test_recorded_keeps_how_a_known_one_ended_and_no_earlier_word_undoes_it(paid: Book) -> None:
    dispute(paid)
    assert dispute(paid, "lost") is Disputed.RECORDED
    assert dispute(paid, "under_review") is Disputed.ALREADY
    assert [d.status for d in paid.order("o1").disputes] == ["lost"]


def test_a_second_dispute_adds_its_reason(paid: Book) -> None:
    dispute(paid)
    assert dispute(paid, name="dp_2") is Disputed.REVIEW
    assert paid.order("o1").reason.count("disputes the payment") == 2


def test_unknown_order_is_told(book: Book) -> None:
    assert dispute(book) is Disputed.UNKNOWN_ORDER
    assert end(book)[0] is Resumed.UNKNOWN_ORDER


def test_resumed_gives_the_state_back_once(paid: Book) -> None:
    paid.review("o1", "look")
    assert end(paid) == (Resumed.RESUMED, "paid")
    order = paid.order("o1")
    assert (order.state, order.reason, paid.level("poster")) == (State.PAID, "", (3, 0, 2, 0, 5))
    assert "mail:review:o1" not in paid.due()
    assert end(paid) == (Resumed.KEPT, "paid")
    paid.check()


def test_resumed_knows_what_was_handed_over(paid: Book) -> None:
    paid.hand_over()
    dispute(paid)
    dispute(paid, "won")
    assert end(paid) == (Resumed.RESUMED, "fulfilled")


def test_resumed_also_when_all_units_went_back_and_some_money_stayed(paid: Book) -> None:
    plan = paid.plan({"poster": 2}, amount=ALL - 1)
    paid.want(plan)
    paid.refund("o1", amount=ALL - 1, plan=plan)
    paid.review("o1")
    assert end(paid) == (Resumed.RESUMED, "paid")
    paid.check()


@pytest.mark.parametrize("status", ["needs_response", "under_review", "lost"])
def test_undecided_while_a_dispute_is_open_or_was_lost(paid: Book, status: str) -> None:
    dispute(paid)
    dispute(paid, status)
    before = paid.picture()
    assert end(paid) == (Resumed.UNDECIDED, "dispute")
    assert paid.picture() == before


def test_undecided_when_the_money_is_not_one_payment_of_the_price(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.review("o1", "paid 3000", payment_intent="pi_1", amount=3000)
    assert end(book) == (Resumed.UNDECIDED, "money")


def test_undecided_while_a_second_payment_is_not_back(paid: Book) -> None:
    paid.settle("o1", "pi_2", session="cs_2")
    paid.review("o1")
    assert end(paid) == (Resumed.UNDECIDED, "money")
    paid.refund("o1", "re_2", "pi_2", reason="duplicate")
    assert end(paid) == (Resumed.RESUMED, "paid")


def test_undecided_when_all_its_money_is_to_go_back_or_its_units_are_gone(paid: Book) -> None:
    paid.refund("o1", "re_1", status="succeeded")
    paid.review("o1")
    assert end(paid) == (Resumed.UNDECIDED, "money")
    paid.refund("o1", "re_1", status="failed")
    assert end(paid) == (Resumed.UNDECIDED, "units")
    assert paid.level("poster") == (5, 0, 0, 0, 5)


def test_undecided_while_nothing_was_paid(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.review("o1")
    assert end(book) == (Resumed.UNDECIDED, "money")
