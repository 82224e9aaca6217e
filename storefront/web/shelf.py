"""The shelf, one product's page, and the stock as numbers."""

from flask import Blueprint, Response, abort, jsonify, render_template

from storefront.domain.products import Product
from storefront.languages import _, mark
from storefront.services import live, waitlist
from storefront.services.shelf import Availability, Shelf, first_return, look
from storefront.web import closed, forms, sending, sharing
from storefront.web.current import joined, settings, shop
from storefront.web.grid import Card, best_state, card_of, units_left
from storefront.web.lines import Asked

blueprint = Blueprint("shelf", __name__)

LEDE = mark("What is held for you is yours to pay for in peace: nobody else can buy it meanwhile.")
GONE = frozenset({Availability.HELD, Availability.SOLD_OUT})
"""Of such a SKU one can wait for a unit."""


def limit_of(product: Product) -> int:
    """Units of one SKU that one order may have."""
    return product.max_per_order or settings().max_per_order


@blueprint.get("/")
def index() -> str:
    """The visitor looks at everything that is for sale."""
    shelf = look(shop())
    return render_template(
        "shelf.html",
        card=sharing.shelf_card(_(LEDE)),
        cards=joined().grid.html(shelf),
        now=shelf.now,
        shut=closed.words(shelf.door),
    )


@blueprint.get("/products/<slug>")
def product(slug: str) -> str:
    """The visitor looks at one product, to buy it, to put it into the bag, or to wait for it."""
    return page(slug)


def page(slug: str, asked: Asked | None = None) -> str:
    """A product's page; ``asked`` is what was typed wrongly into its form for the waitlist."""
    shelf = look(shop())
    found = shelf.catalogue.by_slug(slug)
    if found is None:
        abort(404)
    state = best_state(shelf, found)
    waits = [v for v in found.variants if shelf.state(v.sku) in GONE]
    return render_template(
        "product.html",
        card=sharing.product_card(found),
        data=sharing.product_data(shelf, found),
        shelf=shelf,
        product=found,
        state=state,
        left=units_left(shelf, found),
        returns_at=first_return(shop(), found) if state is Availability.HELD else None,
        chosen=next(v.sku for v in found.variants if shelf.state(v.sku) == state),
        limit=limit_of(found),
        sent=sending.words(settings(), [found]),
        waits=waits,
        instead=_instead(shelf, found),
        asked=asked,
        wait_limit=waitlist.limit_of(shop(), found),
        token=forms.new_token(),
        shut=closed.words(shelf.door),
    )


def _instead(shelf: Shelf, product: Product) -> list[Card]:
    """A product's alternatives; the page shows those in stock while the product cannot be had."""
    found = filter(None, map(shelf.catalogue.by_slug, product.alternatives))
    return [card_of(shelf, one) for one in found]


@blueprint.get("/stock.json")
def stock() -> Response:
    """A program asks how many units of each published SKU are left."""
    response = jsonify(live.stock(shop()).levels)
    response.headers["Cache-Control"] = "no-store"
    return response
