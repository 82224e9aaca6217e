"""The stall in a real browser: a telephone sells, and the tablet beside it shows what is left."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from storefront.services import links, orders
from storefront.services.shop import Shop
from tests.web.conftest import PASSWORD
from tests.web.test_browser import browser_context_args, complaints, served, stripe

__all__ = ["browser_context_args", "complaints", "served", "stripe"]

THREE_METRES = 96
"""Pixels of a numeral's height on a tablet: some 18 mm, for which 12 would do at three metres."""


def number(page: Page, sku: str) -> Any:
    return page.locator(f"strong[data-stock={sku}]")


def usable(page: Page, width: int) -> None:
    """It fits, and axe finds nothing in it, light or dark."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_telephone_sells_and_the_tablet_beside_it_shows_what_is_left(
    served: Shop, page: Page, browser: Browser, browser_context_args: dict[str, Any]
) -> None:
    page.set_viewport_size({"width": 1180, "height": 820})
    page.goto(links.stall(served.settings))
    expect(number(page, "record")).to_have_text("3")
    size = number(page, "record").evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
    assert size >= THREE_METRES
    usable(page, 1180)
    with browser.new_context(
        **browser_context_args | {"viewport": {"width": 360, "height": 740}}
    ) as context:
        phone = context.new_page()
        phone.goto("/admin/login")
        phone.get_by_label("Password").fill(PASSWORD)
        phone.get_by_role("button", name="Sign in").click()
        phone.wait_for_url("**/admin/")
        phone.goto("/admin/stall")
        phone.get_by_label("Record").fill("2")
        phone.keyboard.press("Enter")
        expect(phone.get_by_text("Together $56.00")).to_be_visible()
        usable(phone, 360)
        phone.get_by_role("button", name="Sold for cash").dblclick()
        expect(phone.get_by_role("heading", level=1)).to_have_text("Sold for $56.00 in cash")
        expect(phone.get_by_text("2 × Record; 1 left")).to_be_visible()
        usable(phone, 360)
    expect(number(page, "record")).to_have_text("1")
    expect(page.locator(".sign", has_text="Record").locator(".badge")).to_have_text("Only 1 left")
    page.set_viewport_size({"width": 390, "height": 844})
    usable(page, 390)
    assert [order.state for order in orders.listing(served)] == ["fulfilled"]
