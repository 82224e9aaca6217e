"""What a SKU's product at Stripe says: to shoppers, to operators, and to a shop that starts anew."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from storefront.domain.products import Catalogue, Level, Product, Variant
from storefront.domain.sold_at_stripe import ProductFact
from storefront.services.shop import Shop
from storefront.settings import Settings

LONGEST_VALUE = 500
"""Characters in one value of Stripe's metadata."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a product at Stripe is to say."""

    name: str
    description: str
    images: tuple[str, ...]
    """Addresses; Stripe fetches them, so there are none while it could not."""
    metadata: dict[str, str]
    """Empty texts for what it is not to say."""
    pictures: str
    """How the addresses of the shop's own pictures begin."""

    def agrees(self, found: ProductFact) -> bool:
        """Whether the product at Stripe says all that."""
        return (
            (found.name, found.description) == (self.name, self.description)
            and self.images == (found.images if self.images else self._own(found))
            and all(found.metadata.get(name, "") == text for name, text in self.metadata.items())
        )

    def created(self) -> dict[str, Any]:
        """Stripe's parameters for a new product."""
        return {
            "name": self.name,
            "metadata": {name: text for name, text in self.metadata.items() if text},
            **({"description": self.description} if self.description else {}),
            **({"images": list(self.images)} if self.images else {}),
        }

    def updated(self, found: ProductFact) -> dict[str, Any]:
        """Stripe's parameters for a product that says something else. A picture of others stays."""
        images = {"images": list(self.images) or ""} if self.images or self._own(found) else {}
        return {
            "name": self.name,
            "metadata": self.metadata,
            "description": self.description,
            **images,
        }

    def _own(self, found: ProductFact) -> tuple[str, ...]:
        return tuple(image for image in found.images if image.startswith(self.pictures))


def shown(shop: Shop, level: Level) -> Shown:
    """What the SKU's product at Stripe is to say now."""
    product, variant = entry(shop.store.catalogue.current(), level.sku) or (None, None)
    pictures = address_of_pictures(shop.settings)
    picture = product.image if product and shop.settings.reachable else ""
    return Shown(
        name=product.name_of(variant) if product and variant else level.sku,
        description=product.description if product else "",
        images=(pictures + quote(picture),) if picture else (),
        metadata={
            "shop": shop.settings.shop_id,
            "sku": level.sku,
            "stocked": str(level.stocked),
            "written_off": str(level.written_off),
            "available": str(level.available),
            **(_shelf(product, variant) if product and variant else {}),
        },
        pictures=pictures,
    )


def address_of_pictures(settings: Settings) -> str:
    """How the addresses of the shop's pictures begin."""
    return f"{settings.public_url}/pictures/"


def entry(catalogue: Catalogue, sku: str) -> tuple[Product, Variant] | None:
    """The product and variant of a SKU, that on the shelf before one that is sold no more."""
    off_it = (
        (product, variant)
        for product in catalogue.products
        for variant in (*product.variants, *product.retired)
        if variant.sku == sku
    )
    return catalogue.by_sku(sku) or next(off_it, None)


def _shelf(product: Product, variant: Variant) -> dict[str, str]:
    """What puts the SKU back in its place on a shelf that is filled from Stripe."""
    options = json.dumps(dict(variant.options), ensure_ascii=False) if variant.options else ""
    return {
        "slug": product.slug,
        "title": product.name if variant.options else "",
        "options": options if len(options) <= LONGEST_VALUE else "",
        "opens_at": str(product.opens_at or ""),
        "max_per_order": str(product.max_per_order or ""),
    }
