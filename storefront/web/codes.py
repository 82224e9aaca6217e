"""What the codes on posters lead to, and where Stripe sends who has paid by a link."""

import re

from flask import Blueprint, abort, redirect, url_for
from werkzeug.wrappers import Response as Answer

from storefront.services import orders, payment_links, posters, shelf
from storefront.web.current import shop

blueprint = Blueprint("codes", __name__)

SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,200}", re.ASCII)


@blueprint.get("/q/<code>")
def product(code: str) -> Answer:
    """Somebody has scanned a poster: the product's page says what is left, and holds it first."""
    found = posters.product_of(shelf.catalogue(shop()), code)
    if found is None:
        abort(404)
    return redirect(url_for("shelf.product", slug=found.slug), 303)


@blueprint.get("/paid/<session>")
def paid(session: str) -> Answer:
    """Somebody has paid through a payment link, and sees the order that this made."""
    order = payment_links.thank(shop(), session) if SESSION.fullmatch(session) else None
    if order is None:
        abort(404)
    response = redirect(url_for("orders.show", token=orders.token(shop(), order)), 303)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
