"""Money is an integer in the currency's smallest unit, counted as Stripe counts it."""

from decimal import Decimal, InvalidOperation

# https://docs.stripe.com/currencies#zero-decimal. ISK and UGX have no decimals in daily life, but
# Stripe counts them in hundredths, so they are absent here; HUF and TWD lose theirs in payouts only.
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
# https://docs.stripe.com/currencies#three-decimal: the last digit must be 0.
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())
# Counted in hundredths by Stripe, but only whole units are taken.
WHOLE_UNITS_ONLY = frozenset("isk ugx".split())

# The greatest amount by any way to pay: more is taken from most cards, but not from all.
# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
EIGHT_DIGITS = 99_999_999
MORE_DIGITS = {"idr": 999_999_999_999, "cop": 9_999_999_999, "inr": 999_999_999}


def most(currency: str) -> int:
    """The most that one payment can be, in minor units."""
    return MORE_DIGITS.get(currency, EIGHT_DIGITS)


def decimals(currency: str) -> int:
    """How many decimals Stripe's smallest unit of ``currency`` (ISO code, lower case) stands for."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """Minor units between amounts that Stripe takes: 10 in kwd, 100 in isk, else 1."""
    if currency in THREE_DECIMAL:
        return 10
    return 100 if currency in WHOLE_UNITS_ONLY else 1


def to_decimal(amount: int, currency: str) -> Decimal:
    """``amount`` minor units as a decimal number of the currency: 2500 usd is 25.00."""
    return Decimal(amount).scaleb(-decimals(currency))


def parse_amount(text: str, currency: str) -> int:
    """The minor units that a price written like ``25.00`` stands for.

    Raises ValueError, with a sentence for the person who wrote it, when the text is no plain
    decimal number, has more decimals than the currency, or is out of Stripe's range.
    """
    places = decimals(currency)
    if not text or not all(c.isascii() and (c.isdigit() or c == ".") for c in text):
        raise ValueError(f"{text!r} is not an amount like 25.00")
    try:
        value = Decimal(text).scaleb(places)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount like 25.00") from None
    if value != value.to_integral_value():
        raise ValueError(f"{text!r} has more than the {places} decimals of {currency}")
    amount = int(value)
    if not 0 < amount <= most(currency):
        digits = len(str(most(currency)))
        raise ValueError(f"{text!r} is not above 0 and within Stripe's {digits} digits")
    if amount % step(currency):
        if currency in THREE_DECIMAL:
            raise ValueError(f"{text!r} must end in 0: Stripe takes {currency} in steps of ten")
        raise ValueError(f"{text!r} must be whole: Stripe takes no part of one {currency}")
    return amount
