"""Money as people read it, in pages and mails alike."""

from functools import lru_cache

from babel.numbers import format_currency, get_currency_precision

from storefront.domain.money import to_decimal


@lru_cache(maxsize=1024)
def written(amount: int, currency: str, locale: str) -> str:
    """``amount`` minor units as the locale writes them: 2500 usd in en_US is $25.00.

    Locales leave the decimals of some currencies out that Stripe counts in hundredths, as in daily
    life. An amount that has any is written with them all the same: it is what is charged.
    """
    number, code = to_decimal(amount, currency), currency.upper()
    whole = number == round(number, get_currency_precision(code))
    return format_currency(number, code, locale=locale, currency_digits=whole)
