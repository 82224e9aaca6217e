"""Prices: POST and GET /v1/prices."""

from decimal import Decimal

from . import money, products, texts
from .account import Account
from .errors import StripeError, invalid, missing, not_modelled
from .lists import equal, listed
from .state import Json

MODELLED = frozenset(
    "active billing_scheme currency lookup_key metadata nickname product product_data"
    " tax_behavior unit_amount unit_amount_decimal".split()
)


def build(account: Account, data: Json, product: str, param: str = "") -> Json:
    """A one-time price from the fields of a request, not stored yet."""

    def name(field: str) -> str:
        return f"{param}[{field}]" if param else field

    for field in data:
        if field not in MODELLED:
            raise not_modelled(f"prices with `{field}`", name(field))
    if data.get("billing_scheme", "per_unit") != "per_unit":
        raise not_modelled("tiered prices", name("billing_scheme"))
    currency = money.currency(data["currency"], name("currency"))
    if ("unit_amount" in data) == ("unit_amount_decimal" in data):
        if "unit_amount" in data:
            raise invalid(
                "Pass only one of unit_amount and unit_amount_decimal.", name("unit_amount")
            )
        raise missing(name("unit_amount"))
    exact = Decimal(data["unit_amount"] if "unit_amount" in data else data["unit_amount_decimal"])
    if exact != exact.to_integral_value():
        raise not_modelled("fractions of the smallest unit", name("unit_amount_decimal"))
    amount = int(exact)
    if amount < 0:
        raise invalid(
            "Invalid non-negative integer", name("unit_amount"), "parameter_invalid_integer"
        )
    return account.new(
        "price",
        "price",
        {
            "active": data.get("active", True),
            "billing_scheme": "per_unit",
            "currency": currency,
            "custom_unit_amount": None,
            "lookup_key": data.get("lookup_key"),
            "metadata": texts.metadata(data.get("metadata"), name("metadata")),
            "nickname": data.get("nickname"),
            "product": product,
            "recurring": None,
            "tax_behavior": data.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "one_time",
            "unit_amount": amount,
            "unit_amount_decimal": str(amount),
        },
    )


def inline(account: Account, data: Json, param: str) -> tuple[Json, Json | None]:
    """The price, and the product when it is new too, of a line's `price_data`; not stored yet.

    Stripe makes both as inactive objects of the account: they can be read, not sold again.
    """
    if ("product" in data) == ("product_data" in data):
        raise invalid(
            "You must specify either `product` or `product_data` when creating a price.", param
        )
    product = None
    if "product" in data:
        product_id = account.get("product", data["product"], f"{param}[product]")["id"]
    else:
        product = products.build(account, data["product_data"], f"{param}[product_data]")
        product["active"] = False
        product_id = product["id"]
    price = build(account, data, product_id, param)
    price["active"] = False
    return price, product


def create(account: Account, params: Json) -> Json:
    """POST /v1/prices."""
    if "product_data" in params:
        if "product" in params:
            raise invalid("Pass only one of product and product_data.", "product")
        product = products.build(account, params["product_data"], "product_data")
        price = build(account, params, product["id"])
        account.put(product)
    elif "product" in params:
        price = build(account, params, account.get("product", params["product"], "product")["id"])
    else:
        raise missing("product")
    check_lookup_key(account, price)
    return account.put(price)


def check_lookup_key(account: Account, price: Json) -> None:
    """Refuses a lookup key that another active price has."""
    key = price["lookup_key"]
    if key and any(
        other["lookup_key"] == key and other["id"] != price["id"]
        for other in account.state.find("price", active=True)
    ):
        raise StripeError(
            f"A price already uses that lookup key: {key}.",
            code="resource_already_exists",
            param="lookup_key",
        )


def retrieve(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/prices/{id}."""
    return account.get("price", id)


def update(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/prices/{id}: everything but the amount."""
    price = account.get("price", id)
    for field in ("currency_options", "transfer_lookup_key"):
        if field in params:
            raise not_modelled(f"`{field}`", field)
    price["metadata"] = texts.merged(price["metadata"], params.get("metadata"))
    product = account.get("product", price["product"])
    if params.get("active") is False and product["default_price"] == price["id"]:
        raise invalid(
            "This price cannot be archived because it is the default price of its product.",
            "active",
        )
    for field in ("active", "lookup_key", "nickname", "tax_behavior"):
        if field in params:
            price[field] = params[field]
    check_lookup_key(account, price)
    return account.put(price)


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/prices."""
    if "recurring" in params:
        raise not_modelled("recurring prices", "recurring")
    conditions = equal(params, "active", "type", "product")
    if "currency" in params:
        conditions.append(("body ->> 'currency' = ?", params["currency"].lower()))
    if params.get("lookup_keys"):
        marks = ", ".join("?" * len(params["lookup_keys"]))
        conditions.append((f"body ->> 'lookup_key' IN ({marks})", tuple(params["lookup_keys"])))
    return listed(account, "price", "/v1/prices", params, conditions)
