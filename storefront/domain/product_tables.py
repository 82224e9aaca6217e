"""The rules for a product: read from a table of plain values, whoever wrote it, with all mistakes.

A catalogue file and the operator's form are both such tables, so one thing is right in both.
"""

import re
from collections.abc import Collection, Mapping
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
MOST_ALTERNATIVES = 4
"""More are no help to somebody who wanted something else."""
PICTURES = (".svg", ".png", ".jpg", ".jpeg", ".webp")

PRODUCT_KEYS = frozenset(
    "slug name description image tags opens_at max_per_order delivery alternatives variants".split()
)
VARIANT_KEYS = frozenset(["sku", "options", "price", "stock"])


@dataclass(frozen=True, slots=True)
class Mistake:
    """One value that is wrong."""

    where: str
    """The product or variant, as a file's reader finds it."""
    key: str
    """Which of its values; empty for the product or variant as a whole."""
    row: int | None
    """The variant's number among the product's variants, from 0; None for the product's own."""
    what: str
    """What is wrong with it, to be said after its name: ``is missing or empty``."""
    written: str
    """The same as it is said of a file."""

    def __str__(self) -> str:
        return f"{self.where}: {self.written}."


@dataclass
class ProductReader:
    """Reads products from tables; a value that is wrong is noted and the reading goes on."""

    currency: str
    """ISO code, lower case: what prices are in."""
    files: Collection[str]
    """The names of the pictures that there are."""
    archived: Collection[int] = ()
    """The numbers of those variants that are not sold any more."""
    mistakes: list[Mistake] = field(default_factory=list)
    stock: dict[str, int] = field(default_factory=dict)
    slugs: set[str] = field(default_factory=set)
    where: str = ""
    """The product or variant that is being read."""
    row: int | None = None
    """The variant's number; None while the product itself is read."""

    def wrong(self, key: str, what: str, written: str = "") -> None:
        """Note a mistake; ``written`` says it of a file where that needs other words."""
        written = written or f"{key} {what}".strip()
        self.mistakes.append(Mistake(self.where, key, self.row, what, written))

    def product(self, number: int, table: Mapping[str, Any], line: int = 0) -> Product | None:
        """The product in this table, ``number`` of those read; None when anything is wrong with it."""
        before = len(self.mistakes)
        slug = table.get("slug")
        name = f"Product {slug}" if isinstance(slug, str) and slug else f"Product {number + 1}"
        here = f"{name} (line {line})" if line else name
        self.where, self.row = here, None
        self._unknown_keys(table, PRODUCT_KEYS)
        slug = self._code(table, "slug", SLUG, "of small letters and digits, joined by single -")
        if slug in self.slugs:
            self.wrong("slug", "stands in the file twice", "this slug stands in the file twice")
        self.slugs.add(slug)
        title = self._text(table, "name", LONGEST_NAME, needed=True)
        description = self._text(table, "description", LONGEST_DESCRIPTION, lines=True)
        image = self._image(table)
        tags = self._tags(table)
        opens_at = self._opens_at(table)
        limit = self._whole(table, "max_per_order", 1, MOST_PER_ORDER)
        delivery = self._flag(table, "delivery")
        alternatives = self._alternatives(table, slug)
        found = self._variants(table, here)
        self.where, self.row = here, None
        sold = tuple(v for n, v in enumerate(found) if n not in self.archived)
        if found and not sold:
            self.wrong("variants", "are all archived: at least one must be sold")
        self._labels(title, sold)
        if limit and any(v.price * limit > most(self.currency) for v in sold):
            text = "units cost more than Stripe takes in one payment"
            self.wrong("max_per_order", f"is too high: so many {text}", f"max_per_order {text}")
        if len(self.mistakes) > before:
            return None
        return Product(
            slug=slug,
            name=title,
            variants=sold,
            retired=tuple(v for n, v in enumerate(found) if n in self.archived),
            description=description,
            image=image,
            tags=tags,
            opens_at=opens_at,
            max_per_order=limit,
            delivery=delivery,
            alternatives=alternatives,
            position=number,
        )

    def _variants(self, table: Mapping[str, Any], here: str) -> tuple[Variant, ...]:
        tables = tables_of(table.get("variants"))
        if not tables:
            self.wrong(
                "variants",
                "are missing: it needs one",
                "it needs at least one [[products.variants]]",
            )
        return tuple(self._variant(number, v, here) for number, v in enumerate(tables))

    def _variant(self, number: int, table: Mapping[str, Any], here: str) -> Variant:
        sku = table.get("sku")
        named = isinstance(sku, str) and sku
        self.where = f"{here}, SKU {sku}" if named else f"{here}, variant {number + 1}"
        self.row = number
        self._unknown_keys(table, VARIANT_KEYS)
        sku = self._code(table, "sku", SKU, "of letters, digits, . _ -, a letter or digit first")
        if sku in self.stock:
            self.wrong("sku", "stands here twice", "this SKU stands in the file twice")
        options = self._options(table)
        price = self._price(table)
        stock = self._whole(table, "stock", 0, MOST_STOCK, needed=True)
        self.stock[sku] = stock or 0
        return Variant(sku=sku, price=price, options=options)

    def _labels(self, title: str, variants: tuple[Variant, ...]) -> None:
        """Shoppers tell variants apart by their options only."""
        labels = [v.label for v in variants]
        if len(set(labels)) < len(labels):
            text = "have the same options, so nobody could tell them apart"
            self.wrong("variants", f"that are sold: two {text}", f"two variants {text}")
        longest = max((len(f"{title} ({x})") for x in labels if x), default=0)
        if len(title) <= LONGEST_NAME < longest:
            text = f"options are longer than {LONGEST_NAME} characters together"
            self.wrong("name", f"and {text}")

    def _unknown_keys(self, table: Mapping[str, Any], known: Collection[str]) -> None:
        for key in table:
            if key not in known:
                text = f"{key!r} is not known here; known are {', '.join(sorted(known))}"
                self.wrong("", text)

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
            self.wrong(key, "is to be text in quotes")
            return ""
        value = found.strip()
        if needed and not value:
            self.wrong(key, "is missing or empty")
        if len(value) > longest:
            self.wrong(key, f"is longer than {longest} characters")
        plain = value.replace("\n", "").replace("\t", "") if lines else value
        if not plain.isprintable():
            self.wrong(key, "holds characters that cannot be shown")
        return value

    def _code(
        self, table: Mapping[str, Any], key: str, pattern: re.Pattern[str], allowed: str
    ) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self.wrong(key, "is to be text in quotes")
            return f"({len(self.mistakes)})"
        if not value:
            self.wrong(key, "is missing or empty")
            return f"({len(self.mistakes)})"
        if not pattern.fullmatch(value) or len(value) > LONGEST_CODE:
            text = f"is not {allowed}, {LONGEST_CODE} characters at most"
            self.wrong(key, text, f"{key} {value[:80]!r} {text}")
        return value

    def _whole(
        self, table: Mapping[str, Any], key: str, least: int, most: int, *, needed: bool = False
    ) -> int | None:
        if key not in table:
            if needed:
                self.wrong(key, "is missing")
            return None
        value = table[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            text = f"is to be a whole number from {least} to {most}"
            self.wrong(key, text, f"{key} {text}, without quotes")
            return None
        return value

    def _flag(self, table: Mapping[str, Any], key: str) -> bool:
        value = table.get(key, True)
        if not isinstance(value, bool):
            self.wrong(key, "is to be true or false, without quotes")
            return True
        return value

    def _price(self, table: Mapping[str, Any]) -> int:
        value = table.get("price")
        if not isinstance(value, str):
            written = "price is missing" if value is None else 'price is to be text like "25.00"'
            self.wrong("price", "is missing", written)
            return 0
        if len(value) > LONGEST_PRICE:
            self.wrong("price", "is no amount like 25.00: it is too long")
            return 0
        try:
            return parse_amount(value, self.currency)
        except ValueError as error:
            self.wrong("price", str(error))
            return 0

    def _options(self, table: Mapping[str, Any]) -> dict[str, str]:
        value = table.get("options", {})
        if not isinstance(value, dict) or not all(
            isinstance(text, str) and text.strip() and text.isprintable() and len(text) <= 100
            for text in chain.from_iterable(value.items())
        ):
            self.wrong(
                "options",
                "are to be a name and a text on each line, like Colour: Red",
                'options are to be names with texts, like { colour = "Red" }',
            )
            return {}
        return {name.strip(): text.strip() for name, text in value.items()}

    def _tags(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        value = table.get("tags", [])
        if not isinstance(value, list) or not all(
            isinstance(tag, str) and tag.strip() and tag.isprintable() and len(tag) <= 50
            for tag in value
        ):
            self.wrong(
                "tags",
                "are to be words with commas between, each of 50 characters at most",
                'tags are to be a list of words, like ["print", "signed"]',
            )
            return ()
        return tuple(dict.fromkeys(tag.strip() for tag in value))

    def _alternatives(self, table: Mapping[str, Any], own: str) -> tuple[str, ...]:
        value = table.get("alternatives", [])
        if not isinstance(value, list) or not all(
            isinstance(slug, str) and SLUG.fullmatch(slug) and len(slug) <= LONGEST_CODE
            for slug in value
        ):
            written = 'alternatives are to be a list of other products\' slugs, like ["zine"]'
            self.wrong("alternatives", "are to be other products of this shop", written)
            return ()
        found = tuple(dict.fromkeys(value))
        if own in found:
            self.wrong("alternatives", "are to be other products than this one")
        if len(found) > MOST_ALTERNATIVES:
            self.wrong("alternatives", f"are too many: {MOST_ALTERNATIVES} at most")
        return found

    def _opens_at(self, table: Mapping[str, Any]) -> int | None:
        value = table.get("opens_at")
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            written = "opens_at is to be a time with its zone, like 2026-12-01T10:00:00Z"
            self.wrong("opens_at", "is no date and time like 2026-12-01 10:00", written)
            return None
        try:
            return int(value.astimezone(UTC).timestamp() * 1000)
        except OverflowError:
            self.wrong("opens_at", "is out of range")
            return None

    def _image(self, table: Mapping[str, Any]) -> str:
        name = self._text(table, "image", 100)
        if not name:
            return ""
        if "/" in name or "\\" in name or name.startswith("."):
            text = f"{name!r} is to be the name of a file beside the catalogue"
        elif not name.lower().endswith(PICTURES):
            text = f"{name!r} is none of {', '.join(PICTURES)}"
        elif name not in self.files:
            text = f"{name!r} is not beside the catalogue file"
        else:
            return name
        self.wrong("image", text)
        return name


def tables_of(value: object) -> list[dict[str, Any]]:
    """The tables of an array; anything else counts as an empty table, which lacks everything."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, dict) else {} for item in items]
