"""The operator's pages."""

import time
from collections.abc import Callable

import fakeredis
import pytest
import time_machine
from flask import Flask

from storefront.app import assemble
from storefront.services import orders, restocking, work
from storefront.services.shop import Shop
from storefront.web.admin import integrity, login
from tests.web.browsing import Browser, Element, path_of
from tests.web.conftest import PASSWORD


def test_no_admin_page_is_kept_or_listed(operator: Browser) -> None:
    for path in ("/admin/stock", "/admin/integrity", "/admin/login"):
        headers = operator.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex"


def test_the_right_password_opens_and_a_wrong_one_says_so(visitor: Browser) -> None:
    response = visitor.submit(visitor.page("/admin/login"), "/admin/login", password="wrong")
    assert response.status_code == 403
    assert "That is not the password" in response.text
    response = visitor.submit(visitor.page("/admin/login"), "/admin/login", password=PASSWORD)
    assert path_of(response) == "/admin/"
    assert visitor.page("/admin/").one("h1").words == "Now"
    assert path_of(visitor.get("/admin/login")) == "/admin/"


@pytest.mark.parametrize("password", ["", " ", PASSWORD + " ", PASSWORD.upper(), "x" * 5000])
def test_only_the_password_itself_opens(visitor: Browser, password: str) -> None:
    assert visitor.send("/admin/login", password=password).status_code == 403


def test_without_a_password_set_nobody_gets_in(make_shop: Callable[..., Shop]) -> None:
    visitor = Browser(assemble(make_shop(ADMIN_PASSWORD_HASH="")))
    for password in ("", PASSWORD):
        assert visitor.send("/admin/login", password=password).status_code == 403


def test_signing_in_starts_a_new_session(visitor: Browser) -> None:
    with visitor.client.session_transaction(base_url=visitor.base) as session:
        session["planted"] = "by someone else"
    before = visitor.token()
    visitor.send("/admin/login", password=PASSWORD)
    with visitor.client.session_transaction(base_url=visitor.base) as session:
        assert "planted" not in session
    assert visitor.post("/admin/logout", {"csrf_token": before}).status_code == 400


def test_after_five_wrong_passwords_the_right_one_is_not_looked_at(
    app: Flask, visitor: Browser
) -> None:
    token = visitor.token()

    def enter(browser: Browser, password: str, token: str) -> int:
        return browser.post("/admin/login", {"csrf_token": token, "password": password}).status_code

    assert [enter(visitor, "wrong", token) for _ in range(5)] == [403] * 5
    response = visitor.post("/admin/login", {"csrf_token": token, "password": PASSWORD})
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 60
    elsewhere = Browser(app, "203.0.113.9")
    assert enter(elsewhere, PASSWORD, elsewhere.token()) == 303


def test_right_passwords_use_up_nothing(app: Flask) -> None:
    for _ in range(7):
        assert Browser(app).send("/admin/login", password=PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("idle", "age", "stays"),
    [
        (29 * 60, 3600, True),
        (31 * 60, 3600, False),
        (60, 12 * 3600 + 60, False),
        (60, 11 * 3600, True),
    ],
)
def test_a_session_ends_after_half_an_hour_idle_and_after_twelve_hours(
    operator: Browser, idle: int, age: int, stays: bool
) -> None:
    now = int(time.time())
    with operator.client.session_transaction(base_url=operator.base) as session:
        session[login.ADMIN] = session[login.ADMIN] | {"since": now - age, "seen": now - idle}
    response = operator.get("/admin/stock")
    assert response.status_code == (200 if stays else 303)
    if not stays:
        assert "You were signed out" in operator.page("/admin/login").words


def test_each_visit_starts_the_half_hour_anew(operator: Browser) -> None:
    now = int(time.time())
    with operator.client.session_transaction(base_url=operator.base) as session:
        session[login.ADMIN] = session[login.ADMIN] | {"seen": now - 1000}
    operator.page("/admin/stock")
    with operator.client.session_transaction(base_url=operator.base) as session:
        assert session[login.ADMIN]["seen"] >= now


def test_a_new_password_ends_every_session(
    make_shop: Callable[..., Shop], operator: Browser
) -> None:
    from werkzeug.security import generate_password_hash

    changed = generate_password_hash("another", method="pbkdf2:sha256:1000")
    browser = Browser(assemble(make_shop(ADMIN_PASSWORD_HASH=changed)))
    cookie = operator.client.get_cookie("shop_session", domain="shop.example")
    assert cookie is not None
    browser.client.set_cookie("shop_session", cookie.value, domain="shop.example")
    assert path_of(browser.get("/admin/stock")) == "/admin/login"


def test_signing_out_ends_the_session_and_only_a_post_does(operator: Browser) -> None:
    assert operator.get("/admin/logout").status_code == 405
    page = operator.page("/admin/stock")
    assert path_of(operator.submit(page, "/admin/logout")) == "/admin/login"
    assert path_of(operator.get("/admin/stock")) == "/admin/login"


def row(page: Element, sku: str) -> Element:
    rows = [r for r in page.all("tr") if r.all("input", name="sku", value=sku)]
    assert len(rows) == 1
    return rows[0]


def figures(page: Element, sku: str) -> dict[str, str]:
    cells = row(page, sku).all("td", class_="number")
    return {cell.attributes["data-label"]: cell.words for cell in cells}


def test_every_sku_stands_with_all_its_counters(app: Flask, operator: Browser) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    page = operator.page("/admin/stock")
    assert figures(page, "record") == {
        "Available": "1",
        "Held": "2",
        "Sold": "0",
        "Written off": "0",
        "Stocked": "3",
    }
    assert row(page, "poster-red").one("small").words == "Opening night <poster> (Red)"


def test_adding_and_taking_away_counts_and_stands_in_the_ledger(operator: Browser) -> None:
    form = row(operator.page("/admin/stock"), "record").one("form").fields
    response = operator.post("/admin/restock", {**form, "delta": "5", "reason": "second box"})
    assert path_of(response) == "/admin/stock"
    page = operator.page("/admin/stock")
    assert page.one("p", class_="notice").words == "record: +5 counted."
    assert (figures(page, "record")["Available"], figures(page, "record")["Stocked"]) == ("8", "8")
    form = row(page, "record").one("form").fields
    operator.post("/admin/restock", {**form, "delta": "-2", "reason": "torn"})
    page = operator.page("/admin/stock")
    assert figures(page, "record")["Written off"] == "2"
    newest = page.one("section", aria_labelledby="ledger").one("tbody").all("tr")[0].words
    assert "record" in newest
    assert "torn" in newest
    assert "admin" in newest


def test_the_same_form_sent_twice_counts_once(operator: Browser) -> None:
    form = row(operator.page("/admin/stock"), "record").one("form").fields
    values = {**form, "delta": "5", "reason": "second box"}
    operator.post("/admin/restock", values)
    operator.post("/admin/restock", values)
    page = operator.page("/admin/stock")
    assert figures(page, "record")["Available"] == "8"
    assert "counted before" in page.words


def test_each_row_has_its_own_one_time_key(operator: Browser) -> None:
    keys = [
        f.fields["key"]
        for f in operator.page("/admin/stock").all("form", class_="restock", method="post")
    ]
    assert len(set(keys)) == len(keys) == 5


def test_taking_away_more_than_is_available_is_refused_and_keeps_what_was_typed(
    operator: Browser,
) -> None:
    form = row(operator.page("/admin/stock"), "record").one("form").fields
    response = operator.post("/admin/restock", {**form, "delta": "-4", "reason": "lost <all>"})
    assert response.status_code == 409
    from tests.web.browsing import read

    page = read(response.text)
    assert "Only 3 available" in page.one("div", class_="alert").words
    kept = row(page, "record").one("form").fields
    assert (kept["delta"], kept["reason"]) == ("-4", "lost <all>")
    assert figures(page, "record")["Available"] == "3"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"delta": "0"}, "must not be 0"),
        ({"delta": "1e3"}, "whole number"),
        ({"delta": "+5"}, "whole number"),
        ({"delta": ""}, "whole number"),
        ({"delta": "1234567"}, "whole number"),
        ({"reason": ""}, "Say why"),
        ({"reason": "   "}, "Say why"),
        ({"reason": "x" * 201}, "at most 200"),
        ({"reason": "two\nlines"}, "one line"),
        ({"key": "a b"}, "token"),
        ({"sku": "nothing"}, "No article"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_and_changes_nothing(
    shop: Shop, operator: Browser, values: dict[str, str], says: str
) -> None:
    before = restocking.levels(shop)
    form = row(operator.page("/admin/stock"), "record").one("form").fields
    response = operator.post("/admin/restock", {**form, "delta": "5", "reason": "box", **values})
    assert response.status_code == 422
    assert says in response.text
    assert restocking.levels(shop) == before


def test_the_ledger_can_be_of_one_sku(operator: Browser) -> None:
    page = operator.page("/admin/stock?sku=record")
    skus = {
        r.one("th").words
        for r in page.one("section", aria_labelledby="ledger").one("tbody").all("tr")
    }
    assert skus == {"record"}


def test_the_integrity_page_shows_every_check(operator: Browser) -> None:
    page = operator.page("/admin/integrity")
    assert page.all("li", class_="pass")
    assert page.all("li", class_="fail") == []


def test_a_broken_count_shows(operator: Browser, redis: fakeredis.FakeRedis) -> None:
    redis.hincrby("{popup}:stock:available", "record", 1)
    page = operator.page("/admin/integrity")
    assert page.all("li", class_="fail")
    assert "failed: I2 equation" in page.one("div", class_="alert").words
    assert "Sums to 4" in sums(page)["record"]


def sums(page: Element) -> dict[str, str]:
    """Each SKU's row on the integrity page."""
    (table,) = [t for t in page.all("table") if t.all("caption")]
    return {r.one("th").words: r.words for r in table.one("tbody").all("tr")}


def section(page: Element, name: str) -> Element:
    return page.one("section", **{"aria-labelledby": name})


def test_the_integrity_page_shows_units_money_and_what_is_due(
    app: Flask, shop: Shop, operator: Browser, pay: Callable[..., None]
) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    page = operator.page("/admin/integrity")
    assert sums(page)["record"] == "record 1 2 0 0 3 Adds up"
    assert f"First to end {order.id} (open), at" in section(page, "shop").words
    assert "End a payment at its deadline 1 None In time 0" in section(page, "due").words
    assert "of 5 on their way" in section(page, "shop").words
    pay(order)
    page = operator.page("/admin/integrity")
    assert sums(page)["record"] == "record 1 0 2 0 3 Adds up"
    money = section(page, "money").words
    assert "Paid in all $56.00 Kept for 2 units given in 1 order $56.00 Sent back $0.00" in money
    assert "no goods and no refund None" in money
    assert "Nothing: no order waits for you" in section(page, "person").words


def test_the_integrity_page_asks_stripe_when_wished_and_says_when_it_is_silent(
    operator: Browser, silence: Callable[[], None], shop: Shop
) -> None:
    work.run_due(shop, 9)
    page = operator.page("/admin/integrity?stripe=1")
    assert page.all("p", class_="notice")[0].words == "Every check holds, and Stripe agrees."
    silence()
    page = operator.page("/admin/integrity?stripe=1")
    assert "Stripe did not answer" in page.one("div", class_="alert").words
    assert page.all("p", class_="notice")[0].words == "Every check holds."


def test_every_kind_of_job_is_said_in_words() -> None:
    assert set(integrity.KINDS) == {*work.WORK, "mail"}


def test_money_that_nobody_can_explain_is_named(
    app: Flask, shop: Shop, operator: Browser, pay: Callable[..., None], redis: fakeredis.FakeRedis
) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    pay(order)
    redis.hset("{popup}:order:" + order.id, "state", "released")
    money = section(operator.page("/admin/integrity"), "money").words
    assert f"no goods and no refund 1 {order.id}" in money
    assert "Does not add up" in money


def test_what_a_review_holds_is_released_there(app: Flask, shop: Shop, operator: Browser) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    shop.store.scripts.review_order(order.id, reason="given up <after> 6 tries")
    page = operator.page("/admin/integrity")
    assert "Orders in review: 1" in section(page, "person").words
    assert "given up <after> 6 tries" in section(page, "reviews").words
    response = operator.submit(page, "/admin/holds/release")
    assert path_of(response) == "/admin/integrity"
    page = operator.page("/admin/integrity")
    assert "given back" in page.all("p", class_="notice")[0].words
    assert sums(page)["record"] == "record 3 0 0 0 3 Adds up"
    assert page.all("form", action="/admin/holds/release") == []


def test_a_review_keeps_its_units_while_stripe_is_silent(
    app: Flask, shop: Shop, operator: Browser, silence: Callable[[], None]
) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    shop.store.scripts.review_order(order.id, reason="given up")
    silence()
    operator.submit(operator.page("/admin/integrity"), "/admin/holds/release")
    page = operator.page("/admin/integrity")
    assert "Stripe did not answer" in page.all("p", class_="notice")[0].words
    assert sums(page)["record"] == "record 1 2 0 0 3 Adds up"


def test_late_work_and_a_mirror_that_stripe_does_not_take_need_a_person(
    shop: Shop, operator: Browser, redis: fakeredis.FakeRedis
) -> None:
    redis.zadd("{popup}:due", {"mirror:record": shop.store.now() - 600_000})
    redis.hset("{popup}:tries", "mirror:record", 12)
    page = operator.page("/admin/integrity")
    person = section(page, "person").words
    assert "Work is 10 min late." in person
    assert "does not take the numbers of record (12 tries)" in person
    assert "Tell Stripe what came in" in section(page, "due").words
    assert "Broken" in section(page, "checks").words


def test_an_overdue_hold_is_listed_and_released_by_hand(
    app: Flask, shop: Shop, silence: Callable[[], None]
) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    silence()
    long_after = order.deadline / 1000 + shop.settings.hold_grace_seconds + 600
    with time_machine.travel(long_after):
        operator = Browser(app, "198.51.100.99")
        operator.send("/admin/login", password=PASSWORD)
        page = operator.page("/admin/stock")
        assert order.id in page.one("section", aria_labelledby="overdue").words
        assert path_of(operator.submit(page, "/admin/holds/release")) == "/admin/stock"
        page = operator.page("/admin/stock")
        assert "given back" in page.one("p", class_="notice").words
        assert figures(page, "record")["Available"] == "3"
        assert page.all("form", action="/admin/holds/release") == []


def test_a_hold_that_is_not_overdue_stays(app: Flask, shop: Shop, operator: Browser) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    operator.send_signed_in("/admin/holds/release", order=order.id)
    assert figures(operator.page("/admin/stock"), "record")["Held"] == "2"
    assert operator.send_signed_in("/admin/holds/release", order="../x").status_code == 404
