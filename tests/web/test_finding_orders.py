"""Asking for one's orders by mail tells nobody whose they are; a paid one shows its pick-up code."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from storefront.domain.orders import Order
from storefront.services import links, orders, pickup
from storefront.services.shop import Shop
from tests.web.browsing import Browser, path_of, read


@pytest.fixture
def order(shop: Shop, visitor: Browser) -> Order:
    visitor.send("/checkout", sku="record", quantity="1")
    (found,) = orders.listing(shop)
    return found


@pytest.fixture
def link(shop: Shop, order: Order) -> str:
    return f"/orders/{orders.token(shop, order.id)}"


def jobs(shop: Shop) -> set[str]:
    return {job.name for job in shop.store.due.jobs() if job.name.startswith("mail:orders:")}


def test_the_answer_is_the_same_for_any_address(
    shop: Shop, app: Flask, order: Order, pay: Callable[[Order], None]
) -> None:
    pay(order)
    visitor = Browser(app, address="198.51.100.8")
    found = orders.find(shop, orders.token(shop, order.id))
    assert found
    assert found.email
    pages = []
    for email in (found.email, "nobody@example.org", found.email):
        answer = visitor.submit(visitor.page("/orders"), "/orders", email=email)
        assert (answer.status_code, path_of(answer)) == (303, "/orders/asked")
        pages.append(visitor.get("/orders/asked").text)
    assert len(set(pages)) == 1
    assert "@" not in pages[0]
    assert jobs(shop) == {f"mail:orders:{order.id}"}


def test_what_is_no_address_is_asked_for_again(shop: Shop, visitor: Browser) -> None:
    answer = visitor.submit(visitor.page("/orders"), "/orders", email="ada at example")
    assert answer.status_code == 422
    field = read(answer.text).one("input", id="email").attributes
    assert (field["value"], field["aria-invalid"]) == ("ada at example", "true")
    assert jobs(shop) == set()


def test_asking_needs_the_form_s_own_token(visitor: Browser) -> None:
    assert visitor.post("/orders", {"email": "ada@example.org"}).status_code == 400


def test_these_pages_are_kept_by_nobody_and_listed_nowhere(visitor: Browser) -> None:
    for path in ("/orders", "/orders/asked"):
        headers = visitor.get(path).headers
        assert (headers["Cache-Control"], headers["X-Robots-Tag"]) == ("no-store", "noindex")


def test_the_way_to_them_is_on_every_page(visitor: Browser) -> None:
    assert visitor.page("/").one("a", href="/orders").words == "My orders"


def test_a_paid_order_shows_its_pick_up_code(
    shop: Shop, visitor: Browser, order: Order, link: str, pay: Callable[[Order], None]
) -> None:
    pay(order)
    image = visitor.page(link).one("img", src=f"{link}/pickup.svg").attributes
    assert image["alt"] == f"Pick-up code of order {order.id}"
    answer = visitor.get(f"{link}/pickup.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data == pickup.svg(shop.settings, order.id)


def test_the_code_is_a_drawing_without_style_or_script(shop: Shop, order: Order) -> None:
    drawing = pickup.svg(shop.settings, order.id).decode()
    assert not re.search(r"style|script|class=|href", drawing)
    assert 'fill="#fff"' in drawing


def test_two_orders_have_two_codes_and_the_page_s_link_is_in_none(shop: Shop) -> None:
    first, second = (pickup.svg(shop.settings, letter * 16) for letter in "ab")
    assert first != second
    assert links.token(shop.settings, "a" * 16) not in links.pickup(shop.settings, "a" * 16)


def test_an_unpaid_order_has_no_code(visitor: Browser, link: str) -> None:
    assert visitor.page(link).all("img", src=f"{link}/pickup.svg") == []
    assert visitor.get(f"{link}/pickup.svg").status_code == 404


def test_an_order_that_is_sent_has_no_code(
    shop: Shop, visitor: Browser, order: Order, link: str, pay: Callable[[Order], None]
) -> None:
    pay(order)
    shop.store._client.hset(shop.store.keys.order(order.id), "way", "delivery")
    assert visitor.page(link).all("img", src=f"{link}/pickup.svg") == []
    assert visitor.get(f"{link}/pickup.svg").status_code == 404


def test_nobody_gets_a_code_by_another_token(app: Flask, link: str) -> None:
    stranger = Browser(app)
    assert (
        stranger.get(f"{link[:-1]}{'a' if link[-1] != 'a' else 'b'}/pickup.svg").status_code == 404
    )
