"""What an answer writes into the visitor's signed cookie."""

from http.cookies import SimpleCookie
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.fuzz.stage import Reply

NAME = "shop_session"
ANY_PAGE = frozenset({"_flashes", "_permanent", "csrf_token", "visitor"})
"""What any answer may note: words for the next page, and who the browser is."""


def noted(app: Flask, sent: str, reply: Reply) -> set[str]:
    """The names of what the cookie has otherwise now, but for what any page notes."""
    fresh = [value for text in reply.cookies for value in _values(text)]
    if not fresh:
        return set()
    was, now = _opened(app, *_values(sent)), _opened(app, fresh[-1])
    return {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)} - ANY_PAGE


def _values(cookies: str) -> list[str]:
    return [found.value for name, found in SimpleCookie(cookies).items() if name == NAME]


def _opened(app: Flask, value: str = "") -> dict[str, Any]:
    """What stands in a cookie of the shop's; nothing in one that was taken away."""
    if not value:
        return {}
    interface = app.session_interface
    assert isinstance(interface, SecureCookieSessionInterface)
    signer = interface.get_signing_serializer(app)
    assert signer is not None
    return dict(signer.loads(value))
