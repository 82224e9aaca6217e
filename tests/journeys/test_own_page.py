"""Paying on our own page, in a real browser: one PaymentIntent, whatever the shopper does."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

from tests.journeys.conftest import Town, open_town

ORDER = re.compile(r"/orders/[a-z2-7-]+(\?.*)?$")
PAY = re.compile(r"/pay/[a-z2-7-]+$")
OWN_PAGE = {"CHECKOUT_UI": "elements", "STRIPE_PUBLISHABLE_KEY": "pk_test_journeys"}
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def town(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A shop with a payment page of its own and two posters."""
    settings = OWN_PAGE | getattr(request, "param", {})
    with open_town(tmp_path, **settings) as town:
        town.stock(2)
        yield town


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """On a phone, with everything that the page's policy refused noted."""
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda told: refused.append(told.text) if told.type == "error" else None)
    yield page
    context.close()
    assert [text for text in refused if "Content Security Policy" in text] == []


def intents(town: Town) -> list[dict[str, Any]]:
    """Every PaymentIntent that there is."""
    return town.at_stripe("payment_intents")


def arrive(page: Page, town: Town) -> FrameLocator:
    """From the product to Stripe's fields on our page."""
    page.goto(f"{town.shop.url}/products/poster")
    page.get_by_role("button", name="Buy now").click()
    expect(page).to_have_url(PAY)
    return fields(page)


def fields(page: Page) -> FrameLocator:
    form = page.frame_locator("#payment-fields iframe")
    expect(form.get_by_label("Pay (card 4242)")).to_be_visible(timeout=15_000)
    return form


def click_until(page: Page, there: Callable[[], bool]) -> None:
    """Try again in a moment, as the pages that say so ask for."""
    for _ in range(4):
        page.get_by_role("button", name="Buy now").click()
        page.wait_for_url(lambda url: "/products/" not in url)
        if there():
            return
        page.go_back()
    raise AssertionError(page.url)


def send(page: Page, form: FrameLocator, how: str) -> None:
    page.get_by_label("Mail address").fill("ada@example.com")
    form.get_by_label(how, exact=True).check()
    page.get_by_role("button", name="Pay $25.00").click()


def paid_once(town: Town) -> bool:
    """Whether no order ever had two PaymentIntents, and one payment was taken."""
    found = intents(town)
    orders = {intent["metadata"]["order"] for intent in found}
    received = [intent["amount_received"] for intent in found if intent["status"] == "succeeded"]
    return len(orders) == len(found) and received == [2500] and town.audit()


def state(page: Page, title: str) -> None:
    expect(page).to_have_url(ORDER, timeout=15_000)
    expect(page.locator("#state")).to_have_text(title, timeout=15_000)


@pytest.mark.parametrize("town", [{}, {"CAPTURE_METHOD": "manual"}], indirect=True)
def test_one_is_declined_tries_again_and_has_bought(town: Town, page: Page) -> None:
    form = arrive(page, town)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    send(page, form, "Be declined (card 0002)")
    expect(page.get_by_role("alert")).to_contain_text("declined")
    assert town.level()["held"] == 1, "a declined card keeps the hold"
    send(page, form, "Pay (card 4242)")
    state(page, "Paid. It is yours")
    level = town.level()
    assert (level["available"], level["held"], level["sold"]) == (1, 0, 1)
    [order] = town.orders()
    [intent] = intents(town)
    assert (order["payment_intent"], order["email"]) == (intent["id"], "ada@example.com")
    assert (order["checkout_session"], order["checkout_sessions"]) == (None, [])
    assert intent["status"] == "succeeded"
    assert town.audit()


def test_the_bank_asks_and_is_refused_then_answered(town: Town, page: Page) -> None:
    form = arrive(page, town)
    send(page, form, "3-D Secure (card 3220)")
    page.get_by_role("button", name="Refuse").click()
    state(page, "Held for you")
    page.get_by_role("link", name="Resume payment").click()
    send(page, fields(page), "3-D Secure (card 3220)")
    page.get_by_role("button", name="Confirm").click()
    state(page, "Paid. It is yours")
    assert len(intents(town)) == 1
    assert town.audit()


def test_reloads_back_a_second_tab_and_double_clicks_lead_to_one_payment(
    town: Town, page: Page
) -> None:
    arrive(page, town)
    address = page.url
    page.reload()
    fields(page)
    page.go_back()
    page.get_by_role("button", name="Buy now").dblclick()
    expect(page).to_have_url(address)
    tab = page.context.new_page()
    tab.goto(address)
    first, second = fields(page), fields(tab)
    send(tab, second, "Pay (card 4242)")
    state(tab, "Paid. It is yours")
    send(page, first, "Pay (card 4242)")
    state(page, "Paid. It is yours")
    assert paid_once(town)
    assert len(intents(town)) == town.level()["sold"] == 1


def test_a_double_click_on_the_payment_pays_once(town: Town, page: Page) -> None:
    form = arrive(page, town)
    page.get_by_label("Mail address").fill("ada@example.com")
    form.get_by_label("Pay (card 4242)", exact=True).check()
    page.get_by_role("button", name="Pay $25.00").dblclick()
    state(page, "Paid. It is yours")
    assert paid_once(town)


@pytest.mark.parametrize("taken", [False, True], ids=["never arrives", "answer lost"])
def test_a_payment_that_the_network_swallows_is_sent_again_and_taken_once(
    town: Town, page: Page, taken: bool
) -> None:
    form = arrive(page, town)

    def swallow(route: Route) -> None:
        if taken:
            route.fetch()
        route.abort()

    page.context.route("**/confirm", swallow, times=1)
    send(page, form, "Pay (card 4242)")
    expect(page.get_by_role("alert")).to_contain_text("try again")
    send(page, form, "Pay (card 4242)")
    state(page, "Paid. It is yours")
    assert paid_once(town)


def test_a_checkout_whose_answer_from_stripe_is_lost_is_repeated_and_makes_no_second_payment(
    town: Town, page: Page
) -> None:
    town.plan("POST /v1/payment_intents", "reset_after", 2)
    page.goto(f"{town.shop.url}/products/poster")
    told = page.locator("h1", has_text="The payment page cannot be opened")
    click_until(page, lambda: told.count() == 1)
    page.go_back()
    click_until(page, lambda: bool(PAY.search(page.url)))
    send(page, fields(page), "Pay (card 4242)")
    state(page, "Paid. It is yours")
    assert paid_once(town)


def test_units_given_back_can_not_be_paid_any_more(town: Town, page: Page) -> None:
    form = arrive(page, town)
    other = page.context.new_page()
    other.goto(page.url.replace("/pay/", "/orders/"))
    other.get_by_role("button", name="Give the units back").click()
    state(other, "Given back")
    send(page, form, "Pay (card 4242)")
    state(page, "Given back")
    assert town.level()["available"] == 2
    assert [intent["status"] for intent in intents(town)] == ["canceled"]


def test_without_scripts_the_page_says_what_it_needs(town: Town, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{town.shop.url}/products/poster")
    page.get_by_role("button", name="Buy now").click()
    expect(page).to_have_url(PAY)
    expect(page.locator("main")).to_contain_text("Paying here needs scripts")
    page.get_by_role("link", name="Your order").click()
    page.get_by_role("button", name="Give the units back").click()
    state(page, "Given back")
    context.close()


@pytest.mark.parametrize("town", [{"HOLD_SECONDS": "4"}], indirect=True)
def test_when_the_hold_is_over_the_page_leads_to_the_order(town: Town, page: Page) -> None:
    page.goto(f"{town.shop.url}/products/poster")
    page.get_by_role("button", name="Buy now").click()
    expect(page).to_have_url(ORDER, timeout=20_000)
    expect(page.locator("#state")).to_have_text("The time ran out", timeout=30_000)
    assert [intent["status"] for intent in intents(town)] == ["canceled"]
