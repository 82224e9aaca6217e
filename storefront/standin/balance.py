"""The account itself and its balance: GET /v1/account and /v1/balance."""

from .account import Account
from .state import Json

ACCOUNT_ID = "acct_standin"


def account(_account: Account, _params: Json) -> Json:
    """GET /v1/account."""
    return {
        "id": ACCOUNT_ID,
        "object": "account",
        "business_profile": {"name": "Stripe stand-in", "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "created": 0,
        "default_currency": "usd",
        "details_submitted": True,
        "email": None,
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Stripe stand-in", "timezone": "Etc/UTC"}},
        "type": "standard",
    }


def balance(account: Account, _params: Json) -> Json:
    """GET /v1/balance: what was captured, less fees and refunds, by currency."""
    rows = account.state.db.execute(
        "SELECT body ->> 'currency', sum(body ->> 'net') FROM objects"
        " WHERE kind = 'balance_transaction' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    sums = rows or [("usd", 0)]
    return {
        "object": "balance",
        "available": [
            {"amount": net, "currency": currency, "source_types": {"card": net}}
            for currency, net in sums
        ],
        "livemode": False,
        "pending": [
            {"amount": 0, "currency": currency, "source_types": {"card": 0}} for currency, _ in sums
        ],
    }
