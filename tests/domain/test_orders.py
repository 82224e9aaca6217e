"""Orders: their states, sums and baskets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.domain.orders import (
    AWAITING,
    GOODS,
    HOLDING,
    MONEY_BACK,
    REFUND_TAKEN,
    Line,
    Order,
    Refund,
    State,
    basket_of,
    total,
)


def order(state: State = State.OPEN, *refunds: Refund) -> Order:
    return Order(
        id="o1",
        state=state,
        created=1,
        currency="usd",
        amount=5000,
        lines=(Line("poster", 2, 2500),),
        deadline=2,
        expires_at=3,
        session_version=1,
        refunds=refunds,
    )


def test_every_state_holds_units_or_gives_goods_or_gives_money_back_or_is_neither() -> None:
    sets = [HOLDING, GOODS, MONEY_BACK, frozenset({State.RELEASED, State.REVIEW})]
    assert sorted(state for group in sets for state in group) == sorted(State)
    assert AWAITING < HOLDING


@pytest.mark.parametrize("state", State)
def test_only_a_pending_or_open_order_can_be_paid(state: State) -> None:
    assert order(state).payable == (state in {State.PENDING, State.OPEN})


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("succeeded", True),
        ("pending", True),
        ("requires_action", True),
        ("failed", False),
        ("canceled", False),
    ],
)
def test_money_that_is_on_its_way_back_counts_as_refunded(status: str, counts: bool) -> None:
    assert (status in REFUND_TAKEN) == counts
    refund = Refund("re_1", 700, status, "pi_1")
    assert order(State.PAID, refund).refunded == (700 if counts else 0)


def test_refunds_add_up() -> None:
    both = (Refund("re_1", 700, "succeeded", "pi_1"), Refund("re_2", 300, "pending", "pi_1"))
    assert order(State.PAID, *both).refunded == 1000


def test_the_total_is_price_times_quantity_over_all_lines() -> None:
    assert total([Line("a", 2, 2500), Line("b", 3, 99)]) == 5297
    assert total([]) == 0


@given(st.dictionaries(st.from_regex(r"[a-z-]{1,8}", fullmatch=True), st.integers(1, 99)))
def test_the_same_basket_reads_the_same_in_any_order(quantities: dict[str, int]) -> None:
    turned = dict(reversed(quantities.items()))
    assert basket_of(turned) == basket_of(quantities)


@given(*[st.dictionaries(st.from_regex(r"[a-z-]{1,8}", fullmatch=True), st.integers(1, 99))] * 2)
def test_different_baskets_read_differently(one: dict[str, int], other: dict[str, int]) -> None:
    assert (basket_of(one) == basket_of(other)) == (one == other)
