"""A form that was sent too late, or that asks for the password: it is sent again, with all in it.

What was sent is put into the page, hidden, under the same address: giving the password, or a press of
a button, sends the very same form again. Only what one of our own pages sent is kept so, and nothing
secret: a form that another site had a browser send must not be carried out after a login. A file is
chosen again: in the page itself, or after the login, as no stranger may send one.
"""

from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront.services import account
from storefront.web.admin import login, tries
from storefront.web.current import shop

P = ParamSpec("P")

PASSWORD: Final = "again-password"  # noqa: S105 (the name of a field)
CODE: Final = "again-code"
NEVER_KEPT: Final = frozenset({"csrf_token", "password", PASSWORD, CODE})
OPENING: Final = "admin.account"
"""The blueprint whose forms have a one-time code called ``code``; at the counter it is an order's."""
MOST_FIELDS: Final = 1000
MOST_CHARACTERS: Final = 48 * 1024
"""A form may have 64 KiB in all (``security.FORM_BYTES``), its token and password included."""

SIGNED_OUT: Final = "signed out"
CONFIRM: Final = "confirm"
STALE: Final = "stale"


def sent_by_us() -> bool:
    """Whether the browser says that a page of this shop sent the form."""
    return request.headers.get("Origin") in login.own_origins()


def _kept() -> list[tuple[str, str]] | None:
    """What was sent, but for what is secret; None when it is too much."""
    never = NEVER_KEPT | {"code"} if request.blueprint == OPENING else NEVER_KEPT
    fields = [(n, v) for n, v in request.form.items(multi=True) if n not in never]
    if len(fields) > MOST_FIELDS or sum(len(n) + len(v) for n, v in fields) > MOST_CHARACTERS:
        return None
    return fields


def page(why: str, status: int, problem: str = "", wait: int = 0) -> ResponseReturnValue:
    """The page that sends the form again; ``why`` is why it was not carried out."""
    fields = _kept()
    files = Counter(name for name, file in request.files.items(multi=True) if file.filename)
    text = render_template(
        "admin/again.html",
        why=why,
        problem=problem,
        address=login.address(),
        kept=fields or [],
        too_much=fields is None,
        files=files,
        asks_for_codes=why != STALE and account.asks_for_codes(shop()),
    )
    return text, status, {"Retry-After": str(wait)} if wait else {}


def ask(why: str) -> ResponseReturnValue | None:
    """The page that asks for the password; None when the form brought it along."""
    if PASSWORD not in request.form:
        return page(why, 403)
    wait, right = tries.attempt(request.form[PASSWORD], request.form.get(CODE, ""))
    if wait:
        return page(why, 429, tries.wait_words(wait), wait)
    return None if right else page(why, 403, tries.wrong_words())


def sign_in() -> ResponseReturnValue | None:
    """Ask who is signed out to sign in; None when that is done, and the form can be carried out."""
    answer = ask(SIGNED_OUT)
    if answer is None:
        login.begin()
    return answer


def fresh_login(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let a form be carried out only if the password was given within the last ten minutes.

    Else it is asked for, and the form goes on from there. Anything but a form leads to the account.
    """

    @wraps(view)
    def gate(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if login.fresh():
            return view(*args, **kwargs)
        if request.method != "POST":
            return redirect(url_for("admin.account.show"), 303)
        answer = ask(CONFIRM)
        if answer is not None:
            return answer
        login.refresh()
        return view(*args, **kwargs)

    return gate
