"""Labels for the table and the boxes: a SKU as a QR code, with its name and price."""

from dataclasses import dataclass

from storefront.services import posters
from storefront.services.shop import Shop


@dataclass(frozen=True, slots=True)
class Label:
    """What one label says."""

    sku: str
    name: str
    options: str
    """``Red, L``; empty for a product without options."""
    price: int
    """Minor units."""


def listing(shop: Shop) -> list[Label]:
    """A label for every SKU of the catalogue, those off the shelf included."""
    catalogue = shop.store.catalogue.current()
    return [
        Label(variant.sku, product.name, variant.label, variant.price)
        for product, variant in catalogue.entries(catalogue.products)
    ]


def code(shop: Shop, sku: str) -> bytes | None:
    """The QR code of the bare SKU, as an SVG picture; None when the catalogue has no such SKU."""
    known = any(label.sku == sku for label in listing(shop))
    return posters.qr(sku) if known else None
