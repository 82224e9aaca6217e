"""The products' pictures, as the catalogue's import kept them."""

from flask import Blueprint, Response, send_from_directory

from storefront.web.current import settings

blueprint = Blueprint("pictures", __name__, url_prefix="/pictures")

SECONDS = 3600
"""A picture may be replaced under the same name; browsers ask again after this time."""


@blueprint.get("/<name>")
def show(name: str) -> Response:
    """The visitor's browser asks for a picture.

    An SVG opened on its own is a document: its policy keeps any script in it from running.
    """
    response = send_from_directory(settings().pictures, name, max_age=SECONDS)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    return response
