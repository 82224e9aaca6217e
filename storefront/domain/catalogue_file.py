"""Reads a catalogue file (TOML): all of it, or a list of everything that is wrong with it."""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storefront.domain.product_tables import Mistake, ProductReader, tables_of
from storefront.domain.products import Product


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
    return read_tables(data, currency, files, _lines(text, len(tables_of(data.get("products")))))


def read_tables(
    data: Mapping[str, Any], currency: str, files: Collection[str], lines: Sequence[int] = ()
) -> CatalogueFile:
    """The same from a catalogue's tables; ``lines`` are those on which its products begin."""
    reader = ProductReader(currency, files)
    mistakes = [
        Mistake(
            "The file",
            key,
            None,
            "is not known here",
            f"{key!r} is not known here; known is products",
        )
        for key in data
        if key != "products"
    ]
    tables = tables_of(data.get("products"))
    if not tables:
        mistakes.append(Mistake("The file", "", None, "", "it holds no [[products]]"))
    products = [
        reader.product(number, table, lines[number] if lines else 0)
        for number, table in enumerate(tables)
    ]
    if mistakes := [*mistakes, *reader.mistakes]:
        raise CatalogueMistakes([str(mistake) for mistake in mistakes])
    return CatalogueFile(tuple(filter(None, products)), reader.stock)


def _lines(text: str, count: int) -> list[int]:
    """On which line each product begins; empty when that cannot be told."""
    header = re.compile(r"\s*\[\[\s*[\"']?products[\"']?\s*\]\]")
    found = [n for n, line in enumerate(text.splitlines(), start=1) if header.match(line)]
    return found if len(found) == count else []
