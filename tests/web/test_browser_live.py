"""In a real browser: open pages follow the stock, open by themselves, and nothing on them jumps."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from storefront.domain.catalogue_file import read_catalogue
from storefront.services import live, orders
from storefront.services.publishing import publish
from storefront.services.restocking import restock
from storefront.services.shop import Shop
from tests.harness import wait_until
from tests.web.conftest import GOODS
from tests.web.test_browser import (
    PAYMENT_PAGE,
    browser_context_args,
    complaints,
    served,
    stripe,
)

__all__ = ["browser_context_args", "complaints", "served", "stripe"]

NOTE_SHIFTS = """
async () => {
  const drawn = () => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)));
  const found = [];
  const note = (list) => {
    for (const entry of list) for (const { node, previousRect, currentRect } of entry.sources) {
      // Words are centred anew in a box that says something else: it is the boxes that must stand.
      if (node?.nodeType === Node.TEXT_NODE && node.parentElement.closest("[data-part]")) continue;
      const what = (node?.outerHTML ?? node?.textContent ?? "gone").slice(0, 80);
      found.push([what, JSON.stringify(previousRect), JSON.stringify(currentRect)]);
    }
  };
  await drawn();
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: "layout-shift" });
  window.shifts = async () => {
    await drawn();
    note(observer.takeRecords());
    return found;
  };
}
"""
"""From a page that is there as a whole: one that comes in parts over a slow line is drawn in parts."""


def change(shop: Shop, sku: str, delta: int, key: str) -> None:
    restock(shop, sku=sku, delta=delta, reason="test", who="test", key=f"key-of-{key}")


def card(page: Page, name: str) -> Any:
    return page.locator(".card", has_text=name).locator(".badge")


def test_badges_on_the_shelf_follow_the_stock_and_are_told_once_for_each_state(
    served: Shop, page: Page, complaints: list[str]
) -> None:
    page.goto("/")
    expect(card(page, "Record")).to_have_text("Only 3 left")
    change(served, "record", 1, "one more")
    expect(card(page, "Record")).to_have_text("Only 4 left")
    expect(page.locator("#stock-said")).to_have_text("")
    change(served, "record", 9, "many more")
    expect(card(page, "Record")).to_have_text("In stock")
    expect(card(page, "Record")).to_have_class("badge available")
    expect(page.locator("#stock-said")).to_have_text("Record: In stock")
    change(served, "record", -13, "all gone")
    expect(card(page, "Record")).to_have_text("Sold out")
    expect(page.locator("#stock-said")).to_have_text("Record: Sold out")
    assert complaints == []


def test_the_product_page_follows_with_notes_quantity_and_buttons(
    served: Shop, page: Page, complaints: list[str]
) -> None:
    page.goto("/products/record")
    quantity, buy = page.get_by_label("Quantity"), page.locator("[data-part=buy]")
    expect(quantity).to_have_attribute("max", "3")
    change(served, "record", -3, "gone")
    expect(buy).to_have_text("Sold out")
    expect(buy).to_be_disabled()
    expect(page.get_by_role("button", name="Add to bag")).to_be_disabled()
    change(served, "record", 2, "back")
    expect(buy).to_have_text("Buy now")
    expect(buy).to_be_enabled()
    expect(quantity).to_have_attribute("max", "2")
    page.goto("/products/poster")
    note = page.locator("[data-part=note]").nth(1)
    expect(note).to_have_text("Sold out")
    expect(page.get_by_label("Ink")).to_be_disabled()
    change(served, "poster-ink", 2, "ink")
    expect(note).to_have_text("Only 2 left")
    page.get_by_label("Ink").check(force=True)
    expect(page.get_by_label("Quantity")).to_have_attribute("max", "2")
    change(served, "poster-ink", -2, "no ink")
    expect(page.get_by_label("Ink")).to_be_disabled()
    expect(page.get_by_label("Ink")).not_to_be_checked()
    expect(page.get_by_label("Quantity")).to_have_attribute("max", "4")
    assert complaints == []


def test_the_bag_follows_what_it_wants(served: Shop, page: Page) -> None:
    page.goto("/products/record")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Add to bag").click()
    badge = page.locator("table .badge")
    expect(badge).to_have_text("Only 3 left")
    change(served, "record", 10, "many")
    expect(badge).to_have_text("In stock")
    change(served, "record", -11, "few")
    expect(badge).to_have_text("Only 2 left")


def test_without_a_stream_the_page_asks(served: Shop, context: BrowserContext, page: Page) -> None:
    context.route("**/live", lambda route: route.fulfill(status=503, headers={"Retry-After": "30"}))
    hasten = "const wait = setTimeout; window.setTimeout = (what, ms) => wait(what, ms / 50);"
    page.add_init_script(hasten)
    page.goto("/")
    change(served, "record", -3, "gone")
    expect(card(page, "Record")).to_have_text("Sold out")


def test_a_new_product_appears_on_the_open_shelf(
    served: Shop, page: Page, complaints: list[str]
) -> None:
    page.goto("/")
    page.evaluate("window.same = true")
    goods = (
        GOODS
        + """
[[products]]
slug = "tape"
name = "Tape"
[[products.variants]]
sku = "tape"
price = "8.00"
stock = 9
"""
    )
    publish(served, read_catalogue(goods, "usd", ["poster.svg"]), prune=False)
    expect(card(page, "Tape")).to_have_text("In stock")
    assert page.evaluate("window.same")
    change(served, "tape", -9, "gone")
    expect(card(page, "Tape")).to_have_text("Sold out")
    assert complaints == []


def opening_in(shop: Shop, ms: int) -> int:
    """Put the last product on sale by itself in so long; answers when (ms)."""
    opens = shop.store.now() + ms
    text = datetime.fromtimestamp(opens / 1000, UTC).isoformat(timespec="milliseconds")
    goods = GOODS.replace("2126-12-01T10:00:00Z", text.replace("+00:00", "Z"))
    publish(shop, read_catalogue(goods, "usd", ["poster.svg"]), prune=False)
    return opens


@pytest.mark.parametrize("stream", [True, False], ids=["told", "by itself"])
@pytest.mark.parametrize("wrong_ms", [-7200_000, 0, 7200_000])
def test_a_product_opens_on_the_open_page_whatever_the_visitors_clock_says(
    served: Shop, context: BrowserContext, page: Page, wrong_ms: int, stream: bool
) -> None:
    context.add_init_script(f"const real = Date.now; Date.now = () => real() + {wrong_ms};")
    opens = opening_in(served, 6_000)
    if not stream:  # it hears nothing after its first look, and has only its own clock
        first = [True]

        def once(route: Any) -> None:
            if first:
                first.clear()
                route.fulfill(
                    content_type="text/event-stream",
                    body=f"retry: 600000\nevent: stock\ndata: {served_stock(served)}\n\n",
                )
            else:
                route.abort()

        context.route("**/live", once)
    page.goto("/products/later")
    buy = page.locator("[data-part=buy]")
    expect(buy).to_have_text("Not on sale yet")
    page.evaluate("window.same = true")
    assert served.store.now() < opens
    expect(buy).to_have_text("Buy now", timeout=20_000)
    assert served.store.now() >= opens
    assert page.evaluate("window.same")
    expect(page.locator(".product-text .badge")).to_have_text("Only 5 left")
    buy.click()
    page.wait_for_url(PAYMENT_PAGE)


def served_stock(shop: Shop) -> str:
    return json.dumps(live.stock(shop).levels)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    ("path", "sku", "last"),
    [
        ("/", "record", "Sold out"),
        ("/products/record", "record", "Sold out"),
        ("/bag", "record", "Sold out"),
        ("/products/poster", "poster-red", "Sold out"),
    ],
)
def test_nothing_jumps_when_the_stock_changes(
    served: Shop, context: BrowserContext, page: Page, path: str, sku: str, last: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/products/record")
    page.get_by_role("button", name="Add to bag").click()
    page.goto(path)
    badge = card(page, "Record") if path == "/" else page.locator("main .badge").first
    available = served.store.stock.level(sku).available
    if available != 3:
        change(served, sku, 3 - available, "few")
    expect(badge).to_have_text("Only 3 left")
    page.evaluate(NOTE_SHIFTS)
    change(served, sku, 9, "many")
    expect(badge).to_have_text("In stock")
    other = context.browser.new_context(base_url=served.settings.public_url)
    change(served, sku, 1 - 12, "one")
    expect(badge).to_have_text("Only 1 left")
    buyer = other.new_page()
    buyer.goto("/products/poster" if "poster" in sku else "/products/record")
    buyer.get_by_role("button", name="Buy now").click()
    buyer.wait_for_url(PAYMENT_PAGE)
    expect(badge).to_have_text("Held, may return")
    (order,) = orders.listing(served)
    orders.cancel(served, order)
    expect(badge).to_have_text("Only 1 left")
    change(served, sku, -1, "none")
    expect(badge).to_have_text(last)
    other.close()
    assert page.evaluate("shifts()") == []


def test_the_shift_is_noticed_when_something_does_jump(served: Shop, page: Page) -> None:
    """The control of the test before."""
    page.goto("/")
    page.evaluate(NOTE_SHIFTS)
    page.evaluate("document.querySelector('.hero').style.paddingTop = '200px'")
    wait_until(lambda: page.evaluate("shifts()"), "the shift is noticed")
