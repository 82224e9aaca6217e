"""A form that came too late, or that asks for the password, is sent again with all that was typed."""

import io
import time
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from storefront.domain.orders import Order, State
from storefront.services import account, orders, work
from storefront.services.shop import Shop
from storefront.web.admin import again, login
from tests.web.browsing import Browser, Element, path_of, read
from tests.web.conftest import PASSWORD

OURS = {"Origin": "http://shop.example"}
REASON = "a <second> box,\n“found” & counted"


def typed(operator: Browser) -> dict[str, str]:
    """What the operator's page would send: five more records."""
    forms = operator.page("/admin/stock").all("form", class_="restock")
    (form,) = [
        one.fields for one in forms if one.fields.get("sku") == "record" and "delta" in one.fields
    ]
    return {**form, "delta": "5", "reason": "second box"}


def available(shop: Shop) -> int:
    (level,) = [one for one in shop.store.stock.levels() if one.sku == "record"]
    return level.available


def let_pass(browser: Browser, seconds: int) -> None:
    """As if the browser had signed in, and come last, so long ago."""
    with browser.client.session_transaction(base_url=browser.base) as session:
        kept = session[login.ADMIN]
        session[login.ADMIN] = kept | {
            name: kept[name] - seconds for name in ("since", "seen", "fresh")
        }


def grow_stale(browser: Browser, seconds: int) -> None:
    """As if the password had been given so long ago."""
    with browser.client.session_transaction(base_url=browser.base) as session:
        session[login.ADMIN] = session[login.ADMIN] | {"fresh": int(time.time()) - seconds}


def forget(browser: Browser) -> None:
    """The browser has lost its session, and the tokens of open pages with it."""
    browser.client.delete_cookie("shop_session", domain="shop.example")


def asks(response: TestResponse, status: int = 403) -> Element:
    """The page that sends the form again."""
    assert response.status_code == status, response.text[:500]
    return read(response.text)


# A session that ended while somebody typed


def test_what_was_typed_when_the_session_ended_is_carried_out_after_the_login(
    shop: Shop, operator: Browser
) -> None:
    values = typed(operator)
    let_pass(operator, login.IDLE_SECONDS + 60)
    page = asks(operator.post("/admin/restock", values))
    assert page.one("h1").words == "Sign in to go on"
    assert "You were signed out after a while" in page.words
    assert available(shop) == 3
    kept = page.one("form", id="again").fields
    assert {name: kept[name] for name in ("sku", "delta", "reason", "key")} == {
        name: values[name] for name in ("sku", "delta", "reason", "key")
    }
    response = operator.submit(page, "again", **{again.PASSWORD: PASSWORD})
    assert path_of(response) == "/admin/stock"
    assert available(shop) == 8
    assert "record: +5 counted." in operator.page("/admin/stock").words
    operator.submit(page, "again", **{again.PASSWORD: PASSWORD})
    operator.post("/admin/restock", typed(operator) | {"key": values["key"]})
    assert available(shop) == 8


def test_a_wrong_password_there_does_nothing_and_keeps_what_was_typed(
    shop: Shop, operator: Browser
) -> None:
    values = typed(operator)
    let_pass(operator, login.IDLE_SECONDS + 60)
    page = asks(operator.post("/admin/restock", values))
    page = asks(operator.submit(page, "again", **{again.PASSWORD: "wrong"}))
    assert "That is not the password" in page.one("div", class_="alert").words
    assert page.one("form", id="again").fields["reason"] == "second box"
    assert "wrong" not in page.one("form", id="again").fields.values()
    assert available(shop) == 3
    assert path_of(operator.get("/admin/")) == "/admin/login"


def test_a_page_whose_token_ended_with_its_session_gets_a_fresh_one(
    shop: Shop, operator: Browser
) -> None:
    values = typed(operator)
    forget(operator)
    page = asks(operator.post("/admin/restock", values, headers=OURS))
    assert page.one("form", id="again").fields["csrf_token"] != values["csrf_token"]
    response = operator.submit(page, "again", **{again.PASSWORD: PASSWORD})
    assert (path_of(response), available(shop)) == ("/admin/stock", 8)


def test_a_page_from_before_a_new_login_in_another_tab_asks_only_whether_to_send_it_again(
    shop: Shop, operator: Browser
) -> None:
    values = typed(operator)
    forget(operator)
    operator.send("/admin/login", password=PASSWORD)
    page = asks(operator.post("/admin/restock", values, headers=OURS), 400)
    assert page.one("h1").words == "Send it again?"
    assert page.all("input", type="password") == []
    assert available(shop) == 3
    assert path_of(operator.submit(page, "again")) == "/admin/stock"
    assert available(shop) == 8


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://shop.example.evil.example", ""]
)
def test_what_another_site_had_a_browser_send_is_not_kept(
    shop: Shop, operator: Browser, origin: str
) -> None:
    values = {**typed(operator), "csrf_token": "theirs"}
    headers = {"Origin": origin} if origin else {}
    for _ in range(2):
        response = operator.post("/admin/restock", values, headers=headers)
        assert response.status_code == 400
        assert "second box" not in response.text
        assert "open too long or came from elsewhere" in response.text
        forget(operator)
    assert available(shop) == 3


def test_another_site_cannot_have_its_form_carried_out_by_sending_a_password_along(
    shop: Shop, operator: Browser
) -> None:
    values = {**typed(operator), again.PASSWORD: PASSWORD}
    forget(operator)
    for headers in ({"Origin": "https://evil.example"}, OURS, {}):
        operator.post("/admin/restock", values, headers=headers)
        assert available(shop) == 3


def test_every_field_is_kept_as_it_was_and_nothing_secret(app: Flask) -> None:
    stranger = Browser(app)
    sent = MultiDict(
        [
            ("csrf_token", stranger.token()),
            ("reason", REASON),
            ("line", "1"),
            ("line", "2"),
            ("empty", ""),
            ("password", "old secret"),
            ("code", "of an order"),
        ]
    )
    page = asks(stranger.post("/admin/orders/abcdefgh/refund?a=1&b=x%2Fy%26&b=2", sent))
    form = page.one("form", id="again")
    assert form.attributes["action"] == "/admin/orders/abcdefgh/refund?a=1&b=x/y%26&b=2"
    hidden = [
        (field.attributes["name"], field.attributes["value"])
        for field in form.all("input", type="hidden")
        if field.attributes["name"] != "csrf_token"
    ]
    lines = [("line", "1"), ("line", "2")]
    assert hidden == [("reason", REASON), *lines, ("empty", ""), ("code", "of an order")]
    assert "old secret" not in page.words


def test_a_one_time_code_is_not_kept(app: Flask) -> None:
    stranger = Browser(app)
    response = stranger.send("/admin/account/codes/off", password="old secret", code="123456")
    assert asks(response).one("form", id="again").all("input", type="hidden") == asks(response).all(
        "input", name="csrf_token"
    )
    assert "123456" not in response.text
    assert "old secret" not in response.text


def picture_form(browser: Browser, token: str, size: int = 0) -> dict[str, object]:
    """What the form for a product's picture sends."""
    file = (io.BytesIO(b"GIF89a" + b"x" * size), "moth.gif")
    return {"csrf_token": token, "image": "poster.svg", "picture": file, "none": (io.BytesIO(), "")}


def test_a_file_is_to_be_chosen_again_after_the_login(app: Flask) -> None:
    stranger = Browser(app)
    data = picture_form(stranger, stranger.token())
    page = asks(stranger.post("/admin/products/poster/picture", data))
    assert page.all("input", type="file") == []
    assert "Files cannot be kept" in page.words
    response = stranger.submit(page, "again", **{again.PASSWORD: PASSWORD})
    assert response.status_code == 422
    assert read(response.text).one("input", name="picture")


def test_a_large_file_leads_who_was_signed_out_to_the_login_and_back_to_its_page(
    app: Flask,
) -> None:
    stranger = Browser(app)
    data = picture_form(stranger, stranger.token(), 100_000)
    back = {"Referer": "http://shop.example/admin/products/poster"}
    page = asks(stranger.post("/admin/products/poster/picture", data, headers=back), 413)
    assert "choose the file again" in page.words
    response = stranger.submit(page, "/admin/login", password=PASSWORD)
    assert path_of(response) == "/admin/products/poster"


@pytest.mark.parametrize(
    "before",
    ["", "https://evil.example/admin/x", "http://shop.example//evil.example", "http://[/admin/x"],
)
def test_no_other_page_is_led_back_to(app: Flask, before: str) -> None:
    stranger = Browser(app)
    data = picture_form(stranger, stranger.token(), 100_000)
    response = stranger.post("/admin/products/poster/picture", data, headers={"Referer": before})
    asks(response, 413)
    assert path_of(stranger.send("/admin/login", password=PASSWORD)) == "/admin/"


def test_who_is_still_signed_in_chooses_a_file_again_in_the_same_page(
    app: Flask, operator: Browser
) -> None:
    data = picture_form(operator, "of an earlier session", 100_000)
    page = asks(operator.post("/admin/products/poster/picture", data, headers=OURS), 400)
    form = page.one("form", id="again")
    assert form.attributes["enctype"] == "multipart/form-data"
    (file,) = form.all("input", type="file")
    assert file.attributes["name"] == "picture"
    assert form.fields["image"] == "poster.svg"


@pytest.mark.parametrize(
    "more",
    [
        [("field", "x" * 60_000)],
        [(f"f{number}", "x") for number in range(1001)],
    ],
)
def test_what_is_too_much_to_be_kept_is_told_so(app: Flask, more: list[tuple[str, str]]) -> None:
    stranger = Browser(app)
    page = asks(
        stranger.post("/admin/restock", MultiDict([("csrf_token", stranger.token()), *more]))
    )
    assert "too much to be kept" in page.words
    assert page.all("input", type="hidden") == []


def test_who_tries_too_often_there_waits_and_loses_nothing(shop: Shop, operator: Browser) -> None:
    values = typed(operator)
    let_pass(operator, login.IDLE_SECONDS + 60)
    page = asks(operator.post("/admin/restock", values))
    for _ in range(5):
        page = asks(operator.submit(page, "again", **{again.PASSWORD: "wrong"}))
    response = operator.submit(page, "again", **{again.PASSWORD: PASSWORD})
    page = asks(response, 429)
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert page.one("form", id="again").fields["reason"] == "second box"
    assert available(shop) == 3
    assert shop.store.metrics()["limited:logins"] == 1


def test_the_page_that_was_wanted_is_shown_after_the_login(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/admin/orders?state=paid")
    browser.get("/admin/links/abcdefgh/qr.svg")
    response = browser.send("/admin/login", password=PASSWORD)
    assert path_of(response) == "/admin/orders?state=paid"


@pytest.mark.parametrize("path", ["/admin/orders/%2F%2Fevil.example", "/admin//evil.example"])
def test_only_a_page_of_the_admin_is_wanted(app: Flask, path: str) -> None:
    browser = Browser(app)
    browser.get(path)
    location = browser.send("/admin/login", password=PASSWORD).headers["Location"]
    assert location.startswith("/admin/")


def test_a_login_page_that_was_open_too_long_gets_a_fresh_token(app: Flask) -> None:
    browser = Browser(app)
    old = browser.token()
    forget(browser)
    values = {"csrf_token": old, "password": PASSWORD}
    page = asks(browser.post("/admin/login", values, headers=OURS), 400)
    assert "open too long" in page.one("div", class_="alert").words
    assert path_of(browser.submit(page, "/admin/login", password=PASSWORD)) == "/admin/"


def test_who_is_signed_out_need_not_sign_in_to_sign_out(operator: Browser) -> None:
    page = operator.page("/admin/stock")
    let_pass(operator, login.IDLE_SECONDS + 60)
    assert path_of(operator.submit(page, "/admin/logout")) == "/admin/login"


# What asks for the password again


@pytest.fixture
def paid(app: Flask, shop: Shop, pay: Callable[[Order], None]) -> Order:
    Browser(app).send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    pay(order)
    run(shop)
    return order


def run(shop: Shop) -> None:
    while work.run_due(shop, 20):
        pass


def confirm_page(operator: Browser, order: Order) -> Element:
    """The page that says what the refund of everything does."""
    form = operator.page(f"/admin/orders/{order.id}").one("form", id="refund")
    values = {**form.fields, "whole": "1", "to": "available", "reason": REASON[:16]}
    response = operator.post(form.attributes["action"], values)
    assert response.status_code == 200, response.text
    return read(response.text)


def state(shop: Shop, order: Order) -> State:
    run(shop)
    found = orders.by_id(shop, order.id)
    assert found is not None
    return found.state


def test_a_refund_asks_for_the_password_and_goes_on_with_what_was_confirmed(
    shop: Shop, operator: Browser, paid: Order
) -> None:
    shown = confirm_page(operator, paid)
    grow_stale(operator, 601)
    page = asks(operator.submit(shown, "confirm"))
    assert page.one("h1").words == "Your password, please"
    assert state(shop, paid) is State.PAID
    page = asks(operator.submit(page, "again", **{again.PASSWORD: "wrong"}))
    assert state(shop, paid) is State.PAID
    response = operator.submit(page, "again", **{again.PASSWORD: PASSWORD})
    assert path_of(response) == f"/admin/orders/{paid.id}"
    assert state(shop, paid) is State.REFUNDED
    operator.submit(shown, "confirm")
    run(shop)
    (refunded,) = orders.listing(shop)
    assert refunded.refunded == refunded.amount


def test_a_refund_within_ten_minutes_of_the_login_does_not_ask(
    shop: Shop, operator: Browser, paid: Order
) -> None:
    shown = confirm_page(operator, paid)
    grow_stale(operator, 590)
    operator.submit(shown, "confirm")
    assert state(shop, paid) is State.REFUNDED


def test_a_password_that_was_given_again_counts_for_ten_minutes(
    shop: Shop, operator: Browser
) -> None:
    grow_stale(operator, 601)
    page = asks(operator.submit(operator.page("/admin/account"), "/admin/account/codes"))
    assert operator.submit(page, "again", **{again.PASSWORD: PASSWORD}).status_code == 200
    with operator.client.session_transaction(base_url=operator.base) as session:
        assert time.time() - session[login.ADMIN]["fresh"] < 60
    assert operator.send_signed_in("/admin/account/codes").status_code == 200


def test_whoever_finds_the_browser_open_cannot_change_the_account_or_see_its_secret(
    shop: Shop, operator: Browser
) -> None:
    secret = account.begin_codes(shop)
    grow_stale(operator, 601)
    for path in ("/codes", "/codes/confirm", "/recovery"):
        response = operator.send_signed_in(f"/admin/account{path}", code="123456")
        assert asks(response).one("h1").words == "Your password, please"
        assert secret not in response.text
    assert path_of(operator.get("/admin/account/codes.svg")) == "/admin/account"


def test_with_one_time_codes_the_password_alone_is_not_enough_again(
    shop: Shop, operator: Browser
) -> None:
    import pyotp

    phone = pyotp.TOTP(account.begin_codes(shop))
    now = int(time.time())
    account.confirm_codes(shop, phone.at(now - 30))
    operator.send("/admin/login", password=PASSWORD, code=phone.at(now))
    grow_stale(operator, 601)
    page = asks(operator.submit(operator.page("/admin/account"), "/admin/account/recovery"))
    page = asks(operator.submit(page, "again", **{again.PASSWORD: PASSWORD}))
    right = {again.PASSWORD: PASSWORD, again.CODE: phone.at(now + 30)}
    assert operator.submit(page, "again", **right).status_code == 200
