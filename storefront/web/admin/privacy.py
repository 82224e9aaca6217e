"""What the shop knows of one customer: the operator sees it, hands it out, and has it forgotten.

The address travels in forms alone, so no log of addresses of pages has it.
"""

import json

from flask import Blueprint, Response, flash, render_template, request

from storefront.domain.errors import BadInput
from storefront.services import forgetting
from storefront.services.forgetting import Forgotten, Known
from storefront.web.admin.again import fresh_login
from storefront.web.current import shop

blueprint = Blueprint("privacy", __name__)


def _page(
    email: str = "", found: Known | None = None, done: Forgotten | None = None, error: str = ""
) -> str:
    return render_template("admin/privacy.html", email=email, found=found, done=done, error=error)


def _email() -> str:
    return request.form.get("email", "").strip()


@blueprint.get("/privacy")
def show() -> str:
    """The operator types whose data it is about."""
    return _page()


@blueprint.post("/privacy")
def look() -> str | tuple[str, int]:
    """The operator sees what there is of a customer; changes nothing."""
    try:
        return _page(_email(), forgetting.known(shop(), _email()))
    except BadInput as error:
        return _page(_email()[:254], error=str(error)), 422


@blueprint.post("/privacy/export")
@fresh_login
def export() -> Response | tuple[str, int]:
    """The operator takes it as a file for the customer."""
    try:
        found = forgetting.known(shop(), _email())
    except BadInput as error:
        return _page(_email()[:254], error=str(error)), 422
    text = json.dumps(forgetting.export(shop(), found), ensure_ascii=False, indent=2)
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="customer.json"'
    return response


@blueprint.post("/privacy/forget")
@fresh_login
def forget() -> str | tuple[str, int]:
    """The operator has the customer forgotten; a repeat finds nothing more to do."""
    try:
        done = forgetting.forget(shop(), _email())
    except BadInput as error:
        return _page(_email()[:254], error=str(error)), 422
    if not done.kept:
        flash("Nothing of this customer is kept in the shop any more.", "good")
    return _page(_email() if done.kept else "", done=done)
