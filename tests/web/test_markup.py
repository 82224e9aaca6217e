"""Every page can be read without a screen, without scripts, and by its structure alone."""

import itertools
import re
from collections.abc import Callable, Iterator

import pyotp
import pytest
from werkzeug.test import TestResponse

from storefront.services import links, orders, payment_links, waitlist
from storefront.services.shop import Shop
from tests.web.browsing import Browser, Element, read

PAGES = [
    "shelf",
    "product",
    "product with one variant",
    "sold-out product",
    "bag",
    "empty bag",
    "open order",
    "paid order",
    "refusal",
    "missing page",
    "finding orders",
    "no address",
    "orders asked for",
    "mails",
    "login",
    "wrong password",
    "now",
    "money",
    "account",
    "account with codes",
    "setting a phone up",
    "recovery codes",
    "sign in to go on",
    "stock",
    "stock of a number",
    "no such number",
    "count",
    "a list of restocks",
    "ledger",
    "labels",
    "refused restock",
    "orders",
    "no orders",
    "one order",
    "a refund",
    "stall",
    "sold at the stall",
    "screen of the stall",
    "counter",
    "handed over",
    "handed over before",
    "to be handed over",
    "integrity",
    "refused waitlist form",
    "joined",
    "place",
    "offer",
    "waitlist",
    "products",
    "new product",
    "one of the products",
    "a product with mistakes",
    "a product that somebody changed",
    "alternatives",
    "links",
    "refused link",
    "poster",
]


READ: dict[str, Element] = {}
"""Each page as it was read once, for all that is asked about it."""


@pytest.fixture(params=PAGES)
def shown(request: pytest.FixtureRequest) -> Element:
    """Each page in turn."""
    if request.param not in READ:
        READ[request.param] = request.getfixturevalue("opened")(request.param)
    return READ[request.param]


@pytest.fixture
def opened(
    shop: Shop, visitor: Browser, operator: Browser, pay: Callable[..., None]
) -> Callable[[str], Element]:
    """Brings the shop so far that a page shows, and opens it."""

    def order_page(*, paid: bool) -> str:
        visitor.send("/checkout", sku="record", quantity="1")
        (order,) = orders.listing(shop)
        if paid:
            pay(order)
        return visitor.get(f"/orders/{orders.token(shop, order.id)}").text

    def sold_at_stall() -> TestResponse:
        fields = {"money": "cash", "units-record": "1"}
        return operator.get(operator.send_signed_in("/admin/stall", **fields).location)

    def recovery_codes() -> str:
        operator.send_signed_in("/admin/account/codes")
        code = pyotp.TOTP(shop.store.account.draft()).at(shop.store.now() // 1000)
        return operator.send_signed_in("/admin/account/codes/confirm", code=code).text

    def order_in_admin(*, refund: bool) -> str:
        order_page(paid=True)
        (order,) = orders.listing(shop)
        address = f"/admin/orders/{order.id}"
        if not refund:
            return operator.get(address).text
        form = operator.page(address).one("form", id="refund").fields
        values = {**form, "whole": "1", "to": "sold", "reason": "x"}
        return operator.post(f"{address}/refund/look", values).text

    def counter(*scans: str) -> str:
        order_page(paid=True)
        (order,) = orders.listing(shop)
        code = links.pickup(shop.settings, order.id)
        text = ""
        for key in scans:
            values = {"code": code, "key": key}
            text = operator.send_signed_in("/admin/pickup", **values).text
        path = code.removeprefix(shop.settings.public_url)
        return text if len(scans) > 1 else operator.get(f"{path}?done={''.join(scans)}").text

    def now_with_all() -> str:
        order_page(paid=True)
        (order,) = orders.listing(shop)
        shop.store.scripts.review_order(order.id, reason="look")
        shop.store.due.schedule("mirror:record", 1)
        return operator.get("/admin/").text

    def bag() -> str:
        visitor.send("/bag", sku="record", quantity="2")
        visitor.send("/bag", sku="poster-red", quantity="1")
        return visitor.get("/bag").text

    def restock() -> str:
        values = {"sku": "record", "delta": "-9", "reason": "x", "key": ""}
        return operator.send_signed_in("/admin/restock", **values).text

    def place(*, offered: bool) -> str:
        waitlist.join(shop, sku="zine", email="bob@example.org")
        [joined] = shop.store.waitlist.all()
        waitlist.confirm(shop, joined)
        if offered:
            shop.store.scripts.restock("zine", delta=1, reason="r", who="w", key="k")
        return f"/waitlist/{links.place_token(shop.settings, joined.id)}"

    def link() -> str:
        return payment_links.create(shop, sku="record", units=1, key="k", who="me").id

    def waiting() -> str:
        place(offered=True)
        return operator.get("/admin/waitlist").text

    def product_form(**changes: str) -> str:
        shown = operator.page("/admin/products/poster").one("form", id="product").fields
        return operator.post("/admin/products/poster", {**shown, **changes}).text

    def alternatives() -> str:
        form = operator.page("/admin/products/zine").one("form", id="product").fields
        operator.post("/admin/products/zine", {**form, "alternatives": ["record"]})
        return visitor.get("/products/zine").text

    make: dict[str, Callable[[], str]] = {
        "products": lambda: operator.get("/admin/products").text,
        "new product": lambda: operator.get("/admin/new-product").text,
        "one of the products": lambda: operator.get("/admin/products/poster").text,
        "a product with mistakes": lambda: product_form(
            name="", **{"price-0": "x", "sku-2": "a b"}
        ),
        "a product that somebody changed": lambda: product_form(name="Mine", revision="another"),
        "alternatives": alternatives,
        "shelf": lambda: visitor.get("/").text,
        "product": lambda: visitor.get("/products/poster").text,
        "product with one variant": lambda: visitor.get("/products/record").text,
        "sold-out product": lambda: visitor.get("/products/zine").text,
        "bag": bag,
        "empty bag": lambda: visitor.get("/bag").text,
        "open order": lambda: order_page(paid=False),
        "paid order": lambda: order_page(paid=True),
        "refusal": lambda: visitor.send("/checkout", sku="record", quantity="9").text,
        "missing page": lambda: visitor.get("/nothing").text,
        "finding orders": lambda: visitor.get("/orders").text,
        "no address": lambda: visitor.send("/orders", email="ada").text,
        "orders asked for": lambda: visitor.get("/orders/asked").text,
        "mails": lambda: visitor.get("/dev/mails").text,
        "login": lambda: visitor.get("/admin/login").text,
        "wrong password": lambda: visitor.send("/admin/login", password="x").text,
        "now": now_with_all,
        "money": lambda: order_page(paid=True) and operator.get("/admin/money").text,
        "stock": lambda: operator.get("/admin/stock").text,
        "stock of a number": lambda: operator.get("/admin/stock?sku=record").text,
        "no such number": lambda: operator.get("/admin/stock?sku=nothing").text,
        "count": lambda: operator.get("/admin/count?sku=record&counted=9&pile=all").text,
        "a list of restocks": lambda: (
            operator.send_signed_in("/admin/restock/list/look", text="record,2,box").text
        ),
        "ledger": lambda: operator.get("/admin/ledger?sku=record").text,
        "labels": lambda: operator.get("/admin/labels?sku=record&sku=zine").text,
        "account": lambda: operator.get("/admin/account").text,
        "account with codes": lambda: recovery_codes() and operator.get("/admin/account").text,
        "setting a phone up": lambda: operator.send_signed_in("/admin/account/codes").text,
        "recovery codes": recovery_codes,
        "sign in to go on": lambda: visitor.send("/admin/restock", sku="record", delta="5").text,
        "refused restock": restock,
        "orders": lambda: operator.get("/admin/orders").text,
        "no orders": lambda: operator.get("/admin/orders?state=voided").text,
        "one order": lambda: order_in_admin(refund=False),
        "a refund": lambda: order_in_admin(refund=True),
        "stall": lambda: operator.get("/admin/stall").text,
        "sold at the stall": lambda: sold_at_stall().text,
        "screen of the stall": lambda: visitor.get(links.stall(shop.settings)).text,
        "counter": lambda: operator.get("/admin/pickup").text,
        "handed over": lambda: counter("scan-0001"),
        "handed over before": lambda: counter("scan-0001", "scan-0002"),
        "to be handed over": counter,
        "integrity": lambda: operator.get("/admin/integrity").text,
        "refused waitlist form": lambda: (
            visitor.send("/products/poster/waitlist", sku="poster-ink", email="bob").text
        ),
        "joined": lambda: visitor.get("/products/zine/waitlist").text,
        "place": lambda: visitor.get(place(offered=False)).text,
        "offer": lambda: visitor.get(place(offered=True)).text,
        "waitlist": waiting,
        "links": lambda: link() and operator.get("/admin/links").text,
        "refused link": lambda: operator.send_signed_in("/admin/links", sku="x", units="9").text,
        "poster": lambda: operator.get(f"/admin/links/{link()}/poster").text,
    }

    def show(page: str) -> Element:
        text = make[page]()
        assert "<h1" in text, text
        return read(text)

    return show


def test_the_language_and_a_title_of_its_own_are_set(shown: Element) -> None:
    assert shown.one("html").attributes["lang"] == "en"
    assert shown.one("title").words.endswith("Pop-up shop")


def test_there_is_one_heading_of_the_first_level_and_none_is_skipped(shown: Element) -> None:
    assert shown.one("h1").words
    levels = [int(e.tag[1]) for e in shown.all() if re.fullmatch(r"h[1-6]", e.tag)]
    assert min(levels) == levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_landmarks_are_there_and_the_first_link_skips_to_the_content(shown: Element) -> None:
    assert shown.one("main").attributes["id"] == "main"
    assert shown.one("header", class_="masthead")
    skip = shown.one("body").all("a")[0].attributes
    assert (skip["class"], skip["href"]) == ("skip", "#main")
    names = [nav.attributes.get("aria-label") for nav in shown.all("nav")]
    assert all(names)
    assert len(set(names)) == len(names)


def test_every_field_has_a_label(shown: Element) -> None:
    labelled = {label.attributes.get("for") for label in shown.all("label")}
    inside = {id(i) for label in shown.all("label") for i in label.all("input")}
    for field in shown.all("input"):
        a = field.attributes
        if a.get("type") != "hidden":
            named = a.get("aria-label") or a.get("id") in labelled or id(field) in inside
            assert named, a


def test_every_id_is_unique_and_what_is_referred_to_exists(shown: Element) -> None:
    ids = [e.attributes["id"] for e in shown.all() if "id" in e.attributes]
    assert len(set(ids)) == len(ids)
    names = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
    referred = {i for e in shown.all() for n in names for i in e.attributes.get(n, "").split()}
    assert referred <= set(ids)


def test_every_form_that_changes_something_is_protected(shown: Element) -> None:
    for form in shown.all("form"):
        if form.attributes["method"] == "get":  # it only asks, and its address is for anyone to see
            assert form.all("input", name="csrf_token") == []
            continue
        assert form.attributes["method"] == "post"
        assert form.one("input", name="csrf_token").attributes["value"]


def test_every_picture_says_what_it_shows_or_that_it_is_decoration(shown: Element) -> None:
    assert all("alt" in image.attributes for image in shown.all("img"))
    assert all(icon.attributes["aria-hidden"] == "true" for icon in shown.all("svg"))


def test_every_link_and_button_has_words(shown: Element) -> None:
    for element in [*shown.all("a"), *shown.all("button")]:
        assert element.words or element.attributes.get("aria-label"), element


def test_buttons_of_the_same_words_can_be_told_apart_by_their_names(shown: Element) -> None:
    submits = [b for b in shown.all("button") if b.attributes.get("type") != "button"]
    names = [b.attributes.get("aria-label") or b.words for b in submits]
    assert len(set(names)) == len(names)


def test_the_test_banner_tells_that_no_real_money_moves(shown: Element) -> None:
    assert shown.one("aside", class_="banner").words == "Test payments: no real money moves"


def test_with_live_keys_there_is_no_test_banner(make_shop: Callable[..., Shop]) -> None:
    from storefront.app import assemble

    visitor = Browser(assemble(make_shop(STRIPE_SECRET_KEY="sk_live_x")))
    assert visitor.page("/").all("aside", class_="banner") == []


def each_template() -> Iterator[str]:
    from storefront.settings import ROOT

    for path in sorted((ROOT / "templates").rglob("*.html")):
        if "mail" not in path.parts:
            yield path.read_text()


def test_no_template_switches_escaping_off_for_what_it_is_given() -> None:
    for text in each_template():
        for piped in re.findall(r"\{\{[^}]*\|\s*safe[^}]*\}\}", text):
            assert re.search(
                r"""['"][^'"]*['"]\s*\|\s*safe""", piped.replace('aria-current="page"', "")
            ), piped
        assert "autoescape" not in text
