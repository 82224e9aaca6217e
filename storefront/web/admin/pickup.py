"""The counter: a customer's code is scanned, and the goods are handed over once."""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput
from storefront.domain.orders import UNDO_MS, Handover, Order, State
from storefront.services import handing, links, orders
from storefront.web import forms
from storefront.web.current import settings, shop
from storefront.web.security import permissions

blueprint = Blueprint("pickup", __name__)

WHO = "admin"


@dataclass(frozen=True, slots=True)
class Told:
    """The big answer to a scan."""

    kind: str
    """``good``, ``bad`` or ``waiting``, by which it is coloured."""
    title: str
    text: str = ""
    at: int = 0
    """When it happened (ms)."""


@blueprint.after_request
def allow_camera(response: Response) -> Response:
    """Only here may a script ask for the camera."""
    response.headers["Permissions-Policy"] = permissions(camera=True)
    return response


def _page(
    told: Told | None = None, order: Order | None = None, done: Handover | None = None
) -> str:
    undoable = done is not None and not done.undone and shop().store.now() < done.at + UNDO_MS
    return render_template(
        "admin/pickup.html",
        told=told,
        order=order,
        done=done,
        undo=done.at + UNDO_MS if done and undoable else None,
        names={line.sku: line.name or line.sku for line in order.lines} if order else {},
        token=links.pickup_token(settings(), order.id) if order else "",
        ready=bool(order and order.to_pick_up and order.to_hand_over and _waiting(order) is None),
        key=forms.new_token(),
        url_begins=links.PICKUP,
    )


def _waiting(order: Order) -> Told | None:
    """Why nothing of this order can be handed over now; None when it can."""
    match order.state:
        case State.PAID if order.way == "delivery":
            return Told("bad", "Not for the counter", "This order is to be sent.")
        case State.PAID if not order.own:
            return Told("bad", "Nothing left", "All of its units went back.")
        case State.PAID if order.to_hand_over:
            return None
        case State.PAID | State.FULFILLED:
            at = max((one.at for one in order.handovers if not one.undone), default=0)
            return Told("bad", "Already handed over", "Every unit of this order is gone.", at)
        case State.AUTHORIZED:
            text = "The bank has agreed, and the money is being collected. Scan again in a minute."
            return Told("bad", "Not paid yet", text)
        case State.OFFERED | State.PENDING | State.OPEN | State.PROCESSING:
            return Told("bad", "Not paid yet", "Hand nothing over before it is paid.")
        case State.RELEASED:
            return Told("bad", "Not paid", "The order ended unpaid.")
        case State.REVIEW:
            return Told("bad", "A person must look first", "Open the order: it is in review.")
        case _:
            return Told("bad", "Not the customer’s", "The money of this order goes back.")


def _refused(order: Order | None, word: str, sku: str = "", left: int = 0) -> tuple[str, int]:
    if order is None or word == "unknown_order":
        return _page(Told("bad", "No such order", "This code is of no order of this shop.")), 404
    if word == "too_many":
        told = Told("bad", "Nothing handed over", f"{sku}: only {left} can be handed over now.")
    elif word == "wanted_back":
        told = Told("bad", "Keep it here", "The money for what is left is on its way back.")
    elif word == "taken_back":
        told = Told("bad", "Taken back", "This form was taken back. Scan the code anew.")
    else:
        told = _waiting(order) or Told("bad", "Changed meanwhile", "Scan the code anew.")
    return _page(told, order), 409


def _find(token: str) -> Order:
    """The order of a pick-up code; 404 when it is none of ours."""
    order_id = links.open_pickup(settings(), token)
    order = orders.by_id(shop(), order_id) if order_id else None
    if order is None:
        abort(404)
    return order


def _chosen(order: Order) -> dict[str, int]:
    """The units that the form names. Raises BadInput with a sentence, also when there are none."""
    units = {}
    for line in order.lines:
        number = forms.whole_number(request.form.get(f"units-{line.sku}", "0") or "0", line.sku)
        if number:
            units[line.sku] = number
    if not units:
        raise BadInput("Choose what is handed over.")
    return units


def _hand_over(order_id: str, units: dict[str, int] | None = None) -> tuple[str, int] | Answer:
    """Hand over what the form asks for, and show the answer."""
    key = forms.one_time(request.form.get("key", ""))
    answer = handing.hand_over(shop(), order_id, key=key, who=WHO, units=units)
    if answer.word == "handed_over":
        token = links.pickup_token(settings(), order_id)
        return redirect(url_for("admin.pickup.order", token=token, done=key), 303)
    return _refused(orders.by_id(shop(), order_id), answer.word, answer.sku, answer.left)


@blueprint.get("/pickup")
def show() -> str:
    """The operator stands at the counter."""
    return _page()


@blueprint.post("/pickup")
def scan() -> tuple[str, int] | Answer:
    """A code was scanned: everything that is left of its order is handed over.

    A number that was typed only opens the order: whoever reads it off an envelope has no code.
    """
    text = request.form.get("code", "")
    try:
        if order_id := handing.scanned(shop(), text):
            return _hand_over(order_id)
    except BadInput as error:
        return _page(Told("bad", "Nothing handed over", str(error))), 422
    if order := handing.numbered(shop(), text):
        token = links.pickup_token(settings(), order.id)
        return redirect(url_for("admin.pickup.order", token=token), 303)
    told = Told("bad", "No such order", "This is neither a pick-up code nor an order’s number.")
    return _page(told), 422


@blueprint.get("/pickup/<token>")
def order(token: str) -> str:
    """What a code is of, and whether it was just handed over; looking changes nothing."""
    found = _find(token)
    key = request.args.get("done", "")
    done = next((one for one in found.handovers if one.key == key), None)
    if done and done.undone:
        return _page(Told("waiting", "Taken back", "These units are in the shop again."), found)
    if done:
        return _page(Told("good", "Hand it over", at=done.at), found, done)
    ready = Told("waiting", "Paid, to be handed over")
    return _page(_waiting(found) or ready, found)


@blueprint.post("/pickup/<token>")
def hand(token: str) -> tuple[str, int] | Answer:
    """The operator hands over the units of an order that the form names."""
    found = _find(token)
    try:
        return _hand_over(found.id, _chosen(found))
    except BadInput as error:
        return _page(Told("bad", "Nothing handed over", str(error)), found), 422


@blueprint.post("/pickup/<token>/undo")
def undo(token: str) -> Answer:
    """The operator takes a hand-over back that was a mistake, within a minute."""
    found, key = _find(token), request.form.get("key", "")
    word = handing.take_back(shop(), found.id, key=key, who=WHO)
    if word not in {"taken_back", "already"}:
        flash("It was too late: this can be taken back for a minute only.")
    return redirect(url_for("admin.pickup.order", token=token, done=key), 303)
