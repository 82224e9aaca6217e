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
    word = holds.release_by_hand(shop(), order, "admin")
    flash(f"Order {order}: {word.replace('_', ' ')}.", "good" if word == "released" else "message")
    return redirect(url_for("admin.stock.show"), 303)
