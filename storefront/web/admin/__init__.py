"""The operator's pages, each behind the login."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.web.admin import (
    counting,
    holds,
    integrity,
    labels,
    ledger,
    links,
    login,
    money,
    now,
    orders,
    pickup,
    pictures,
    privacy,
    products,
    refunds,
    stock,
    undoing,
    waitlist,
)

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
for part in (
    login,
    now,
    stock,
    counting,
    undoing,
    ledger,
    labels,
    products,
    pictures,
    orders,
    pickup,
    refunds,
    holds,
    waitlist,
    links,
    money,
    privacy,
    integrity,
):
    blueprint.register_blueprint(part.blueprint)

OPEN = frozenset({"admin.login.show", "admin.login.enter"})
"""The only endpoints that answer someone who has not signed in."""


@blueprint.before_request
def require_login() -> Answer | None:
    """Nobody sees or does anything here without having signed in."""
    if request.endpoint in OPEN or login.signed_in():
        return None
    return redirect(url_for("admin.login.show"), 303)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """No cache keeps the operator's pages, and no search engine lists them."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
