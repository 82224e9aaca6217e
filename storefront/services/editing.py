"""What the operator changes about products.

Every change is made from the catalogue as it was read, and written only while it is that still: whoever
comes second looks again. A form, too, says which revision it was made from, so that nobody overwrites
what they have not seen.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from storefront.domain.errors import BadInput
from storefront.domain.product_form import ProductForm, ProductMistakes, form_of, read_form
from storefront.domain.product_tables import Mistake
from storefront.domain.products import Catalogue, Product
from storefront.services import publishing
from storefront.services.shop import Shop

ROUNDS = 20
"""How often a change is begun anew because others changed something else in the same moment."""


class Shown(StrEnum):
    """Where a product can be put."""

    SHELF = "shelf"
    DRAFT = "draft"
    """Off the shelf, among the others in the list."""
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a form."""

    product: Product
    """As it stands now."""
    stale: bool = False
    """Somebody else changed it first, so nothing was written."""
    kept: tuple[str, ...] = ()
    """New SKUs that the shop has known before: they keep the stock that they have."""


class Gone(Exception):
    """There is no product with this slug."""


def typed_of(shop: Shop, product: Product) -> ProductForm:
    """The form that shows this product."""
    return form_of(product, shop.settings.shop_currency, shop.settings.zone)


def create(shop: Shop, form: ProductForm, who: str) -> Saved:
    """A new product, off the shelf until it is put there. Raises ProductMistakes.

    The same form sent twice makes one.
    """

    def make(catalogue: Catalogue) -> tuple[Saved, Iterable[Product], Mapping[str, int]]:
        product, stock = _read(shop, form, None)
        there = catalogue.every.get(product.slug)
        if there and there.revision == product.revision:
            return Saved(there), (), {}
        if there:
            text = f"is taken: {there.name} has it"
            raise ProductMistakes([Mistake(product.slug, "slug", None, text, f"slug {text}")])
        _check(catalogue, product, None, form)
        last = max((p.position for p in catalogue.products), default=-1)
        product = replace(product, published=False, position=last + 1)
        return Saved(product), (product,), stock

    return _change(shop, make, who)


def save(shop: Shop, slug: str, seen: str, form: ProductForm, who: str) -> Saved:
    """Write what the form says of a product, unless it is not as it was ``seen`` (its revision).

    Prices of running holds stay. Raises ProductMistakes and Gone.
    """

    def make(catalogue: Catalogue) -> tuple[Saved, Iterable[Product], Mapping[str, int]]:
        before = _found(catalogue, slug)
        product, stock = _read(shop, form, before)
        if product.revision == before.revision:
            return Saved(before), (), {}
        if seen != before.revision:
            return Saved(before, stale=True), (), {}
        _check(catalogue, product, before, form)
        return Saved(product), (product,), stock

    return _change(shop, make, who)


def show(shop: Shop, slug: str, where: Shown, who: str) -> Product:
    """Put a product on the shelf, take it off, or archive it; its holds, stock and orders stay.

    Raises BadInput when it cannot be sold beside the others, and Gone.
    """

    def make(catalogue: Catalogue) -> tuple[Saved, Iterable[Product], Mapping[str, int]]:
        before = _found(catalogue, slug)
        product = replace(before, published=where is Shown.SHELF, archived=where is Shown.ARCHIVE)
        if where is Shown.SHELF:
            for sku, owner in _sold_by_others(catalogue, slug).items():
                if product.variant(sku):
                    raise BadInput(f"{owner.name}, which is on the shelf, sells SKU {sku} already.")
        return Saved(product), (product,) if product != before else (), {}

    return _change(shop, make, who).product


def move(shop: Shop, slug: str, up: bool, who: str) -> Product:
    """Put a product one place further up or down among those that are not archived. Raises Gone."""

    def make(catalogue: Catalogue) -> tuple[Saved, Iterable[Product], Mapping[str, int]]:
        product = _found(catalogue, slug)
        row = [p for p in catalogue.products if not p.archived]
        if product in row:
            at = row.index(product)
            other = max(0, at - 1) if up else min(len(row) - 1, at + 1)
            row[at], row[other] = row[other], row[at]
        row += [p for p in catalogue.products if p.archived]
        placed = [replace(one, position=number) for number, one in enumerate(row)]
        changed = [new for new, old in zip(placed, row, strict=True) if new != old]
        return Saved(next(p for p in placed if p.slug == slug)), changed, {}

    return _change(shop, make, who).product


def picture(shop: Shop, slug: str, seen: str, image: str, who: str) -> Saved:
    """Give a product another picture (empty: none), unless it has another than was ``seen``.

    Raises Gone.
    """

    def make(catalogue: Catalogue) -> tuple[Saved, Iterable[Product], Mapping[str, int]]:
        before = _found(catalogue, slug)
        if before.image == image:
            return Saved(before), (), {}
        if before.image != seen:
            return Saved(before, stale=True), (), {}
        product = replace(before, image=image)
        return Saved(product), (product,), {}

    return _change(shop, make, who)


def find(shop: Shop, slug: str) -> Product:
    """The product, on the shelf or not. Raises Gone."""
    return _found(shop.store.catalogue.current(), slug)


def _found(catalogue: Catalogue, slug: str) -> Product:
    found = catalogue.every.get(slug)
    if found is None:
        raise Gone(slug)
    return found


def _read(shop: Shop, form: ProductForm, before: Product | None) -> tuple[Product, dict[str, int]]:
    return read_form(form, before, shop.settings.shop_currency, shop.settings.zone)


def _change(
    shop: Shop,
    make: Callable[[Catalogue], tuple[Saved, Iterable[Product], Mapping[str, int]]],
    who: str,
) -> Saved:
    """Make a change of the catalogue as it stands, anew whenever somebody else was quicker."""
    for _ in range(ROUNDS):
        catalogue = shop.store.catalogue.read()
        saved, products, stock = make(catalogue)
        rows = {product.slug: json.dumps(product.to_json()) for product in products}
        if not rows:
            return saved
        fresh = shop.store.scripts.publish_catalogue(
            rows,
            stock,
            version=secrets.token_hex(8),
            who=who,
            lost=publishing.books_were_lost(shop),
            since=catalogue.version,
        )
        if fresh is not None:
            return replace(saved, kept=tuple(sorted(stock.keys() - set(fresh))))
    raise BadInput("Others are changing products all the time. Nothing was written: try again.")


def _sold_by_others(catalogue: Catalogue, slug: str) -> dict[str, Product]:
    others = tuple(p for p in catalogue.published if p.slug != slug)
    return {variant.sku: product for product, variant in catalogue.entries(others)}


def _check(
    catalogue: Catalogue, product: Product, before: Product | None, form: ProductForm
) -> None:
    """What the product's own form cannot know. Raises ProductMistakes."""
    had = {v.sku for v in (*before.variants, *before.retired)} if before else set()
    owners = {
        variant.sku: other
        for other in catalogue.products
        if other.slug != product.slug
        for variant in (*other.variants, *other.retired)
    }
    taken = {sku: owner for sku, owner in owners.items() if sku not in had}
    if product.published:
        taken |= _sold_by_others(catalogue, product.slug)
    mistakes = [
        Mistake(product.slug, "sku", row, text, f"sku {text}")
        for row, typed in enumerate(form.rows)
        if typed.sku in taken and not (typed.archived and typed.sku in had)
        for text in [f"belongs to {taken[typed.sku].name}"]
    ]
    text = "are to be other products of this shop"
    if not set(product.alternatives) <= catalogue.every.keys():
        mistakes.append(Mistake(product.slug, "alternatives", None, text, f"alternatives {text}"))
    if mistakes:
        raise ProductMistakes(mistakes)
