"""The shelf's cards, rendered anew only when what they show has changed.

A shelf that many look at shows the same cards for most of the time, and rendering them is half of
what the page costs.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from flask import render_template
from markupsafe import Markup

from storefront import languages
from storefront.domain.products import Product
from storefront.services.shelf import Availability, Shelf

RANK = (
    Availability.AVAILABLE,
    Availability.LOW,
    Availability.HELD,
    Availability.SOON,
    Availability.SOLD_OUT,
)
"""States of stock, the most hopeful first."""


def best_state(shelf: Shelf, product: Product) -> Availability:
    """The most hopeful state among a product's variants."""
    return min((shelf.state(v.sku) for v in product.variants), key=RANK.index)


def units_left(shelf: Shelf, product: Product) -> int:
    """Available units of all variants together."""
    return sum(shelf.level(v.sku).available for v in product.variants)


@dataclass(frozen=True, slots=True)
class Card:
    """One product on the shelf, with what its badge says."""

    product: Product
    state: Availability
    left: int
    """Told only while few are left, so 0 otherwise."""


def card_of(shelf: Shelf, product: Product) -> Card:
    """The product's card as the stock stands."""
    state = best_state(shelf, product)
    return Card(product, state, units_left(shelf, product) if state is Availability.LOW else 0)


class Grid:
    """Keeps the cards as they were rendered last, in each language."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Hashable, Markup]] = {}

    def html(self, shelf: Shelf) -> Markup:
        """The cards of everything that is published, in the current language."""
        cards = [card_of(shelf, product) for product in shelf.catalogue.published]
        shows = (shelf.catalogue.version, tuple((card.state, card.left) for card in cards))
        language = languages.current()
        kept, html = self._kept.get(language, (None, Markup()))
        if kept != shows:
            html = Markup(render_template("grid.html", cards=cards))  # noqa: S704 - a template's own
            self._kept[language] = (shows, html)
        return html
