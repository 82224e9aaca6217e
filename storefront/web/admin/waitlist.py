"""Who waits for what, and the operator's hand on it. No address is shown."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.services import shelf, waitlist
from storefront.web import forms
from storefront.web.current import shop

blueprint = Blueprint("waitlist", __name__)


@blueprint.get("/waitlist")
def show() -> str:
    """The operator looks at every line and what is offered in it."""
    catalogue = shelf.catalogue(shop())
    lines: dict[str, list[waitlist.Standing]] = {}
    for standing in waitlist.running(shop()):
        lines.setdefault(standing.place.sku, []).append(standing)
    return render_template("admin/waitlist.html", lines=lines, names=catalogue.names)


@blueprint.post("/waitlist/stop")
def stop() -> Answer:
    """The operator ends one place, or one offer, which goes to the next in line."""
    place, order = request.form.get("place", ""), request.form.get("order", "")
    if not forms.TOKEN.fullmatch(place or order):
        abort(404)
    if place:
        if not waitlist.stop(shop(), place, "admin"):
            abort(404)
        flash("The place is ended, and what was offered to it goes to the next in line.", "good")
        return redirect(url_for("admin.waitlist.show"), 303)
    match waitlist.stop_offer(shop(), order, "admin"):
        case "released":
            flash(f"The offer {order} is ended, and its unit goes to the next in line.", "good")
        case "unknown_order":
            abort(404)
        case _:
            flash(f"Order {order} is no offer any more, so nothing was changed.")
    return redirect(url_for("admin.waitlist.show"), 303)
