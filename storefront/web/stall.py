"""The screen at the stall: what is left, in numbers to be read from three metres away."""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template

from storefront.domain.products import Product, Variant
from storefront.services import links, posters
from storefront.services.shelf import Availability, Shelf, look
from storefront.web import closed
from storefront.web.current import settings, shop

blueprint = Blueprint("stall", __name__)

REFRESH_SECONDS = 10
"""How often the page loads anew where no script follows the stock."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant, with what is left of it."""

    variant: Variant
    left: int
    state: Availability


def _choices(shelf: Shelf, product: Product) -> list[Choice]:
    return [
        Choice(variant, shelf.level(variant.sku).available, shelf.state(variant.sku))
        for variant in product.variants
    ]


@blueprint.get("/stall/<key>")
def show(key: str) -> Response:
    """Who stands before the stall sees what is left; only the operator knows the key."""
    _let_in(key)
    shelf = look(shop())
    text = render_template(
        "stall.html",
        goods=[(product, _choices(shelf, product)) for product in shelf.catalogue.published],
        now=shelf.now,
        shut=closed.words(shelf.door),
        key=key,
        refresh=REFRESH_SECONDS,
    )
    return _kept_to_itself(Response(text))


@blueprint.get("/stall/<key>/qr.svg")
def code(key: str) -> Response:
    """The screen shows the code that leads to the shop."""
    _let_in(key)
    return _kept_to_itself(Response(posters.qr(settings().public_url), mimetype="image/svg+xml"))


def _let_in(key: str) -> None:
    if not links.opens_stall(settings(), key):
        abort(404)


def _kept_to_itself(response: Response) -> Response:
    """No search engine lists it, and no other site learns the address."""
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
