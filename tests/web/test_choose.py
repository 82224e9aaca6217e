"""Before our own payment page: pick it up or have it sent, without scripts, checked by the shop."""

from collections.abc import Callable

import pytest

from storefront.domain.orders import Order
from storefront.services import orders
from storefront.services.shop import Shop
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser, read

ADA = {
    "way": "delivery",
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "postal_code": "SW1Y 4JH",
    "city": "London",
    "country": "GB",
}


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    """A shop with a payment page of its own that sends to two countries."""
    return make_shop(
        CHECKOUT_UI="elements",
        STRIPE_PUBLISHABLE_KEY="pk_test_x",
        DELIVERY="both",
        DELIVERY_COUNTRIES="GB,IE",
        DELIVERY_RATE="4.90",
    )


@pytest.fixture
def order(shop: Shop, visitor: Browser) -> Order:
    """The visitor's order of two records, held."""
    answer = visitor.send("/checkout", sku="record", quantity="2")
    (found,) = orders.listing(shop)
    assert (answer.status_code, answer.location) == (303, f"http://shop.example{path_of(shop)}")
    return found


def path_of(shop: Shop) -> str:
    (found,) = orders.listing(shop)
    return f"/pay/{orders.token(shop, found.id)}"


@pytest.fixture
def path(shop: Shop, order: Order) -> str:
    return path_of(shop)


def test_the_form_says_what_each_way_costs_and_browsers_can_fill_it_in(
    visitor: Browser, path: str
) -> None:
    form = visitor.page(path).one("form", id="choose")
    assert "Pick it upFree" in form.words.replace(" Free", "Free")
    assert "$4.90" in form.words
    filled = {
        field.attributes["name"]: field.attributes.get("autocomplete", "")
        for field in (*form.all("input"), *form.all("select"))
    }
    assert filled["postal_code"] == "shipping postal-code"
    assert filled["country"] == "shipping country"
    assert "United Kingdom" in form.words


def test_a_choice_leads_on_to_the_payment_of_what_it_comes_to(
    visitor: Browser, path: str, stripe: FakeStripe
) -> None:
    answer = visitor.send(path, **ADA)
    assert (answer.status_code, answer.location) == (303, f"http://shop.example{path}")
    page = visitor.page(path)
    assert page.one("h1").words == "Pay $60.90"
    assert "Delivery, $4.90" in page.one("main").words
    assert "Sent to Ada Lovelace, 12 St James's Square, SW1Y 4JH London, United Kingdom" in (
        page.one("main").words
    )
    assert [intent["amount"] for intent in stripe.intents.values()] == [6090]


def test_a_pick_up_needs_no_address(visitor: Browser, path: str, stripe: FakeStripe) -> None:
    assert visitor.send(path, way="pickup").status_code == 303
    assert visitor.page(path).one("h1").words == "Pay $56.00"
    assert [intent["shipping"] for intent in stripe.intents.values()] == [None]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Say whom it is for."),
        ({"line1": ""}, "Say the street and the number."),
        ({"city": ""}, "Say the town."),
        ({"postal_code": ""}, "Say the postal code."),
        ({"country": "FR"}, "We do not send to this country"),
        ({"country": ""}, "We do not send to this country"),
        ({"name": "A" * 101}, "Write it with 100 characters at most."),
        ({"city": "Lon\ndon"}, "Write it without line breaks"),
    ],
)
def test_what_is_missing_or_wrong_is_said_beside_its_field_and_all_else_stays(
    visitor: Browser, path: str, changes: dict[str, str], said: str, stripe: FakeStripe
) -> None:
    answer = visitor.send(path, **{**ADA, **changes})
    assert answer.status_code == 422
    page = read(answer.text)
    assert said in page.one("form", id="choose").words
    (field,) = changes
    if field != "line1":
        assert page.one("input", id="line1").attributes["value"] == ADA["line1"]
    assert stripe.intents == {}


def test_a_country_without_postal_codes_needs_none(visitor: Browser, path: str) -> None:
    assert visitor.send(path, **{**ADA, "postal_code": "", "country": "IE"}).status_code == 303


@pytest.mark.parametrize("way", ["", "drone", "DELIVERY"])
def test_a_way_that_nobody_offers_is_refused(
    visitor: Browser, path: str, way: str, stripe: FakeStripe
) -> None:
    assert visitor.send(path, **{**ADA, "way": way}).status_code == 422
    assert stripe.intents == {}


def test_the_order_s_page_leads_back_to_the_choice(visitor: Browser, path: str) -> None:
    page = visitor.page(path.replace("/pay/", "/orders/"))
    assert "Say how they are to reach you" in page.one("main").words
    resume = next(a for a in page.all("a") if a.words == "Resume payment")
    assert resume.attributes["href"] == f"http://shop.example{path}"


def test_once_it_is_paid_the_order_s_page_shows_each_part_and_where_it_goes(
    visitor: Browser, path: str, stripe: FakeStripe, shop: Shop
) -> None:
    visitor.send(path, **ADA)
    (order,) = orders.listing(shop)
    stripe.pay(order.session)
    words = visitor.page(path.replace("/pay/", "/orders/")).one("main").words
    assert "Delivery $4.90" in words
    assert "Total $60.90" in words
    assert "Sent to Ada Lovelace, 12 St James's Square" in words


def test_without_the_csrf_token_nothing_is_chosen(
    visitor: Browser, path: str, stripe: FakeStripe
) -> None:
    assert visitor.post(path, ADA).status_code == 400
    assert stripe.intents == {}


def test_the_operator_sees_the_parts_and_where_to_send_it(
    visitor: Browser, operator: Browser, path: str, stripe: FakeStripe, shop: Shop
) -> None:
    visitor.send(path, **ADA)
    (order,) = orders.listing(shop)
    stripe.pay(order.session)
    visitor.page(path.replace("/pay/", "/orders/"))
    words = operator.page(f"/admin/orders/{order.id}").one("main").words
    assert "Amount $60.90" in words
    assert "Of which goods $56.00" in words
    assert "Delivery $4.90" in words
    assert "Send it to Ada Lovelace, 12 St James's Square, SW1Y 4JH London" in words
