"""Waiting in line in a real browser: without scripts, on a small screen, and for all."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from storefront.services import links, orders
from storefront.services.shop import Shop
from tests.web.test_browser import (
    PAYMENT_PAGE,
    browser_context_args,
    complaints,
    no_scripts,
    served,
    stripe,
)

__all__ = ["browser_context_args", "complaints", "no_scripts", "served", "stripe"]


def place_path(shop: Shop) -> str:
    [place] = shop.store.waitlist.all()
    return f"/waitlist/{links.place_token(shop.settings, place.id)}"


def restock(shop: Shop) -> None:
    shop.store.scripts.restock("zine", delta=1, reason="r", who="w", key="k")


def join(page: Page) -> None:
    page.goto("/products/zine")
    page.get_by_label("E-mail").fill("bob@example.org")
    page.get_by_role("button", name="Join the line").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look at your mail")


def test_without_scripts_one_joins_confirms_and_takes_what_is_offered(
    served: Shop,
    no_scripts: Page,
) -> None:
    page = no_scripts
    join(page)
    page.goto(place_path(served))
    page.get_by_role("button", name="Confirm my place").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are next in line")
    restock(served)
    page.reload()
    page.get_by_role("button", name="Take it and pay").click()
    page.wait_for_url(PAYMENT_PAGE)
    [order] = orders.listing(served)
    assert page.url == order.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_line_can_be_used_by_all_on_a_small_screen(
    served: Shop,
    page: Page,
    complaints: list[str],
    scheme: str,
) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    acts: dict[str, Callable[[], object]] = {
        "form": lambda: page.goto("/products/zine"),
        "joined": lambda: join(page),
        "unconfirmed": lambda: page.goto(place_path(served)),
        "waiting": lambda: page.get_by_role("button", name="Confirm my place").click(),
        "offer": lambda: (restock(served), page.reload()),
    }
    for name, act in acts.items():
        act()
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wide), name
    count_down(page)
    assert complaints == []


def count_down(page: Page) -> None:
    """Two hours are counted as on a clock, and told to the ear when little is left of them."""
    page.clock.install()
    page.reload()
    time, told = page.locator(".countdown time"), page.locator("#time-left")
    expect(time).to_have_text(re.compile(r"^(2:00:00|1:5\d:\d\d)$"))
    page.clock.fast_forward("01:00:02")
    expect(time).to_have_text(re.compile(r"^5\d:\d\d$"))
    expect(told).to_have_text("")
    page.clock.fast_forward("56:00")
    expect(time).to_have_text(re.compile(r"^\d:\d\d$"))
    expect(told).to_have_text("Less than five minutes are left.")
    page.clock.fast_forward("05:00")
    expect(page.locator(".countdown")).to_be_hidden()
