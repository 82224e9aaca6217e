"""Holds that should have ended by themselves."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.services import holds
from storefront.web import forms
from storefront.web.current import shop

blueprint = Blueprint("holds", __name__)


@blueprint.post("/holds/release")
def release() -> Answer:
    """The operator gives an overdue hold's units back without Stripe's word."""
    order = request.form.get("order", "")
    if not forms.TOKEN.fullmatch(order):
        abort(404)
    match holds.release_by_hand(shop(), order, "admin"):
        case "released":
            flash(f"The units of order {order} are given back.", "good")
        case "sold" | "already" | "retaken":
            flash(f"Order {order} was paid meanwhile, so its units are sold.")
        case "kept":
            flash(f"Order {order} is not overdue any more, so nothing was changed.")
        case "unknown_order":
            abort(404)
        case word:
            flash(f"Order {order} was not released: {word.replace('_', ' ')}.")
    return redirect(url_for("admin.stock.show"), 303)
