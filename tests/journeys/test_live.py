"""Two people at once, each with a browser: what one does, the other sees without loading anew."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Shopper, Town


@pytest.fixture
def page(browser: Browser, town: Town) -> Iterator[Page]:
    """One person's browser."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def other(browser: Browser, town: Town) -> Iterator[Page]:
    """Somebody else's."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_the_last_unit_is_held_and_given_back_before_the_others_eyes(
    town: Town, page: Page, other: Page
) -> None:
    town.stock(1)
    other.goto(f"{town.shop.url}/products/poster")
    other.evaluate("window.same = true")
    badge, hint = other.locator(".product-text .badge"), other.get_by_text("All held: the first")
    expect(badge).to_have_text("Only 1 left")
    expect(hint).to_be_hidden()
    shopper = Shopper(page, town)
    shopper.buy()
    expect(badge).to_have_text("Held, may return")
    expect(hint).to_be_visible()
    expect(hint).to_contain_text("the first may return at ")
    expect(other.locator("#stock-said")).to_contain_text("Poster: Held, may return")
    page.goto(f"{town.shop.url}/bag")
    page.get_by_role("button", name="Give them back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Given back")
    expect(badge).to_have_text("Only 1 left")
    expect(hint).to_be_hidden()
    assert other.evaluate("window.same")
    other.get_by_role("button", name="Buy now").click()
    other.wait_for_url("**/c/pay/**")
    Shopper(other, town).pay()
    other.wait_for_url("**/orders/**")
    expect(other.get_by_role("heading", level=1)).to_have_text("Paid. It is yours")
    assert town.level()["sold"] == 1
    assert town.audit()
