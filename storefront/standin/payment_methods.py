"""Means of payment, and what happens when one is charged."""

from dataclasses import dataclass

from .account import Account
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
    first), ``settles`` and ``bounces`` (both later).
    """

    type: str
    last4: str
    outcome: str
    brand: str = "visa"
    decline_code: str = "generic_decline"


CARD = Method("card", "4242", "succeeds")
DECLINED_CARD = Method("card", "0002", "declined")
SECURE_CARD = Method("card", "3220", "authenticates")
TEST_METHODS = {
    "pm_card_visa": CARD,
    "pm_card_mastercard": Method("card", "4444", "succeeds", "mastercard"),
    "pm_card_visa_chargeDeclined": DECLINED_CARD,
    "pm_card_chargeDeclined": DECLINED_CARD,
    "pm_card_visa_chargeDeclinedInsufficientFunds": Method(
        "card", "9995", "declined", decline_code="insufficient_funds"
    ),
    "pm_card_threeDSecure2Required": SECURE_CARD,
    "pm_card_authenticationRequired": SECURE_CARD,
    "pm_usBankAccount": Method("us_bank_account", "6789", "settles"),
    "pm_usBankAccount_insufficientFunds": Method("us_bank_account", "2222", "bounces"),
}
"""The names that stand for a means of payment in test mode, from docs.stripe.com/testing."""


def delayed(currency: str, *, bounces: bool) -> Method:
    """The delayed method of a currency."""
    outcome = "bounces" if bounces else "settles"
    return Method(DELAYED.get(currency, "sepa_debit"), "3000", outcome)


def billing_details(email: str | None, name: str | None = None, phone: str | None = None) -> Json:
    """Who pays."""
    return {"address": ADDRESS, "email": email, "name": name, "phone": phone, "tax_id": None}


def create(account: Account, method: Method, billing: Json) -> Json:
    """Stores a payment method that stands for this one."""
    return account.put(
        account.new(
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
