"""A product as texts in a form: written from a product, and read back by the catalogue's rules."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from storefront.domain.money import to_decimal
from storefront.domain.product_tables import LONGEST_CODE, Mistake, ProductReader
from storefront.domain.products import Product, Variant

MOST_DIGITS = 10


class ProductMistakes(Exception):
    """Something in the form is wrong; ``mistakes`` says what, each with its field."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Row:
    """One variant in the form."""

    sku: str = ""
    options: str = ""
    """A line for each: ``Colour: Red``."""
    price: str = ""
    stock: str = ""
    """Units that a new one starts with; nothing for one that is known."""
    archived: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing was typed into it."""
        return not (self.sku or self.options or self.price or self.stock)


@dataclass(frozen=True, slots=True)
class ProductForm:
    """What stands in the form's fields."""

    slug: str = ""
    name: str = ""
    description: str = ""
    tags: str = ""
    """With commas between."""
    opens_at: str = ""
    """As ``2026-12-01T10:00`` in the shop's time zone."""
    max_per_order: str = ""
    delivery: bool = True
    alternatives: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


def form_of(product: Product, currency: str, zone: tzinfo) -> ProductForm:
    """The form that shows this product."""
    return ProductForm(
        slug=product.slug,
        name=product.name,
        description=product.description,
        tags=", ".join(product.tags),
        opens_at=_local(product.opens_at, zone),
        max_per_order=str(product.max_per_order or ""),
        delivery=product.delivery,
        alternatives=product.alternatives,
        rows=(
            *(_row(variant, currency, archived=False) for variant in product.variants),
            *(_row(variant, currency, archived=True) for variant in product.retired),
        ),
    )


def read_form(
    form: ProductForm, before: Product | None, currency: str, zone: tzinfo
) -> tuple[Product, dict[str, int]]:
    """The product that the form asks for, and the first stock of SKUs that ``before`` does not have.

    What was not touched stays exactly as it was, also where the form shows less of it than there is;
    a variant that the form does not name stays too. Raises ProductMistakes with all that is wrong.
    """
    known = {v.sku: v for v in (*before.variants, *before.retired)} if before else {}
    shown = form_of(before, currency, zone) if before else ProductForm()
    archived = [number for number, row in enumerate(form.rows) if row.archived]
    reader = ProductReader(currency, (), archived)
    table: dict[str, Any] = {
        "slug": before.slug
        if before
        else form.slug.strip() or (slug_of(form.name) if form.name.strip() else "unnamed"),
        "name": form.name,
        "description": form.description.replace("\r\n", "\n"),
        "tags": [tag for tag in map(str.strip, form.tags.split(",")) if tag],
        "delivery": form.delivery,
        "alternatives": list(form.alternatives),
        "variants": [_variant(row, known, currency) for row in form.rows],
    }
    if before and form.tags == shown.tags:
        table["tags"] = list(before.tags)
    if form.max_per_order.strip():
        table["max_per_order"] = _number(form.max_per_order)
    if form.opens_at.strip():
        table["opens_at"] = _moment(form.opens_at.strip(), zone)
    if before and before.opens_at and form.opens_at == shown.opens_at:
        table["opens_at"] = datetime.fromtimestamp(before.opens_at / 1000, UTC)
    product = reader.product(0, table)
    if product is None:
        raise ProductMistakes(reader.mistakes)
    stock = {sku: units for sku, units in reader.stock.items() if sku not in known}
    if before:
        named = {row.sku for row in form.rows}
        product = replace(
            product,
            variants=(*product.variants, *(v for v in before.variants if v.sku not in named)),
            retired=(*product.retired, *(v for v in before.retired if v.sku not in named)),
            image=before.image,
            published=before.published,
            position=before.position,
            archived=before.archived,
        )
    return product, stock


def slug_of(text: str) -> str:
    """A slug made of a name."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST_CODE].strip("-")


def _row(variant: Variant, currency: str, *, archived: bool) -> Row:
    options = "\n".join(f"{name}: {text}" for name, text in variant.options.items())
    price = format(to_decimal(variant.price, currency), "f")
    return Row(variant.sku, options, price, archived=archived)


def _variant(row: Row, known: Mapping[str, Variant], currency: str) -> dict[str, Any]:
    before = known.get(row.sku)
    options: object = _options(row.options)
    if (
        before
        and row.options.replace("\r\n", "\n") == _row(before, currency, archived=False).options
    ):
        options = dict(before.options)
    stock = 0 if before or not row.stock.strip() else _number(row.stock)
    price = {"price": row.price.strip()} if row.price.strip() else {}
    return {"sku": row.sku, "options": options, "stock": stock, **price}


def _options(text: str) -> dict[str, str] | str:
    """The options that stand in the lines; the text itself when they are no such lines."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = map(str.strip, line.partition(":"))
        if not colon or name in found:
            return text
        found[name] = value
    return found


def _number(text: str) -> int | str:
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS else text


def _local(milliseconds: int | None, zone: tzinfo) -> str:
    if milliseconds is None:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, zone).strftime("%Y-%m-%dT%H:%M")
    except (OverflowError, ValueError):
        return ""  # in this zone it is beyond the years that there are; it stays as it is


def _moment(text: str, zone: tzinfo) -> datetime | str:
    """The time in the shop's zone; the text itself when it is none, or clocks skip it that night."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone)
            there_and_back = found.astimezone(UTC).astimezone(zone)
            if there_and_back.replace(tzinfo=None) != found.replace(tzinfo=None):
                return text
    except (ValueError, OverflowError):
        return text
    return found
