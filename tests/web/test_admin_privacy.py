"""The operator's page about one customer: what there is, as a file, and forgotten."""

import json
import logging
from collections.abc import Callable

import pytest
from flask import Flask

from storefront.domain.orders import Order
from storefront.services import orders, work
from storefront.services.shop import Shop
from tests.web.browsing import Browser, Element, read

ADA = "ada@example.com"
PAGE = "/admin/privacy"


@pytest.fixture
def bought(app: Flask, shop: Shop, pay: Callable[[Order], None]) -> Order:
    """Ada has a record, paid, and her mail."""
    Browser(app).send("/checkout", sku="record", quantity="1")
    (order,) = orders.listing(shop)
    pay(order)
    while work.run_due(shop, 20):
        pass
    return order


def look(operator: Browser, email: str = ADA) -> Element:
    form = operator.page(PAGE).one("form", action=PAGE).fields
    response = operator.post(PAGE, {**form, "email": email})
    assert response.status_code == 200
    return read(response.text)


def test_it_is_found_from_the_orders(operator: Browser) -> None:
    assert operator.page("/admin/orders").one("a", href=PAGE)


def test_what_there_is_is_listed_and_handed_out(operator: Browser, bought: Order) -> None:
    page = look(operator, ADA.upper())
    assert bought.id in page.words
    response = operator.post(f"{PAGE}/export", page.one("form", action=f"{PAGE}/export").fields)
    assert response.headers["Content-Disposition"] == 'attachment; filename="customer.json"'
    assert response.headers["Cache-Control"] == "no-store"
    assert [one["id"] for one in json.loads(response.text)["orders"]] == [bought.id]


def test_forgotten_is_forgotten_and_the_order_says_so(
    operator: Browser, bought: Order, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    form = look(operator).one("form", action=f"{PAGE}/forget").fields
    response = operator.post(f"{PAGE}/forget", form)
    assert response.status_code == 200
    assert "Nothing of this customer is kept" in read(response.text).words
    assert ADA not in operator.page(f"/admin/orders/{bought.id}").words
    assert "Erased on" in operator.page(f"/admin/orders/{bought.id}").words
    assert "Nothing is kept under this address" in look(operator).words
    assert operator.post(f"{PAGE}/forget", form).status_code == 200
    assert ADA not in caplog.text


def test_an_order_that_is_not_over_is_named(
    operator: Browser, app: Flask, shop: Shop, pay: Callable[[Order], None]
) -> None:
    Browser(app).send("/checkout", sku="record", quantity="1")
    (order,) = orders.listing(shop)
    pay(order)
    form = look(operator).one("form", action=f"{PAGE}/forget").fields
    page = read(operator.post(f"{PAGE}/forget", form).text)
    assert f"Order {order.id} : this is still due for it: mail." in page.words


@pytest.mark.parametrize("where", ["", "/export", "/forget"])
def test_what_is_no_address_is_refused_beside_its_field(operator: Browser, where: str) -> None:
    form = operator.page(PAGE).one("form", action=PAGE).fields
    response = operator.post(f"{PAGE}{where}", {**form, "email": "ada"})
    assert response.status_code == 422
    assert "name@example.org" in read(response.text).one("p", id="email-error").words


@pytest.mark.parametrize("where", ["", "/export", "/forget"])
def test_nobody_else_may(app: Flask, shop: Shop, bought: Order, where: str) -> None:
    response = Browser(app).send(PAGE + where, email=ADA)
    assert response.status_code == 403
    assert "Sign in" in response.text
    found = orders.by_id(shop, bought.id)
    assert found is not None
    assert found.email == ADA
