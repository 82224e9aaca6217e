"""In a real browser: what a page offers in place of what is sold out comes and goes while one looks."""

import re

from playwright.sync_api import Page, expect

from storefront.domain.catalogue_file import read_catalogue
from storefront.services import orders
from storefront.services.publishing import publish
from storefront.services.shop import Shop
from tests.web.conftest import GOODS
from tests.web.test_browser import browser_context_args, complaints, served, stripe
from tests.web.test_browser_live import NOTE_SHIFTS, change

__all__ = ["browser_context_args", "complaints", "served", "stripe"]


def test_the_line_and_what_is_there_instead_appear_as_it_sells_out_and_go_as_it_returns(
    served: Shop, page: Page, complaints: list[str]
) -> None:
    goods = GOODS.replace('name = "Record"', 'name = "Record"\nalternatives = ["poster", "zine"]')
    publish(served, read_catalogue(goods, "usd", ["poster.svg"]), prune=False)
    page.goto("/products/record")
    line, instead = page.locator("form.waitlist"), page.locator(".instead")
    buy, said = page.locator("[data-part=buy]"), page.locator("#stock-said")
    expect(page.locator(".product-text .badge")).to_have_text("Only 3 left")
    expect(line).to_be_hidden()
    expect(instead).to_be_hidden()

    change(served, "record", -3, "gone")
    expect(line).to_be_visible()
    expect(instead.locator(".card:visible h2")).to_have_text(["Opening night <poster>"])
    expect(said).to_have_text("Record: Sold out. You can wait for one on this page.")
    change(served, "zine", 9, "come")
    expect(instead.locator(".card:visible")).to_have_count(2)

    line.get_by_label("E-mail").fill("bob@example.org")
    change(served, "record", 2, "back")
    expect(buy).to_have_text("Buy now")
    expect(line).to_be_visible()  # for one is typing in it
    expect(instead).to_be_hidden()
    buy.focus()
    change(served, "record", 1, "one more")
    expect(line).to_be_hidden()
    change(served, "record", -3, "gone again")
    expect(line.get_by_label("E-mail")).to_have_value("bob@example.org")
    line.get_by_role("button", name="Join the line").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look at your mail")

    page.goto("/products/poster")
    which = page.locator("#wait-sku")
    expect(which).to_have_value("poster-ink")
    change(served, "poster-red", -40, "red gone")
    expect(which.locator("option:enabled")).to_have_text(["Red", "Ink"])
    change(served, "poster-ink", 1, "ink come")
    expect(which).to_have_value("poster-red")
    assert complaints == []


def test_nothing_that_one_sees_moves_as_the_line_comes_and_goes(served: Shop, page: Page) -> None:
    for width, height in ((360, 740), (1280, 1000)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto("/products/record")
        badge, line = page.locator(".product-text .badge"), page.locator("form.waitlist")
        note = page.locator(".either > :visible")
        expect(badge).to_have_text("Only 3 left")
        expect(note).to_contain_text("“Buy now” holds the units for you")
        page.evaluate(NOTE_SHIFTS)
        change(served, "record", -3, f"gone at {width}")
        expect(line).to_be_visible()
        expect(note).to_have_text(re.compile("^All are sold. Join the line below"))
        change(served, "record", 3, f"back at {width}")
        expect(line).to_be_hidden()
        expect(note).to_contain_text("“Buy now” holds the units for you")
        assert page.evaluate("shifts()") == []
    assert list(orders.listing(served)) == []
