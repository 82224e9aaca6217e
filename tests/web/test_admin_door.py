"""No route of the operator's answers a stranger with anything but the login."""

import re
import time
from collections.abc import Callable

import fakeredis
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from storefront.services import account
from storefront.services.shop import Shop
from storefront.settings import ROOT
from storefront.web import admin
from storefront.web.admin import login
from tests.web.browsing import Browser, read

OPEN = {("/admin/login", "GET"), ("/admin/login", "HEAD"), ("/admin/login", "POST")}
Stranger = Callable[[Flask], Browser]


def nobody(app: Flask) -> Browser:
    """Somebody with no cookie but that of the login page's form."""
    return Browser(app)


def shopper(app: Flask) -> Browser:
    """Somebody with a bag."""
    browser = Browser(app)
    browser.send("/bag", sku="record", quantity="1")
    return browser


def signed_in(app: Flask, **changes: object) -> Browser:
    """Somebody whose session says that they signed in, but for what is wrong with it."""
    browser = Browser(app)
    with app.test_request_context():
        mark = login._password_mark()
    now = int(time.time())
    right = {"since": now, "seen": now, "fresh": now, "by": mark}
    right["generation"] = account.begin(app.extensions["storefront"].shop)
    with browser.client.session_transaction(base_url=browser.base) as session:
        session[login.ADMIN] = right | changes
    return browser


def without_generation(app: Flask) -> Browser:
    return signed_in(app, generation=None)


def of_an_earlier_generation(app: Flask) -> Browser:
    browser = signed_in(app)
    account.sign_out_everywhere(app.extensions["storefront"].shop)
    return browser


def of_another_password(app: Flask) -> Browser:
    return signed_in(app, by="0" * 16)


def idle(app: Flask) -> Browser:
    return signed_in(app, seen=int(time.time()) - login.IDLE_SECONDS - 60)


def odd(app: Flask) -> Browser:
    browser = Browser(app)
    with browser.client.session_transaction(base_url=browser.base) as session:
        session[login.ADMIN] = True
    return browser


STRANGERS = [nobody, shopper, without_generation, of_an_earlier_generation]
STRANGERS += [of_another_password, idle, odd]


def is_the_login(response: TestResponse) -> bool:
    """Whether nothing but the way to the login is in it."""
    if response.status_code == 303:
        return response.headers["Location"].endswith("/admin/login") and len(response.text) < 400
    if response.status_code != 403:
        return False
    page = read(response.text)
    return page.one("h1").words == "Sign in to go on" and not page.all("nav")


def let_in(app: Flask, stranger: Stranger) -> set[tuple[str, str]]:
    """Every route below /admin, or of its blueprint, that lets this stranger in, with its method."""
    found = set()
    for rule in app.url_map.iter_rules():
        mine = rule.endpoint.split(".")[0] == "admin" or re.match(r"/admin\b", rule.rule)
        for method in (rule.methods or set()) if mine else ():
            browser = stranger(app)
            path = re.sub(r"<int:[^>]+>", "1", rule.rule)
            path = re.sub(r"<[^>]+>", "x" * 12, path)
            token = browser.page("/orders").all("input", name="csrf_token")[0].attributes["value"]
            data = {"csrf_token": token} if method != "GET" else None
            if not is_the_login(browser._open(path, method, data=data)):
                found.add((rule.rule, method))
    return found


@pytest.mark.parametrize("stranger", STRANGERS)
def test_no_admin_route_but_the_login_lets_a_stranger_in(
    app: Flask, shop: Shop, redis: fakeredis.FakeRedis, stranger: Stranger
) -> None:
    before = shop.store.snapshot()
    assert let_in(app, stranger) - OPEN - {("/admin/login", "OPTIONS")} == set()
    assert shop.store.snapshot().levels == before.levels


def test_a_session_with_nothing_wrong_is_let_in_everywhere(app: Flask) -> None:
    """The session that strangers' ones differ from is a right one."""
    assert ("/admin/integrity", "GET") in let_in(app, signed_in)


def test_a_route_that_stands_outside_the_login_is_found(app: Flask) -> None:
    app.add_url_rule("/admin/planted", "planted", lambda: "secret", methods=["GET", "POST"])
    found = let_in(app, nobody)
    assert {("/admin/planted", "GET"), ("/admin/planted", "POST")} <= found


def test_a_route_that_is_wrongly_called_open_is_found(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "OPEN", admin.OPEN | {"admin.integrity.show"})
    assert ("/admin/integrity", "GET") in let_in(app, nobody)


def test_only_style_scripts_and_icons_are_served_to_strangers_as_files() -> None:
    files = [path for path in (ROOT / "static").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".css", ".js", ".svg", ".ico"}
