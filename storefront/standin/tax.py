"""Stripe Tax, as far as a shop must set it up: GET /v1/tax/settings and /v1/tax/registrations."""

from .account import Account
from .errors import StripeError
from .lists import slice_of
from .state import Json

STATUSES = ("active", "pending")
ADDRESS = {
    "city": "Testville",
    "country": "US",
    "line1": "1 Test Street",
    "line2": None,
    "postal_code": "12345",
    "state": "NY",
}


def settings(account: Account, _params: Json) -> Json:
    """GET /v1/tax/settings; whether it is active is set under /_standin/tax."""
    active = account.tax_status == "active"
    details = {"active": {}} if active else {"pending": {"missing_fields": ["head_office"]}}
    return {
        "object": "tax.settings",
        "defaults": {"provider": "stripe", "tax_behavior": "exclusive", "tax_code": None},
        "head_office": {"address": ADDRESS} if active else None,
        "livemode": False,
        "status": account.tax_status,
        "status_details": details,
    }


def registrations(account: Account, params: Json) -> Json:
    """GET /v1/tax/registrations: one, once tax is set up."""
    there = account.tax_status == "active" and params.get("status", "all") in ("active", "all")
    one = {
        "id": "taxreg_standin",
        "object": "tax.registration",
        "active_from": 0,
        "country": "US",
        "country_options": {"us": {"state": "NY", "type": "state_sales_tax"}},
        "created": 0,
        "expires_at": None,
        "livemode": False,
        "status": "active",
    }
    rest = {name: value for name, value in params.items() if name != "status"}
    return slice_of([one] if there else [], "/v1/tax/registrations", rest)


def check(account: Account) -> None:
    """Refuses automatic tax that nobody has set up."""
    if account.tax_status != "active":
        raise StripeError(
            "You must have a valid head office address to enable automatic tax calculation in test "
            "mode. Visit https://dashboard.stripe.com/test/settings/tax to update it.",
            param="automatic_tax",
        )
