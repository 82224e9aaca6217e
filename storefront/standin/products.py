"""Products: POST and GET /v1/products."""

import re
from typing import Any

from . import texts
from .account import Account
from .errors import StripeError, invalid
from .lists import equal, listed
from .state import Json

MOST_IMAGES = 8
OWN_ID = re.compile(r"[A-Za-z0-9_.:-]+")


def build(account: Account, data: Json, param: str = "") -> Json:
    """A product from the fields of a request, not stored yet."""
    name = f"{param}[images]" if param else "images"
    images = data.get("images") or []
    if len(images) > MOST_IMAGES:
        raise invalid(f"A product can have at most {MOST_IMAGES} images.", name)
    product = account.new(
        "prod",
        "product",
        {
            "active": data.get("active", True),
            "default_price": None,
            "description": data.get("description"),
            "images": images,
            "marketing_features": data.get("marketing_features") or [],
            "metadata": texts.metadata(
                data.get("metadata"), f"{param}[metadata]" if param else "metadata"
            ),
            "name": data["name"],
            "package_dimensions": data.get("package_dimensions") or None,
            "shippable": data.get("shippable"),
            "statement_descriptor": data.get("statement_descriptor"),
            "tax_code": data.get("tax_code"),
            "tax_details": tax_details(data.get("tax_details")),
            "type": data.get("type", "service"),
            "unit_label": data.get("unit_label"),
            "updated": account.clock.now(),
            "url": data.get("url"),
        },
    )
    if "id" in data:
        if not OWN_ID.fullmatch(data["id"]):
            raise invalid("Product IDs may hold letters, digits, and the signs _ . : -.", "id")
        product["id"] = data["id"]
    return product


def tax_details(given: Json | str | None) -> Json | None:
    """What the product says about its tax, with every field."""
    if not isinstance(given, dict):
        return None
    return {name: given.get(name) or None for name in ("performance_location", "tax_code")}


def create(account: Account, params: Json) -> Json:
    """POST /v1/products."""
    product = build(account, params)
    if "id" in params and account.state.get("product", params["id"]):
        raise StripeError("Product already exists.", code="resource_already_exists", param="id")
    if "default_price_data" in params:
        from .prices import build as build_price

        price = build_price(account, params["default_price_data"], product["id"])
        account.put(price)
        product["default_price"] = price["id"]
    return account.put(product)


def retrieve(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/products/{id}."""
    return account.get("product", id)


def update(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/products/{id}."""
    product = account.get("product", id)
    product["metadata"] = texts.merged(product["metadata"], params.get("metadata"))
    if "default_price" in params:
        account.get("price", params["default_price"], "default_price")
    for name in (
        "active",
        "default_price",
        "description",
        "images",
        "marketing_features",
        "name",
        "package_dimensions",
        "shippable",
        "statement_descriptor",
        "tax_code",
        "unit_label",
        "url",
    ):
        if name in params:
            empty: Any = [] if name in ("images", "marketing_features") else None
            product[name] = empty if params[name] == "" else params[name]
    if "tax_details" in params:
        product["tax_details"] = tax_details(params["tax_details"])
    product["updated"] = account.clock.now()
    return account.put(product)


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/products."""
    conditions = equal(params, "active", "type")
    for name in ("shippable", "url"):
        if name in params:
            conditions.append((f"body ->> '{name}' = ?", params[name]))
    if params.get("ids"):
        conditions.append((f"id IN ({', '.join('?' * len(params['ids']))})", tuple(params["ids"])))
    return listed(account, "product", "/v1/products", params, conditions)
