"""Amounts are whole numbers of Stripe's smallest unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.domain.money import (
    MORE_DIGITS,
    THREE_DECIMAL,
    WHOLE_UNITS_ONLY,
    ZERO_DECIMAL,
    decimals,
    most,
    parse_amount,
    step,
    to_decimal,
)

CURRENCIES = st.sampled_from(
    sorted(ZERO_DECIMAL | THREE_DECIMAL | WHOLE_UNITS_ONLY | {"usd", "huf", "twd", *MORE_DIGITS})
)


@pytest.mark.parametrize(
    ("currency", "places"),
    [
        *(("usd", 2), ("eur", 2), ("jpy", 0), ("krw", 0), ("kwd", 3), ("isk", 2), ("ugx", 2)),
        *(("huf", 2), ("twd", 2), ("mga", 0), ("idr", 2)),
    ],
)
def test_decimals_are_those_that_stripe_counts_in(currency: str, places: int) -> None:
    assert decimals(currency) == places


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("25.00", "usd", 2500),
        ("25", "usd", 2500),
        ("0.01", "usd", 1),
        ("999999.99", "usd", 99_999_999),
        ("9999999999.99", "idr", 999_999_999_999),
        ("12.34", "huf", 1234),
        ("12.34", "twd", 1234),
        ("2500", "jpy", 2500),
        ("25.0", "jpy", 25),
        ("1.230", "kwd", 1230),
        ("500", "isk", 50000),
        ("3", "ugx", 300),
    ],
)
def test_a_price_is_parsed_into_the_smallest_unit(text: str, currency: str, amount: int) -> None:
    assert parse_amount(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "why"),
    [
        ("", "usd", "is not an amount"),
        (".", "usd", "is not an amount"),
        ("1.2.3", "usd", "is not an amount"),
        ("1e3", "usd", "is not an amount"),
        ("-5", "usd", "is not an amount"),
        ("+5", "usd", "is not an amount"),
        ("1,50", "usd", "is not an amount"),
        ("NaN", "usd", "is not an amount"),
        (" 5", "usd", "is not an amount"),
        ("٥", "usd", "is not an amount"),
        ("0", "usd", "not above 0"),
        ("0.00", "usd", "not above 0"),
        ("1000000", "usd", "8 digits"),
        ("10000000000", "idr", "12 digits"),
        ("100000000", "jpy", "8 digits"),
        ("1.234", "usd", "more than the 2 decimals"),
        ("1.5", "jpy", "more than the 0 decimals"),
        ("1.234", "kwd", "must end in 0"),
        ("1.2345", "kwd", "more than the 3 decimals"),
        ("5.50", "isk", "must be whole"),
        ("5.01", "ugx", "must be whole"),
    ],
)
def test_what_is_no_price_is_refused_with_a_sentence(text: str, currency: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        parse_amount(text, currency)
    assert repr(text) in str(refused.value)


@given(currency=CURRENCIES, data=st.data())
def test_an_amount_that_stripe_takes_survives_being_written_and_read(
    currency: str, data: st.DataObject
) -> None:
    amount = step(currency) * data.draw(st.integers(1, most(currency) // step(currency)))
    assert parse_amount(format(to_decimal(amount, currency), "f"), currency) == amount


@given(st.text(max_size=12), CURRENCIES)
def test_any_text_is_an_amount_that_stripe_takes_or_a_value_error(text: str, currency: str) -> None:
    try:
        amount = parse_amount(text, currency)
    except ValueError:
        return
    assert 0 < amount <= most(currency)
    assert amount % step(currency) == 0


def test_to_decimal_is_exact() -> None:
    assert to_decimal(2500, "usd") == Decimal("25.00")
    assert str(to_decimal(1, "kwd")) == "0.001"
    assert str(to_decimal(7, "jpy")) == "7"
