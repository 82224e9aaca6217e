"""Our own payment page: one PaymentIntent, Stripe's script and no other, and a word without scripts."""

from collections.abc import Callable

import pytest
from flask import Flask

from storefront.domain.orders import Order
from storefront.services import orders
from storefront.services.shop import Shop
from storefront.settings import Settings
from storefront.web import security
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    """A shop with a payment page of its own."""
    return make_shop(CHECKOUT_UI="elements", STRIPE_PUBLISHABLE_KEY="pk_test_x")


@pytest.fixture
def order(shop: Shop, visitor: Browser) -> Order:
    """The visitor's order of two records, open."""
    answer = visitor.send("/checkout", sku="record", quantity="2")
    (found,) = orders.listing(shop)
    assert (answer.status_code, answer.location) == (303, found.url)
    return found


@pytest.fixture
def path(shop: Shop, order: Order) -> str:
    return f"/pay/{orders.token(shop, order.id)}"


def test_the_form_carries_what_the_browser_pays_with(
    visitor: Browser, path: str, order: Order, stripe: FakeStripe, shop: Shop
) -> None:
    page = visitor.page(path)
    form = page.one("form", id="payment").attributes
    intent = stripe.intents[order.session]
    assert form["data-payment-intent"] == intent["id"]
    assert form["data-client-secret"] == intent["client_secret"]
    assert form["data-key"] == "pk_test_x"
    assert form["data-back"] == orders.link(shop, order.id)
    assert page.one("h1").words == "Pay $56.00"
    assert page.one("form", id="payment").one("label").words.startswith("Mail address")


def test_without_scripts_the_page_says_what_paying_needs_and_the_form_takes_no_money(
    visitor: Browser, path: str
) -> None:
    assert "needs scripts" in visitor.page(path).one("p", id="without-scripts").words
    answer = visitor.post(path, visitor.page(path).one("form", id="payment").fields)
    assert (answer.status_code, answer.location) == (303, path)


def test_only_stripe_s_script_may_run_beside_ours(visitor: Browser, path: str) -> None:
    policy = dict(
        part.split(" ", 1)
        for part in visitor.get(path).headers["Content-Security-Policy"].split("; ")
    )
    assert policy["script-src"] == "'self' https://*.js.stripe.com https://js.stripe.com"
    assert policy["frame-src"] == (
        "https://*.js.stripe.com https://js.stripe.com https://hooks.stripe.com"
    )
    assert policy["connect-src"] == "'self' https://api.stripe.com"
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in str(policy)


def test_another_address_of_stripe_s_script_is_the_only_one_allowed(
    make_settings: Callable[..., Settings],
) -> None:
    policy = security.payment_policy(make_settings(STRIPE_JS_URL="http://127.0.0.1:9/v3/stripe.js"))
    assert "script-src 'self' http://127.0.0.1:9;" in policy
    assert "stripe.com" not in policy


def test_other_pages_load_no_third_party(visitor: Browser, path: str) -> None:
    for other in ("/", "/products/record", "/bag", path.replace("/pay/", "/orders/")):
        answer = visitor.get(other)
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert "stripe.com/v3" not in answer.text


def test_it_is_kept_by_no_cache_and_told_to_no_other_site(visitor: Browser, path: str) -> None:
    headers = visitor.get(path).headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "same-origin")


def test_what_is_paid_or_over_leads_to_the_order_s_page(
    visitor: Browser, path: str, order: Order, stripe: FakeStripe
) -> None:
    stripe.pay(order.session)
    answer = visitor.get(path)
    assert (answer.status_code, answer.location) == (303, path.replace("/pay/", "/orders/"))
    assert visitor.page(answer.location).one("h1").words == "Paid. It is yours"


def test_a_silent_stripe_is_no_error_of_the_shopper_s(
    visitor: Browser, path: str, stripe: FakeStripe
) -> None:
    stripe.down()
    answer = visitor.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_a_wrong_link_is_nowhere(visitor: Browser, path: str) -> None:
    assert visitor.get(path[:-1] + ("a" if path[-1] != "a" else "b")).status_code == 404


def test_an_order_of_stripe_s_own_page_has_none_here(
    app: Flask, shop: Shop, visitor: Browser, order: Order, path: str
) -> None:
    shop.store._client.hset(shop.store.keys.order(order.id), "form", "hosted")
    assert visitor.get(path).status_code == 303
