"""cancel_authorized: the operator lets an order go whose money was only set aside."""

import pytest

from storefront.domain.orders import State
from storefront.storage.answers import Settled
from tests.storage.steps import Book


@pytest.fixture
def agreed(book: Book) -> Book:
    """Two of five posters are o1's, whose bank has agreed to pay."""
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.authorize("o1")
    return book


def cancel(book: Book, order: str = "o1", to: str = "available") -> Settled:
    return book.store.scripts.cancel_authorized(order, to=to, reason="torn", who="admin")


@pytest.mark.parametrize(
    ("to", "level"), [("available", (5, 0, 0, 0, 5)), ("written_off", (3, 0, 0, 2, 5))]
)
def test_cancelled_gives_the_units_back_once_and_makes_the_void_due(
    agreed: Book, to: str, level: tuple[int, ...]
) -> None:
    assert cancel(agreed, to=to) is Settled.CANCELLED
    order = agreed.order("o1")
    assert (order.state, order.reason, order.units) == (State.VOID_DUE, "cancelled", "none")
    assert agreed.level("poster") == level
    assert {"void:o1:pi_1"} == {job for job in agreed.due() if "pi_1" in job}
    [last] = agreed.store.ledger.latest(1)
    assert (last.what, last.why, last.who) == ("return", "torn", "admin")
    before = agreed.picture()
    assert cancel(agreed, to=to) is Settled.ALREADY
    assert agreed.picture() == before
    assert agreed.void("o1") is Settled.VOIDED
    assert (agreed.order("o1").state, agreed.order("o1").reason) == (State.VOIDED, "cancelled")
    assert agreed.level("poster") == level
    agreed.check()


def test_money_that_was_captured_all_the_same_goes_back(agreed: Book) -> None:
    cancel(agreed)
    assert agreed.settle("o1") is Settled.CANCELLED
    order = agreed.order("o1")
    assert (order.state, order.reason) == (State.REFUND_DUE, "cancelled")
    assert order.refund_reasons == {"pi_1": "cancelled"}
    assert "refund:o1:pi_1" in agreed.due()
    assert agreed.settle("o1") is Settled.ALREADY
    assert agreed.refund("o1", reason="cancelled") == "refunded"
    assert agreed.level("poster") == (5, 0, 0, 0, 5)
    agreed.check()


def test_kept_when_the_money_was_taken_already(agreed: Book) -> None:
    agreed.settle("o1")
    before = agreed.picture()
    assert cancel(agreed) is Settled.KEPT
    assert agreed.picture() == before
    assert cancel(agreed, "o9") is Settled.UNKNOWN_ORDER
