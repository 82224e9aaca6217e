"""What is on the shelf, and how much of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from storefront.domain.door import Door
from storefront.domain.products import Catalogue, Level, Product
from storefront.services.shop import Shop

LOW = 5
"""From so many units down, the page says how many are left."""


class Availability(StrEnum):
    """What can be said of a SKU's stock in a word."""

    SOON = "soon"
    AVAILABLE = "available"
    LOW = "low"
    HELD = "held"
    SOLD_OUT = "sold_out"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Products with their stock at one moment."""

    catalogue: Catalogue
    levels: Mapping[str, Level]
    now: int
    """Milliseconds."""
    door: Door = Door.OPEN

    def level(self, sku: str) -> Level:
        """The SKU's stock; nothing at all for one that was never stocked."""
        return self.levels.get(sku, Level(sku))

    def opens_later(self, product: Product) -> bool:
        """Whether the product is not on sale yet."""
        return product.opens_at is not None and product.opens_at > self.now

    def state(self, sku: str) -> Availability:
        """What can be said of the SKU's stock."""
        found = self.catalogue.by_sku(sku)
        level = self.level(sku)
        if found and self.opens_later(found[0]):
            return Availability.SOON
        if level.available > LOW:
            return Availability.AVAILABLE
        if level.available > 0:
            return Availability.LOW
        return Availability.HELD if level.held > 0 else Availability.SOLD_OUT


def first_return(shop: Shop, product: Product) -> int | None:
    """When the first held unit of the product may return (ms), if that may be soon."""
    skus = [variant.sku for variant in product.variants]
    return min(shop.store.stock.first_returns(skus).values(), default=None)


def catalogue(shop: Shop) -> Catalogue:
    """The products without their stock, for the price of reading the catalogue's version."""
    return shop.store.catalogue.current()


def look(shop: Shop) -> Shelf:
    """The shelf as it is now, in one round trip while the catalogue does not change."""
    reading = shop.store.stock.shelf()
    catalogue = shop.store.catalogue.at(reading.catalogue_version)
    return Shelf(catalogue, reading.levels, reading.now, reading.door)
