"""Uploading a product's picture: the one form that may be larger than others."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput
from storefront.services import editing, pictures
from storefront.web.admin import login
from storefront.web.admin.products import page
from storefront.web.current import shop

blueprint = Blueprint("pictures", __name__)

MOST_SENT = 32_000_000
"""Bytes that are read at all: more than a picture may have, so that one too large is answered with a
sentence about it instead of a connection that ends."""


def make_room() -> None:
    """Read so much only where the operator sends a picture; anybody else's form stays small."""
    if request.endpoint == "admin.pictures.send" and login.signed_in():
        request.max_content_length = MOST_SENT


@blueprint.post("/products/<slug>/picture")
def send(slug: str) -> tuple[str, int] | Answer:
    """The operator gives a product another picture, or takes its picture away."""
    try:
        product = editing.find(shop(), slug)
        image = ""
        if not request.form.get("remove"):
            file = request.files.get("picture")
            image = pictures.keep(shop(), file.read() if file else b"")
        seen = request.form.get("image", "")
        saved = editing.picture(shop(), slug, seen, image, "admin")
    except editing.Gone:
        abort(404)
    except BadInput as error:
        return page(product, picture_error=str(error)), 422
    if saved.stale:
        text = "Somebody put another picture here meanwhile: it is the one above. Send yours again."
        return page(saved.product, picture_error=text), 409
    flash("The picture is kept." if image else "The picture is taken away.", "good")
    return redirect(url_for("admin.products.show", slug=slug), 303)
