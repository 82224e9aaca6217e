"""Reads a catalogue file (TOML): all of it, or a list of everything that is wrong with it."""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from storefront.domain.money import most, parse_amount
from storefront.domain.products import Product, Variant

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
LONGEST_CODE = 64
"""Characters of a slug or SKU: both stand in URLs, keys and Stripe's metadata."""
LONGEST_NAME = 250
"""Characters of a name with its options, which Stripe shows as one."""
LONGEST_DESCRIPTION = 5_000
LONGEST_PRICE = 20
MOST_STOCK = 1_000_000_000
"""Units: far below 2**53, from where on Lua's numbers skip."""
MOST_PER_ORDER = 10_000
PICTURES = (".svg", ".png", ".jpg", ".jpeg", ".webp")

PRODUCT_KEYS = frozenset(
    "slug name description image tags opens_at max_per_order delivery variants".split()
)
VARIANT_KEYS = frozenset(["sku", "options", "price", "stock"])


class CatalogueMistakes(Exception):
    """The file is wrong. ``mistakes`` lists everything, a sentence each, with where it stands."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """What a catalogue file says."""

    products: tuple[Product, ...]
    stock: Mapping[str, int]
    """Units by SKU: what the shop starts with, the first time that it sees the SKU."""


def read_catalogue(text: str, currency: str, files: Collection[str]) -> CatalogueFile:
    """The products and starting stock in a catalogue file's text.

    Prices are in ``currency`` (ISO code, lower case); ``files`` are the names of the files beside
    it, among which pictures are looked for. Raises CatalogueMistakes with all that is wrong.
    """
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise CatalogueMistakes(["The file is nested too deeply to be a catalogue."]) from None
    except ValueError as error:  # also an integer or a date that Python cannot hold
        raise CatalogueMistakes([f"The file is not TOML: {error}."]) from None
    return read_tables(data, currency, files, _lines(text, len(_tables(data.get("products")))))


def read_tables(
    data: Mapping[str, Any], currency: str, files: Collection[str], lines: Sequence[int] = ()
) -> CatalogueFile:
    """The same from a catalogue's tables; ``lines`` are those on which its products begin."""
    reader = _Reader(currency, files, list(lines))
    products = reader.catalogue(data)
    if reader.mistakes:
        raise CatalogueMistakes(reader.mistakes)
    return CatalogueFile(products, reader.stock)


@dataclass
class _Reader:
    """Walks the parsed file once; a value that is wrong is noted and the walk goes on."""

    currency: str
    files: Collection[str]
    lines: list[int]
    mistakes: list[str] = field(default_factory=list)
    stock: dict[str, int] = field(default_factory=dict)
    slugs: set[str] = field(default_factory=set)
    where: str = ""
    """The product or variant that is being read."""

    def wrong(self, what: str) -> None:
        self.mistakes.append(f"{self.where}: {what}.")

    def catalogue(self, data: Mapping[str, Any]) -> tuple[Product, ...]:
        self.where = "The file"
        self._unknown_keys(data, {"products"})
        tables = _tables(data.get("products"))
        if not tables:
            self.wrong("it holds no [[products]]")
        products = [self.product(number, table) for number, table in enumerate(tables)]
        return tuple(product for product in products if product)

    def product(self, number: int, table: Mapping[str, Any]) -> Product | None:
        before = len(self.mistakes)
        slug = table.get("slug")
        name = f"Product {slug}" if isinstance(slug, str) and slug else f"Product {number + 1}"
        here = f"{name} (line {self.lines[number]})" if self.lines else name
        self.where = here
        self._unknown_keys(table, PRODUCT_KEYS)
        slug = self._code(table, "slug", SLUG, "of small letters and digits, joined by single -")
        if slug in self.slugs:
            self.wrong("this slug stands in the file twice")
        self.slugs.add(slug)
        title = self._text(table, "name", LONGEST_NAME, needed=True)
        description = self._text(table, "description", LONGEST_DESCRIPTION, lines=True)
        image = self._image(table)
        tags = self._tags(table)
        opens_at = self._opens_at(table)
        limit = self._whole(table, "max_per_order", 1, MOST_PER_ORDER)
        delivery = self._flag(table, "delivery")
        variants = self._variants(table, here)
        self.where = here
        self._labels(title, variants)
        if limit and any(v.price * limit > most(self.currency) for v in variants):
            self.wrong("max_per_order units cost more than Stripe takes in one payment")
        if len(self.mistakes) > before:
            return None
        return Product(
            slug=slug,
            name=title,
            variants=variants,
            description=description,
            image=image,
            tags=tags,
            opens_at=opens_at,
            max_per_order=limit,
            delivery=delivery,
            position=number,
        )

    def _variants(self, table: Mapping[str, Any], here: str) -> tuple[Variant, ...]:
        tables = _tables(table.get("variants"))
        if not tables:
            self.wrong("it needs at least one [[products.variants]]")
        return tuple(self.variant(number, v, here) for number, v in enumerate(tables))

    def variant(self, number: int, table: Mapping[str, Any], here: str) -> Variant:
        sku = table.get("sku")
        named = isinstance(sku, str) and sku
        self.where = f"{here}, SKU {sku}" if named else f"{here}, variant {number + 1}"
        self._unknown_keys(table, VARIANT_KEYS)
        sku = self._code(table, "sku", SKU, "of letters, digits, . _ -, a letter or digit first")
        if sku in self.stock:
            self.wrong("this SKU stands in the file twice")
        options = self._options(table)
        price = self._price(table)
        stock = self._whole(table, "stock", 0, MOST_STOCK, needed=True)
        self.stock[sku] = stock or 0
        return Variant(sku=sku, price=price, options=options)

    def _labels(self, title: str, variants: tuple[Variant, ...]) -> None:
        """Shoppers tell variants apart by their options only."""
        labels = [v.label for v in variants]
        if len(set(labels)) < len(labels):
            self.wrong("two variants have the same options, so nobody could tell them apart")
        if (
            len(title)
            <= LONGEST_NAME
            < max((len(f"{title} ({x})") for x in labels if x), default=0)
        ):
            self.wrong(f"name and options are longer than {LONGEST_NAME} characters together")

    def _unknown_keys(self, table: Mapping[str, Any], known: Collection[str]) -> None:
        for key in table:
            if key not in known:
                self.wrong(f"{key!r} is not known here; known are {', '.join(sorted(known))}")

    def _text(
        self,
        table: Mapping[str, Any],
        key: str,
        longest: int,
        *,
        needed: bool = False,
        lines: bool = False,
    ) -> str:
        found = table.get(key, "")
        if not isinstance(found, str):
            self.wrong(f"{key} is to be text in quotes")
            return ""
        value = found.strip()
        if needed and not value:
            self.wrong(f"{key} is missing or empty")
        if len(value) > longest:
            self.wrong(f"{key} is longer than {longest} characters")
        plain = value.replace("\n", "").replace("\t", "") if lines else value
        if not plain.isprintable():
            self.wrong(f"{key} holds characters that cannot be shown")
        return value

    def _code(
        self, table: Mapping[str, Any], key: str, pattern: re.Pattern[str], allowed: str
    ) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self.wrong(f"{key} is to be text in quotes")
            return f"({len(self.mistakes)})"
        if not value:
            self.wrong(f"{key} is missing or empty")
            return f"({len(self.mistakes)})"
        if not pattern.fullmatch(value) or len(value) > LONGEST_CODE:
            self.wrong(f"{key} {value[:80]!r} is not {allowed}, {LONGEST_CODE} characters at most")
        return value

    def _whole(
        self, table: Mapping[str, Any], key: str, least: int, most: int, *, needed: bool = False
    ) -> int | None:
        if key not in table:
            if needed:
                self.wrong(f"{key} is missing")
            return None
        value = table[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong(f"{key} is to be a whole number from {least} to {most}, without quotes")
            return None
        return value

    def _flag(self, table: Mapping[str, Any], key: str) -> bool:
        value = table.get(key, True)
        if not isinstance(value, bool):
            self.wrong(f"{key} is to be true or false, without quotes")
            return True
        return value

    def _price(self, table: Mapping[str, Any]) -> int:
        value = table.get("price")
        if not isinstance(value, str):
            self.wrong("price is missing" if value is None else 'price is to be text like "25.00"')
            return 0
        if len(value) > LONGEST_PRICE:
            self.wrong("price is no amount like 25.00: it is too long")
            return 0
        try:
            return parse_amount(value, self.currency)
        except ValueError as error:
            self.wrong(f"price {error}")
            return 0

    def _options(self, table: Mapping[str, Any]) -> dict[str, str]:
        value = table.get("options", {})
        if not isinstance(value, dict) or not all(
            isinstance(text, str) and text.strip() and text.isprintable() and len(text) <= 100
            for text in chain.from_iterable(value.items())
        ):
            self.wrong('options are to be names with texts, like { colour = "Red" }')
            return {}
        return {name.strip(): text.strip() for name, text in value.items()}

    def _tags(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        value = table.get("tags", [])
        if not isinstance(value, list) or not all(
            isinstance(tag, str) and tag.strip() and tag.isprintable() and len(tag) <= 50
            for tag in value
        ):
            self.wrong('tags are to be a list of words, like ["print", "signed"]')
            return ()
        return tuple(dict.fromkeys(tag.strip() for tag in value))

    def _opens_at(self, table: Mapping[str, Any]) -> int | None:
        value = table.get("opens_at")
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.wrong("opens_at is to be a time with its zone, like 2026-12-01T10:00:00Z")
            return None
        try:
            return int(value.astimezone(UTC).timestamp() * 1000)
        except OverflowError:
            self.wrong("opens_at is out of range")
            return None

    def _image(self, table: Mapping[str, Any]) -> str:
        name = self._text(table, "image", 100)
        if not name:
            return ""
        if "/" in name or "\\" in name or name.startswith("."):
            self.wrong(f"image {name!r} is to be the name of a file beside the catalogue")
        elif not name.lower().endswith(PICTURES):
            self.wrong(f"image {name!r} is none of {', '.join(PICTURES)}")
        elif name not in self.files:
            self.wrong(f"image {name!r} is not beside the catalogue file")
        return name


def _tables(value: object) -> list[dict[str, Any]]:
    """The tables of an array; anything else counts as an empty table, which lacks everything."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, dict) else {} for item in items]


def _lines(text: str, count: int) -> list[int]:
    """On which line each product begins; empty when that cannot be told."""
    header = re.compile(r"\s*\[\[\s*[\"']?products[\"']?\s*\]\]")
    found = [n for n, line in enumerate(text.splitlines(), start=1) if header.match(line)]
    return found if len(found) == count else []
