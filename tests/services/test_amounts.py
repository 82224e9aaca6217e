"""Money is written as the shop's locale writes it, and never as another amount than is charged."""

import re
from decimal import Decimal

import pytest
from babel.numbers import get_currency_symbol, parse_decimal
from hypothesis import given
from hypothesis import strategies as st

from storefront.domain.money import most, step, to_decimal
from storefront.services.amounts import written

LOCALES = ["en_US", "en_IN", "de_DE", "de_CH", "fr_FR", "is_IS", "ja_JP", "hu_HU", "pt_BR", "sr"]
CURRENCIES = [
    *("usd", "eur", "jpy", "krw", "vnd", "xaf", "mga", "kwd", "bhd", "tnd", "isk", "ugx", "huf"),
    *("twd", "idr", "cop", "inr", "rsd", "all", "lbp", "afn", "mmk", "sos", "yer"),
]


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "shown"),
    [
        (2500, "usd", "en_US", "$25.00"),
        (2500, "eur", "de_DE", "25,00\xa0€"),
        (123456789, "eur", "de_DE", "1.234.567,89\xa0€"),
        (2500, "jpy", "ja_JP", "￥2,500"),
        (12340, "kwd", "en_US", "KWD12.340"),
        (250000, "isk", "is_IS", "2.500\xa0kr."),
        (0, "usd", "en_US", "$0.00"),
        (2550, "rsd", "en_US", "RSD25.50"),
        (2500, "rsd", "en_US", "RSD25"),
        (2550, "huf", "hu_HU", "25,50\xa0Ft"),
        (300, "ugx", "en_US", "UGX3"),
    ],
)
def test_minor_units_become_the_locale_s_words(
    amount: int, currency: str, locale: str, shown: str
) -> None:
    assert written(amount, currency, locale) == shown


def read(text: str, currency: str, locale: str) -> Decimal:
    """The number in an amount that was written out."""
    for name in (get_currency_symbol(currency.upper(), locale), currency.upper()):
        text = text.replace(name, "")
    return parse_decimal(re.sub(r"[\s\u200f\u200e]", "", text), locale)


@given(currency=st.sampled_from(CURRENCIES), locale=st.sampled_from(LOCALES), data=st.data())
def test_what_is_written_is_what_stripe_charges(
    currency: str, locale: str, data: st.DataObject
) -> None:
    amount = step(currency) * data.draw(st.integers(0, most(currency) // step(currency)))
    shown = written(amount, currency, locale)
    assert read(shown, currency, locale) == to_decimal(amount, currency), shown
