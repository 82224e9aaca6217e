"""choose_way: how the goods reach the shopper is kept once, before there can be a payment.

And what a payment is made of is kept by the scripts that give goods for it.
"""

from dataclasses import replace

import pytest

from storefront.domain.orders import State
from storefront.domain.terms import Rate, Recipient, Terms, Way
from storefront.storage.answers import Attached, Chosen, Recorded, Settled
from storefront.storage.charging import Charged, Told
from tests.storage.steps import ASK_MS, GRACE_MS, HOLD_MS, PRICE, Book

TERMS = Terms(rates=(Rate(Way.PICKUP, 0), Rate(Way.DELIVERY, 490)), countries=("GB",), codes=True)
ADA = Recipient("Ada Lovelace", "12 St James's Square", postal_code="SW1Y 4JH", country="GB")
SENT = Charged(total=2 * PRICE + 490, shipping=490, way="delivery", recipient=ADA)
FREE = Charged(total=0, discount=2 * PRICE, way="pickup")


@pytest.fixture
def asked(book: Book) -> Book:
    """Two posters are held for o1, and our page asks how to send them."""
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=TERMS, form="elements")
    return book


def test_until_it_is_chosen_the_order_waits_for_its_deadline_and_not_for_half_a_minute(
    asked: Book,
) -> None:
    order = asked.order("o1")
    assert (order.state, order.session_version, order.terms) == (State.PENDING, 0, TERMS)
    assert asked.due() == {"ask:o1": order.deadline, "expire:o1": order.deadline}


def test_chosen_keeps_the_parts_and_lets_the_payment_be_made(asked: Book) -> None:
    assert asked.choose("o1", SENT) is Chosen.CHOSEN
    order = asked.order("o1")
    assert (order.amount, order.goods, order.shipping) == (2 * PRICE + 490, 2 * PRICE, 490)
    assert (order.way, order.recipient, order.session_version) == ("delivery", ADA, 1)
    assert asked.due()["ask:o1"] < order.deadline - HOLD_MS + 2 * ASK_MS
    assert HOLD_MS < asked.hold_ttl("o1") <= HOLD_MS + GRACE_MS


def test_already_the_first_choice_stands(asked: Book) -> None:
    asked.choose("o1", SENT)
    before = asked.picture()
    assert asked.choose("o1", Charged(total=2 * PRICE, way="pickup")) is Chosen.ALREADY
    assert asked.picture() == before


def test_already_where_there_is_nothing_to_choose(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    before = book.picture()
    assert book.choose("o1", SENT) is Chosen.ALREADY
    assert book.picture() == before


def test_too_late_once_the_hold_is_over(asked: Book) -> None:
    asked.release("o1", "", version=0)
    before = asked.picture()
    assert asked.choose("o1", SENT) is Chosen.TOO_LATE
    assert asked.picture() == before


def test_unknown_order_changes_nothing(book: Book) -> None:
    assert book.choose("none", SENT) is Chosen.UNKNOWN_ORDER
    assert book.picture() == {}


def test_who_saw_that_nothing_was_chosen_cannot_release_what_was_chosen_since(
    asked: Book,
) -> None:
    """No payment could exist when Stripe was not asked; by now one may."""
    asked.choose("o1", SENT)
    assert asked.release("o1", "", version=0) is Settled.OTHER_SESSION
    assert asked.release("o1", "", version=1) is Settled.RELEASED


def test_closed_while_an_earlier_choice_may_be_lost_nothing_is_chosen_and_nothing_released(
    asked: Book,
) -> None:
    """Redis was restarted: a payment may have been made for a choice that is not here any more."""
    asked.store._client.hset(asked.store.keys.door(), "run", "another")
    before = asked.picture()
    assert asked.choose("o1", SENT) is Chosen.CLOSED
    assert asked.release("o1", "", version=0) is Settled.KEPT
    assert asked.picture() == before
    assert asked.hold_ttl("o1") > HOLD_MS


def test_chosen_as_the_payment_tells_even_then_and_once(asked: Book) -> None:
    asked.store._client.hset(asked.store.keys.door(), "run", "another")
    assert asked.choose("o1", SENT, told=Told()) is Chosen.CHOSEN
    order = asked.order("o1")
    assert (order.amount, order.way, order.recipient) == (2 * PRICE + 490, "delivery", ADA)
    assert (order.session_version, "ask:o1" in asked.due()) == (1, True)
    before = asked.picture()
    assert asked.choose("o1", FREE, told=Told()) is Chosen.ALREADY
    assert asked.picture() == before


def test_chosen_as_the_payment_tells_of_an_order_that_is_over_asks_nothing(asked: Book) -> None:
    asked.release("o1", "", version=0)
    assert asked.choose("o1", SENT, told=Told()) is Chosen.CHOSEN
    assert (asked.order("o1").state, "ask:o1" in asked.due()) == (State.RELEASED, False)


def test_chosen_where_an_offer_s_session_is_here_and_its_terms_are_lost(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    told = Told(TERMS.to_json(), "hosted")
    assert book.choose("o1", None, told=told) is Chosen.CHOSEN
    order = book.order("o1")
    assert (order.state, order.session_version, order.terms) == (State.OPEN, 1, TERMS)
    before = book.picture()
    assert book.choose("o1", None, told=told) is Chosen.ALREADY
    assert book.picture() == before
    book.check()


def test_a_sale_keeps_what_was_charged_in_its_parts(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=TERMS)
    assert book.attach("o1") is Attached.ATTACHED
    parts = replace(SENT, total=2 * PRICE + 490 - 500 + 55, tax=55, discount=500)
    assert book.settle("o1", amount=parts.total, parts=parts) is Settled.SOLD
    order = book.order("o1")
    assert (order.amount, order.shipping, order.tax, order.discount) == (5045, 490, 55, 500)
    assert (order.recipient, order.payments) == (ADA, {"pi_1": 5045})
    book.check()


def test_an_authorisation_keeps_them_and_its_capture_leaves_them(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=TERMS)
    book.attach("o1")
    assert book.authorize("o1", amount=5490, parts=SENT) is Settled.AUTHORIZED
    before = book.order("o1")
    assert book.settle("o1", amount=5490) is Settled.CAPTURED
    after = book.order("o1")
    assert (after.amount, after.shipping, after.recipient) == (5490, 490, ADA)
    assert before.recipient == after.recipient


def test_a_duplicate_changes_nothing_about_the_parts(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=TERMS)
    book.attach("o1")
    book.settle("o1", amount=5490, parts=SENT)
    other = Charged(total=2 * PRICE, way="pickup")
    assert book.settle("o1", "pi_2", session="cs_2", parts=other) is Settled.DUPLICATE
    assert (book.order("o1").amount, book.order("o1").way) == (5490, "delivery")


def test_nothing_to_pay_gives_the_goods_and_owes_nothing(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=TERMS)
    book.attach("o1")
    assert book.settle("o1", "cs_1", amount=0, parts=FREE) is Settled.SOLD
    order = book.order("o1")
    assert (order.state, order.payments, order.amount) == (State.PAID, {"cs_1": 0}, 0)
    assert order.payment_intent == ""
    assert set(book.due()) == {"mail:confirmed:o1"}
    assert book.settle("o1", "cs_1", amount=0, parts=FREE) is Settled.ALREADY
    book.check()


def test_nothing_to_pay_too_late_ends_released_and_told(book: Book) -> None:
    book.stock(poster=2)
    book.hold("o1", {"poster": 2}, terms=TERMS)
    book.attach("o1")
    book.release("o1")
    book.open("o2", {"poster": 2}, "cs_2")
    assert book.settle("o1", "cs_1", amount=0, parts=FREE) is Settled.OVERSOLD
    order = book.order("o1")
    assert (order.state, order.reason, order.payments) == (State.RELEASED, "sold_out", {})
    assert (order.voided, order.void_reasons) == ({"cs_1": 0}, {"cs_1": "sold_out"})
    assert set(book.due()) == {"mail:voided:o1:cs_1", "expire:o2"}
    before = book.picture()
    assert book.settle("o1", "cs_1", amount=0, parts=FREE) is Settled.ALREADY
    assert book.picture() == before
    book.check()


def test_nothing_to_pay_twice_is_told_and_owes_nothing(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=TERMS)
    book.attach("o1")
    book.settle("o1", amount=5490, parts=SENT)
    answer = book.settle("o1", "cs_2", session="cs_2", amount=0, parts=FREE)
    assert answer is Settled.DUPLICATE
    order = book.order("o1")
    assert (order.voided, order.amount, order.state) == ({"cs_2": 0}, 5490, State.PAID)
    assert "mail:voided:o1:cs_2" in book.due()
    book.check()


def test_money_that_goes_back_for_another_payment_does_not_end_what_cost_nothing(
    book: Book,
) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 2}, terms=TERMS)
    book.attach("o1")
    book.settle("o1", "cs_1", amount=0, parts=FREE)
    book.settle("o1", "pi_2", session="cs_2", amount=5490, parts=SENT)
    assert book.refund("o1", payment="pi_2", amount=5490) is Recorded.RECORDED
    order = book.order("o1")
    assert (order.state, order.units, order.amount) == (State.PAID, "sold", 0)
    book.check()
