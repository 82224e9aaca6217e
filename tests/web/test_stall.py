"""The screen at the stall, and the counter's sales behind the login."""

import csv
import io
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from storefront.app import assemble
from storefront.domain.orders import Order, State
from storefront.services import links, orders, restocking, waitlist
from storefront.services.shop import Shop
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser, Element, path_of, read

PATH = "/admin/stall"


def screen(shop: Shop) -> str:
    return links.stall(shop.settings).removeprefix(shop.settings.public_url)


def left(shop: Shop, sku: str) -> tuple[int, int, int]:
    """Available, held and sold."""
    level = next(one for one in restocking.levels(shop) if one.sku == sku)
    return (level.available, level.held, level.sold)


def sell(operator: Browser, page: Element | None = None, **units: str) -> TestResponse:
    """Send the counter's form; ``money`` is how the money came."""
    how = units.pop("money", "cash")
    fields = {f"units-{sku.replace('_', '-')}": number for sku, number in units.items()}
    return operator.submit(page or operator.page(PATH), "sell", money=how, **fields)


def alert(answer: TestResponse) -> str:
    return read(answer.text).one("div", class_="alert").words


def only(shop: Shop) -> Order:
    (order,) = orders.listing(shop)
    return order


def test_the_screen_shows_numbers_and_the_way_to_the_shop_to_who_has_its_key(
    shop: Shop, visitor: Browser
) -> None:
    answer = visitor.get(screen(shop))
    assert (answer.headers["X-Robots-Tag"], answer.headers["Referrer-Policy"]) == (
        "noindex",
        "same-origin",
    )
    page = read(answer.text)
    numbers = {e.attributes["data-stock"]: e.words for e in page.all("strong")}
    assert numbers == {
        "poster-red": "40",
        "poster-ink": "0",
        "record": "3",
        "zine": "0",
        "later": "5",
    }
    code = page.one("img", class_="qr").attributes["src"]
    assert visitor.get(code).mimetype == "image/svg+xml"
    assert page.one("noscript").one("meta").attributes == {"http-equiv": "refresh", "content": "10"}
    assert page.all("form") == []
    assert visitor.client.get_cookie("shop_session", "shop.example") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1] + ("a" if key[-1] != "a" else "b"),
        lambda key: key + "a",
        lambda key: key[:-1],
        lambda key: key.upper(),
        lambda key: "ключ",
        lambda key: "x" * 5000,
    ],
)
def test_any_other_key_opens_nothing(
    shop: Shop, visitor: Browser, change: Callable[[str], str]
) -> None:
    address = screen(shop)
    begin, _, key = address.rpartition("/")
    assert visitor.get(f"{begin}/{change(key)}").status_code == 404
    assert visitor.get(f"{begin}/{change(key)}/qr.svg").status_code == 404


def test_a_key_of_an_older_secret_opens_while_that_is_rolled(
    make_shop: Callable[..., Shop], shop: Shop
) -> None:
    address = screen(shop)
    rolled = make_shop(SECRET_KEY="a-newer-key", SECRET_KEY_FALLBACKS="the-tests-own-key")
    assert Browser(assemble(rolled)).get(address).status_code == 200
    assert Browser(assemble(make_shop(SECRET_KEY="a-newer-key"))).get(address).status_code == 404


def test_the_key_is_compared_in_a_time_that_tells_nothing(
    shop: Shop, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []
    right = links.hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return right(one, other)

    monkeypatch.setattr(links.hmac, "compare_digest", compare)
    assert visitor.get("/stall/guess").status_code == 404
    assert compared == [b"guess"]


def test_a_sale_says_what_it_sold_for_how_much_and_what_is_left(
    operator: Browser, shop: Shop, stripe: FakeStripe
) -> None:
    stripe.wire.calls.clear()
    done = operator.get(path_of(sell(operator, poster_red="2", record="1")))
    said = read(done.text).one("section", class_="verdict").words
    assert "Sold for $78.00 in cash" in said
    assert "2 × Opening night <poster> (Red); 38 left" in said
    assert "1 × Record; 2 left" in said
    assert (only(shop).state, left(shop, "record")) == (State.FULFILLED, (2, 0, 1))
    assert stripe.wire.calls == []


def test_a_double_click_sells_once_and_says_so(operator: Browser, shop: Shop) -> None:
    page = operator.page(PATH)
    first, second = (sell(operator, page, record="1") for _ in range(2))
    assert path_of(second) == f"{path_of(first)}&again=1"
    assert "has sold this once" in operator.get(path_of(second)).text
    assert left(shop, "record") == (2, 0, 1)


def test_what_it_costs_together_is_said_before_and_nothing_is_sold_by_asking(
    operator: Browser, shop: Shop
) -> None:
    page = operator.page(PATH)
    answer = operator.submit(page, "sell", to=f"{PATH}/sum", **{"units-record": "2"})
    shown = read(answer.text)
    assert "Together $56.00" in shown.one("main").words
    assert left(shop, "record") == (3, 0, 0)
    fields = shown.one("form", id="sell").fields
    assert (fields["units-record"], fields["key"]) == (
        "2",
        page.one("input", name="key").attributes["value"],
    )
    assert path_of(operator.submit(shown, "sell", money="reader"))
    assert only(shop).form == "reader"


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        ({"record": "4"}, 409, "record: 4 wanted, 3 left."),
        ({"later": "1"}, 409, "later is not on sale yet."),
        ({}, 422, "nothing was chosen"),
        ({"record": "0"}, 422, "nothing was chosen"),
        ({"nothing": "1"}, 422, "nothing is not on the shelf."),
        ({"record": "-1"}, 422, "record must be a whole number"),
        ({"record": "1", "money": "cheque"}, 422, "Say how the money came"),
    ],
)
def test_what_cannot_be_sold_is_said_and_nothing_is(
    operator: Browser, shop: Shop, sent: dict[str, str], status: int, words: str
) -> None:
    answer = sell(operator, **sent)
    assert (answer.status_code, words in alert(answer)) == (status, True)
    assert list(orders.listing(shop)) == []
    assert left(shop, "record") == (3, 0, 0)


def test_who_waits_in_line_is_not_passed_by(operator: Browser, shop: Shop) -> None:
    waitlist.join(shop, sku="zine", email="ada@example.org")
    waitlist.confirm(shop, shop.store.waitlist.all()[0])
    assert "others wait in line for it" in alert(sell(operator, zine="1"))


def test_only_who_has_signed_in_sells_and_only_from_a_form_of_ours(
    app: Flask, shop: Shop, operator: Browser
) -> None:
    stranger = Browser(app)
    assert stranger.send(PATH, money="cash", **{"units-record": "1"}).status_code == 403
    assert operator.post(PATH, {"money": "cash", "units-record": "1"}).status_code == 400
    assert list(orders.listing(shop)) == []


def test_a_sale_is_given_back_in_cash_and_that_is_said_and_noted(
    operator: Browser, shop: Shop, stripe: FakeStripe
) -> None:
    stripe.wire.calls.clear()
    operator.get(path_of(sell(operator, record="2")))
    order = only(shop)
    page = operator.page(f"/admin/orders/{order.id}")
    assert "Paid in cash at the counter" in page.one("ol", class_="story").words
    form = page.one("form", id="refund")
    wish = {**form.fields, "to": "available", "reason": "torn", "units-record": "1"}
    look = operator.post(form.attributes["action"], wish)
    shown = read(look.text)
    assert "You give $28.00 back in cash: Stripe knows nothing" in shown.one("main").words
    assert "mail" not in shown.one("main").words
    back = path_of(operator.submit(shown, "confirm"))
    page = operator.page(back)
    assert "Give $28.00 back in cash now: it is noted." in page.one("main").words
    assert "Given back in cash: torn" in page.one("ol", class_="story").words
    assert left(shop, "record") == (2, 0, 1)
    assert stripe.wire.calls == []


def test_the_counters_money_stands_apart_on_the_page_and_in_the_csv(
    operator: Browser, shop: Shop
) -> None:
    sell(operator, record="1")
    sell(operator, poster_red="1", money="reader")
    counter = operator.page("/admin/money").one("section", aria_labelledby="counter").words
    assert "In cash $28.00 $0.00 $28.00 On the card reader $25.00" in counter
    rows = list(csv.DictReader(io.StringIO(operator.get("/admin/money.csv").text)))
    told = [
        (r["kind"], r["stripe_minor"], r["shop_minor"], r["differs"], r["through"]) for r in rows
    ]
    assert sorted(told) == [("sold", "", "2500", "", "reader"), ("sold", "", "2800", "", "cash")]


def test_the_operators_page_leads_to_the_screen(operator: Browser, shop: Shop) -> None:
    page = operator.page(PATH)
    assert links.stall(shop.settings) in [a.attributes.get("href") for a in page.all("a")]
    assert operator.get(f"{PATH}/qr.svg").mimetype == "image/svg+xml"
