"""Our own payment page (``CHECKOUT_UI=elements``): Stripe's fields in the shop's look.

Where the order may be sent, it asks first how it is to reach the shopper; there is nothing to pay yet.
"""

from collections.abc import Mapping

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

from storefront import languages
from storefront.domain.addresses import AddressMistakes, read_recipient
from storefront.domain.orders import Order
from storefront.domain.terms import Way
from storefront.services import choosing, links, orders, terms
from storefront.web import language, security
from storefront.web import orders as order_pages
from storefront.web.current import settings, shop

blueprint = Blueprint("pay", __name__, url_prefix="/pay")
blueprint.after_request(order_pages.keep_private)


@blueprint.get("/<token>")
def show(token: str) -> Answer:
    """The visitor wants to pay; what can not be paid (any more) is told on the order's page."""
    order = orders.find(shop(), token)
    if order is None:
        abort(404)
    if choosing.asks(shop(), order):
        return _ask(order, token, {}, {})
    order, payable = orders.payable(shop(), order)
    if payable is None:
        return redirect(url_for("orders.show", token=token), 303)
    page = render_template(
        "pay.html",
        order=order,
        token=token,
        now=shop().store.now(),
        client_secret=payable.client_secret,
        payment_intent=payable.payment_intent,
        publishable_key=settings().stripe_publishable_key,
        stripe_js=security.stripe_js(settings()),
        back=links.order(settings(), order.id),
        extension=orders.extension(shop(), order),
        locale=languages.locale(settings().shop_locale).replace("_", "-"),
        parts=terms.parts_of(order),
        address=terms.address_of(settings(), order),
    )
    response: Response = make_response(page)
    response.headers["Content-Security-Policy"] = security.payment_policy(settings())
    return response


@blueprint.post("/<token>")
def send(token: str) -> Answer:
    """The visitor says how the order is to reach them.

    A form sent without scripts takes no money: the page says what paying needs.
    """
    order = orders.find(shop(), token)
    if order is None:
        abort(404)
    if not choosing.asks(shop(), order):
        return redirect(url_for("pay.show", token=token), 303)
    given = request.form
    way = given.get("way", "")
    try:
        sent = way == Way.DELIVERY
        recipient = read_recipient(given, order.terms.countries) if sent else None
    except AddressMistakes as wrong:
        mistakes = {field: language.told(one) for field, one in wrong.mistakes.items()}
        return _ask(order, token, given, mistakes)
    return redirect(choosing.choose(shop(), order, way, recipient).url, 303)


def _ask(order: Order, token: str, given: Mapping[str, str], mistakes: dict[str, str]) -> Answer:
    """The form, with what was written and what is wrong with it."""
    known = terms.countries(settings())
    page = render_template(
        "choose.html",
        order=order,
        token=token,
        now=shop().store.now(),
        given=given,
        mistakes=mistakes,
        countries=[(code, known.get(code, code)) for code in order.terms.countries],
    )
    return make_response(page, 422 if mistakes else 200)
