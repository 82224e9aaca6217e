"""An order's page tells the truth, and nobody but its visitor gets at it."""

from collections.abc import Callable

import pytest
from flask import Flask

from storefront.app import assemble
from storefront.domain.orders import Order
from storefront.services import orders
from storefront.services.shop import Shop
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser, path_of


@pytest.fixture
def order(shop: Shop, visitor: Browser) -> Order:
    """The visitor's order of two records, open."""
    visitor.send("/checkout", sku="record", quantity="2")
    (found,) = orders.listing(shop)
    return found


@pytest.fixture
def link(shop: Shop, order: Order) -> str:
    return f"/orders/{orders.token(shop, order.id)}"


def test_an_open_order_shows_what_until_when_and_the_way_to_pay(
    visitor: Browser, order: Order, link: str
) -> None:
    shown = visitor.page(link)
    assert shown.one("h1").words == "Held for you"
    resume = shown.one("a", class_="primary")
    assert (resume.words, resume.attributes["href"]) == ("Resume payment", order.url)
    assert shown.one("button", class_="danger").words == "Give the units back"
    assert "Held until" in shown.one("section").words
    assert shown.one("tfoot").words == "Total $56.00"
    assert order.id in shown.one("dl").words


def test_the_countdown_waits_for_the_script_that_keeps_it_true(visitor: Browser, link: str) -> None:
    assert "hidden" in visitor.page(link).one("p", class_="countdown").attributes


def test_an_undecided_order_is_looked_at_again_with_and_without_script(
    visitor: Browser, link: str
) -> None:
    shown = visitor.page(link)
    assert shown.one("noscript").one("meta").attributes["http-equiv"] == "refresh"
    watched = shown.one("section", class_="status").attributes
    assert (watched["data-watch"], watched["data-state"]) == (f"{link}.json", "open")


def test_a_paid_order_says_so_and_rests(
    visitor: Browser, order: Order, link: str, pay: Callable[..., None]
) -> None:
    pay(order)
    shown = visitor.page(link)
    assert shown.one("h1").words == "Paid. It is yours"
    assert shown.all("noscript") == []
    assert shown.all("form", action=f"{link}/cancel") == []
    assert "data-watch" not in shown.one("section", class_="status").attributes


def test_while_a_bank_sends_the_money_no_clock_runs(
    make_shop: Callable[..., Shop], stripe: FakeStripe
) -> None:
    shop = make_shop(DELAYED_METHODS="on")
    visitor = Browser(assemble(shop))
    visitor.send("/checkout", sku="record", quantity="2")
    (order,) = orders.listing(shop)
    link = f"/orders/{orders.token(shop, order.id)}"
    assert len(visitor.page(link).all("p", class_="countdown")) == 1
    assert stripe.pay_later(order.session)
    shown = visitor.page(link)
    assert shown.one("h1").words == "Your payment is on its way"
    assert shown.all("p", class_="countdown") == []
    assert "Held until" not in shown.one("section").words


def test_a_query_string_decides_nothing(visitor: Browser, link: str) -> None:
    for query in ("?success=1", "?paid=true&state=paid", "?cancelled=1"):
        assert visitor.page(link + query).one("h1").words == "Held for you"


def test_giving_back_returns_the_units_and_says_that_nothing_was_charged(
    visitor: Browser, link: str
) -> None:
    assert path_of(visitor.submit(visitor.page(link), f"{link}/cancel")) == link
    shown = visitor.page(link)
    assert shown.one("h1").words == "Given back"
    assert "You were not charged." in shown.words
    assert visitor.get("/stock.json").json["record"] == {"available": 3, "held": 0}


def test_giving_back_twice_is_giving_back_once(visitor: Browser, link: str) -> None:
    form = visitor.page(link)
    visitor.submit(form, f"{link}/cancel")
    assert path_of(visitor.submit(form, f"{link}/cancel")) == link
    assert visitor.get("/stock.json").json["record"] == {"available": 3, "held": 0}


def test_a_paid_order_is_not_given_back(
    visitor: Browser, order: Order, link: str, pay: Callable[..., None]
) -> None:
    form = visitor.page(link)
    pay(order)
    response = visitor.submit(form, f"{link}/cancel")
    assert response.status_code == 409
    assert "already paid" in response.text
    assert f'href="{link}"' in response.text


def test_without_stripes_word_nothing_is_given_back(
    visitor: Browser, link: str, silence: Callable[[], None]
) -> None:
    form = visitor.page(link)
    silence()
    response = visitor.submit(form, f"{link}/cancel")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "Your units are still held" in response.text
    assert "Nothing was charged" in response.text
    assert visitor.get("/stock.json").json["record"] == {"available": 1, "held": 2}


def test_when_stripe_cannot_be_asked_the_page_says_so(
    visitor: Browser, link: str, silence: Callable[[], None]
) -> None:
    silence()
    shown = visitor.page(link)
    assert "We are checking with Stripe" in shown.one("p", class_="notice").words
    assert shown.one("h1").words == "Held for you"


def test_the_page_in_json(
    visitor: Browser, order: Order, link: str, pay: Callable[..., None]
) -> None:
    found = visitor.get(f"{link}.json").json
    assert found == {
        "state": "open",
        "reason": None,
        "held_until": orders.iso(order.deadline),
        "amount": 5600,
        "currency": "usd",
        "refunds": [],
    }
    pay(order)
    found = visitor.get(f"{link}.json").json
    assert (found["state"], found["held_until"]) == ("paid", None)


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_an_orders_page_is_never_kept_listed_or_passed_on(
    visitor: Browser, link: str, suffix: str
) -> None:
    headers = visitor.get(link + suffix).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Robots-Tag"] == "noindex"


def test_whoever_has_the_link_sees_the_order(app: Flask, link: str) -> None:
    assert Browser(app, address="203.0.113.5").page(link).one("h1").words == "Held for you"


@pytest.mark.parametrize("token", ["x", "a" * 37, "%00", "..", "a-b", "é" * 30])
def test_a_guessed_link_is_not_found(visitor: Browser, order: Order, token: str) -> None:
    for path in (f"/orders/{token}", f"/orders/{token}.json"):
        assert visitor.get(path).status_code == 404
    assert visitor.send(f"/orders/{token}/cancel").status_code == 404


def test_a_link_with_another_orders_signature_is_not_found(
    shop: Shop, visitor: Browser, order: Order
) -> None:
    token = orders.token(shop, order.id)
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    assert visitor.get(f"/orders/{wrong}").status_code == 404


def test_errors_of_json_routes_are_json(visitor: Browser) -> None:
    response = visitor.get("/orders/x.json")
    assert (response.status_code, response.mimetype) == (404, "application/json")
    assert response.json.keys() == {"error", "detail"}
    assert response.json["error"] == "There is no such order"


def test_a_page_opened_after_paying_asks_stripe_when_no_webhook_came(
    shop: Shop, visitor: Browser, order: Order, link: str, stripe: FakeStripe
) -> None:
    stripe.pay(order.session)
    assert visitor.page(link).one("h1").words == "Paid. It is yours"


def test_stripe_unreachable_at_checkout_is_503_and_nothing_charged(
    visitor: Browser, silence: Callable[[], None]
) -> None:
    silence()
    response = visitor.send("/checkout", sku="record", quantity="1")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "Nothing was charged" in response.text


def short_holds(make_shop: Callable[..., Shop]) -> tuple[Shop, Browser, str]:
    """A visitor's open order in a shop whose holds can be extended; its link."""
    shop = make_shop(HOLD_SECONDS="900")
    visitor = Browser(assemble(shop))
    assert visitor.send("/checkout", sku="record", quantity="2").status_code == 303
    (order,) = orders.listing(shop)
    return shop, visitor, f"/orders/{orders.token(shop, order.id)}"


def test_a_hold_is_extended_with_one_click_and_once(make_shop: Callable[..., Shop]) -> None:
    shop, visitor, link = short_holds(make_shop)
    (before,) = orders.listing(shop)
    page = visitor.page(link)
    assert page.one("section").all("p", class_="hint") == []
    assert path_of(visitor.submit(page, f"{link}/extend")) == link
    (after,) = orders.listing(shop)
    assert after.deadline == before.deadline + 600_000
    extended = visitor.page(link)
    assert extended.all("form", action=f"{link}/extend") == []
    assert "You have had more time for this once already." in extended.one("section").words
    assert path_of(visitor.submit(page, f"{link}/extend")) == link
    assert next(orders.listing(shop)).deadline == after.deadline
    bar = visitor.page("/").one("div", role="group")
    assert bar.one("span", class_="countdown").attributes["data-until"] == str(after.deadline)


def test_a_hold_that_cannot_be_extended_is_offered_nothing_and_told_why(
    visitor: Browser, link: str
) -> None:
    shown = visitor.page(link)
    assert shown.all("form", action=f"{link}/extend") == []
    assert "Stripe's payment page closes when it ends" in shown.one("section").words
    answer = visitor.send(f"{link}/extend")
    assert answer.status_code == 409
    assert "This hold cannot be extended" in answer.text
    assert "Nothing was charged" in answer.text


def test_a_hold_is_given_back_from_any_page_with_one_click(make_shop: Callable[..., Shop]) -> None:
    shop, visitor, link = short_holds(make_shop)
    assert path_of(visitor.submit(visitor.page("/products/poster"), f"{link}/cancel")) == link
    assert next(orders.listing(shop)).state == "released"
    assert visitor.page("/").all("div", role="group") == []


def test_the_time_left_is_for_the_eye_and_told_to_the_ear_twice(
    visitor: Browser, link: str
) -> None:
    shown = visitor.page(link)
    assert shown.one("p", class_="countdown").attributes["aria-hidden"] == "true"
    said = shown.one("p", id="time-left")
    assert said.attributes["role"] == "status"
    assert (said.words, "five" in said.attributes["data-five"]) == ("", True)
