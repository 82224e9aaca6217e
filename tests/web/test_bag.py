"""The bag."""

import pytest
from flask import Flask

from storefront.web import visitors
from tests.web.browsing import Browser, Element, path_of


def lines(page: Element) -> list[list[str]]:
    rows = page.one("tbody").all("tr")
    return [[row.one("th").words] + [cell.words for cell in row.all("td")] for row in rows]


def quantities(visitor: Browser) -> dict[str, str]:
    forms = visitor.page("/bag").all("form", action="/bag")
    return {form.fields["sku"]: form.fields["quantity"] for form in forms}


def test_an_empty_bag_says_so_and_leads_to_the_shelf(visitor: Browser) -> None:
    page = visitor.page("/bag")
    assert "Your bag is empty." in page.words
    assert page.all("form", id="checkout") == []


def test_a_product_is_added_from_its_own_form(visitor: Browser) -> None:
    page = visitor.page("/products/poster")
    assert path_of(visitor.submit(page, "buy", to="/bag", quantity="2", add="1")) == "/bag"
    bag = visitor.page("/bag")
    name, price, _, total = lines(bag)[0]
    assert name == "Opening night <poster> Red In stock"
    assert (price, total) == ("$25.00", "$50.00")
    assert bag.one("tfoot").words == "Total $50.00"
    assert bag.one("a", class_="bag-link").words == "Bag 2 items"


def test_adding_adds_setting_sets_and_nought_removes(visitor: Browser) -> None:
    visitor.send("/bag", sku="record", quantity="1", add="1")
    visitor.send("/bag", sku="record", quantity="2", add="1")
    assert quantities(visitor) == {"record": "3"}
    visitor.send("/bag", sku="record", quantity="2")
    assert quantities(visitor) == {"record": "2"}
    visitor.send("/bag", sku="record", quantity="0")
    assert "Your bag is empty." in visitor.page("/bag").words


def test_a_line_is_removed_by_its_button_whatever_stands_in_its_quantity(visitor: Browser) -> None:
    visitor.send("/bag", sku="record", quantity="2")
    form = visitor.page("/bag").one("form", action="/bag")
    remove = form.one("button", name="remove").attributes
    assert "formnovalidate" in remove
    values = {**form.fields, "quantity": "many", "remove": remove["value"]}
    assert path_of(visitor.post("/bag", values)) == "/bag"
    assert "Your bag is empty." in visitor.page("/bag").words


def test_a_bag_holds_no_stock(visitor: Browser) -> None:
    visitor.send("/bag", sku="record", quantity="3")
    assert visitor.get("/stock.json").json["record"] == {"available": 3, "held": 0}


def test_each_line_says_what_is_true_of_its_stock(app: Flask, visitor: Browser) -> None:
    visitor.send("/bag", sku="record", quantity="3")
    other = Browser(app, address="198.51.100.8")
    other.send("/checkout", sku="record", quantity="2")
    assert lines(visitor.page("/bag"))[0][0] == "Record Only 1 left"
    Browser(app, address="198.51.100.9").send("/checkout", sku="record", quantity="1")
    assert lines(visitor.page("/bag"))[0][0] == "Record Held, may return"


def test_a_line_that_left_the_shelf_can_only_be_removed(
    app: Flask, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with visitor.client.session_transaction(base_url=visitor.base) as session:
        session[visitors.BAG] = {"gone": 1, "record": 1}
    page = visitor.page("/bag")
    gone, _kept = lines(page)
    assert gone[0] == "gone No longer for sale"
    assert "quantity" not in page.all("form", action="/bag")[0].fields
    assert page.all("form", action="/bag")[0].one("button").words == "Remove"
    assert page.one("tfoot").words == "Total $28.00"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sku": "nothing", "quantity": "1"}, "We do not sell that"),
        ({"sku": "poster-red", "quantity": "5"}, "At most 4 in one order"),
        ({"sku": "record", "quantity": "11"}, "At most 10 in one order"),
        ({"sku": "record", "quantity": "1e1"}, "whole number"),
        ({"sku": "record", "quantity": "+1"}, "whole number"),
        ({"sku": "record", "quantity": " 1"}, "whole number"),
        ({"sku": "record", "quantity": "-1"}, "whole number"),
        ({"sku": "record", "quantity": "١"}, "whole number"),
        ({"sku": "record"}, "whole number"),
        ({"quantity": "1"}, "Choose what you want"),
    ],
)
def test_what_cannot_be_in_a_bag_is_refused_with_what_to_do(
    visitor: Browser, values: dict[str, str], says: str
) -> None:
    response = visitor.send("/bag", **values)
    assert response.status_code == 422
    assert says in response.text
    assert quantities_or_none(visitor) == {}


def quantities_or_none(visitor: Browser) -> dict[str, str]:
    return quantities(visitor) if visitor.page("/bag").all("tbody") else {}


def test_adding_beyond_the_limit_leaves_the_line_as_it_was(visitor: Browser) -> None:
    visitor.send("/bag", sku="poster-red", quantity="3")
    assert visitor.send("/bag", sku="poster-red", quantity="2", add="1").status_code == 422
    assert quantities(visitor) == {"poster-red": "3"}


def test_the_bag_stays_within_what_a_cookie_can_keep(app: Flask, visitor: Browser) -> None:
    full = {f"{n:02d}" + "x" * 62: 10 for n in range(visitors.MAX_BAG)}
    with visitor.client.session_transaction(base_url=visitor.base) as session:
        session[visitors.BAG] = full
        session[visitors.HOLD] = ["t" * 60, 10**13, True]
    response = visitor.send("/bag", sku="record", quantity="1")
    assert response.status_code == 422
    assert "room for 30" in response.text
    cookie = visitor.client.get_cookie("shop_session", domain="shop.example")
    assert cookie is not None
    assert len(cookie.value) < 4000


def test_the_bag_outlives_the_browsers_session(visitor: Browser) -> None:
    response = visitor.send("/bag", sku="record", quantity="1")
    assert "Expires=" in response.headers["Set-Cookie"]


def test_a_bag_from_a_forged_cookie_counts_as_empty(visitor: Browser) -> None:
    visitor.client.set_cookie(
        "shop_session", "eyJiYWciOnsicmVjb3JkIjo5fX0.aaaa.bbbb", domain="shop.example"
    )
    assert "Your bag is empty." in visitor.page("/bag").words
