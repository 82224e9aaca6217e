"""An order's own page: what is true of it now. It is the success and the cancel page too."""

from flask import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    url_for,
)
from werkzeug.wrappers import Response as Answer

from storefront.domain.orders import AWAITING, GOODS, HOLDING, Order
from storefront.services import orders
from storefront.web import states, visitors
from storefront.web.current import shop

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """The link is the key: no cache, search engine or other site gets to see it."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _find(token: str) -> Order:
    order = orders.find(shop(), token)
    if order is None:
        abort(404)
    return order


def _keep_up(order: Order, token: str) -> None:
    """Bring the visitor's cookie to where the order is: a bag that was paid for is empty."""
    hold = visitors.remembered_hold()
    if hold is None or hold.token != token or order.state in HOLDING:
        return
    units = {line.sku: line.quantity for line in order.lines}
    if order.state in GOODS and hold.from_bag and visitors.bag() == units:
        visitors.keep_bag({})
    visitors.forget_hold()


@blueprint.get("/<token>")
def show(token: str) -> Response:
    """The visitor asks how their order stands, after paying, after giving up, or any time later."""
    order, asked = orders.refresh(shop(), _find(token))
    _keep_up(order, token)
    now = shop().store.now()
    page = render_template(
        "order.html",
        order=order,
        token=token,
        told=states.tell(order, now),
        asked=asked,
        now=now,
        held=order.state in HOLDING and now < order.deadline,
        may_cancel=order.state in AWAITING,
        undecided=order.state in states.UNDECIDED or not asked,
        refund_words=states.refund_words,
    )
    return make_response(page)


@blueprint.get("/<token>.json")
def show_json(token: str) -> Response:
    """The open page, or a program, asks whether anything has changed."""
    order, _ = orders.refresh(shop(), _find(token))
    return jsonify(orders.public_json(shop(), order))


@blueprint.post("/<token>/cancel")
def cancel(token: str) -> Answer:
    """The visitor gives the units back instead of paying."""
    order = orders.cancel(shop(), _find(token))
    _keep_up(order, token)
    return redirect(url_for("orders.show", token=token), 303)
