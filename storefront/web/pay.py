"""Our own payment page (``CHECKOUT_UI=elements``): Stripe's fields in the shop's look."""

from flask import Blueprint, Response, abort, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as Answer

from storefront.services import links, orders
from storefront.web import orders as order_pages
from storefront.web import security
from storefront.web.current import settings, shop

blueprint = Blueprint("pay", __name__, url_prefix="/pay")
blueprint.after_request(order_pages.keep_private)


@blueprint.get("/<token>")
def show(token: str) -> Answer:
    """The visitor wants to pay; what can not be paid (any more) is told on the order's page."""
    order = orders.find(shop(), token)
    if order is None:
        abort(404)
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
        locale=settings().shop_locale.replace("_", "-"),
    )
    response: Response = make_response(page)
    response.headers["Content-Security-Policy"] = security.payment_policy(settings())
    return response


@blueprint.post("/<token>")
def send(token: str) -> Answer:
    """A form sent without scripts takes no money: the page says what paying needs."""
    return redirect(url_for("pay.show", token=token), 303)
