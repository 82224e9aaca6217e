"""Payment links, and the posters whose codes lead to one or to a product's page."""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput, NotEnoughStock, StripeError, UnknownSku
from storefront.domain.payment_links import PaymentLink
from storefront.services import payment_links, posters, restocking, shelf
from storefront.services.posters import Poster
from storefront.web import forms
from storefront.web.current import shop

blueprint = Blueprint("links", __name__)

SIZES = ("a4", "a6")
"""Paper that a poster fits; the print dialogue follows the page's own size."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the operator typed, and why no link was made of it."""

    sku: str
    units: str
    error: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A SKU that a link can be made for."""

    sku: str
    name: str
    available: int


def _page(typed: Typed | None = None) -> str:
    catalogue = shelf.catalogue(shop())
    available = {level.sku: level.available for level in restocking.levels(shop())}
    return render_template(
        "admin/links.html",
        links=payment_links.listing(shop()),
        choices=[
            Choice(v.sku, p.name_of(v), available.get(v.sku, 0))
            for p, v in catalogue.entries(catalogue.published)
        ],
        products=catalogue.published,
        typed=typed,
        new_key=forms.new_token,
    )


@blueprint.get("/links")
def show() -> str:
    """The operator looks at the links: what each sold, and what it has left."""
    return _page()


@blueprint.post("/links")
def make() -> tuple[str, int] | Answer:
    """The operator sets units aside for a link; the same form sent twice makes one."""
    sku, units = request.form.get("sku", ""), request.form.get("units", "")
    try:
        number = forms.whole_number(units, "The number of units")
        key = forms.one_time(request.form.get("key", ""))
        link = payment_links.create(
            shop(), sku=forms.sku(sku), units=number, key=f"form {key}", who="admin"
        )
    except UnknownSku:
        return _page(Typed(sku[:60], units, "No article on the shelf has this number.")), 422
    except NotEnoughStock as short:
        left = short.shortages[0].available
        return _page(Typed(sku, units, f"Only {left} available to be set aside.")), 409
    except BadInput as error:
        return _page(Typed(sku[:60], units[:20], str(error))), 422
    except StripeError:
        flash(
            "Stripe has not confirmed the link. If it was not refused, the units are set aside and "
            "the link is made as soon as Stripe answers: see below."
        )
        return redirect(url_for("admin.links.show"), 303)
    flash(f"{link.units} of {link.sku} are set aside for link {link.id}.", "good")
    return redirect(url_for("admin.links.poster", link_id=link.id), 303)


@blueprint.post("/links/close")
def close() -> Answer:
    """The operator ends a link; what is left of it goes back once Stripe confirms that it is over."""
    link_id = request.form.get("link", "")
    if not forms.TOKEN.fullmatch(link_id):
        abort(404)
    try:
        ended = payment_links.close(shop(), link_id, "admin")
    except StripeError:
        flash(
            f"Link {link_id} is being closed. Its units stay set aside until Stripe confirms that "
            "nobody can pay through it any more."
        )
        return redirect(url_for("admin.links.show"), 303)
    if ended is None:
        abort(404)
    flash(
        f"Link {ended.id} is closed: {ended.returned} of {ended.sku} are available again.", "good"
    )
    return redirect(url_for("admin.links.show"), 303)


@blueprint.get("/links/<link_id>/poster")
def poster(link_id: str) -> str:
    """The operator prints a poster whose code pays for one unit of a link at once."""
    link = _link(link_id)
    code = url_for("admin.links.code", link_id=link.id)
    return _poster(posters.of_link(link), code, link)


@blueprint.get("/links/<link_id>/qr.svg")
def code(link_id: str) -> Response:
    """The poster shows the link's code."""
    return _svg(_link(link_id).url)


@blueprint.get("/posters/<slug>")
def product_poster(slug: str) -> str:
    """The operator prints a poster whose code opens a product's page."""
    return _poster(_product(slug), url_for("admin.links.product_code", slug=slug))


@blueprint.get("/posters/<slug>/qr.svg")
def product_code(slug: str) -> Response:
    """The poster shows the product's code."""
    return _svg(_product(slug).url)


def _link(link_id: str) -> PaymentLink:
    link = payment_links.find(shop(), link_id) if forms.TOKEN.fullmatch(link_id) else None
    if link is None or not link.url:
        abort(404)
    return link


def _product(slug: str) -> Poster:
    found = posters.of_product(shop(), slug)
    if found is None:
        abort(404)
    return found


def _poster(what: Poster, code: str, link: PaymentLink | None = None) -> str:
    size = request.args.get("size", SIZES[0])
    if size not in SIZES:
        abort(404)
    return render_template(
        "admin/poster.html", poster=what, code=code, link=link, size=size, sizes=SIZES
    )


def _svg(url: str) -> Response:
    return Response(posters.qr(url), mimetype="image/svg+xml")
