"""Labels to print, whose codes a scanner types into the stock page."""

from flask import Blueprint, Response, abort, render_template, request

from storefront.services import labels
from storefront.web.current import shop

blueprint = Blueprint("labels", __name__)


@blueprint.get("/labels")
def show() -> str:
    """The operator chooses SKUs, and prints a label for each."""
    every = labels.listing(shop())
    chosen = set(request.args.getlist("sku"))
    return render_template(
        "admin/labels.html",
        every=every,
        chosen=chosen,
        labels=[label for label in every if label.sku in chosen],
    )


@blueprint.get("/labels/qr.svg")
def code() -> Response:
    """A label shows its code."""
    picture = labels.code(shop(), request.args.get("sku", ""))
    if picture is None:
        abort(404)
    return Response(picture, mimetype="image/svg+xml")
