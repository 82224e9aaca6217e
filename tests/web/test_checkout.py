"""From a form to the payment page."""

from collections.abc import Callable
from urllib.parse import urlsplit

import fakeredis
import pytest
from flask import Flask

from storefront.app import assemble
from storefront.services import orders
from storefront.services.shop import Shop
from storefront.web.security import COOKIE
from tests.web.browsing import Browser, path_of


def only_order(shop: Shop) -> orders.Order:
    (order,) = orders.listing(shop)
    return order


def test_buying_holds_the_units_and_leads_to_the_payment_page(shop: Shop, visitor: Browser) -> None:
    response = visitor.submit(visitor.page("/products/record"), "buy", quantity="2")
    order = only_order(shop)
    assert response.status_code == 303
    assert response.headers["Location"] == order.url
    assert [(line.sku, line.quantity) for line in order.lines] == [("record", 2)]
    assert visitor.get("/stock.json").json["record"] == {"available": 1, "held": 2}


def test_the_same_form_sent_twice_is_one_order(shop: Shop, visitor: Browser) -> None:
    page = visitor.page("/products/record")
    first, second = visitor.submit(page, "buy"), visitor.submit(page, "buy")
    assert first.headers["Location"] == second.headers["Location"]
    assert only_order(shop).lines[0].quantity == 1


def test_two_clicks_of_a_new_browser_are_one_order(shop: Shop, app: Flask) -> None:
    """Both leave before the first answer has set a cookie, so both carry the page's own."""
    first, second = Browser(app), Browser(app)
    page = first.page("/products/record")
    cookie = first.client.get_cookie(COOKIE, "shop.example")
    assert cookie is not None
    second.client.set_cookie(COOKIE, cookie.value, domain="shop.example")
    sent = [browser.submit(page, "buy").headers["Location"] for browser in (first, second)]
    assert sent[0] == sent[1] == only_order(shop).url


def test_a_form_without_a_one_time_token_works_too(shop: Shop, visitor: Browser) -> None:
    assert visitor.send("/checkout", sku="record", quantity="1").status_code == 303
    assert only_order(shop).state == "open"


def test_several_lines_of_one_sku_are_one_line(shop: Shop, visitor: Browser) -> None:
    response = visitor.send("/checkout", sku=["record", "record"], quantity=["1", "2"])
    assert response.status_code == 303
    assert [(line.sku, line.quantity) for line in only_order(shop).lines] == [("record", 3)]


def test_the_bag_is_bought_when_no_article_is_named(shop: Shop, visitor: Browser) -> None:
    visitor.send("/bag", sku="record", quantity="1")
    visitor.send("/bag", sku="poster-red", quantity="2")
    assert visitor.submit(visitor.page("/bag"), "checkout").status_code == 303
    assert {line.sku: line.quantity for line in only_order(shop).lines} == {
        "record": 1,
        "poster-red": 2,
    }


def test_the_bag_stays_until_it_is_paid(
    shop: Shop, visitor: Browser, pay: Callable[..., None]
) -> None:
    visitor.send("/bag", sku="record", quantity="1")
    visitor.submit(visitor.page("/bag"), "checkout")
    order = only_order(shop)
    page = f"/orders/{orders.token(shop, order.id)}"
    visitor.page(page)
    assert "Record" in visitor.page("/bag").words
    pay(order)
    assert "Paid" in visitor.page(page).one("h1").words
    assert "Your bag is empty." in visitor.page("/bag").words


def test_a_bag_that_changed_meanwhile_is_kept(
    shop: Shop, visitor: Browser, pay: Callable[..., None]
) -> None:
    visitor.send("/bag", sku="record", quantity="1")
    visitor.submit(visitor.page("/bag"), "checkout")
    visitor.send("/bag", sku="poster-red", quantity="1")
    order = only_order(shop)
    pay(order)
    visitor.page(f"/orders/{orders.token(shop, order.id)}")
    assert visitor.page("/bag").one("a", class_="bag-link").words == "Bag 2 items"


def test_buying_at_once_leaves_an_equal_bag_alone(
    shop: Shop, visitor: Browser, pay: Callable[..., None]
) -> None:
    visitor.send("/bag", sku="record", quantity="1")
    visitor.send("/checkout", sku="record", quantity="1")
    order = only_order(shop)
    pay(order)
    visitor.page(f"/orders/{orders.token(shop, order.id)}")
    assert visitor.page("/bag").one("a", class_="bag-link").words == "Bag 1 item"


def test_an_empty_bag_buys_nothing(shop: Shop, visitor: Browser) -> None:
    response = visitor.send("/checkout")
    assert response.status_code == 422
    assert "The bag is empty" in response.text
    assert list(orders.listing(shop)) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sku": "nothing", "quantity": "1"}, "We do not sell that"),
        ({"sku": "poster-red", "quantity": "5"}, "At most 4 in one order"),
        ({"sku": ["poster-red"] * 2, "quantity": ["3", "2"]}, "At most 4 in one order"),
        ({"sku": "record", "quantity": "0"}, "1 or more"),
        ({"sku": "record", "quantity": "1e0"}, "whole number"),
        ({"sku": "record", "quantity": "+1"}, "whole number"),
        ({"sku": "record", "quantity": "1 "}, "whole number"),
        ({"sku": "record", "quantity": "9" * 300}, "whole number"),
        ({"sku": "record"}, "one quantity"),
        ({"sku": "", "quantity": "1"}, "Choose what you want"),
        ({"sku": "record", "quantity": "1", "token": "a b"}, "token"),
        ({"sku": "\ud800".encode("utf-8", "surrogatepass"), "quantity": "1"}, "do not sell"),
    ],
)
def test_bad_input_is_refused_with_what_to_do_and_holds_nothing(
    shop: Shop, visitor: Browser, values: dict[str, object], says: str
) -> None:
    response = visitor.send("/checkout", **values)
    assert response.status_code == 422
    assert says in response.text
    assert "othing was charged" in response.text
    assert list(orders.listing(shop)) == []


def test_too_few_left_says_how_many_and_that_the_rest_may_return(
    app: Flask, shop: Shop, visitor: Browser
) -> None:
    other = Browser(app, address="198.51.100.8")
    other.send("/checkout", sku="record", quantity="2")
    response = visitor.send("/checkout", sku="record", quantity="3")
    assert response.status_code == 409
    returns = only_order(shop).deadline // 60_000 % 60
    assert "You asked for 3." in response.text
    assert "Only 1 left; 2 more are held." in response.text
    assert f":{returns:02d}" in response.text
    assert 'href="/products/record"' in response.text


def test_all_held_says_when_the_first_may_return(app: Flask, visitor: Browser) -> None:
    Browser(app, address="198.51.100.8").send("/checkout", sku="record", quantity="3")
    response = visitor.send("/checkout", sku="record", quantity="1")
    assert response.status_code == 409
    assert "Someone was quicker" in response.text
    assert "The first may return at <time" in response.text


def test_sold_out_says_so(visitor: Browser) -> None:
    response = visitor.send("/checkout", sku="zine", quantity="1")
    assert response.status_code == 409
    assert "<h1" in response.text
    assert "Sold out" in response.text
    assert "None is held that could return." in response.text


def test_a_product_that_opens_later_says_when(visitor: Browser) -> None:
    response = visitor.send("/checkout", sku="later", quantity="1")
    assert response.status_code == 409
    assert "Later is not on sale yet" in response.text
    assert '<time datetime="2126-12-01T10:00:00Z"' in response.text


def test_too_many_holds_from_one_address_is_429_with_a_time_to_wait(
    make_shop: Callable[..., Shop],
) -> None:
    app = assemble(make_shop(HOLDS_PER_IP="1"))
    Browser(app).send("/checkout", sku="record", quantity="1")
    response = Browser(app).send("/checkout", sku="record", quantity="1")
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 1920
    assert (
        Browser(app, "198.51.100.8").send("/checkout", sku="record", quantity="1").status_code
        == 303
    )


def test_while_a_hold_runs_every_shop_page_shows_the_way_back(shop: Shop, visitor: Browser) -> None:
    visitor.send("/checkout", sku="record", quantity="1")
    token = orders.token(shop, only_order(shop).id)
    for path in ("/", "/products/poster", "/bag"):
        notice = visitor.page(path).one("div", class_="notice")
        assert notice.one("a").attributes["href"] == f"/orders/{token}"
    assert visitor.page(f"/orders/{token}").all("div", class_="notice") == []


def test_the_way_back_ends_with_the_hold(shop: Shop, visitor: Browser) -> None:
    visitor.send("/checkout", sku="record", quantity="1")
    token = orders.token(shop, only_order(shop).id)
    page = visitor.page(f"/orders/{token}")
    assert path_of(visitor.submit(page, f"/orders/{token}/cancel")) == f"/orders/{token}"
    assert visitor.page("/").all("div", class_="notice") == []


def test_the_orders_links_come_from_the_public_url_alone(shop: Shop, visitor: Browser) -> None:
    visitor.client.open(
        "/products/record", base_url="http://localhost:1", environ_overrides={"REMOTE_ADDR": "::1"}
    )
    visitor.send("/checkout", sku="record", quantity="1")
    link = orders.link(shop, only_order(shop).id)
    assert urlsplit(link)[:2] == ("http", "shop.example")


def test_addresses_are_stored_as_marks_only(
    redis: fakeredis.FakeRedis, shop: Shop, visitor: Browser
) -> None:
    visitor.send("/checkout", sku="record", quantity="1")
    (order,) = orders.listing(shop)
    assert redis.hget(f"{{popup}}:order:{order.id}", "address")
    readers = {
        "string": redis.get,
        "hash": redis.hgetall,
        "zset": lambda key: redis.zrange(key, 0, -1),
        "stream": redis.xrange,
    }
    stored = repr([readers[redis.type(key)](key) for key in redis.scan_iter()])
    assert order.id in stored
    assert visitor.address not in stored
