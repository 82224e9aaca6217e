"""restore_order and recount_stock: what was lost, written down again."""

from dataclasses import replace
from typing import Any

import pytest
import redis

from storefront.domain.lost import Lost
from storefront.domain.orders import Line, Refund, State
from storefront.storage.answers import Recounted, Restored, Settled
from tests.storage.steps import GRACE_MS, PRICE, Book

REFUND = Refund("re_1", 2 * PRICE, "succeeded", "pi_1", "sold_out")


def lost(book: Book, **changes: Any) -> Lost:
    now = book.store.now()
    found = Lost(
        order="o1",
        created=now - 60_000,
        lines=(Line("poster", 2, PRICE, name="Poster", slug="poster"),),
        currency="usd",
        deadline=now + 600_000,
        expires_at=now // 1000 + 1800,
        sessions=("cs_1", "cs_2"),
        url="https://pay.example/cs_1",
        email="ada@example.com",
    )
    return replace(found, **changes)


def restore(book: Book, what: Lost, state: str, reason: str = "", *told: str) -> Restored:
    return book.store.scripts.restore_order(
        what, state=state, reason=reason, grace_ms=GRACE_MS, told=told
    )


def test_restored_open_holds_its_units_until_its_deadline(book: Book) -> None:
    book.stock(poster=5)
    what = lost(book)
    assert restore(book, what, "open") is Restored.RESTORED
    order = book.order("o1")
    assert (order.state, order.units, order.url) == (State.OPEN, "held", what.url)
    assert (order.created, order.deadline, order.expires_at) == (
        what.created,
        what.deadline,
        what.expires_at,
    )
    assert (order.lines, order.amount, order.email) == (what.lines, 2 * PRICE, "ada@example.com")
    assert (order.session, order.sessions) == ("cs_1", ("cs_1", "cs_2"))
    assert book.level("poster") == (3, 2, 0, 0, 5)
    assert book.due() == {"expire:o1": what.deadline}
    left = what.deadline + GRACE_MS - book.store.now()
    assert left - 2000 < book.hold_ttl("o1") <= left + 2000
    assert book.ledger()[-1] == ("hold", "poster", 2, "available", "held")
    assert book.release("o1") is Settled.RELEASED


def test_short_of_units_nothing_is_written(book: Book) -> None:
    book.stock(poster=1)
    before = book.picture()
    assert restore(book, lost(book), "open") is Restored.SHORT
    assert book.picture() == before


def test_a_hold_whose_grace_is_over_is_listed_all_the_same(book: Book) -> None:
    book.stock(poster=5)
    restore(book, lost(book, deadline=book.store.now() - GRACE_MS - 1), "open")
    assert book.hold_ttl("o1") == -2
    assert [order for order, _ in book.store.orders.holding()] == ["o1"]
    assert book.level("poster") == (3, 2, 0, 0, 5)


def test_released_needs_no_units_and_a_payment_takes_them_if_they_are_there(book: Book) -> None:
    book.stock(poster=2)
    assert restore(book, lost(book), "released", "expired") is Restored.RESTORED
    order = book.order("o1")
    assert (order.state, order.reason, order.units) == (State.RELEASED, "expired", "none")
    assert book.level("poster") == (2, 0, 0, 0, 2)
    assert book.settle("o1", session="cs_1") is Settled.RETAKEN
    assert book.level("poster") == (0, 0, 2, 0, 2)
    assert book.store.ledger.latest(1)[0].why == "restored"
    assert "mail:confirmed:o1" in book.due()


def test_refunded_needs_no_units_at_any_moment(book: Book) -> None:
    book.stock(poster=0)
    what = lost(book, payments={"pi_1": 2 * PRICE}, refunds=(REFUND,))
    assert restore(book, what, "refunded", "sold_out") is Restored.RESTORED
    order = book.order("o1")
    assert (order.state, order.reason, order.units) == (State.REFUNDED, "sold_out", "none")
    assert (order.payments, order.refunds, order.payment_intent) == (
        {"pi_1": 2 * PRICE},
        (REFUND,),
        "pi_1",
    )
    assert order.refund_reasons == {"pi_1": "sold_out"}
    assert book.store.orders.by_payment("pi_1") == "o1"
    assert set(book.due()) == {"mail:refunded:o1:re_1"}
    assert book.settle("o1") is Settled.ALREADY


@pytest.mark.parametrize(
    ("status", "jobs"),
    [
        ("succeeded", {"mail:refunded:o1:re_1"}),
        ("pending", {"mail:refunded:o1:re_1", "refund:o1:pi_1"}),
        ("failed", {"refund:o1:pi_1"}),
    ],
)
def test_what_a_refund_still_asks_for_is_due(book: Book, status: str, jobs: set[str]) -> None:
    book.stock(poster=0)
    row = replace(REFUND, status=status)
    restore(book, lost(book, payments={"pi_1": 2 * PRICE}, refunds=(row,)), "released", "expired")
    assert set(book.due()) == jobs


def test_mails_that_went_out_are_noted_and_not_due(book: Book) -> None:
    book.stock(poster=5)
    other = replace(REFUND, id="re_2", payment_intent="pi_2")
    what = lost(book, payments={"pi_2": 2 * PRICE}, refunds=(other,))
    restore(book, what, "released", "expired", "confirmed", "refunded:re_2", "refunded:re_3")
    assert book.settle("o1") is Settled.RETAKEN
    book.refund("o1", "re_3", amount=5)
    assert book.due() == {}
    assert set(book.order("o1").notices) == {"confirmed", "refunded:re_2", "refunded:re_3"}


def test_sessions_that_the_order_goes_on_without_are_due_to_be_ended(book: Book) -> None:
    book.stock(poster=5)
    restore(book, lost(book, strays=("cs_2",)), "open")
    assert "stray:o1:cs_2" in book.due()


@pytest.mark.parametrize("state", ["open", "released", "refunded"])
def test_an_order_that_is_here_stays_as_it_is(book: Book, state: str) -> None:
    book.stock(poster=5)
    what = lost(book, payments={"pi_1": 2 * PRICE}, refunds=(REFUND,))
    assert restore(book, what, state) is Restored.RESTORED
    before = book.picture()
    for again in ("open", "released", "refunded"):
        assert restore(book, what, again) is Restored.ALREADY
    assert book.picture() == before


@pytest.mark.parametrize(("state", "quantity"), [("paid", 1), ("open", 0), ("open", 0.5)])
def test_what_makes_no_order_is_not_written(book: Book, state: str, quantity: float) -> None:
    book.stock(poster=5)
    before = book.picture()
    what = lost(book, lines=(Line("poster", quantity, PRICE),))  # type: ignore[arg-type]
    with pytest.raises((redis.ResponseError, ValueError)):
        restore(book, what, state)
    assert book.picture() == before


def recount(book: Book, stocked: int, written_off: int) -> Recounted:
    return book.store.scripts.recount_stock(
        "poster", stocked=stocked, written_off=written_off, reason="why", who="who"
    )


def test_done_brings_the_counters_up_to_the_numbers(book: Book) -> None:
    assert recount(book, 40, 2) is Recounted.DONE
    assert book.level("poster") == (38, 0, 0, 2, 40)
    assert book.ledger() == [
        ("restock", "poster", 40, "", "available"),
        ("write_off", "poster", 2, "available", "written_off"),
    ]
    [entry, _] = book.store.ledger.latest(9)
    assert (entry.why, entry.who) == ("why", "who")


def test_counting_again_changes_nothing(book: Book) -> None:
    recount(book, 40, 2)
    before = book.picture()
    assert recount(book, 40, 2) is Recounted.ALREADY
    assert recount(book, 39, 1) is Recounted.ALREADY
    assert book.picture() == before


def test_counting_further_adds_what_is_missing_only(book: Book) -> None:
    recount(book, 40, 2)
    book.hold("o1", {"poster": 3})
    book.store._client.hset(book.store.keys.door(), "run", book.store.scripts.read_door()[1])
    assert recount(book, 41, 2) is Recounted.DONE
    assert sum(book.level("poster")[:4]) == 41


def test_a_sku_of_which_none_ever_came_in_is_known_afterwards(book: Book) -> None:
    assert recount(book, 0, 0) is Recounted.DONE
    assert recount(book, 0, 0) is Recounted.ALREADY
    assert book.level("poster") == (0, 0, 0, 0, 0)
    assert book.ledger() == []


def test_no_more_is_written_off_than_is_there(book: Book) -> None:
    recount(book, 3, 9)
    assert book.level("poster") == (0, 0, 0, 3, 3)


def test_units_are_whole_numbers(book: Book) -> None:
    with pytest.raises(redis.ResponseError, match="whole numbers"):
        recount(book, 1.5, 0)  # type: ignore[arg-type]
    assert book.picture() == {}
