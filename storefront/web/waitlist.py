"""The line for what is sold out or held: join it, look at one's place, take what is offered, leave."""

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput
from storefront.domain.orders import HOLDING
from storefront.domain.products import Product
from storefront.domain.waitlist import mail_address
from storefront.languages import mark
from storefront.services import orders, waitlist
from storefront.services.shelf import look
from storefront.services.waitlist import Standing
from storefront.web import forms, language, shelf, visitors
from storefront.web.current import shop
from storefront.web.lines import Asked, tell

blueprint = Blueprint("waitlist", __name__)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """The link is the key: no cache, search engine or other site gets to see it."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.post("/products/<slug>/waitlist")
def join(slug: str) -> tuple[str, int] | Answer:
    """The visitor asks for a place in the line for one SKU; what is wrong is said beside the form."""
    product = look(shop()).catalogue.by_slug(slug)
    if product is None:
        abort(404)
    form = request.form
    try:
        sku, email, quantity = _read(product)
    except BadInput as error:
        typed = (form.get("sku", ""), form.get("email", ""), form.get("quantity", "1"))
        return shelf.page(slug, Asked(*typed, error=language.told(error))), 422
    waitlist.join(shop(), sku=sku, email=email, quantity=quantity)
    return redirect(url_for("waitlist.joined", slug=slug), 303)


def _read(product: Product) -> tuple[str, str, int]:
    """SKU, mail address and units; BadInput says what is wrong with one of them."""
    sku = forms.sku(request.form.get("sku", ""))
    if product.variant(sku) is None:
        raise BadInput("Choose what you want to wait for.")
    email = mail_address(request.form.get("email", ""))
    quantity = forms.whole_number(request.form.get("quantity", "1"), mark("The number of units"))
    most = waitlist.limit_of(shop(), product)
    if not 1 <= quantity <= most:
        raise BadInput("Choose from 1 to %(most)s units.", most=most)
    return sku, email, quantity


@blueprint.get("/products/<slug>/waitlist")
def joined(slug: str) -> str:
    """The visitor is told to look at their mail, whether or not they were in line before."""
    product = look(shop()).catalogue.by_slug(slug)
    if product is None:
        abort(404)
    return render_template("joined.html", product=product)


@blueprint.get("/waitlist/<token>")
def show(token: str) -> Response:
    """The visitor looks at their place, which changes nothing."""
    standing = waitlist.find(shop(), token)
    now = shop().store.now()
    shelf_now = look(shop())
    found = shelf_now.catalogue.by_sku(standing.place.sku) if standing else None
    page = render_template(
        "waitlist.html",
        token=token,
        standing=standing,
        told=tell(standing),
        name=found[0].name_of(found[1]) if found else standing.place.sku if standing else "",
        product=found[0] if found else None,
        now=now,
        order_token=lambda order: orders.token(shop(), order),
    )
    return make_response(page, 200 if standing else 404)


@blueprint.post("/waitlist/<token>")
def act(token: str) -> Answer:
    """The visitor confirms their place, leaves it, or takes what is offered."""
    standing = waitlist.find(shop(), token)
    if standing is None:
        abort(404)
    match request.form.get("action"):
        case "confirm":
            waitlist.confirm(shop(), standing.place)
        case "leave":
            waitlist.leave(shop(), standing.place)
        case "take":
            return _take(standing, token)
        case _:
            raise BadInput("Choose what to do with your place: confirm it, leave it, or take.")
    return redirect(url_for("waitlist.show", token=token), 303)


def _take(standing: Standing, token: str) -> Answer:
    started = waitlist.take(shop(), standing, request.form.get("order", ""))
    if started is None:
        return redirect(url_for("waitlist.show", token=token), 303)
    order = started.order
    if order.state in HOLDING:
        visitors.remember_hold(orders.token(shop(), order.id), order.deadline, from_bag=False)
    return redirect(started.url, 303)
