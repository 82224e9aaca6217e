"""Restocking in a real browser: without scripts, by scanner, on a phone, and for all."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from storefront.services import restocking
from storefront.services.shop import Shop
from tests.web.conftest import PASSWORD
from tests.web.test_browser import (
    browser_context_args,
    complaints,
    no_scripts,
    served,
    stripe,
)

__all__ = ["browser_context_args", "complaints", "no_scripts", "served", "stripe"]


COUNT = "/admin/count?sku=record&pile=table&counted="


def sign_in(page: Page) -> None:
    page.goto("/admin/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/admin/stock")


def available(shop: Shop, sku: str) -> int:
    return next(one.available for one in restocking.levels(shop) if one.sku == sku)


def test_without_scripts_a_scanner_and_a_numpad_restock_one_article_after_the_other(
    served: Shop, no_scripts: Page
) -> None:
    """Nothing is clicked: each key goes where the cursor is."""
    page = no_scripts
    sign_in(page)
    for sku, number, reason in (("record", "12", "second box\n"), ("zine", "7", "\n")):
        expect(page.get_by_label("SKU, typed or scanned")).to_be_focused()
        page.keyboard.type(f"{sku}\n")
        expect(page.get_by_label("How many")).to_be_focused()
        page.keyboard.type(number)
        if reason != "\n":
            page.keyboard.press("Tab")
        page.keyboard.type(reason)
        expect(page.get_by_text(f"{sku}: +{number} counted.")).to_be_visible()
    assert (available(served, "record"), available(served, "zine")) == (15, 7)
    assert restocking.history(served, "zine", 1)[0].why == "second box"


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (360, "light")])
def test_the_pages_of_restocking_can_be_used_by_all_on_a_phone(
    served: Shop, page: Page, complaints: list[str], width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    acts: dict[str, Callable[[], object]] = {
        "stock": lambda: sign_in(page),
        "no such number": lambda: page.goto("/admin/stock?sku=nothing"),
        "one number": lambda: page.goto("/admin/stock?sku=record"),
        "refused": lambda: refuse(page),
        "ledger": lambda: page.goto("/admin/ledger?sku=record&since=2020-01-01"),
        "labels": lambda: page.goto("/admin/labels?sku=record&sku=poster-red"),
        "count": lambda: page.goto("/admin/count?sku=record"),
        "what a count would change": lambda: page.goto(COUNT + "2"),
        "a refused count": lambda: page.goto(COUNT),
    }
    for name, act in acts.items():
        act()
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wide), name
    assert complaints == []


def refuse(page: Page) -> None:
    page.get_by_label("How many").fill("9")
    page.get_by_label("Reason", exact=True).fill("lost")
    page.get_by_role("button", name="Take away").click()
    expect(page.locator("#quick-error")).to_contain_text("Only 3 available")
