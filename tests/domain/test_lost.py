"""What a session's metadata says of its order is read back as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.domain import lost
from storefront.domain.lost import Unreadable
from storefront.domain.orders import Line, Order, State, basket_of, total
from storefront.domain.payments import Payment

skus = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


def order(lines: tuple[Line, ...]) -> Order:
    return Order(
        id="abc",
        state=State.OPEN,
        created=1_796_119_200_123,
        currency="usd",
        amount=total(lines),
        lines=lines,
        deadline=1_796_121_120_123,
        expires_at=1_796_121_120,
        session_version=1,
        basket=basket_of({line.sku: line.quantity for line in lines}),
    )


def session(metadata: dict[str, str], **more: object) -> Payment:
    fields = {"order": "abc", "session": "cs_1", "currency": "usd", "created": 5, **more}
    return Payment(metadata=metadata, **fields)  # type: ignore[arg-type]


def nobody(_sku: str) -> None:
    """No SKU is in the catalogue any more."""


@given(
    st.dictionaries(
        skus,
        st.tuples(st.integers(1, 10_000), st.integers(0, 99_999_999)),
        min_size=1,
        max_size=50,
    )
)
def test_an_order_is_read_back_as_it_was_written(
    basket: dict[str, tuple[int, int]],
) -> None:
    lines = tuple(Line(sku, n, price, name=sku) for sku, (n, price) in sorted(basket.items()))
    written = order(lines)
    metadata = lost.write(written)
    assert all(len(value) <= 500 for value in metadata.values())
    assert len(metadata) <= 48
    found = lost.read([session(metadata)], nobody)
    assert (found.lines, found.basket, found.amount) == (lines, written.basket, written.amount)
    assert (found.created, found.deadline) == (written.created, written.deadline)


def test_names_are_those_of_the_catalogue_and_prices_are_those_that_were_frozen() -> None:
    metadata = lost.write(order((Line("a", 2, 500),)))
    found = lost.read(
        [session(metadata)], {"a": Line("a", 1, 900, "Poster (Red)", "poster", "p.svg")}.get
    )
    assert found.lines == (Line("a", 2, 500, "Poster (Red)", "poster", "p.svg"),)


def test_without_its_times_an_order_has_those_of_its_session() -> None:
    found = lost.read([session({"lines": "a=1@5"}, expires_at=1925)], nobody)
    assert (found.created, found.deadline, found.expires_at) == (5000, 1_925_000, 1925)


def test_an_earlier_versions_lines_count_at_todays_prices_only_if_they_were_paid_so() -> None:
    today = {"a": Line("a", 1, 500)}.get
    assert lost.read([session({"lines": "a=2"}, amount=1000)], today).amount == 1000
    with pytest.raises(Unreadable, match="prices"):
        lost.read([session({"lines": "a=2"}, amount=1001)], today)
    with pytest.raises(Unreadable, match="price of a"):
        lost.read([session({"lines": "a=2"}, amount=1000)], nobody)


@pytest.mark.parametrize(
    "lines",
    ["", "a", "a=", "a=0", "a=-1", "a=1@", "a=1@x", "a=1@5,,b=1@5", "=1@5", "a=1@5,a=2@5", "ä=1@5"],
)
def test_lines_that_make_no_basket_are_unreadable(lines: str) -> None:
    with pytest.raises(Unreadable):
        lost.read([session({"lines": lines})], nobody)


@pytest.mark.parametrize("name", ["", "a:b", "a b", "x" * 65, "ä"])
def test_a_name_that_is_no_orders_is_unreadable(name: str) -> None:
    with pytest.raises(Unreadable):
        lost.read([session({"lines": "a=1@5"}, order=name)], nobody)
