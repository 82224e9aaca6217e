"""The operator's first page."""

import time
from collections.abc import Callable

from storefront.domain.orders import Order
from storefront.services import orders
from storefront.services.shop import Shop
from storefront.web.admin import login
from tests.web.browsing import Browser, read


def buy(shop: Shop, visitor: Browser, pay: Callable[[Order], None]) -> Order:
    visitor.send("/checkout", sku="record", quantity="1")
    (order,) = orders.listing(shop)
    pay(order)
    return order


def test_the_page_shows_the_figures_the_chart_and_a_table_that_says_the_same(
    shop: Shop, visitor: Browser, operator: Browser, pay: Callable[[Order], None]
) -> None:
    page = operator.page("/admin/")
    assert "Nothing was sold in the last hour." in page.words
    assert not page.all("svg", class_="chart")
    buy(shop, visitor, pay)
    page = operator.page("/admin/")
    figures = {d.one("dt").words: d.one("dd").words for d in page.one("dl").all("div")}
    assert figures == {"Units sold today": "1", "Held": "0", "Left to sell": "47"}
    [bar] = page.one("svg", class_="chart").all("rect")
    assert int(bar.attributes["height"]) == 61
    [row] = page.all("table")[0].one("tbody").all("tr")
    assert row.words.endswith("1")


def test_the_bars_of_a_sku_are_as_long_as_its_units(
    shop: Shop, visitor: Browser, operator: Browser, pay: Callable[[Order], None]
) -> None:
    buy(shop, visitor, pay)
    [row] = [r for r in operator.page("/admin/").all("tr") if r.words.startswith("record ")]
    bars = {r.attributes["class"]: r.attributes["width"] for r in row.one("svg").all("rect")}
    assert bars == {"available": "2", "held": "0", "sold": "1"}
    told = {c.attributes["data-label"]: c.words for c in row.all("td", class_="number")}
    assert told == {"Available": "2", "Held": "0", "Sold": "1"}


def test_what_needs_a_person_leads_to_its_cure(
    shop: Shop, visitor: Browser, operator: Browser, pay: Callable[[Order], None]
) -> None:
    order = buy(shop, visitor, pay)
    shop.store.scripts.review_order(order.id, reason="look")
    [task] = operator.page("/admin/").one("ul", class_="checks").all("li")
    [cure] = task.all("a")
    assert operator.page(cure.attributes["href"]).one("h1").words
    assert order.id in cure.attributes["href"]


def test_the_part_that_changes_is_the_page_s_own(operator: Browser) -> None:
    page = operator.page("/admin/")
    assert page.one("div", id="now").attributes["data-address"] == "/admin/now"
    part = operator.get("/admin/now").text
    assert read(part).one("dl").words == page.one("dl").words
    assert "<html" not in part


def test_the_page_s_own_asking_keeps_nobody_signed_in(operator: Browser) -> None:
    seen = int(time.time()) - 1000
    with operator.client.session_transaction(base_url=operator.base) as session:
        session[login.ADMIN] = session[login.ADMIN] | {"seen": seen}
    assert "Set-Cookie" not in operator.get("/admin/now").headers
    with operator.client.session_transaction(base_url=operator.base) as session:
        assert session[login.ADMIN]["seen"] == seen
    operator.page("/admin/")
    with operator.client.session_transaction(base_url=operator.base) as session:
        assert session[login.ADMIN]["seen"] > seen


def test_nothing_of_it_has_a_style_of_its_own(operator: Browser) -> None:
    assert " style=" not in operator.get("/admin/").text
