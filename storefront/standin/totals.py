"""What a session comes to: its lines, less a promotion code, with the delivery and with tax.

Where Stripe would look up the tax of an address, here it is the same everywhere.
"""

from . import money
from .account import Account
from .errors import invalid, missing, not_modelled
from .lists import slice_of
from .state import Json

CODES = {"TEN": 10, "FREE": 100}
"""The account's promotion codes, and the percent that each takes off the goods."""
TAX_PERCENT = 10
"""On top of the prices, of the delivery too."""
MOST_OPTIONS = 5


def list_codes(_account: Account, params: Json) -> Json:
    """GET /v1/promotion_codes."""
    codes = [] if params.get("active") is False else [_promotion(code) for code in CODES]
    rest = {name: value for name, value in params.items() if name not in ("active", "code")}
    wanted = params.get("code")
    return slice_of(
        [one for one in codes if wanted in (None, one["code"])], "/v1/promotion_codes", rest
    )


def _promotion(code: str) -> Json:
    return {
        "id": f"promo_{code.lower()}",
        "object": "promotion_code",
        "active": True,
        "code": code,
        "created": 0,
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "promotion": {"coupon": f"coupon_{code.lower()}", "type": "coupon"},
        "restrictions": {
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        "times_redeemed": 0,
    }


def shipping_options(account: Account, params: Json, currency: str) -> list[Json]:
    """The session's options to choose from, each with a rate made for it."""
    given = params.get("shipping_options") or []
    if len(given) > MOST_OPTIONS:
        raise invalid(f"You can pass at most {MOST_OPTIONS} shipping options.", "shipping_options")
    made = []
    for index, option in enumerate(given):
        name = f"shipping_options[{index}]"
        if "shipping_rate" in option:
            raise not_modelled("shipping rates of the account", f"{name}[shipping_rate]")
        if "shipping_rate_data" not in option:
            raise missing(f"{name}[shipping_rate_data]")
        data = option["shipping_rate_data"]
        fixed, where = data.get("fixed_amount"), f"{name}[shipping_rate_data]"
        if fixed is None:
            raise missing(f"{where}[fixed_amount]")
        if money.currency(fixed["currency"], f"{where}[fixed_amount][currency]") != currency:
            raise invalid(
                "The currency of a shipping rate must be that of the line items.",
                f"{where}[fixed_amount][currency]",
            )
        if not 0 <= fixed["amount"] <= money.greatest(currency):
            raise invalid(
                "This value must be greater than or equal to 0.", f"{where}[fixed_amount][amount]"
            )
        made.append((fixed["amount"], data))
    return [_option(account, amount, currency, data) for amount, data in made]


def _option(account: Account, amount: int, currency: str, data: Json) -> Json:
    rate = account.new("shr", "shipping_rate", {}) | {
        "active": True,
        "delivery_estimate": None,
        "display_name": data["display_name"],
        "fixed_amount": {"amount": amount, "currency": currency},
        "metadata": data.get("metadata") or {},
        "tax_behavior": data.get("tax_behavior", "unspecified"),
        "tax_code": data.get("tax_code"),
        "type": "fixed_amount",
    }
    account.put(rate)
    return {"shipping_amount": amount, "shipping_rate": rate["id"]}


def apply(session: Json, *, option: int = 0, code: str = "") -> None:
    """Work the session out anew for what the shopper chose; the first option stands until then.

    A code that is not the account's takes nothing off.
    """
    percent = CODES.get(code, 0) if session["allow_promotion_codes"] else 0
    taxed = session["automatic_tax"]["enabled"]
    discount = tax = 0
    for item in session["_"]["line_items"]:
        item["amount_discount"] = item["amount_subtotal"] * percent // 100
        left = item["amount_subtotal"] - item["amount_discount"]
        item["amount_tax"] = _tax(left) if taxed else 0
        item["amount_total"] = left + item["amount_tax"]
        discount += item["amount_discount"]
        tax += item["amount_tax"]
    shipping = 0
    if options := session["shipping_options"]:
        chosen = options[option]
        shipping = chosen["shipping_amount"]
        on_shipping = _tax(shipping) if taxed else 0
        tax += on_shipping
        session["shipping_cost"] = {
            "amount_subtotal": shipping,
            "amount_tax": on_shipping,
            "amount_total": shipping + on_shipping,
            "shipping_rate": chosen["shipping_rate"],
        }
    session["discounts"] = [{"coupon": None, "promotion_code": f"promo_{code}"}] if percent else []
    session["total_details"] = {
        "amount_discount": discount,
        "amount_shipping": shipping,
        "amount_tax": tax,
    }
    session["amount_total"] = session["amount_subtotal"] - discount + shipping + tax
    if session["status"] == "open":
        session["payment_status"] = "unpaid" if session["amount_total"] else "no_payment_required"


def _tax(amount: int) -> int:
    return (amount * TAX_PERCENT + 50) // 100


def names(account: Account, session: Json) -> list[tuple[str, int]]:
    """What the page calls each option, and what it costs."""
    return [
        (
            account.get("shipping_rate", option["shipping_rate"])["display_name"],
            option["shipping_amount"],
        )
        for option in session["shipping_options"]
    ]
