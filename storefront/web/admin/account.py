"""The operator's account: one-time codes beside the password, and signing out everywhere."""

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Answer

from storefront.services import account
from storefront.web.admin import login, tries
from storefront.web.admin.again import fresh_login
from storefront.web.current import shop

blueprint = Blueprint("account", __name__, url_prefix="/account")


def _page(problem: str = "") -> str:
    return render_template(
        "admin/account.html",
        asks_for_codes=account.asks_for_codes(shop()),
        recovery_left=account.recovery_left(shop()),
        problem=problem,
    )


def _recovery_page(codes: tuple[str, ...], *, signed_out: bool) -> str:
    return render_template("admin/recovery.html", codes=codes, signed_out=signed_out)


@blueprint.get("")
def show() -> str:
    """The operator looks at how they sign in."""
    return _page()


@blueprint.post("/codes")
@fresh_login
def set_up() -> str:
    """The operator begins to set a phone up, or goes on with it."""
    return render_template("admin/codes.html", secret=account.begin_codes(shop()), wrong=False)


@blueprint.get("/codes.svg")
@fresh_login
def picture() -> Response:
    """The code that the phone reads, while it is being set up."""
    svg = account.picture(shop())
    if svg is None:
        abort(404)
    return Response(svg, mimetype="image/svg+xml")


@blueprint.post("/codes/confirm")
@fresh_login
def confirm() -> ResponseReturnValue:
    """The operator types the phone's first code, and sees the recovery codes once."""
    codes = account.confirm_codes(shop(), request.form.get("code", ""))
    if codes is None:
        secret = account.begin_codes(shop())
        return render_template("admin/codes.html", secret=secret, wrong=True), 422
    login.begin()
    return _recovery_page(codes, signed_out=True)


@blueprint.post("/recovery")
@fresh_login
def renew_recovery() -> ResponseReturnValue:
    """The operator asks for new recovery codes, because few are left or somebody saw them."""
    if not account.asks_for_codes(shop()):
        return redirect(url_for("admin.account.show"), 303)
    return _recovery_page(account.renew_recovery(shop()), signed_out=False)


@blueprint.post("/codes/off")
def switch_off() -> ResponseReturnValue:
    """The operator wants the password alone to be asked for; needs both once more."""
    wait, right = tries.attempt(request.form.get("password", ""), request.form.get("code", ""))
    if wait:
        return _page(tries.wait_words(wait)), 429, {"Retry-After": str(wait)}
    if not right:
        return _page(tries.wrong_words()), 403
    account.switch_codes_off(shop())
    flash("Only the password is asked for from now on.")
    return redirect(url_for("admin.account.show"), 303)


@blueprint.post("/sign-out")
def sign_out() -> Answer:
    """The operator ends every session, wherever it is, this one too."""
    account.sign_out_everywhere(shop())
    return login.leave()
