"""Means of payment, and what happens when one is charged."""

from dataclasses import dataclass

from .account import Account
from .errors import StripeError, missing, no_such
from .state import Json

ADDRESS: Json = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
DELAYED = {
    "usd": "us_bank_account",
    "eur": "sepa_debit",
    "gbp": "bacs_debit",
    "cad": "acss_debit",
    "aud": "au_becs_debit",
}
"""The delayed method of a currency; SEPA's for every other."""


@dataclass(frozen=True)
class Method:
    """A test means of payment: its type, its last four digits and its outcome.

    `outcome` is one of ``succeeds``, ``declined``, ``authenticates`` (a page of the bank comes
    first), ``authenticates_in_vain`` (the bank's page comes first, and then the bank says no),
    ``settles`` and ``bounces`` (both later).
    """

    type: str
    last4: str
    outcome: str
    brand: str = "visa"
    decline_code: str = "generic_decline"


CARD = Method("card", "4242", "succeeds")
DECLINED_CARD = Method("card", "0002", "declined")
SECURE_CARD = Method("card", "3220", "authenticates")
VAIN_CARD = Method("card", "1629", "authenticates_in_vain")
POOR_CARD = Method("card", "9995", "declined", decline_code="insufficient_funds")
TEST_METHODS = {
    "pm_card_visa": CARD,
    "pm_card_mastercard": Method("card", "4444", "succeeds", "mastercard"),
    "pm_card_visa_chargeDeclined": DECLINED_CARD,
    "pm_card_chargeDeclined": DECLINED_CARD,
    "pm_card_visa_chargeDeclinedInsufficientFunds": POOR_CARD,
    "pm_card_threeDSecure2Required": SECURE_CARD,
    "pm_card_authenticationRequired": SECURE_CARD,
    "pm_card_threeDSecureRequiredChargeDeclined": VAIN_CARD,
    "pm_usBankAccount": Method("us_bank_account", "6789", "settles"),
    "pm_usBankAccount_insufficientFunds": Method("us_bank_account", "2222", "bounces"),
}
"""The names that stand for a means of payment in test mode, from docs.stripe.com/testing."""

CARDS = {
    "4242424242424242": CARD,
    "5555555555554444": TEST_METHODS["pm_card_mastercard"],
    "4000000000000002": DECLINED_CARD,
    "4000000000009995": POOR_CARD,
    "4000000000003220": SECURE_CARD,
    "4000008400001629": VAIN_CARD,
}
"""Test cards by number, from docs.stripe.com/testing."""
ACCOUNT_NUMBERS = {
    "us_bank_account": ("account_number", "000222222227"),
    "sepa_debit": ("iban", "AT861904300235473202"),
    "bacs_debit": ("account_number", "22222227"),
    "acss_debit": ("account_number", "000222222227"),
    "au_becs_debit": ("account_number", "111111113"),
}
"""The field of a delayed method that says which account, and the test account that fails."""


def delayed(currency: str, *, bounces: bool) -> Method:
    """The delayed method of a currency."""
    outcome = "bounces" if bounces else "settles"
    return Method(DELAYED.get(currency, "sepa_debit"), "3000", outcome)


def billing_details(email: str | None, name: str | None = None, phone: str | None = None) -> Json:
    """Who pays."""
    return {"address": ADDRESS, "email": email, "name": name, "phone": phone, "tax_id": None}


def of_request(account: Account, intent: Json, named: str | None, data: Json | None) -> Json | None:
    """The payment method that a request names or describes; None when it does neither.

    A test name makes a new one. StripeError for one that is unknown or not allowed here.
    """
    if named is None and data is None:
        return None
    test = TEST_METHODS.get(named or "") if data is None else described(data)
    if test is None:
        method = account.state.get("payment_method", named or "")
        if method is None:
            raise no_such("PaymentMethod", named or "", "payment_method")
    else:
        method = build(account, test, billing_details(intent["receipt_email"]))
        own = (data or {}).get("billing_details", {})
        method["billing_details"] |= {name: value or None for name, value in own.items()}
        method["billing_details"]["address"] = ADDRESS | (own.get("address") or {})
        method["metadata"] = (data or {}).get("metadata", {})
    if method["type"] not in intent["payment_method_types"]:
        raise StripeError(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. "
            "Please attach a PaymentMethod of one of the following types: "
            f"{', '.join(intent['payment_method_types'])}.",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )
    return account.put(method)


def described(data: Json) -> Method:
    """The test means of payment behind `payment_method_data`; StripeError for a wrong one."""
    kind = data["type"]
    if kind == "card":
        return carded(data["card"]["number"].replace(" ", ""))
    if kind not in ACCOUNT_NUMBERS:
        raise StripeError(
            f"The Stripe stand-in does not model payments by `{kind}`.",
            code="standin_not_modelled",
            param="payment_method_data[type]",
            kept=False,
        )
    field, failing = ACCOUNT_NUMBERS[kind]
    number = data.get(kind, {}).get(field)
    if not number:
        raise missing(f"payment_method_data[{kind}][{field}]")
    return Method(kind, number[-4:], "bounces" if number == failing else "settles")


def carded(number: str) -> Method:
    """The test card with a number; StripeError 402 for every other, as in Stripe's test mode."""
    if number in CARDS:
        return CARDS[number]
    digits = [int(digit) for digit in reversed(number) if digit.isdecimal()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    right = 12 <= len(digits) == len(number) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0
    raise StripeError(
        "Your card was declined. Your request was in test mode, but used a non test card. For a "
        "list of valid test cards, visit: https://stripe.com/docs/testing."
        if right
        else "Your card number is incorrect.",
        status=402,
        type="card_error",
        code="card_declined" if right else "incorrect_number",
        decline_code="test_mode_live_card" if right else None,
        param=None if right else "number",
    )


def create(account: Account, method: Method, billing: Json) -> Json:
    """Stores a payment method that stands for this one."""
    return account.put(build(account, method, billing))


def build(account: Account, method: Method, billing: Json) -> Json:
    """A payment method that stands for this one, not stored yet."""
    return account.new(
        "pm",
        "payment_method",
        {
            "allow_redisplay": "limited",
            "billing_details": billing,
            "customer": None,
            "customer_account": None,
            "metadata": {},
            "type": method.type,
            method.type: details(method),
            "_": {"outcome": method.outcome, "decline_code": method.decline_code},
        },
    )


def details(method: Method) -> Json:
    """What a payment method says of itself under the name of its type."""
    if method.type != "card":
        bank: Json = {"fingerprint": "standin", "last4": method.last4}
        if method.type == "us_bank_account":
            bank |= {
                "account_holder_type": "individual",
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "financial_connections_account": None,
                "networks": None,
                "routing_number": "110000000",
                "status_details": None,
            }
        elif method.type == "sepa_debit":
            bank |= {
                "bank_code": "19043",
                "branch_code": "",
                "country": "AT",
                "generated_from": None,
            }
        elif method.type == "bacs_debit":
            bank |= {"sort_code": "108800"}
        elif method.type == "au_becs_debit":
            bank |= {"bsb_number": "000000"}
        else:
            bank |= {
                "bank_name": "STRIPE TEST BANK",
                "institution_number": "000",
                "transit_number": "11000",
            }
        return bank
    return {
        "brand": method.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": method.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": "standin",
        "funding": "credit",
        "generated_from": None,
        "last4": method.last4,
        "networks": {"available": [method.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
