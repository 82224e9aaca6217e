"""The operator's pages, each behind the login."""

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import RequestEntityTooLarge

from storefront.web import errors, refusals
from storefront.web.admin import (
    account,
    again,
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
    restock_list,
    stall,
    stock,
    undoing,
    waitlist,
)

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
for part in (
    login,
    now,
    stall,
    stock,
    restock_list,
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
    account,
):
    blueprint.register_blueprint(part.blueprint)

OPEN = frozenset({"admin.login.show", "admin.login.enter"})
"""The only endpoints that answer someone who has not signed in."""


@blueprint.before_request
def require_login() -> ResponseReturnValue | None:
    """Nobody sees or does anything here without having signed in.

    A form that comes from a page of ours is kept meanwhile, and carried out after the login.
    """
    if request.endpoint in OPEN or login.signed_in():
        return None
    if request.endpoint != "admin.login.leave":
        if request.method == "POST":
            return again.sign_in()
        login.remember_page()
    return redirect(url_for("admin.login.show"), 303)


@blueprint.errorhandler(RequestEntityTooLarge)
def answer_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """A stranger's form stays small: who has just been signed out sends their picture later."""
    if request.endpoint in OPEN or login.signed_in():
        return errors.answer(refusals.http_error(error))
    login.remember_page_before()
    text = "You are signed out by now, and nothing was changed. Sign in, and choose the file again."
    return login.page(413, text)


@blueprint.errorhandler(CSRFError)
def answer_stale(error: CSRFError) -> ResponseReturnValue:
    """A form's token ends with its session: what a page of ours sent can be sent again."""
    if not again.sent_by_us():
        return errors.answer(refusals.http_error(error))
    if request.endpoint in OPEN:
        return login.page(400, "This page was open too long. Sign in now.")
    if login.signed_in():
        return again.page(again.STALE, 400)
    return again.page(again.SIGNED_OUT, 403)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """No cache keeps the operator's pages, and no search engine lists them."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
