"""Every order, and one order with all that is known of it."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import StripeError
from storefront.domain.orders import Order, State
from storefront.services import giving_back, links, orders, reviews, terms
from storefront.web import forms
from storefront.web.current import settings, shop

blueprint = Blueprint("orders", __name__)

ROWS = 50
MOST_PAGES = 100_000
UNDECIDED = {
    "money": "its money is not settled: a payment of another amount, a second one, or none kept",
    "units": "its units are not where a paid order has them",
    "dispute": "a dispute is not decided, or was lost",
}
"""Why an order stays in review, in words."""


def find(order_id: str) -> Order:
    """The order with this id; 404 when there is none."""
    found = orders.by_id(shop(), order_id) if forms.TOKEN.fullmatch(order_id) else None
    if found is None:
        abort(404)
    return found


def page(order: Order, error: str = "") -> str:
    """The order's page, with what was wrong with the refund that was typed."""
    typed = request.form if error else None
    return render_template(
        "admin/order.html",
        order=order,
        error=error,
        typed=typed,
        key=forms.new_token(),
        token=orders.token(shop(), order.id),
        at_stripe={payment: links.payment(settings(), payment) for payment in order.payments},
        refundable=giving_back.payments(order),
        parts=terms.parts_of(order),
        address=terms.address_of(settings(), order),
        cancellable=order.state is State.AUTHORIZED,
    )


@blueprint.get("/orders")
def index() -> str:
    """The operator looks for an order."""
    asked = request.args.get("state", "")
    state = next((one for one in State if one == asked), None)
    text = request.args.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    number = min(max(number, 1), MOST_PAGES)
    found, older = orders.listed(shop(), state, number, ROWS)
    return render_template(
        "admin/orders.html",
        orders=found,
        counts=orders.counts(shop()),
        state=state,
        page=number,
        older=older,
    )


@blueprint.get("/orders/<order_id>")
def show(order_id: str) -> str:
    """The operator looks at one order."""
    return page(find(order_id))


@blueprint.post("/orders/<order_id>/resume")
def resume(order_id: str) -> Answer:
    """The operator has looked at an order, and nothing about it is left to decide."""
    order = find(order_id)
    try:
        word, more = reviews.end(shop(), order, "admin")
    except StripeError:
        flash("Stripe did not answer, so nothing was changed. Try again in a minute.")
        return redirect(url_for("admin.orders.show", order_id=order.id), 303)
    match word:
        case "resumed":
            flash(f"Order {order.id} is {more} again.", "good")
        case "undecided":
            flash(f"Order {order.id} stays in review: {UNDECIDED[more]}.")
        case _:
            flash(f"Order {order.id} is in no review any more, so nothing was changed.")
    return redirect(url_for("admin.orders.show", order_id=order.id), 303)
