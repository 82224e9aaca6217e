"""review_order: an order stands before a person, its units where they were."""

import pytest

from storefront.domain.orders import State
from storefront.storage.answers import Settled
from tests.storage.steps import PRICE, Book


@pytest.fixture
def opened(book: Book) -> Book:
    """Two of five posters held for o1, whose payment page cs_1 is open."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    return book


def test_review_keeps_held_units_held_and_tells_a_person(opened: Book) -> None:
    assert opened.review("o1", "the amount differs", event="evt_1") is Settled.REVIEW
    order = opened.order("o1")
    assert (order.state, order.reason, order.units) == (State.REVIEW, "the amount differs", "held")
    assert opened.level("poster") == (3, 2, 0, 0, 5)
    assert set(opened.due()) == {"mail:review:o1"}
    assert opened.store.orders.seen("evt_1")


def test_a_hold_before_a_person_has_no_end_of_its_own(opened: Book) -> None:
    opened.review("o1")
    assert opened.hold_ttl("o1") == -1


def test_review_keeps_sold_units_sold(opened: Book) -> None:
    opened.settle("o1")
    assert opened.review("o1", "disputed") is Settled.REVIEW
    assert (opened.order("o1").units, opened.level("poster")) == ("sold", (3, 0, 2, 0, 5))
    assert set(opened.due()) == {"mail:confirmed:o1", "mail:review:o1"}


def test_review_of_a_released_order_takes_no_units(opened: Book) -> None:
    opened.release("o1")
    assert opened.review("o1") is Settled.REVIEW
    assert (opened.order("o1").units, opened.level("poster")) == ("none", (5, 0, 0, 0, 5))


def test_review_notes_the_payment_that_must_not_buy_the_order(opened: Book) -> None:
    opened.review("o1", "paid 3000", payment_intent="pi_1", amount=3000, email="ada@example.com")
    order = opened.order("o1")
    assert (dict(order.payments), order.payment_intent) == ({"pi_1": 3000}, "pi_1")
    assert (order.email, order.refund_reasons) == ("ada@example.com", {})
    assert opened.store.orders.by_payment("pi_1") == "o1"


def test_the_right_payment_after_a_wrong_one_is_sent_back(opened: Book) -> None:
    opened.review("o1", "paid 3000", payment_intent="pi_1", amount=3000)
    assert opened.settle("o1", "pi_2", amount=2 * PRICE) is Settled.DUPLICATE
    assert opened.order("o1").state is State.REVIEW


def test_a_wrong_payment_after_the_right_one_leaves_that_one_what_it_was(opened: Book) -> None:
    opened.settle("o1", "pi_1")
    opened.review("o1", "paid 3000", payment_intent="pi_2", amount=3000)
    order = opened.order("o1")
    assert (order.payment_intent, order.units) == ("pi_1", "sold")
    assert set(order.payments) == {"pi_1", "pi_2"}


def test_already_answers_a_repeat(opened: Book) -> None:
    opened.review("o1", "first")
    before = opened.picture()
    assert opened.review("o1", "second") is Settled.ALREADY
    assert opened.picture() == before


def test_already_answers_the_same_payment_again(opened: Book) -> None:
    opened.review("o1", "paid 3000", payment_intent="pi_1", amount=3000)
    before = opened.picture()
    assert opened.review("o1", "paid 3000", payment_intent="pi_1", amount=3000) is Settled.ALREADY
    assert opened.picture() == before


def test_unknown_order_changes_nothing(book: Book) -> None:
    assert book.review("none") is Settled.UNKNOWN_ORDER
    assert book.picture() == {}


def test_other_order_a_payment_that_bought_one_order_says_nothing_of_another(opened: Book) -> None:
    opened.open("o2", {"poster": 1}, "cs_2")
    opened.settle("o1", "pi_1")
    before = opened.picture()
    assert opened.review("o2", payment_intent="pi_1", amount=PRICE) is Settled.OTHER_ORDER
    assert opened.picture() == before
