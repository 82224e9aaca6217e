"""Whatever goes wrong, the visitor gets a page that says what to do, and never a traceback."""

from collections.abc import Callable

import pytest
from flask import Flask

from storefront.domain import errors
from storefront.services.shop import Shop
from storefront.storage.connection import UNREACHABLE
from tests.web.browsing import Browser, read


def say(app: Flask, error: Exception, path: str = "/fail") -> Browser:
    """A visitor of an application where this address raises this error."""

    def fail() -> str:
        raise error

    app.add_url_rule(path, path, fail)
    return Browser(app)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotEnoughStock((errors.Shortage("record", 2, 0, 0, None),)), 409),
        (errors.NotOpenYet("record", 1_900_000_000_000), 409),
        (errors.AlreadyPaid("x"), 409),
        (errors.UnknownSku("x"), 422),
        (errors.OverLimit("record", 2), 422),
        (errors.BadInput("Write a number."), 422),
        (errors.TooManyHolds(7), 429),
        (errors.ShopClosed("closed"), 503),
        (errors.StripeUnreachable("x"), 503),
        (errors.StripeRefused("x"), 503),
        (errors.StripeSpent("x"), 503),
        (errors.StripeKeyMismatch("x"), 503),
        *((kind("gone"), 503) for kind in UNREACHABLE),
        (RuntimeError("secret detail"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_has_its_page(app: Flask, error: Exception, status: int) -> None:
    response = say(app, error).get("/fail")
    assert response.status_code == status
    page = read(response.text)
    assert page.one("h1").words
    assert page.one("p", class_="lede").attributes["role"] == "alert"
    assert page.one("div", class_="actions").all("a")
    assert "Traceback" not in response.text
    assert "secret detail" not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert ("Retry-After" in response.headers) == (status in {429, 503})


@pytest.mark.parametrize("path", ["/", "/products/poster", "/bag", "/orders/x-y", "/admin/login"])
def test_without_redis_no_page_is_a_500(
    visitor: Browser, cut: Callable[[], None], path: str
) -> None:
    cut()
    assert visitor.get(path).status_code in {200, 404, 503}


@pytest.mark.parametrize("path", ["/", "/products/poster", "/bag"])
def test_without_redis_a_page_about_stock_is_503_and_says_when_to_come_back(
    visitor: Browser, cut: Callable[[], None], path: str
) -> None:
    cut()
    response = visitor.get(path)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "Nothing was charged" in response.text


def test_without_redis_buying_is_503_and_nothing_is_charged(
    visitor: Browser, cut: Callable[[], None]
) -> None:
    values = {"csrf_token": visitor.token(), "sku": "record", "quantity": "1"}
    cut()
    for path in ("/checkout", "/bag"):
        response = visitor.post(path, values)
        assert response.status_code == 503
        assert "Nothing was charged" in response.text


def test_a_wrong_method_is_405_and_says_which_is_right(visitor: Browser) -> None:
    response = visitor.get("/checkout")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert read(response.text).one("h1").words == "This address does not take that"


@pytest.mark.parametrize("path", ["/checkout", "/bag", "/admin/login", "/orders/x/cancel"])
def test_a_form_too_big_is_413_wherever_it_is_sent(visitor: Browser, path: str) -> None:
    response = visitor.post(path, {"csrf_token": "x", "more": "x" * 70_000})
    assert response.status_code == 413
    assert "html" in response.mimetype


@pytest.mark.parametrize("path", ["/checkout", "/bag", "/admin/login", "/orders/x/cancel"])
@pytest.mark.parametrize("part", [b"", b'; filename="x.txt"'])
def test_a_form_with_a_part_that_has_no_name_is_400(
    visitor: Browser, path: str, part: bytes
) -> None:
    named = b'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\nx\r\n'
    body = named + b"--b\r\nContent-Disposition: form-data" + part + b"\r\n\r\nx\r\n--b--\r\n"
    response = visitor.post(path, body, content_type="multipart/form-data; boundary=b")
    assert response.status_code == 400
    assert "html" in response.mimetype


def test_a_form_too_big_is_413(visitor: Browser) -> None:
    values = {"csrf_token": visitor.token(), "sku": "x" * (64 * 1024)}
    response = visitor.post("/bag", values)
    assert response.status_code == 413
    assert "Nothing was bought" in response.text


def test_a_missing_page_is_404_in_the_shops_look(visitor: Browser) -> None:
    page = read(visitor.get("/nothing").text)
    assert page.one("a", class_="shop-name").words == "Pop-up shop"
    assert page.one("a", class_="primary").attributes["href"] == "/"


def test_a_json_address_gets_json_errors(app: Flask) -> None:
    visitor = say(app, RuntimeError("secret detail"), "/fail.json")
    assert visitor.get("/nothing.json").mimetype == "application/json"
    response = visitor.get("/fail.json")
    assert (response.status_code, response.mimetype) == (500, "application/json")
    assert "secret detail" not in response.text


def test_an_unexpected_error_is_logged_with_its_cause(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    say(app, RuntimeError("the cause")).get("/fail")
    assert any(r.exc_info and "the cause" in str(r.exc_info[1]) for r in caplog.records)


def test_what_was_sent_cannot_write_into_the_page(visitor: Browser) -> None:
    response = visitor.send("/checkout", sku="<script>alert(1)</script>", quantity="1")
    assert response.status_code == 422
    assert "<script>alert" not in response.text
    assert "&lt;script&gt;" in response.text


def test_a_shop_with_odd_names_writes_them_out(make_shop: Callable[..., Shop]) -> None:
    from storefront.app import assemble

    visitor = Browser(assemble(make_shop(SHOP_NAME="<b>Moth & Moon</b>")))
    assert visitor.page("/").one("a", class_="shop-name").words == "<b>Moth & Moon</b>"
