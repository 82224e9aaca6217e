"""authorize_payment and void_payment: goods for a bank's word, and the end of that word."""

import pytest
import redis

from storefront.domain.orders import State
from storefront.domain.terms import Terms
from storefront.storage.answers import Settled
from storefront.storage.charging import Charged
from tests.storage.steps import PRICE, Book

UNTIL = 1_900_000_000


@pytest.fixture
def opened(book: Book) -> Book:
    """Two of five posters held for o1, whose payment page cs_1 is open."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    return book


@pytest.fixture
def authorized(opened: Book) -> Book:
    """A bank has agreed to pay for them."""
    opened.authorize("o1")
    return opened


def test_authorized_moves_the_units_to_sold_and_makes_the_capture_due(opened: Book) -> None:
    assert opened.authorize("o1", event="evt_1") is Settled.AUTHORIZED
    assert opened.level("poster") == (3, 0, 2, 0, 5)
    assert opened.ledger()[-1] == ("sell", "poster", 2, "held", "sold")
    order = opened.order("o1")
    assert (order.state, order.units) == (State.AUTHORIZED, "sold")
    assert (dict(order.authorizations), dict(order.payments)) == ({"pi_1": 2 * PRICE}, {})
    assert (order.email, order.capture_before) == ("ada@example.com", {"pi_1": UNTIL})
    assert opened.store.orders.by_payment("pi_1") == "o1"
    assert set(opened.due()) == {"capture:o1:pi_1"}
    assert (opened.hold_ttl("o1"), opened.store.orders.holding()) == (-2, [])
    assert opened.seen_ttl("evt_1") > 0
    opened.check()


def test_authorized_again_is_already_and_changes_nothing(authorized: Book) -> None:
    before = authorized.picture()
    assert authorized.authorize("o1") is Settled.ALREADY
    assert authorized.picture() == before


def test_other_order_one_authorisation_never_buys_two_orders(authorized: Book) -> None:
    """Whatever names it: what is written on a payment can be edited in Stripe's dashboard."""
    authorized.open("o2", {"poster": 1}, "cs_2")
    before = authorized.picture()
    assert authorized.authorize("o2") is Settled.OTHER_ORDER
    assert authorized.settle("o2") is Settled.OTHER_ORDER
    assert authorized.picture() == before
    assert authorized.store.orders.by_payment("pi_1") == "o1"


def test_captured_is_paid_and_confirmed(authorized: Book) -> None:
    assert authorized.settle("o1") is Settled.CAPTURED
    order = authorized.order("o1")
    assert (order.state, order.units) == (State.PAID, "sold")
    assert (dict(order.authorizations), dict(order.payments)) == ({}, {"pi_1": 2 * PRICE})
    assert set(authorized.due()) == {"mail:confirmed:o1"}
    assert authorized.settle("o1") is Settled.ALREADY
    assert authorized.authorize("o1") is Settled.ALREADY
    assert authorized.level("poster") == (3, 0, 2, 0, 5)
    authorized.check()


def test_captured_before_it_was_known_as_authorised_is_sold(opened: Book) -> None:
    assert opened.settle("o1") is Settled.SOLD
    assert opened.authorize("o1") is Settled.ALREADY
    assert set(opened.due()) == {"mail:confirmed:o1"}


def test_retaken_when_the_units_of_a_released_order_are_still_there(opened: Book) -> None:
    opened.release("o1")
    assert opened.authorize("o1") is Settled.RETAKEN
    assert opened.level("poster") == (3, 0, 2, 0, 5)
    assert opened.ledger()[-1] == ("retake", "poster", 2, "available", "sold")
    opened.check()


@pytest.fixture
def oversold(opened: Book) -> Book:
    """o1 was released, its units are someone else's, and its bank agrees to pay."""
    opened.release("o1")
    opened.open("o2", {"poster": 5}, "cs_2")
    assert opened.authorize("o1") is Settled.OVERSOLD
    return opened


def test_oversold_takes_nothing_and_makes_the_void_due(oversold: Book) -> None:
    order = oversold.order("o1")
    assert (order.state, order.reason, order.units) == (State.VOID_DUE, "sold_out", "none")
    assert dict(order.void_reasons) == {"pi_1": "sold_out"}
    assert oversold.level("poster") == (0, 5, 0, 0, 5)
    assert set(oversold.due()) == {"void:o1:pi_1", "expire:o2"}
    oversold.check()


def test_voided_ends_the_order_and_tells_the_shopper(oversold: Book) -> None:
    assert oversold.void("o1", event="evt_1") is Settled.VOIDED
    order = oversold.order("o1")
    assert (order.state, order.reason) == (State.VOIDED, "sold_out")
    assert (dict(order.voided), dict(order.authorizations)) == ({"pi_1": 2 * PRICE}, {})
    assert set(oversold.due()) == {"mail:voided:o1:pi_1", "expire:o2"}
    before = oversold.picture()
    assert oversold.void("o1") is Settled.KEPT
    assert oversold.picture() == before
    oversold.check()


def test_voided_gives_the_goods_of_a_bank_that_did_not_pay_back(authorized: Book) -> None:
    assert authorized.void("o1") is Settled.VOIDED
    order = authorized.order("o1")
    assert (order.state, order.reason, order.units) == (State.VOIDED, "lapsed", "none")
    assert authorized.level("poster") == (5, 0, 0, 0, 5)
    assert authorized.ledger()[-1] == ("return", "poster", 2, "sold", "available")
    assert set(authorized.due()) == {"mail:voided:o1:pi_1"}
    authorized.check()


def test_a_second_authorisation_is_a_duplicate_whose_void_leaves_the_first_alone(
    authorized: Book,
) -> None:
    assert authorized.authorize("o1", "pi_2", session="cs_2") is Settled.DUPLICATE
    assert set(authorized.due()) == {"capture:o1:pi_1", "void:o1:pi_2"}
    authorized.check()
    assert authorized.void("o1", "pi_2") is Settled.VOIDED
    order = authorized.order("o1")
    assert (order.state, order.units) == (State.AUTHORIZED, "sold")
    assert set(authorized.due()) == {"capture:o1:pi_1", "mail:voided:o1:pi_2"}
    authorized.check()


def test_a_person_goes_on_looking_at_another_payment_of_an_order_that_is_voided(
    authorized: Book,
) -> None:
    """Such as a second one that a bank disputes, which therefore cannot be sent back."""
    assert authorized.settle("o1", "pi_2", session="cs_2") is Settled.DUPLICATE
    authorized.review("o1", "disputed")
    assert authorized.void("o1") is Settled.VOIDED
    order = authorized.order("o1")
    assert (order.state, order.reason, order.units) == (State.REVIEW, "disputed", "none")
    assert authorized.level("poster") == (5, 0, 0, 0, 5)
    authorized.check()


def test_what_was_to_be_voided_and_was_captured_is_money_that_goes_back(oversold: Book) -> None:
    assert oversold.settle("o1") is Settled.OVERSOLD
    order = oversold.order("o1")
    assert (order.state, dict(order.refund_reasons)) == (State.REFUND_DUE, {"pi_1": "sold_out"})
    assert (dict(order.void_reasons), dict(order.authorizations)) == ({}, {})
    assert set(oversold.due()) == {"refund:o1:pi_1", "expire:o2"}
    oversold.check()


def test_what_was_to_be_voided_and_was_captured_buys_goods_that_came_back(oversold: Book) -> None:
    oversold.release("o2", "cs_2")
    assert oversold.settle("o1") is Settled.RETAKEN
    assert oversold.order("o1").state is State.PAID
    oversold.check()


def test_goods_that_were_handed_over_and_never_paid_need_a_person(authorized: Book) -> None:
    keys, client = authorized.store.keys, authorized.store._client
    client.hset(
        keys.order("o1"), "at:fulfilled", 1
    )  # by no script, so that nothing is lost if one did
    assert authorized.void("o1") is Settled.REVIEW
    order = authorized.order("o1")
    assert (order.state, order.units) == (State.REVIEW, "sold")
    assert {"mail:review:o1", "mail:voided:o1:pi_1"} == set(authorized.due())


def test_a_payment_that_is_no_authorisation_is_not_voided(opened: Book) -> None:
    opened.settle("o1")
    before = opened.picture()
    assert opened.void("o1") is Settled.KEPT
    assert opened.picture() == before


def test_an_order_that_nobody_knows_changes_nothing(opened: Book) -> None:
    before = opened.picture()
    assert opened.authorize("o9") is Settled.UNKNOWN_ORDER
    assert opened.void("o9") is Settled.UNKNOWN_ORDER
    assert opened.picture() == before


def test_books_that_disagree_stop_it_before_anything_is_written(opened: Book) -> None:
    opened.put("held", "poster", 1)
    before = opened.picture()
    with pytest.raises(redis.ResponseError, match="the books disagree"):
        opened.authorize("o1", event="evt_1")
    assert opened.picture() == before
    opened.put("held", "poster", 2)
    assert opened.authorize("o1", event="evt_1") is Settled.AUTHORIZED


def test_later_while_free_units_may_be_those_of_an_order_that_was_lost(opened: Book) -> None:
    opened.release("o1")
    opened.store._client.hset(opened.store.keys.door(), "run", "another")
    before = opened.picture()
    assert opened.authorize("o1") is Settled.LATER
    assert opened.due()["ask:o1:pi_1"] - opened.store.now() == pytest.approx(30_000, abs=5000)
    opened.store._client.zrem(opened.store.keys.name("due"), "ask:o1:pi_1")
    assert opened.picture() == before
    assert opened.authorize("o1", in_turn=True) is Settled.RETAKEN
    opened.check()


def test_whoever_paid_in_time_has_the_goods_on_any_server(opened: Book) -> None:
    opened.store._client.hset(opened.store.keys.door(), "run", "another")
    assert opened.authorize("o1") is Settled.AUTHORIZED
    opened.check()


def test_later_when_nobody_told_what_more_than_goods_is_made_of(book: Book) -> None:
    """It was known, so a PaymentIntent was enough; then Redis lost that it was."""
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=Terms(tax=True))
    book.attach("o1", "cs_1")
    before = book.picture()
    assert book.authorize("o1", session="", amount=2 * PRICE + 500) is Settled.LATER
    assert "ask:o1:pi_1" in book.due()
    book.store._client.zrem(book.store.keys.name("due"), "ask:o1:pi_1")
    assert book.picture() == before
    told = Charged(total=2 * PRICE + 500, tax=500)
    assert (
        book.authorize("o1", session="", amount=2 * PRICE + 500, parts=told) is Settled.AUTHORIZED
    )
    assert book.order("o1").amount == 2 * PRICE + 500
    book.check()
