"""The operator's payment links and posters."""

import re
import xml.etree.ElementTree as ET

import pytest

from storefront.domain.payment_links import PaymentLink
from storefront.services import payment_links, posters
from storefront.services.shop import Shop
from tests.fakes.faults import Fault
from tests.fakes.stripe import FakeStripe
from tests.harness import ROOT
from tests.web.browsing import Browser, path_of


def made(shop: Shop) -> list[PaymentLink]:
    return payment_links.listing(shop)


def test_a_form_makes_one_link_and_leads_to_its_poster(
    operator: Browser, shop: Shop, stripe: FakeStripe
) -> None:
    page = operator.page("/admin/links")
    first = operator.submit(page, "link", sku="record", units="2")
    again = operator.submit(page, "link", sku="record", units="2")
    [link] = made(shop)
    assert path_of(first) == path_of(again) == f"/admin/links/{link.id}/poster"
    assert (link.active, link.units, len(stripe.links)) == (True, 2, 1)
    row = operator.page("/admin/links").words
    assert f"{link.id} record $28.00 sells 2 0 2" in row


@pytest.mark.parametrize(
    ("sku", "units", "status", "says"),
    [
        ("record", "4", 409, "Only 3 available to be set aside."),
        ("record", "0", 422, "Set aside 1 to"),
        ("record", "x", 422, "The number of units must be a whole number"),
        ("none", "1", 422, "No article on the shelf has this number."),
        ("", "1", 422, "Choose what you want to buy first."),
    ],
)
def test_what_makes_no_link_is_said_and_changes_nothing(
    operator: Browser, shop: Shop, sku: str, units: str, status: int, says: str
) -> None:
    page = operator.page("/admin/links")
    answer = operator.submit(page, "link", sku=sku, units=units)
    assert (answer.status_code, says in answer.text) == (status, True)
    assert made(shop) == []


def test_the_ledger_names_the_link_and_who_made_it(operator: Browser, shop: Shop) -> None:
    link = payment_links.create(shop, sku="record", units=2, key="k", who="me")
    shown = operator.page("/admin/stock?sku=record").words
    assert f"allot 2 available → held link {link.id} me" in shown


def test_silence_of_stripe_is_told_as_what_it_is(
    operator: Browser, shop: Shop, stripe: FakeStripe
) -> None:
    stripe.fault("create_payment_link", Fault.LOST_REPLY)
    page = operator.page("/admin/links")
    assert path_of(operator.submit(page, "link", sku="record", units="2")) == "/admin/links"
    shown = operator.page("/admin/links").words
    assert "Stripe has not confirmed the link" in shown
    assert "being made" in shown
    [link] = made(shop)
    assert operator.get(f"/admin/links/{link.id}/poster").status_code == 404
    stripe.fault("create_payment_link", Fault.LOST_REQUEST)
    operator.send_signed_in("/admin/links/close", link=link.id)
    assert "stay set aside until Stripe confirms" in operator.page("/admin/links").words


def test_closing_a_link_says_what_went_back(operator: Browser, shop: Shop) -> None:
    link = payment_links.create(shop, sku="record", units=2, key="k", who="me")
    page = operator.page("/admin/links")
    assert path_of(operator.submit(page, "/admin/links/close")) == "/admin/links"
    shown = operator.page("/admin/links").words
    assert f"Link {link.id} is closed: 2 of record are available again." in shown
    assert "2 returned" in shown
    for unknown in ("none", "unknown-link", "../x"):
        answer = operator.send_signed_in("/admin/links/close", link=unknown)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("size", "paper"), [("", "poster"), ("?size=a4", "poster"), ("?size=a6", "poster small")]
)
def test_a_links_poster_has_picture_name_price_and_code(
    operator: Browser, shop: Shop, size: str, paper: str
) -> None:
    link = payment_links.create(shop, sku="poster-red", units=2, key="k", who="me")
    page = operator.page(f"/admin/links/{link.id}/poster{size}")
    poster = page.one("article")
    assert poster.attributes["class"] == paper
    assert poster.one("h1").words == "Opening night <poster> (Red)"
    assert poster.one("p", class_="price").words == "$25.00"
    assert poster.one("img", class_="picture").attributes["src"] == "/pictures/poster.svg"
    code = poster.one("img", class_="qr").attributes
    assert code["alt"] == f"QR code of {link.url}"
    answer = operator.get(code["src"])
    assert answer.mimetype == "image/svg+xml"
    assert answer.data == posters.qr(link.url)


def test_a_products_poster_leads_to_its_page(operator: Browser, shop: Shop) -> None:
    poster = operator.page("/admin/posters/poster").one("article")
    assert poster.one("p", class_="price").words == "from $25.00"
    address = f"http://shop.example/q/{posters.code_of('poster')}"
    assert poster.one("p", class_="address").words == address
    assert operator.get("/admin/posters/poster/qr.svg").data == posters.qr(address)
    assert path_of(operator.get(address.removeprefix("http://shop.example"))) == "/products/poster"


@pytest.mark.parametrize(
    "path",
    ["links/none/poster", "links/unknown-link/qr.svg", "posters/none", "posters/none/qr.svg",
     "posters/poster?size=a3"],
)  # fmt: skip
def test_a_poster_of_nothing_is_not_found(operator: Browser, path: str) -> None:
    assert operator.get(f"/admin/{path}").status_code == 404


def test_the_code_is_plain_svg_that_says_the_address_exactly() -> None:
    """No script and no style in it: the page's policy allows neither."""
    root = ET.fromstring(posters.qr("http://shop.example/q/abc"))
    assert {child.tag.rpartition("}")[2] for child in root} == {"path"}
    assert "style" not in root.attrib
    assert root.attrib["viewBox"].split()[:2] == ["0", "0"]
    assert posters.qr("http://shop.example/q/abc") != posters.qr("http://shop.example/q/abd")


def test_a_stranger_sees_neither_links_nor_posters(visitor: Browser) -> None:
    for path in ("links", "links/unknown-link/poster", "posters/poster", "posters/poster/qr.svg"):
        assert path_of(visitor.get(f"/admin/{path}")) == "/admin/login"


def test_printed_a_poster_has_its_papers_size_and_nothing_around_it() -> None:
    style = (ROOT / "static" / "admin.css").read_text("utf-8")
    # CSS has no name for A6.
    assert "@page poster-a4 { size: 210mm 297mm;" in style
    assert "@page poster-a6 { size: 105mm 148mm;" in style
    style = style.split("@media print", 1)[-1]
    assert re.search(r"\.poster \{ page: poster-a4", style)
    assert re.search(r"\.poster\.small \{ page: poster-a6", style)
    assert ".with-poster :is(.masthead" in style
