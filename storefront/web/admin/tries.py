"""One try to get in: how often it may be made, and the browsers that got in before.

Each client address has its own limit, and all strangers together one more: whoever guesses from many
addresses makes all strangers wait, a minute at the longest. The operator's own browsers do not wait
with them: each has a signed cookie, and a limit of its own.
"""

import secrets

from flask import Response, after_this_request, request
from itsdangerous import BadData, URLSafeTimedSerializer

from storefront.services import account
from storefront.web import addresses
from storefront.web.current import joined, settings, shop
from storefront.web.limits import LOGINS, TooOften

COOKIE = "shop_operator"
KNOWN_SECONDS = 180 * 24 * 3600


def attempt(password: str, code: str) -> tuple[int, bool]:
    """Seconds to wait before the next try, 0 for none; and whether these open."""
    limits = joined().limits
    address = addresses.mark(settings().secret_key)
    browser = _known_browser()
    if wait := _wait(address, browser):
        account.count_refusal(shop())
        return wait, False
    if not account.opens(shop(), password, code):
        return 0, False
    limits.give_back(LOGINS, address)
    if browser:
        limits.give_back(LOGINS, f"browser:{browser}")
    else:
        account.forget_tries(shop())
    return 0, True


def _wait(address: str, browser: str) -> int:
    """Count this try where it belongs; seconds to wait when it is one too many."""
    try:
        joined().limits.take(LOGINS, address)
        if browser:
            joined().limits.take(LOGINS, f"browser:{browser}")
    except TooOften as error:
        return error.retry_after
    return 0 if browser else account.count_try(shop())


def wait_words(seconds: int) -> str:
    """What is said to who tries too often."""
    return f"Too many tries. Try again in {seconds} {'second' if seconds == 1 else 'seconds'}."


def wrong_words() -> str:
    """What is said to who got it wrong: not which of the two it was."""
    if account.asks_for_codes(shop()):
        return "That is not the password with a code that counts now. Check both and try again."
    return "That is not the password. Check it and try again."


def know_browser(generation: str) -> None:
    """Let this browser try without waiting with strangers, until all are signed out everywhere."""
    if _known_browser():
        return
    value = _serializer().dumps([secrets.token_urlsafe(9), generation])

    @after_this_request
    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            _cookie(),
            value,
            max_age=KNOWN_SECONDS,
            secure=settings().https,
            httponly=True,
            samesite="Strict",
        )
        return response


def _known_browser() -> str:
    """The id of a browser that signed in before; empty for a stranger's."""
    try:
        found = _serializer().loads(request.cookies.get(_cookie(), ""), max_age=KNOWN_SECONDS)
    except BadData:
        return ""
    match found:
        case [str(browser), str(generation)] if generation == account.generation(shop()):
            return browser
    return ""


def _cookie() -> str:
    return ("__Host-" if settings().https else "") + COOKIE


def _serializer() -> URLSafeTimedSerializer:
    # It signs with the last key of the list and takes any of them.
    keys = [*reversed(settings().secret_key_fallbacks), settings().secret_key]
    return URLSafeTimedSerializer(keys, salt="the operator's browser")
