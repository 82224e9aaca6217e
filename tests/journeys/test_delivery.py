"""Having something sent, in a real browser: on Stripe's page with a code, and on the shop's own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Shopper, Town, open_town

ORDER = re.compile(r"/orders/[a-z2-7-]+(\?.*)?$")
SENDS = {"DELIVERY": "both", "DELIVERY_COUNTRIES": "GB,DE", "DELIVERY_RATE": "4.90"}
HOSTED = {**SENDS, "AUTOMATIC_TAX": "on", "PROMOTION_CODES": "on"}
OWN = {**SENDS, "CHECKOUT_UI": "elements", "STRIPE_PUBLISHABLE_KEY": "pk_test_journeys"}
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def town(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A shop that sends, with two posters."""
    with open_town(tmp_path, **request.param) as town:
        town.stock(2)
        yield town


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """On a phone."""
    context = browser.new_context(viewport=PHONE)
    yield context.new_page()
    context.close()


def fill_in_the_address(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    page.get_by_label("Street and number").fill("12 St James's Square")
    page.get_by_label("Postal code").fill("SW1Y 4JH")
    page.get_by_label("Town", exact=True).fill("London")


def bought(page: Page, town: Town, total: str) -> None:
    expect(page).to_have_url(ORDER, timeout=15_000)
    expect(page.locator("#state")).to_have_text("Paid. It is yours", timeout=15_000)
    main = page.locator("main")
    expect(main).to_contain_text("Ada Lovelace, 12 St James's Square, SW1Y 4JH London")
    expect(main).to_contain_text(total)
    assert town.audit()


@pytest.mark.parametrize("town", [HOSTED], indirect=True)
def test_on_stripe_s_page_with_a_promotion_code_and_tax(town: Town, page: Page) -> None:
    shopper = Shopper(page, town)
    shopper.buy()
    page.get_by_label("Delivery, 4.90").check()
    page.get_by_label("Promotion code").fill("TEN")
    fill_in_the_address(page)
    page.get_by_label("Country").select_option("GB")
    page.get_by_role("button", name="Work out the total").click()
    # 25.00 less 2.50, 4.90 for the post, and a tenth of both.
    expect(page.locator("#total")).to_have_text("30.14 USD")
    shopper.pay()
    bought(page, town, "$30.14")
    [order] = town.orders()
    assert {name: order[name] for name in ("goods", "shipping", "tax", "discount", "amount")} == {
        "goods": 2500,
        "shipping": 490,
        "tax": 274,
        "discount": 250,
        "amount": 3014,
    }
    assert order["delivery"]["postal_code"] == "SW1Y 4JH"


@pytest.mark.parametrize("town", [HOSTED], indirect=True)
def test_a_code_for_all_of_it_buys_without_a_payment(town: Town, page: Page) -> None:
    shopper = Shopper(page, town)
    shopper.buy()
    page.get_by_label("Promotion code").fill("FREE")
    shopper.pay()
    expect(page.locator("#state")).to_have_text("Paid. It is yours", timeout=15_000)
    [order] = town.orders()
    assert (order["amount"], order["payment_intent"], order["state"]) == (0, None, "paid")
    assert town.level()["sold"] == 1
    assert town.audit()


@pytest.mark.parametrize("town", [OWN], indirect=True)
def test_on_our_own_page_the_choice_comes_before_the_card_and_is_made_once(
    town: Town, page: Page
) -> None:
    """Whatever another tab, a double click or the way back says then, there is one PaymentIntent."""
    page.goto(f"{town.shop.url}/products/poster")
    expect(page.locator("main")).to_contain_text("Delivery to United Kingdom, Germany: $4.90")
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_role("heading", name="How you get it")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_label("Pick it up").check()
    expect(page.get_by_role("group", name="Where to send it")).to_be_hidden()
    page.get_by_label("Have it sent").check()
    expect(page.get_by_role("group", name="Where to send it")).to_be_visible()
    page.get_by_role("button", name="Go on to pay").click()
    expect(page.get_by_role("alert")).to_contain_text("missing or wrong")
    fill_in_the_address(page)
    page.get_by_label("Country").select_option("GB")
    tab, asks = page.context.new_page(), page.url
    tab.goto(asks)
    page.get_by_role("button", name="Go on to pay").dblclick()
    expect(page.get_by_role("heading", name="Pay $29.90")).to_be_visible()
    tab.get_by_label("Pick it up").check()
    tab.get_by_role("button", name="Go on to pay").click()
    expect(tab.get_by_role("heading", name="Pay $29.90")).to_be_visible()
    tab.goto(f"{town.shop.url}/")
    tab.go_back()
    expect(tab.get_by_role("heading", name="Pay $29.90")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Pay $29.90")).to_be_visible()
    form = page.frame_locator("#payment-fields iframe")
    page.get_by_label("Mail address").fill("ada@example.com")
    form.get_by_label("Pay (card 4242)").check()
    page.get_by_role("button", name="Pay $29.90").click()
    bought(page, town, "$29.90")
    [intent] = town.at_stripe("payment_intents")
    assert (intent["amount"], intent["amount_received"]) == (2990, 2990)
