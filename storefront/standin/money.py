"""Stripe's rules about amounts: smallest units, least and greatest charges."""

from .errors import StripeError, invalid

NO_DECIMALS = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # docs: currencies
)
THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())
LEAST = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
"""The least charge in minor units, from docs.stripe.com/currencies."""
WHOLE_UNITS = frozenset({"isk", "ugx"})
"""Counted in hundredths, of which only whole units are charged."""
GREATEST = {"idr": 999_999_999_999, "cop": 9_999_999_999, "inr": 999_999_999}


def greatest(code: str) -> int:
    """The greatest amount that any way to pay takes, in minor units."""
    return GREATEST.get(code, 99_999_999)


def currency(code: str, param: str) -> str:
    """The currency in lower case; StripeError 400 when it is not three letters."""
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise invalid(f"Invalid currency: {code}.", param)
    return code.lower()


def least(code: str) -> int:
    """The least amount that Stripe charges, in minor units."""
    return LEAST.get(code, 500 if code in THREE_DECIMALS else 50)


def text(amount: int, code: str) -> str:
    """An amount for people, such as ``25.00 USD``."""
    places = 0 if code in NO_DECIMALS else 3 if code in THREE_DECIMALS else 2
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).rjust(places + 1, "0")
    whole = f"{int(digits[: len(digits) - places]):,}"
    return f"{sign}{whole}{'.' + digits[-places:] if places else ''} {code.upper()}"


def check_charge(amount: int, code: str, param: str, what: str) -> None:
    """Refuses an amount that Stripe would not charge."""
    if amount < least(code):
        raise StripeError(
            f"{what} must add up to at least {text(least(code), code)}.",
            code="amount_too_small",
            param=param,
            kept=False,
        )
    if amount > greatest(code):
        raise StripeError(
            f"{what} must be no more than {text(greatest(code), code)}.",
            code="amount_too_large",
            param=param,
            kept=False,
        )
    if code in THREE_DECIMALS and amount % 10:
        raise invalid(f"Invalid amount: in {code.upper()} the last digit must be 0.", param)
    if code in WHOLE_UNITS and amount % 100:
        raise invalid(f"Invalid amount: no part of one {code.upper()} can be charged.", param)


def fee(amount: int) -> int:
    """What Stripe keeps of a charge: 2.9 % and 30 minor units, rounded half up."""
    return (amount * 29 + 500) // 1000 + 30
