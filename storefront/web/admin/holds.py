"""Holds that the operator ends by hand."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import StripeError
from storefront.services import holds
from storefront.web import forms
from storefront.web.current import shop

blueprint = Blueprint("holds", __name__)


@blueprint.post("/holds/release")
def release() -> Answer:
    """The operator gives back what is held too long, or for a review that nothing was paid for."""
    order = request.form.get("order", "")
    if not forms.TOKEN.fullmatch(order):
        abort(404)
    back = "admin.integrity.show" if request.form.get("page") == "integrity" else "admin.stock.show"
    try:
        word = holds.release_by_hand(shop(), order, "admin")
    except StripeError:
        flash(
            f"Stripe did not answer, so the units of order {order} stay held. Try again in a minute."
        )
        return redirect(url_for(back), 303)
    match word:
        case "released":
            flash(f"The units of order {order} are given back.", "good")
        case "sold" | "already" | "retaken" | "authorized" | "captured":
            flash(f"Order {order} was paid meanwhile, so its units are sold.")
        case "kept":
            flash(f"Order {order} is not to be released any more, so nothing was changed.")
        case "unknown_order":
            abort(404)
        case _:
            flash(f"Order {order} was not released: {word.replace('_', ' ')}.")
    return redirect(url_for(back), 303)
