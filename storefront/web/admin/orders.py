"""Every order, and one order with all that is known of it."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain import counter
from storefront.domain.errors import BadInput, StripeError
from storefront.domain.orders import UNDO_MS, Handover, Order, State
from storefront.services import (
    giving_back,
    handing,
    links,
    notices,
    orders,
    reviews,
    searching,
    story,
    terms,
)
from storefront.web import forms
from storefront.web.current import settings, shop

blueprint = Blueprint("orders", __name__)

ROWS = 50
MOST_PAGES = 100_000
MOST_DIGITS = 8
MAX_NOTE = 500
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
        story=story.of(shop(), order),
        again=[k for k in notices.AGAIN if k in order.notices and not order.at_counter],
        to_send=_to_send(order),
        undo=_undo(order),
        pickup=links.pickup_token(settings(), order.id),
        at_stripe={payment: links.payment(settings(), payment) for payment in order.payments},
        refundable=giving_back.payments(order),
        parts=terms.parts_of(order),
        address=terms.address_of(settings(), order),
        by_hand=counter.WORDS.get(order.form, ""),
        cancellable=order.state is State.AUTHORIZED,
    )


def _to_send(order: Order) -> bool:
    return order.state is State.PAID and order.way == "delivery" and bool(order.to_hand_over)


def _undo(order: Order) -> Handover | None:
    """What was handed to the post and can still be taken back."""
    since = shop().store.now() - UNDO_MS
    return next((o for o in order.handovers if o.sent and not o.undone and o.at > since), None)


@blueprint.get("/orders")
def index() -> str:
    """The operator looks for an order."""
    asked = request.args.get("state", "")
    state = next((one for one in State if one == asked), None)
    words = request.args.get("text", "").strip()[: searching.MOST_CHARACTERS]
    sku = request.args.get("sku", "").strip()[: forms.MAX_SKU]
    wanted = searching.Wanted(words, sku, state)
    if not wanted.anything:
        return _search(wanted, request.args.get("skip", ""))
    text = request.args.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    number = min(max(number, 1), MOST_PAGES)
    found, older = orders.listed(shop(), state, number, ROWS)
    return render_template(
        "admin/orders.html",
        orders=found,
        counts=orders.counts(shop()),
        wanted=searching.Wanted(state=state),
        page=number,
        older=older,
    )


def _search(wanted: searching.Wanted, typed: str) -> str:
    skip = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < MOST_DIGITS else 0
    found = searching.search(shop(), wanted, skip=skip)
    return render_template(
        "admin/orders.html",
        orders=found.orders,
        counts=orders.counts(shop()),
        wanted=wanted,
        found=found,
        page=1,
        older=False,
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


@blueprint.post("/orders/<order_id>/sent")
def mark_sent(order_id: str) -> Answer:
    """The operator has handed an order to the post."""
    order = find(order_id)
    try:
        key = forms.one_time(request.form.get("key", ""))
    except BadInput as error:
        flash(str(error))
        return _back(order)
    match handing.mark_sent(shop(), order.id, key=key, who="admin").word:
        case "handed_over":
            flash("Marked as sent. In a minute a mail tells the customer.", "good")
        case "already":
            flash("It was marked as sent before.")
        case "wanted_back":
            flash("Keep it here: the money for it is on its way back.")
        case _:
            flash("The order has changed meanwhile, so nothing was done. Look at it again.")
    return _back(order)


@blueprint.post("/orders/<order_id>/sent/undo")
def unmark_sent(order_id: str) -> Answer:
    """The operator marked the wrong order as sent."""
    order = find(order_id)
    key = request.form.get("key", "")
    if handing.take_back(shop(), order.id, key=key, who="admin") in {"taken_back", "already"}:
        flash("Not sent: taken back before the customer was told.", "good")
    else:
        flash("It was too late: this can be taken back for a minute only.")
    return _back(order)


@blueprint.post("/orders/<order_id>/mails")
def send_again(order_id: str) -> Answer:
    """The operator has a mail sent once more; the same form sends it once."""
    order, kind = find(order_id), request.form.get("kind", "")
    try:
        key = forms.one_time(request.form.get("key", ""))
    except BadInput as error:
        flash(str(error))
        return _back(order)
    if notices.send_again(shop(), order, kind, key):
        flash("The mail is sent once more.", "good")
    else:
        flash("This mail cannot be sent again: it never went out, or it did ten times more.")
    return _back(order)


@blueprint.post("/orders/<order_id>/notes")
def note(order_id: str) -> Answer:
    """The operator writes something down about an order."""
    order, text = find(order_id), " ".join(request.form.get("text", "").split())
    try:
        key = forms.one_time(request.form.get("key", ""))
        if not text or len(text) > MAX_NOTE or not text.isprintable():
            raise BadInput(f"A note has 1 to {MAX_NOTE} characters.")  # noqa: TRY301 - said below
    except BadInput as error:
        flash(str(error))
        return _back(order)
    match orders.note(shop(), order, text, key=key, who="admin"):
        case "noted" | "already":
            flash("The note is kept.", "good")
        case _:
            flash("An order has room for fifty notes, and this one has them.")
    return _back(order)


def _back(order: Order) -> Answer:
    return redirect(url_for("admin.orders.show", order_id=order.id), 303)
