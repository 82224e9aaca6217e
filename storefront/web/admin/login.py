"""Signing in and out."""

import hashlib
import hmac
import secrets
import time

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash
from werkzeug.wrappers import Response as Answer

from storefront.web import addresses
from storefront.web.current import joined, settings
from storefront.web.limits import LOGINS

blueprint = Blueprint("login", __name__)

ADMIN = "admin"
IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 3600
NOTED_SECONDS = 60
"""How old the note of the last visit may grow before the cookie is written again."""


def _password_mark() -> str:
    """Changes with the password, so that a new one ends every older session."""
    return hashlib.sha256(settings().admin_password_hash.encode()).hexdigest()[:16]


def signed_in() -> bool:
    """Whether this session signed in with today's password, lately enough; notes the visit."""
    match session.get(ADMIN):
        case {"since": int(since), "seen": int(seen), "by": str(mark)}:
            pass
        case _:
            return False
    now = int(time.time())
    if now - seen > IDLE_SECONDS or now - since > LONGEST_SECONDS:
        session.pop(ADMIN)
        flash("You were signed out after a while without a visit. Sign in again.")
        return False
    if not hmac.compare_digest(mark, _password_mark()):
        session.pop(ADMIN)
        return False
    if now - seen > NOTED_SECONDS:
        session[ADMIN] = {"since": since, "seen": now, "by": mark}
    return True


def _right(password: str) -> bool:
    kept = settings().admin_password_hash
    return bool(kept) and check_password_hash(kept, password)


@blueprint.get("/login")
def show() -> str | Answer:
    """The operator comes to the door."""
    if signed_in():
        return redirect(url_for("admin.now.show"), 303)
    return render_template("admin/login.html", wrong=False)


@blueprint.post("/login")
def enter() -> tuple[str, int] | Answer:
    """The operator signs in; the sixth wrong password within a minute is not even looked at."""
    address = addresses.mark(settings().secret_key)
    joined().limits.take(LOGINS, address)
    if not _right(request.form.get("password", "")):
        return render_template("admin/login.html", wrong=True), 403
    joined().limits.give_back(LOGINS, address)
    now = int(time.time())
    session.clear()
    session[ADMIN] = {
        "since": now,
        "seen": now,
        "by": _password_mark(),
        "nonce": secrets.token_urlsafe(9),
    }
    return redirect(url_for("admin.now.show"), 303)


@blueprint.post("/logout")
def leave() -> Answer:
    """The operator signs out."""
    session.clear()
    flash("You are signed out.")
    return redirect(url_for("admin.login.show"), 303)
