"""What other programs read of a page: link previews, search engines.

Every address is built from ``PUBLIC_URL``, whatever name the request came by.
"""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from storefront.domain.money import to_decimal
from storefront.domain.products import Product, Variant
from storefront.services.shelf import Availability, Shelf
from storefront.web import formats
from storefront.web.current import settings

LONGEST = 200
"""Characters of a description; previews show about as many."""
DRAWN = (".png", ".jpg", ".jpeg", ".webp", ".gif")
"""Pictures that social networks show. An SVG is none, and then a preview has words only."""
SCHEMA = "https://schema.org"
AVAILABILITY = {
    Availability.AVAILABLE: "InStock",
    Availability.LOW: "LimitedAvailability",
    Availability.HELD: "OutOfStock",
    Availability.SOON: "OutOfStock",
    Availability.SOLD_OUT: "SoldOut",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A page as it is shown where somebody shares its link."""

    kind: str
    """``website`` or ``product``, as Open Graph calls them."""
    title: str
    text: str
    url: str
    image: str = ""


def absolute(path: str) -> str:
    """The address of one of our pages as the world knows it."""
    return settings().public_url + path


def shelf_card(text: str) -> Card:
    """The shelf, described by this text."""
    return Card("website", settings().shop_name, text, absolute(url_for("shelf.index")))


def product_card(product: Product) -> Card:
    """One product."""
    return Card(
        "product",
        product.name,
        _shortened(product.description),
        absolute(url_for("shelf.product", slug=product.slug)),
        _picture(product) if product.image.lower().endswith(DRAWN) else "",
    )


def product_data(shelf: Shelf, product: Product) -> dict[str, Any]:
    """One product with what it costs and whether it can be had, in the words of schema.org."""
    data: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "Product",
        "name": product.name,
        "url": absolute(url_for("shelf.product", slug=product.slug)),
        "offers": [_offer(shelf, product, variant) for variant in product.variants],
    }
    if product.description:
        data["description"] = product.description
    if product.image:
        data["image"] = _picture(product)
    return data


def _offer(shelf: Shelf, product: Product, variant: Variant) -> dict[str, Any]:
    currency = settings().shop_currency
    offer = {
        "@type": "Offer",
        "sku": variant.sku,
        "name": product.name_of(variant),
        "url": absolute(url_for("shelf.product", slug=product.slug)),
        "price": format(to_decimal(variant.price, currency), "f"),
        "priceCurrency": currency.upper(),
        "availability": f"{SCHEMA}/{AVAILABILITY[shelf.state(variant.sku)]}",
        "itemCondition": f"{SCHEMA}/NewCondition",
    }
    if product.opens_at is not None and shelf.opens_later(product):
        offer["availabilityStarts"] = formats.iso(product.opens_at)
    return offer


def _picture(product: Product) -> str:
    return absolute(url_for("pictures.show", name=product.image))


def _shortened(text: str) -> str:
    """The text on one line, cut between words when it is long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rpartition(' ')[0]} …"
