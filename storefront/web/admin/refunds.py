"""Sending money back: the page says what it will do before it does it."""

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront import languages
from storefront.domain import counter
from storefront.domain.errors import BadInput
from storefront.domain.money import parse_amount
from storefront.domain.orders import Order
from storefront.services import amounts, giving_back
from storefront.services.giving_back import Preview, Wish
from storefront.web import forms
from storefront.web.admin.again import fresh_login
from storefront.web.admin.orders import find, page
from storefront.web.current import settings, shop

blueprint = Blueprint("refunds", __name__)

MAX_REASON = 200
MAX_MINOR = 12
"""Digits of an amount in the smallest unit."""


def _reason() -> str:
    reason = request.form.get("reason", "").strip()
    if not reason:
        raise BadInput("Say why: the reason stands in the ledger.")
    if len(reason) > MAX_REASON or not reason.isprintable():
        raise BadInput(f"The reason must be one line of at most {MAX_REASON} characters.")
    return reason


def _wish(order: Order) -> Wish:
    """What the form asks for. Raises BadInput with a sentence."""
    form = request.form
    units = {}
    for line in order.lines:
        number = forms.whole_number(form.get(f"units-{line.sku}", "0") or "0", line.sku)
        if number:
            units[line.sku] = number
    amount = None
    if typed := form.get("amount", "").strip():
        try:
            amount = parse_amount(typed, order.currency)
        except ValueError as wrong:
            raise BadInput(f"The amount: {wrong}") from wrong
    return Wish(units, amount, bool(form.get("whole")), form.get("to", ""), form.get("payment", ""))


def _confirmed(order: Order) -> Preview:
    """What was shown and confirmed, in the smallest unit, as it would be done now."""
    minor = request.form.get("minor", "")
    if not (minor.isascii() and minor.isdigit() and len(minor) <= MAX_MINOR):
        raise BadInput("The amount is damaged. Go back to the order and begin again.")
    wish = _wish(order)
    if wish.whole:  # only an order that nothing was taken for is confirmed so
        return giving_back.preview(order, wish)
    return giving_back.preview(order, replace(wish, amount=int(minor)))


def _confirm_page(order: Order, seen: Preview, reason: str, *, changed: bool) -> str:
    names = {line.sku: line.name or line.sku for line in order.lines}
    return render_template(
        "admin/refund.html",
        order=order,
        seen=seen,
        reason=reason,
        key=forms.one_time(request.form.get("key", "")),
        whole=seen.void,
        names=names,
        changed=changed,
        by_hand=counter.WORDS.get(order.form, ""),
    )


@blueprint.post("/orders/<order_id>/refund/look")
def look(order_id: str) -> str | tuple[str, int]:
    """The operator asks what a refund would do."""
    order = find(order_id)
    try:
        seen = giving_back.preview(order, _wish(order))
        return _confirm_page(order, seen, _reason(), changed=False)
    except BadInput as error:
        return page(order, str(error)), 422


@blueprint.post("/orders/<order_id>/refund")
@fresh_login
def send(order_id: str) -> ResponseReturnValue:
    """The operator confirms it; the same form counts once, however often it is sent."""
    order = find(order_id)
    key = request.form.get("key", "")
    done = next((plan for plan in order.plans if plan.key == key), None)
    try:
        reason = _reason()
        if done is None:
            seen = _confirmed(order)
            shown = (request.form.get("ends", ""), request.form.get("handed", ""))
            if (str(int(seen.ends)), str(sum(seen.handed.values()))) != shown:
                return _confirm_page(order, seen, reason, changed=True), 409
            word: str = giving_back.send_back(
                shop(), order, seen, reason=reason, key=forms.one_time(key), who="admin"
            )
        else:
            word = "already"
    except BadInput as error:
        return page(find(order_id), str(error)), 409
    return _told(order, word)


def _told(order: Order, word: str) -> ResponseReturnValue:
    match word:
        case "planned" if order.at_counter:
            locale = languages.locale(settings().shop_locale)
            back = amounts.written(int(request.form["minor"]), order.currency, locale)
            flash(f"Give {back} back {counter.WORDS[order.form]} now: it is noted.", "good")
        case "planned":
            flash("The refund is on its way to Stripe. This page shows how it goes on.", "good")
        case "cancelled":
            flash("The order is cancelled, and the bank is told to let the money go.", "good")
        case "already":
            flash("This form was counted before, so nothing was sent again.")
        case "too_much":
            return page(find(order.id), "There is less money left by now."), 409
        case "too_many":
            return page(find(order.id), "There are fewer units left by now."), 409
        case _:
            text = "The order has changed meanwhile, so nothing was sent. Look at it again."
            return page(find(order.id), text), 409
    return redirect(url_for("admin.orders.show", order_id=order.id), 303)
