"""An order's own page: what is true of it now. It is the success and the cancel page too."""

from flask import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput
from storefront.domain.orders import AWAITING, GOODS, HOLDING, Order, State
from storefront.services import mailboxes, orders, pickup, terms, waitlist
from storefront.web import language, states, visitors
from storefront.web.current import settings, shop

CLOCKED = HOLDING - {State.PROCESSING}
"""While a bank sends the money, units are kept for as long as that takes: no clock runs."""

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
        held=order.state in CLOCKED and now < order.deadline,
        may_cancel=order.state in AWAITING,
        place=waitlist.link(shop(), order) if order.state is State.OFFERED else "",
        may_pick_up=order.to_pick_up,
        extension=orders.extension(shop(), order),
        no_longer=states.no_longer(order, settings().hold_extend_seconds),
        undecided=order.state in states.UNDECIDED or not asked,
        refund_words=states.refund_words,
        resume=orders.resume_link(shop(), order),
        parts=terms.parts_of(order),
        address=terms.address_of(settings(), order),
    )
    return make_response(page)


@blueprint.get("/<token>.json")
def show_json(token: str) -> Response:
    """The open page, or a program, asks whether anything has changed."""
    order, _ = orders.refresh(shop(), _find(token))
    return jsonify(orders.public_json(shop(), order))


@blueprint.post("/<token>/extend")
def extend(token: str) -> Answer:
    """The visitor needs more time to pay."""
    order = orders.extend(shop(), _find(token))
    visitors.prolong_hold(token, order.deadline)
    return redirect(url_for("orders.show", token=token), 303)


@blueprint.post("/<token>/cancel")
def cancel(token: str) -> Answer:
    """The visitor gives the units back instead of paying."""
    order = orders.cancel(shop(), _find(token))
    _keep_up(order, token)
    return redirect(url_for("orders.show", token=token), 303)


@blueprint.get("/<token>/pickup.svg")
def pickup_code(token: str) -> Response:
    """The visitor's page shows the code with which they fetch their order."""
    order = _find(token)
    if not order.to_pick_up:
        abort(404)
    return Response(pickup.svg(settings(), order.id), mimetype="image/svg+xml")


@blueprint.get("")
def look_for() -> str:
    """The visitor has lost the link to an order."""
    return render_template("find-orders.html", email="", error="")


@blueprint.post("")
def ask() -> Answer | tuple[str, int]:
    """The visitor asks for the links to their orders, by their mail address."""
    email = request.form.get("email", "").strip()
    try:
        mailboxes.mail_orders(shop(), email)
    except BadInput as wrong:
        return render_template("find-orders.html", email=email, error=language.told(wrong)), 422
    return redirect(url_for("orders.asked"), 303)


@blueprint.get("/asked")
def asked() -> str:
    """The visitor reads what happens now, which is the same for any address."""
    return render_template("orders-asked.html")
