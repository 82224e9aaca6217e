"""The shelf, the product pages and the stock as numbers."""

import fakeredis
import pytest
from flask import Flask

from storefront.domain.catalogue_file import read_catalogue
from storefront.services.publishing import publish
from storefront.services.restocking import restock
from storefront.services.shop import Shop
from tests.web.browsing import Browser
from tests.web.conftest import GOODS


def badges(visitor: Browser) -> dict[str, str]:
    cards = visitor.page("/").all("li", class_="card")
    return {c.one("a").words: c.one("p", class_="badge").words for c in cards}


def test_the_shelf_shows_every_product_with_its_price_and_stock_in_words(visitor: Browser) -> None:
    cards = visitor.page("/").all("li", class_="card")
    assert [card.one("p", class_="price").words for card in cards] == [
        "from $25.00",
        "$28.00",
        "$4.50",
        "$9.00",
    ]
    assert badges(visitor) == {
        "Opening night <poster>": "In stock",
        "Record": "Only 3 left",
        "Zine": "Sold out",
        "Later": "From Dec 1, 10:00 AM UTC",
    }


def test_what_others_hold_is_told_as_held_not_as_sold_out(app: Flask, visitor: Browser) -> None:
    other = Browser(app, address="198.51.100.8")
    assert other.send("/checkout", sku="record", quantity="3").status_code == 303
    assert badges(visitor)["Record"] == "Held, may return"
    buy = visitor.page("/products/record").one("form", id="buy")
    assert "disabled" not in buy.all("button", type="submit")[0].attributes


def test_the_shelf_costs_one_trip_to_redis(
    app: Flask, visitor: Browser, redis: fakeredis.FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.page("/")  # the catalogue is read once per version
    trips: list[str] = []
    once = redis.execute_command
    monkeypatch.setattr(
        redis, "execute_command", lambda *a, **k: trips.append(a[0]) or once(*a, **k)
    )
    pipeline = redis.pipeline
    monkeypatch.setattr(
        redis, "pipeline", lambda *a, **k: trips.append("pipeline") or pipeline(*a, **k)
    )
    visitor.page("/")
    assert trips == ["pipeline"]


def test_the_cards_follow_every_change_that_they_show(
    app: Flask, shop: Shop, visitor: Browser
) -> None:
    assert badges(visitor)["Record"] == "Only 3 left"
    restock(shop, sku="record", delta=-1, reason="torn", who="t", key="one-time-1")
    assert badges(visitor)["Record"] == "Only 2 left"
    restock(shop, sku="record", delta=50, reason="box", who="t", key="one-time-2")
    assert badges(visitor)["Record"] == "In stock"
    goods = GOODS.replace('name = "Record"', 'name = "Single"')
    publish(shop, read_catalogue(goods, "usd", ["poster.svg"]), prune=False)
    assert badges(visitor)["Single"] == "In stock"
    Browser(app, "198.51.100.8").send("/checkout", sku="poster-red", quantity="4")
    assert badges(visitor)["Opening night <poster>"] == "In stock"


def test_looking_at_the_shelf_leaves_no_cookie(visitor: Browser) -> None:
    assert "Set-Cookie" not in visitor.get("/").headers


def test_an_empty_shop_says_so(redis: fakeredis.FakeRedis, visitor: Browser, shop: Shop) -> None:
    redis.flushall()
    assert "Nothing is on the shelf yet" in visitor.page("/").words


def test_a_product_with_variants_lets_choose_among_them(visitor: Browser) -> None:
    form = visitor.page("/products/poster").one("form", id="buy")
    radios = form.all("input", name="sku", type="radio")
    assert [(r.attributes["value"], "checked" in r.attributes) for r in radios] == [
        ("poster-red", True),
        ("poster-ink", False),
    ]
    assert "disabled" in radios[1].attributes
    assert [c.words for c in form.all("label", class_="choice")] == [
        "Red 40 left · $25.00",
        "Ink Sold out · $30.00",
    ]
    assert form.one("legend").words == "Colour"


def test_a_product_with_one_variant_names_it_hidden(visitor: Browser) -> None:
    form = visitor.page("/products/record").one("form", id="buy")
    assert form.one("input", name="sku").attributes["type"] == "hidden"
    assert set(form.fields) == {"csrf_token", "token", "sku", "quantity"}


def test_the_form_buys_and_its_second_button_puts_into_the_bag(visitor: Browser) -> None:
    form = visitor.page("/products/record").one("form", id="buy")
    assert (form.attributes["method"], form.attributes["action"]) == ("post", "/checkout")
    buy, add = form.all("button", type="submit")
    assert "formaction" not in buy.attributes
    assert add.attributes["formaction"] == "/bag"
    assert (add.attributes["name"], add.attributes["value"]) == ("add", "1")


@pytest.mark.parametrize(("slug", "limit"), [("poster", "4"), ("record", "10")])
def test_the_quantity_goes_up_to_what_one_order_may_have(
    visitor: Browser, slug: str, limit: str
) -> None:
    quantity = visitor.page(f"/products/{slug}").one("input", id="quantity").attributes
    assert (quantity["min"], quantity["max"]) == ("1", limit)


@pytest.mark.parametrize(("slug", "says"), [("zine", "Sold out"), ("later", "Not on sale yet")])
def test_what_cannot_be_bought_has_no_working_button(
    visitor: Browser, slug: str, says: str
) -> None:
    buttons = visitor.page(f"/products/{slug}").one("form", id="buy").all("button", type="submit")
    assert buttons[0].words == says
    assert all("disabled" in button.attributes for button in buttons)


def test_each_look_at_a_product_gives_another_one_time_token(visitor: Browser) -> None:
    def token() -> str:
        return visitor.page("/products/record").one("form", id="buy").fields["token"]

    assert token() != token()


def test_paragraphs_of_a_description_stay_apart(visitor: Browser) -> None:
    prose = visitor.page("/products/poster").one("div", class_="prose")
    assert [p.words for p in prose.all("p")] == ["Screen print, signed.", "Rolled, never folded."]


def test_an_unknown_product_is_not_found(visitor: Browser) -> None:
    assert visitor.get("/products/nothing").status_code == 404


def test_the_stock_as_numbers(visitor: Browser) -> None:
    response = visitor.get("/stock.json")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json == {
        "poster-red": {"available": 40, "held": 0},
        "poster-ink": {"available": 0, "held": 0},
        "record": {"available": 3, "held": 0},
        "zine": {"available": 0, "held": 0},
        "later": {"available": 5, "held": 0, "opens_at": "2126-12-01T10:00:00Z"},
    }
