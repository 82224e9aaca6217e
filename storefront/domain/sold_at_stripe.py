"""What Stripe says about products and prices of an account, and what the shop keeps of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storefront.domain import fields

LONGEST_DESCRIPTION = 40_000
"""Characters that Stripe takes; other products of the account may have as many."""


@dataclass(frozen=True, slots=True)
class ProductFact:
    """What Stripe says about one of its own products."""

    id: str
    name: str
    metadata: Mapping[str, str]
    active: bool
    """False once somebody archived it."""
    description: str = ""
    images: tuple[str, ...] = ()
    """Addresses."""
    default_price: str = ""


@dataclass(frozen=True, slots=True)
class PriceFact:
    """What Stripe says about one of its prices. Its amount and currency never change."""

    id: str
    product: str
    active: bool
    """False once somebody archived it."""
    currency: str
    unit_amount: int | None
    """Minor units; None when what is paid depends on more than the number of units."""
    once: bool
    """Whether it is paid once, and not again and again."""
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    nickname: str = ""
    lookup_key: str = ""
    created: int = 0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """The Price at Stripe that stands for what a SKU costs now."""

    id: str
    unit_amount: int
    """Minor units."""
    currency: str

    def stands_for(self, unit_amount: int, currency: str) -> bool:
        """Whether a line at this amount (minor units) can name it."""
        return (self.unit_amount, self.currency) == (unit_amount, currency)


def from_product(found: Mapping[str, Any]) -> ProductFact:
    """The facts in a product as Stripe sends it. Raises Malformed.

    https://docs.stripe.com/api/products/object
    """
    fields.required(found, "id", "name", "active")
    images = found.get("images") or []
    if not isinstance(images, list):
        raise fields.Malformed("images is no list")
    default, _ = fields.reference(found, "default_price")
    return ProductFact(
        fields.text(found, "id"),  # its maker chooses it
        fields.text(found, "name"),
        fields.texts(fields.part(found, "metadata")),
        fields.flag(found, "active"),
        fields.text(found, "description", LONGEST_DESCRIPTION),
        tuple(fields.text({"images": image}, "images") for image in images),
        default,
    )


def from_price(found: Mapping[str, Any]) -> PriceFact:
    """The facts in a price as Stripe sends it. Raises Malformed.

    https://docs.stripe.com/api/prices/object
    """
    fields.required(found, "active", "currency", "product", "type")
    simple = fields.word(found, "billing_scheme") in {"", "per_unit"} and not any(
        found.get(name) for name in ("custom_unit_amount", "transform_quantity")
    )
    known = simple and found.get("unit_amount") is not None
    product = found["product"]
    return PriceFact(
        id=fields.identity(found),
        product=fields.text(product if isinstance(product, Mapping) else {"id": product}, "id"),
        active=fields.flag(found, "active"),
        currency=fields.word(found, "currency"),
        unit_amount=fields.whole(found, "unit_amount") if known else None,
        once=fields.word(found, "type") == "one_time",
        metadata=fields.texts(fields.part(found, "metadata")),
        nickname=fields.text(found, "nickname"),
        lookup_key=fields.text(found, "lookup_key"),
        created=fields.whole(found, "created"),
    )
