"""The products' pictures, as the catalogue's import kept them or an upload made them."""

from flask import Blueprint, Flask, Response, send_from_directory

from storefront.domain import pictures
from storefront.web.current import settings

blueprint = Blueprint("pictures", __name__, url_prefix="/pictures")

SECONDS = 3600
"""A catalogue's picture may be replaced under the same name; browsers ask again after this time."""
YEAR = 365 * 24 * 3600
"""An uploaded one is named by its content."""


def register(app: Flask) -> None:
    """Give templates the filter ``sized``: a picture's sizes by its name."""
    app.add_template_filter(pictures.picture, "sized")


@blueprint.get("/<name>")
def show(name: str) -> Response:
    """The visitor's browser asks for a picture.

    An SVG opened on its own is a document: its policy keeps any script in it from running.
    """
    uploaded = pictures.largest(name) is not None
    response = send_from_directory(settings().pictures, name, max_age=YEAR if uploaded else SECONDS)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    return response
