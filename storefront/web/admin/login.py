"""Signing in and out."""

import hashlib
import hmac
import re
import secrets
import time
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Answer

from storefront.services import account
from storefront.web.admin import tries
from storefront.web.current import settings, shop
from storefront.web.security import origin

blueprint = Blueprint("login", __name__)

ADMIN = "admin"
WANTED = "wanted"
IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 3600
FRESH_SECONDS = 10 * 60
"""So long after the password was given it is not asked for again."""
NOTED_SECONDS = 60
"""How old the note of the last visit may grow before the cookie is written again."""
LONGEST_WANTED = 500
"""Characters of an address that is kept until the login."""


def _password_mark() -> str:
    """Changes with the password, so that a new one ends every older session."""
    return hashlib.sha256(settings().admin_password_hash.encode()).hexdigest()[:16]


def signed_in() -> bool:
    """Whether this session signed in with today's password, lately enough; notes the visit.

    It ends too when another session is told to sign out everywhere.
    """
    match session.get(ADMIN):
        case {"since": int(since), "seen": int(seen), "by": str(mark), "generation": str(begun)}:
            pass
        case _:
            return False
    now = int(time.time())
    if now - seen > IDLE_SECONDS or now - since > LONGEST_SECONDS:
        session.pop(ADMIN)
        flash("You were signed out after a while without a visit. Sign in again.")
        return False
    if not hmac.compare_digest(mark, _password_mark()) or begun != account.generation(shop()):
        session.pop(ADMIN)
        return False
    if now - seen > NOTED_SECONDS:
        session[ADMIN] = session[ADMIN] | {"seen": now}
    return True


def begin() -> None:
    """Start a new session for the operator, whatever stood in the one of before."""
    begun = account.begin(shop())
    now = int(time.time())
    session.clear()
    session[ADMIN] = {
        "since": now,
        "seen": now,
        "fresh": now,
        "by": _password_mark(),
        "generation": begun,
        "nonce": secrets.token_urlsafe(9),
    }
    tries.know_browser(begun)


def fresh() -> bool:
    """Whether the password was given within the last minutes."""
    given = session[ADMIN].get("fresh", 0)
    return bool(time.time() - given <= FRESH_SECONDS)


def refresh() -> None:
    """Note that the password was given again just now."""
    session[ADMIN] = session[ADMIN] | {"fresh": int(time.time())}


def address() -> str:
    """Where this request was sent, its query included, written so that it leads there again."""
    page = url_for(request.endpoint or "", **(request.view_args or {}))
    query = urlencode(request.args.to_dict(flat=False), doseq=True, safe="/")
    return f"{page}?{query}" if query else page


def own_origins() -> set[str]:
    """How a browser names the origin of this shop's pages."""
    return {origin(settings().public_url), f"{request.scheme}://{request.host}"}


def remember_page() -> None:
    """Keep which page was wanted, to lead there after the login."""
    wanted = address()
    if not request.path.endswith(".svg") and len(wanted) <= LONGEST_WANTED:
        session[WANTED] = wanted


def remember_page_before() -> None:
    """Keep the page from which a form came that cannot be kept itself."""
    before = request.referrer or ""
    for ours in own_origins():
        wanted = before.removeprefix(ours)
        if wanted != before and re.match(r"/admin/\w", wanted) and len(wanted) <= LONGEST_WANTED:
            session[WANTED] = wanted


def page(status: int, problem: str = "") -> tuple[str, int]:
    """The form to sign in; ``problem`` says what was wrong before."""
    asked = account.asks_for_codes(shop())
    return render_template("admin/login.html", problem=problem, asks_for_codes=asked), status


@blueprint.get("/login")
def show() -> tuple[str, int] | Answer:
    """The operator comes to the door."""
    if signed_in():
        return redirect(url_for("admin.now.show"), 303)
    return page(200)


@blueprint.post("/login")
def enter() -> ResponseReturnValue:
    """The operator signs in; who tries too often has to wait, and is not even looked at."""
    wait, right = tries.attempt(request.form.get("password", ""), request.form.get("code", ""))
    if wait:
        text, status = page(429, tries.wait_words(wait))
        return text, status, {"Retry-After": str(wait)}
    if not right:
        return page(403, tries.wrong_words())
    wanted = session.get(WANTED)
    begin()
    return redirect(wanted if isinstance(wanted, str) else url_for("admin.now.show"), 303)


@blueprint.post("/logout")
def leave() -> Answer:
    """The operator signs out."""
    session.clear()
    flash("You are signed out.")
    return redirect(url_for("admin.login.show"), 303)
