"""settle_payment: the goods for a payment that succeeded, or its money back."""

import json

import pytest
import redis

from storefront.domain.orders import Reason, State
from storefront.domain.terms import Terms
from storefront.storage.answers import Settled
from storefront.storage.charging import Charged
from tests.storage.steps import PRICE, Book

EVENT_SECONDS = 35 * 24 * 3600


@pytest.fixture
def opened(book: Book) -> Book:
    """Two of five posters held for o1, whose payment page cs_1 is open."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    return book


def test_sold_moves_the_units_from_held_to_sold(opened: Book) -> None:
    assert opened.settle("o1", "pi_1", event="evt_1") is Settled.SOLD
    assert opened.level("poster") == (3, 0, 2, 0, 5)
    assert opened.ledger()[-1] == ("sell", "poster", 2, "held", "sold")
    order = opened.order("o1")
    assert (order.state, order.units, order.reason) == (State.PAID, "sold", "")
    assert (order.payment_intent, dict(order.payments)) == ("pi_1", {"pi_1": 2 * PRICE})
    assert order.email == "ada@example.com"
    assert opened.store.orders.by_payment("pi_1") == "o1"
    assert set(opened.due()) == {"mail:confirmed:o1"}
    assert opened.hold_ttl("o1") == -2
    assert opened.store.orders.holding() == []
    assert EVENT_SECONDS - 5 <= opened.seen_ttl("evt_1") <= EVENT_SECONDS


def test_the_open_pages_are_told_that_units_are_no_longer_held(opened: Book) -> None:
    [told] = opened.published(lambda: opened.settle("o1"))
    assert json.loads(told) == {"poster": {"available": 3, "held": 0}}


def test_sold_before_the_session_was_attached_because_the_webhook_was_quicker(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    assert book.settle("o1", session="cs_1") is Settled.SOLD
    assert book.order("o1").session == "cs_1"
    assert set(book.due()) == {"mail:confirmed:o1"}


def test_sold_after_processing(opened: Book) -> None:
    opened.process("o1")
    assert opened.settle("o1") is Settled.SOLD
    assert opened.order("o1").state is State.PAID
    assert opened.due().keys() == {"mail:processing:o1", "mail:confirmed:o1"}
    assert opened.hold_ttl("o1") == -2


def test_sold_out_of_review_when_the_money_came_after_all(opened: Book) -> None:
    opened.review("o1")
    assert opened.settle("o1") is Settled.SOLD
    assert opened.level("poster") == (3, 0, 2, 0, 5)


def test_already_answers_a_repeat_and_gives_nothing_twice(opened: Book) -> None:
    opened.settle("o1")
    before = opened.picture()
    assert opened.settle("o1") is Settled.ALREADY
    assert opened.picture() == before


def test_a_repeat_may_bring_the_mail_address_that_was_missing(opened: Book) -> None:
    opened.settle("o1", session="", email="")
    assert opened.order("o1").email == ""
    assert opened.settle("o1", email="ada@example.com") is Settled.ALREADY
    assert opened.order("o1").email == "ada@example.com"


def test_a_repeat_with_another_event_marks_that_event_too(opened: Book) -> None:
    opened.settle("o1", event="evt_1")
    opened.settle("o1", event="evt_2")
    assert opened.store.orders.seen("evt_1")
    assert opened.store.orders.seen("evt_2")


def test_retaken_gives_a_late_payer_the_goods_that_are_still_there(opened: Book) -> None:
    opened.release("o1")
    assert opened.settle("o1") is Settled.RETAKEN
    assert opened.level("poster") == (3, 0, 2, 0, 5)
    assert opened.ledger()[-1] == ("retake", "poster", 2, "available", "sold")
    order = opened.order("o1")
    assert (order.state, order.reason, order.units) == (State.PAID, "", "sold")
    assert set(opened.due()) == {"mail:confirmed:o1"}


def test_oversold_sends_a_late_payer_s_money_back_when_the_units_are_gone(opened: Book) -> None:
    opened.release("o1")
    opened.open("o2", {"poster": 4}, "cs_2")
    assert opened.settle("o1") is Settled.OVERSOLD
    assert opened.level("poster") == (1, 4, 0, 0, 5)
    order = opened.order("o1")
    assert (order.state, order.reason, order.units) == (State.REFUND_DUE, "sold_out", "none")
    assert order.refund_reasons == {"pi_1": Reason.SOLD_OUT}
    assert set(opened.due()) == {"refund:o1:pi_1", "expire:o2"}
    before = opened.picture()
    assert opened.settle("o1") is Settled.ALREADY
    assert opened.picture() == before


def test_oversold_takes_no_line_when_one_line_is_gone(book: Book) -> None:
    book.stock(poster=5, zine=1)
    book.open("o1", {"poster": 2, "zine": 1})
    book.release("o1")
    book.open("o2", {"zine": 1}, "cs_2")
    assert book.settle("o1") is Settled.OVERSOLD
    assert (book.level("poster"), book.level("zine")) == ((5, 0, 0, 0, 5), (0, 1, 0, 0, 1))


def test_duplicate_sends_a_second_payment_back_and_keeps_the_first(opened: Book) -> None:
    opened.settle("o1", "pi_1")
    assert opened.settle("o1", "pi_2", session="cs_2") is Settled.DUPLICATE
    order = opened.order("o1")
    assert (order.state, order.payment_intent) == (State.PAID, "pi_1")
    assert order.refund_reasons == {"pi_2": Reason.DUPLICATE}
    assert set(order.payments) == {"pi_1", "pi_2"}
    assert order.sessions == ("cs_1", "cs_2")
    assert set(opened.due()) == {"mail:confirmed:o1", "refund:o1:pi_2"}
    assert opened.level("poster") == (3, 0, 2, 0, 5)
    before = opened.picture()
    assert opened.settle("o1", "pi_2", session="cs_2") is Settled.ALREADY
    assert opened.picture() == before


def test_duplicate_even_when_the_first_payment_is_on_its_way_back(opened: Book) -> None:
    opened.release("o1")
    opened.open("o2", {"poster": 5}, "cs_2")
    opened.settle("o1", "pi_1")
    assert opened.settle("o1", "pi_2") is Settled.DUPLICATE
    assert opened.order("o1").refund_reasons == {"pi_1": "sold_out", "pi_2": "duplicate"}


def test_a_payment_through_another_session_sees_that_the_order_s_own_is_ended(
    opened: Book,
) -> None:
    assert opened.settle("o1", "pi_1", session="cs_other") is Settled.SOLD
    assert set(opened.due()) == {"mail:confirmed:o1", "stray:o1:cs_1"}


def test_other_order_one_payment_never_buys_two_orders(opened: Book) -> None:
    """Whatever names it: what is written on a payment can be edited in Stripe's dashboard."""
    opened.open("o2", {"poster": 1}, "cs_2")
    opened.settle("o1", "pi_1")
    before = opened.picture()
    assert opened.settle("o2", "pi_1", session="cs_2") is Settled.OTHER_ORDER
    assert opened.picture() == before
    assert opened.settle("o2", "pi_1", event="evt_1") is Settled.OTHER_ORDER
    assert opened.store.orders.seen("evt_1")
    assert opened.store.orders.by_payment("pi_1") == "o1"


def test_unknown_order_changes_nothing_and_its_event_was_not_heard(book: Book) -> None:
    assert book.settle("none") is Settled.UNKNOWN_ORDER
    assert book.settle("none", event="evt_1") is Settled.UNKNOWN_ORDER
    assert book.picture() == {}


def test_books_that_disagree_stop_a_sale_before_anything_is_written(opened: Book) -> None:
    opened.put("held", "poster", 1)
    before = opened.picture()
    with pytest.raises(redis.ResponseError, match="the books disagree"):
        opened.settle("o1", event="evt_1")
    assert opened.picture() == before
    opened.put("held", "poster", 2)
    assert opened.settle("o1", event="evt_1") is Settled.SOLD


def test_later_while_free_units_may_be_those_of_an_order_that_was_lost(opened: Book) -> None:
    opened.release("o1")
    opened.store._client.hset(opened.store.keys.door(), "run", "another")
    before = opened.picture()
    assert opened.settle("o1") is Settled.LATER
    assert opened.due()["ask:o1:pi_1"] - opened.store.now() == pytest.approx(30_000, abs=5000)
    opened.store._client.zrem(opened.store.keys.name("due"), "ask:o1:pi_1")
    assert opened.picture() == before
    assert opened.settle("o1", in_turn=True) is Settled.RETAKEN
    opened.check()


def test_later_while_what_the_amount_is_made_of_may_be_lost(opened: Book) -> None:
    """As the way of delivery that was chosen on our own page, and charged for."""
    opened.store._client.hset(opened.store.keys.door(), "run", "another")
    assert opened.settle("o1", amount=2 * PRICE + 490) is Settled.LATER
    assert opened.authorize("o1", amount=2 * PRICE + 490) is Settled.LATER
    assert "ask:o1:pi_1" in opened.due()
    assert opened.order("o1").state is State.OPEN
    assert opened.settle("o1") is Settled.SOLD


def test_nothing_else_buys_an_order_while_a_person_looks_at_money_of_it(opened: Book) -> None:
    review_order = opened.store.scripts.review_order
    review_order("o1", reason="odd", payment_intent="pi_1", amount=2 * PRICE + 1)
    assert opened.settle("o1", "pi_2", session="cs_2") is Settled.DUPLICATE
    assert opened.authorize("o1", "pi_3", session="cs_3") is Settled.DUPLICATE
    order = opened.order("o1")
    assert (order.state, order.refund_reasons) == (State.REVIEW, {"pi_2": Reason.DUPLICATE})
    assert order.void_reasons == {"pi_3": Reason.DUPLICATE}
    opened.check()


def test_whoever_paid_in_time_has_the_goods_on_any_server(opened: Book) -> None:
    opened.store._client.hset(opened.store.keys.door(), "run", "another")
    assert opened.settle("o1") is Settled.SOLD
    opened.check()


def test_later_a_purchase_of_nothing_is_asked_about_by_its_session(opened: Book) -> None:
    opened.release("o1")
    opened.store._client.hset(opened.store.keys.door(), "run", "another")
    assert opened.settle("o1", "cs_1", amount=0) is Settled.LATER
    assert "ask:o1" in opened.due()


def test_later_when_nobody_told_what_more_than_goods_is_made_of(book: Book) -> None:
    """It was known, so a PaymentIntent was enough; then Redis lost that it was."""
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=Terms(tax=True))
    book.attach("o1", "cs_1")
    before = book.picture()
    assert book.settle("o1", session="", amount=2 * PRICE + 500) is Settled.LATER
    assert "ask:o1:pi_1" in book.due()
    book.store._client.zrem(book.store.keys.name("due"), "ask:o1:pi_1")
    assert book.picture() == before
    told = Charged(total=2 * PRICE + 500, tax=500)
    assert book.settle("o1", session="", amount=2 * PRICE + 500, parts=told) is Settled.SOLD
    assert book.order("o1").amount == 2 * PRICE + 500
    book.check()
