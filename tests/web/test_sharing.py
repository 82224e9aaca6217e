"""Link previews and search engines are told the truth, by the shop's own address."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from storefront.app import assemble
from storefront.services.shop import Shop
from storefront.web import sharing
from tests.web.browsing import Browser, Element

SHOP = "http://shop.example"


def meta(page: Element) -> dict[str, str]:
    """The page's properties for link previews."""
    found = [one.attributes for one in page.one("head").all("meta")]
    return {one["property"]: one["content"] for one in found if "property" in one}


def data(browser: Browser, path: str) -> dict[str, Any]:
    """What a page tells search engines."""
    block = browser.page(path).one("script", type="application/ld+json")
    found: dict[str, Any] = json.loads("".join(str(child) for child in block.children))
    return found


@pytest.fixture
def redraw(shop: Shop) -> Callable[..., None]:
    """Change the poster's product."""

    def change(**changes: Any) -> None:
        poster = shop.store.catalogue.current().by_slug("poster")
        assert poster
        changed = json.dumps(replace(poster, **changes).to_json())
        shop.store.scripts.publish_catalogue({"poster": changed}, {}, version="v9", who="tests")

    return change


def test_a_product_is_shown_by_its_name_words_and_own_address(visitor: Browser) -> None:
    page = visitor.page("/products/poster")
    assert meta(page) == {
        "og:type": "product",
        "og:site_name": "Pop-up shop",
        "og:title": "Opening night <poster>",
        "og:description": "Screen print, signed. Rolled, never folded.",
        "og:url": f"{SHOP}/products/poster",
    }
    assert page.one("link", rel="canonical").attributes["href"] == f"{SHOP}/products/poster"
    assert page.one("meta", name="description").attributes["content"].startswith("Screen print")


def test_the_shelf_is_shown_by_the_shop_s_name(visitor: Browser) -> None:
    page = visitor.page("/")
    assert (meta(page)["og:type"], meta(page)["og:title"]) == ("website", "Pop-up shop")
    assert (
        meta(page)["og:url"] == page.one("link", rel="canonical").attributes["href"] == f"{SHOP}/"
    )


def test_a_name_in_the_request_changes_no_address(visitor: Browser) -> None:
    for path in ("/", "/products/poster", "/sitemap.xml", "/robots.txt"):
        text = visitor.get(
            path, headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"}
        ).text
        assert "evil.example" not in text
        assert "://localhost" not in text
        assert SHOP in text


@pytest.mark.parametrize(
    ("image", "shown"),
    [("poster.png", True), ("poster.JPG", True), ("poster.svg", False), ("", False)],
)
def test_a_picture_is_shown_where_networks_take_its_kind(
    visitor: Browser, redraw: Callable[..., None], image: str, shown: bool
) -> None:
    redraw(image=image)
    page = visitor.page("/products/poster")
    assert meta(page).get("og:image") == (f"{SHOP}/pictures/{image}" if shown else None)
    card = page.one("meta", name="twitter:card").attributes["content"]
    assert card == ("summary_large_image" if shown else "summary")


def test_a_long_description_is_cut_between_words(
    visitor: Browser, redraw: Callable[..., None]
) -> None:
    redraw(description="word " * 100)
    text = meta(visitor.page("/products/poster"))["og:description"]
    assert len(text) <= sharing.LONGEST + 2
    assert re.fullmatch(r"(word )+…", text)


def test_a_product_without_words_has_no_empty_ones(
    visitor: Browser, redraw: Callable[..., None]
) -> None:
    redraw(description="")
    page = visitor.page("/products/poster")
    assert "og:description" not in meta(page)
    (said,) = page.all("meta", name="description")
    assert said.attributes["content"].startswith("Pop-up shop: Every unit is held")
    assert "description" not in data(visitor, "/products/poster")


def test_search_engines_read_every_variant_with_its_price_and_stock(visitor: Browser) -> None:
    found = data(visitor, "/products/poster")
    assert (found["@context"], found["@type"]) == ("https://schema.org", "Product")
    assert (found["name"], found["url"]) == ("Opening night <poster>", f"{SHOP}/products/poster")
    assert found["image"] == f"{SHOP}/pictures/poster.svg"
    told = [(o["sku"], o["price"], o["priceCurrency"], o["availability"]) for o in found["offers"]]
    assert told == [
        ("poster-red", "25.00", "USD", "https://schema.org/InStock"),
        ("poster-ink", "30.00", "USD", "https://schema.org/SoldOut"),
    ]


def test_availability_follows_the_stock(app: Flask, visitor: Browser) -> None:
    def availability() -> str:
        [offer] = data(visitor, "/products/record")["offers"]
        return str(offer["availability"]).rpartition("/")[2]

    assert availability() == "LimitedAvailability"
    other = Browser(app, address="198.51.100.8")
    other.send("/checkout", sku="record", quantity="3")
    assert availability() == "OutOfStock"


def test_what_is_not_on_sale_yet_says_from_when(visitor: Browser) -> None:
    [offer] = data(visitor, "/products/later")["offers"]
    assert offer["availability"] == "https://schema.org/OutOfStock"
    assert offer["availabilityStarts"] == "2126-12-01T10:00:00Z"


def test_no_name_ends_the_block_that_it_stands_in(
    visitor: Browser, redraw: Callable[..., None]
) -> None:
    name = "</script><script>alert(1)</script><!-- & '\""
    redraw(name=name, description=name)
    text = visitor.get("/products/poster").text
    assert "<script>alert" not in text
    assert "<!--" not in text
    assert data(visitor, "/products/poster")["name"] == name
    assert meta(visitor.page("/products/poster"))["og:title"] == name


def test_every_state_of_stock_has_a_word_of_schema_org() -> None:
    assert set(sharing.AVAILABILITY) == set(sharing.Availability)


def test_the_sitemap_has_what_is_published_and_nothing_else(
    visitor: Browser, redraw: Callable[..., None]
) -> None:
    def listed() -> list[str]:
        answer = visitor.get("/sitemap.xml")
        assert answer.mimetype == "application/xml"
        return re.findall(r"<loc>(.*?)</loc>", answer.text)

    products = [f"{SHOP}/products/{slug}" for slug in ("poster", "record", "zine", "later")]
    assert listed() == [f"{SHOP}/", *products]
    redraw(published=False)
    assert listed() == [f"{SHOP}/", *products[1:]]


def test_search_engines_keep_out_of_what_is_somebody_s_own(app: Flask, visitor: Browser) -> None:
    text = visitor.get("/robots.txt").text
    assert f"Sitemap: {SHOP}/sitemap.xml" in text.splitlines()
    kept_out = re.findall(r"^Disallow: (.+)$", text, re.MULTILINE)
    assert {"/orders", "/bag", "/admin", "/pay"} <= set(kept_out)
    open_to_all = ("/", "/products/", "/pictures/", "/static/", "/sitemap.xml")
    assert not [path for path in open_to_all if path.startswith(tuple(kept_out))]


def test_pages_that_are_kept_out_have_no_card(visitor: Browser) -> None:
    for path in ("/bag", "/orders", "/admin/login"):
        assert meta(visitor.page(path)) == {}


def test_the_icon_is_there_for_who_asks_by_its_old_name(visitor: Browser) -> None:
    answer = visitor.get("/favicon.ico")
    assert (answer.status_code, answer.data[:4]) == (200, b"\x00\x00\x01\x00")


# An address where nothing is.


def test_a_missing_page_leads_to_what_is_on_the_shelf(visitor: Browser) -> None:
    answer = visitor.get("/products/nothing")
    assert answer.status_code == 404
    assert re.findall(r'<li><a href="/products/(\w+)">', answer.text) == [
        "poster",
        "record",
        "zine",
        "later",
    ]


def test_a_broken_link_to_an_order_leads_to_the_orders_by_mail(visitor: Browser) -> None:
    for path in ("/orders/nothing", "/pay/nothing", "/orders/a/b"):
        answer = visitor.get(path)
        assert answer.status_code == 404
        assert 'href="/orders">Mail me my orders</a>' in answer.text


def test_a_missing_page_is_one_without_redis_too(shop: Shop, cut: Callable[[], None]) -> None:
    visitor = Browser(assemble(shop))
    cut()
    answer = visitor.get("/nothing")
    assert answer.status_code == 404
    assert "On the shelf" not in answer.text
