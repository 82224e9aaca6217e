"""hand_over and take_back: each unit reaches its customer once, and what went back does not."""

import json
from dataclasses import replace

import pytest
import redis

from storefront.domain.orders import UNDO_MS, State
from storefront.storage.answers import HandAnswer, Handed, Recorded, TakenBack
from tests.storage.steps import PRICE, Book

ALL = 3 * PRICE


@pytest.fixture
def paid(book: Book) -> Book:
    """Two of five posters and one of two zines sold to o1 for pi_1."""
    book.stock(poster=5, zine=2)
    book.open("o1", {"poster": 2, "zine": 1})
    book.settle("o1", amount=ALL)
    return book


def to_be_sent(book: Book) -> None:
    """The shopper chose delivery."""
    book.store._client.hset(book.store.keys.order("o1"), "way", "delivery")


def let_pass(book: Book, ms: int, key: str = "scan-000001") -> None:
    """As if the hand-over were so much older."""
    name = book.store.keys.order("o1")
    done = json.loads(book.store._client.hget(name, f"handover:{key}"))
    book.store._client.hset(name, f"handover:{key}", json.dumps({**done, "at": done["at"] - ms}))


def test_handed_over_gives_every_unit_to_the_customer_and_the_order_is_fulfilled(
    paid: Book,
) -> None:
    before = paid.store.now()
    answer = paid.hand_over()
    assert (answer.word, before <= answer.at <= paid.store.now()) == (Handed.HANDED_OVER, True)
    order = paid.order("o1")
    assert (order.state, order.units, order.reason) == (State.FULFILLED, "sold", "")
    assert (order.handed, order.to_hand_over) == ({"poster": 2, "zine": 1}, {})
    [done] = order.handovers
    assert (done.key, done.at, done.units) == ("scan-000001", answer.at, order.handed)
    assert (done.who, done.sent, done.undone) == ("admin", False, 0)
    assert paid.ledger()[-2:] == [
        ("hand_over", "poster", 2, "sold", "sold"),
        ("hand_over", "zine", 1, "sold", "sold"),
    ]
    [entry] = paid.store.ledger.latest(1)
    assert (entry.order, entry.why, entry.who) == ("o1", "fetched", "admin")
    assert paid.level("poster") == (3, 0, 2, 0, 5)
    assert paid.hold_ttl("o1") == -2
    assert "mail:sent:o1" not in paid.due()


def test_the_same_form_counts_once_and_hears_the_same(paid: Book) -> None:
    first = paid.hand_over(units={"poster": 1})
    before = paid.picture()
    assert paid.hand_over(units={"poster": 1}) == first
    assert paid.picture() == before


def test_already_says_when_the_last_unit_went(paid: Book) -> None:
    first = paid.hand_over()
    before = paid.picture()
    again = paid.hand_over(key="scan-000002")
    assert again == HandAnswer(Handed.ALREADY, at=first.at)
    assert paid.picture() == before


def test_units_can_go_one_after_the_other(paid: Book) -> None:
    paid.hand_over(units={"poster": 1})
    order = paid.order("o1")
    assert (order.state, order.to_hand_over) == (State.PAID, {"poster": 1, "zine": 1})
    refused = paid.hand_over(units={"poster": 2}, key="scan-000002")
    assert refused == HandAnswer(Handed.TOO_MANY, sku="poster", left=1)
    refused = paid.hand_over(units={"mug": 1}, key="scan-000002")
    assert refused == HandAnswer(Handed.TOO_MANY, sku="mug", left=0)
    assert paid.hand_over(key="scan-000003").word is Handed.HANDED_OVER
    order = paid.order("o1")
    assert (order.state, order.to_hand_over) == (State.FULFILLED, {})
    assert [one.units for one in order.handovers] == [{"poster": 1}, {"poster": 1, "zine": 1}]


@pytest.mark.parametrize("state", ["open", "released", "review", "refunded", "authorized"])
def test_not_paid_hands_nothing_over_and_names_the_state(book: Book, state: str) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    if state == "released":
        book.release("o1")
    if state == "authorized":
        book.authorize("o1")
    if state in {"review", "refunded"}:
        book.settle("o1")
    if state == "review":
        book.review("o1")
    if state == "refunded":
        book.refund("o1")
    before = book.picture()
    assert book.hand_over() == HandAnswer(Handed.NOT_PAID, state=state)
    assert book.picture() == before


def test_unknown_order_is_told(book: Book) -> None:
    assert book.hand_over().word is Handed.UNKNOWN_ORDER
    assert book.take_back() is TakenBack.UNKNOWN_ORDER


def test_units_that_are_wanted_back_stay_in_the_shop(paid: Book) -> None:
    plan = paid.plan({"poster": 1})
    paid.want(plan)
    refused = paid.hand_over(units={"poster": 2})
    assert refused == HandAnswer(Handed.TOO_MANY, sku="poster", left=1)
    paid.hand_over()
    assert paid.order("o1").handed == {"poster": 1, "zine": 1}
    assert paid.order("o1").state is State.PAID
    assert paid.hand_over(key="scan-000002").word is Handed.WANTED_BACK
    assert paid.refund("o1", amount=PRICE, plan=plan) is Recorded.RECORDED
    assert paid.level("poster") == (4, 0, 1, 0, 5)
    assert paid.order("o1").state is State.FULFILLED


@pytest.mark.parametrize("to", ["available", "written_off", "sold"])
def test_while_all_its_money_is_wanted_back_nothing_is_handed_over(paid: Book, to: str) -> None:
    paid.want(paid.plan(amount=ALL, to=to))
    before = paid.picture()
    assert paid.hand_over().word is Handed.WANTED_BACK
    assert paid.picture() == before


def test_units_that_the_customer_keeps_are_handed_over_though_money_goes_back(paid: Book) -> None:
    paid.want(paid.plan({"poster": 2}, amount=500, to="sold"))
    assert paid.hand_over().word is Handed.HANDED_OVER
    assert paid.order("o1").handed == {"poster": 2, "zine": 1}


def test_a_refund_made_at_stripe_writes_off_what_was_handed_over_and_the_rest_is_on_sale(
    paid: Book,
) -> None:
    paid.hand_over(units={"poster": 1})
    assert paid.refund("o1", amount=ALL) is Recorded.REFUNDED
    assert paid.level("poster") == (4, 0, 0, 1, 5)
    assert paid.level("zine") == (2, 0, 0, 0, 2)
    assert paid.order("o1").to_hand_over == {"poster": 2, "zine": 1}
    assert paid.hand_over(key="scan-000002").state == "refunded"


@pytest.mark.parametrize(
    ("to", "seen", "level"),
    [
        ("available", 0, (3, 0, 0, 2, 5)),
        ("available", 1, (4, 0, 0, 1, 5)),
        ("available", 2, (5, 0, 0, 0, 5)),
        ("written_off", 2, (3, 0, 0, 2, 5)),
    ],
)
def test_of_what_the_customer_has_only_what_the_operator_saw_there_goes_back_on_sale(
    paid: Book, to: str, seen: int, level: tuple[int, ...]
) -> None:
    paid.hand_over()
    plan = replace(paid.plan({"poster": 2}, amount=2 * PRICE, to=to), handed={"poster": seen})
    paid.want(plan)
    paid.refund("o1", amount=2 * PRICE, plan=plan)
    assert paid.level("poster") == level
    order = paid.order("o1")
    assert (order.own, order.handed["poster"], order.handed["zine"]) == ({"zine": 1}, 0, 1)


def test_a_refund_of_some_takes_those_first_that_the_shop_still_has(paid: Book) -> None:
    paid.hand_over(units={"poster": 1})
    plan = paid.plan({"poster": 1})
    paid.want(plan)
    paid.refund("o1", amount=PRICE, plan=plan)
    assert paid.level("poster") == (4, 0, 1, 0, 5)
    assert paid.order("o1").handed == {"poster": 1}
    assert paid.order("o1").to_hand_over == {"zine": 1}


def test_units_of_a_wish_that_was_given_up_and_carried_out_after_they_were_fetched_are_written_off(
    paid: Book,
) -> None:
    plan = paid.plan({"poster": 1})
    paid.want(plan)
    paid.review("o1")
    paid.store.scripts.end_review("o1")
    assert paid.hand_over().word is Handed.HANDED_OVER
    paid.refund("o1", amount=PRICE, plan=plan)
    assert paid.level("poster") == (3, 0, 1, 1, 5)


def test_what_is_to_be_sent_is_not_handed_over_at_the_counter_nor_the_other_way_round(
    paid: Book,
) -> None:
    assert paid.hand_over(sent=True).word is Handed.OTHER_WAY
    to_be_sent(paid)
    assert paid.hand_over().word is Handed.OTHER_WAY
    assert paid.order("o1").handed == {}


def test_sent_makes_the_mail_due_when_it_can_no_longer_be_taken_back(paid: Book) -> None:
    to_be_sent(paid)
    answer = paid.hand_over(sent=True)
    assert paid.due()["mail:sent:o1"] == answer.at + UNDO_MS
    assert paid.order("o1").handovers[0].sent
    [entry] = paid.store.ledger.latest(1)
    assert entry.why == "sent"
    assert paid.take_back() is TakenBack.TAKEN_BACK
    assert "mail:sent:o1" not in paid.due()


def test_taken_back_within_the_minute_all_is_as_before_but_for_the_ledger(paid: Book) -> None:
    paid.hand_over()
    assert paid.take_back() is TakenBack.TAKEN_BACK
    order = paid.order("o1")
    assert (order.state, order.to_hand_over) == (State.PAID, {"poster": 2, "zine": 1})
    assert paid.ledger()[-1] == ("take_back", "zine", 1, "sold", "sold")
    assert order.handovers[0].undone
    before = paid.picture()
    assert paid.take_back() is TakenBack.ALREADY
    assert paid.hand_over().word is Handed.TAKEN_BACK
    assert paid.picture() == before
    assert paid.refund("o1", amount=ALL) is Recorded.REFUNDED
    assert paid.level("poster") == (5, 0, 0, 0, 5)


def test_taken_back_takes_only_what_its_form_handed_over(paid: Book) -> None:
    paid.hand_over(units={"poster": 1})
    paid.hand_over(key="scan-000002")
    paid.take_back(key="scan-000002")
    assert paid.order("o1").to_hand_over == {"poster": 1, "zine": 1}
    assert paid.hand_over(key="scan-000003").word is Handed.HANDED_OVER


def test_not_handed_by_a_form_that_never_came(paid: Book) -> None:
    assert paid.take_back() is TakenBack.NOT_HANDED


@pytest.mark.parametrize(
    ("age", "word"), [(UNDO_MS - 10_000, TakenBack.TAKEN_BACK), (UNDO_MS, TakenBack.TOO_LATE)]
)
def test_too_late_after_a_minute(paid: Book, age: int, word: TakenBack) -> None:
    paid.hand_over()
    let_pass(paid, age)
    assert paid.take_back() is word


def test_too_late_once_the_money_or_some_of_the_units_went_back(paid: Book) -> None:
    paid.hand_over(units={"poster": 2})
    plan = replace(paid.plan({"poster": 1}), handed={"poster": 2})
    paid.want(plan)
    paid.refund("o1", amount=PRICE, plan=plan)
    assert paid.take_back() is TakenBack.TOO_LATE
    paid.hand_over(key="scan-000002")
    paid.refund("o1", "re_2", amount=2 * PRICE)
    assert paid.take_back(key="scan-000002") is TakenBack.TOO_LATE


def test_fields_that_no_form_sends_stop_the_script(paid: Book) -> None:
    before = paid.picture()
    with pytest.raises(redis.ResponseError):
        paid.hand_over(units={"poster": 0})
    assert paid.picture() == before
