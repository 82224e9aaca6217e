"""Products: what is on the shelf, in variants that each have their own SKU."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """One choice of a product."""

    sku: str
    price: int
    """Minor units of the shop's currency."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Free names and values, as ``{"colour": "Red"}``."""

    @property
    def label(self) -> str:
        """The options' values as shown: ``Red, L``; empty for a product without options."""
        return ", ".join(self.options.values())


@dataclass(frozen=True, slots=True)
class Product:
    """What one page of the shop shows."""

    slug: str
    name: str
    variants: tuple[Variant, ...]
    description: str = ""
    image: str = ""
    """File name under ``/pictures/``; empty when the product has none."""
    tags: tuple[str, ...] = ()
    opens_at: int | None = None
    """Milliseconds since 1970, UTC; None when it is on sale at once."""
    max_per_order: int | None = None
    """Units of one SKU in one order; None for the shop's own limit."""
    delivery: bool = True
    """Whether it can be sent, where the shop sends; else it is for pick-up only."""
    alternatives: tuple[str, ...] = ()
    """Slugs of products to show while this one is sold out."""
    published: bool = True
    position: int = 0
    """Its place on the shelf."""
    archived: bool = False
    """Put away for good as far as one knows; never on the shelf."""
    retired: tuple[Variant, ...] = ()
    """Variants that are not sold any more; their SKUs keep their stock and their orders."""

    def variant(self, sku: str) -> Variant | None:
        """The variant with this SKU."""
        return next((v for v in self.variants if v.sku == sku), None)

    def name_of(self, variant: Variant) -> str:
        """The product's name with the variant's options: ``Poster (Red)``."""
        return f"{self.name} ({variant.label})" if variant.label else self.name

    @property
    def revision(self) -> str:
        """Changes with anything that is edited in one form, so that nobody overwrites it unseen.

        Picture, place and shelf are changed on their own, and leave it as it is.
        """
        elsewhere = {"image", "position", "published", "archived"}
        edited = {name: value for name, value in self.to_json().items() if name not in elsewhere}
        return hashlib.sha256(json.dumps(edited).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """A plain value that ``from_json`` turns back into the same product."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Product":
        """The product that ``to_json`` wrote."""
        fields = dict(data)
        fields["variants"] = tuple(Variant(**v) for v in fields["variants"])
        fields["retired"] = tuple(Variant(**v) for v in fields.get("retired", ()))
        fields["tags"] = tuple(fields["tags"])
        fields["alternatives"] = tuple(fields.get("alternatives", ()))
        return cls(**fields)


@dataclass(frozen=True)
class Catalogue:
    """Every product of the shop, on the shelf or taken off it.

    One that is kept is looked into for every page, so it finds without searching.
    """

    products: tuple[Product, ...] = ()
    version: str = ""
    """Changes with every change of a product."""

    @cached_property
    def published(self) -> tuple[Product, ...]:
        """What the shelf shows, in its order."""
        return tuple(p for p in self.products if p.published)

    @cached_property
    def _by_slug(self) -> dict[str, Product]:
        return {product.slug: product for product in self.published}

    @cached_property
    def _by_sku(self) -> dict[str, tuple[Product, Variant]]:
        found: dict[str, tuple[Product, Variant]] = {}
        for product, variant in self.entries(self.published):
            found.setdefault(variant.sku, (product, variant))  # the first on the shelf counts
        return found

    def by_slug(self, slug: str) -> Product | None:
        """The published product with this slug."""
        return self._by_slug.get(slug)

    def by_sku(self, sku: str) -> tuple[Product, Variant] | None:
        """The published product and variant with this SKU."""
        return self._by_sku.get(sku)

    @cached_property
    def every(self) -> dict[str, Product]:
        """Every product by its slug, on the shelf or not."""
        return {product.slug: product for product in self.products}

    @cached_property
    def names(self) -> dict[str, str]:
        """What each SKU is called, also one that is not sold any more."""
        found = {v.sku: p.name_of(v) for p in self.products for v in p.retired}
        return found | {v.sku: p.name_of(v) for p, v in self.entries(self.products)}

    @staticmethod
    def entries(products: tuple[Product, ...]) -> Iterator[tuple[Product, Variant]]:
        """Every variant, with its product."""
        return ((p, v) for p in products for v in p.variants)


@dataclass(frozen=True, slots=True)
class Level:
    """How many units of one SKU are where. ``stocked`` is always the sum of the other four."""

    sku: str
    available: int = 0
    held: int = 0
    sold: int = 0
    written_off: int = 0
    stocked: int = 0

    @property
    def parts(self) -> int:
        """The units that are somewhere: as many as were stocked."""
        return self.available + self.held + self.sold + self.written_off
