"""The counter in real browsers: two at once, on a narrow screen, with and without a camera."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from storefront.app import assemble
from storefront.domain.orders import Order, State
from storefront.services import links, orders, settlement
from storefront.services.shop import Shop
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser as Client
from tests.web.conftest import PASSWORD
from tests.web.test_browser import browser_context_args, complaints, served, stripe

__all__ = ["browser_context_args", "complaints", "served", "stripe"]

CAMERA = """
window.seen = [];
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect() { return window.seen.map((rawValue) => ({ rawValue })); }
};
const canvas = document.createElement("canvas");
canvas.getContext("2d").fillRect(0, 0, 9, 9);
const media = { getUserMedia: async () => canvas.captureStream(5) };
Object.defineProperty(navigator, "mediaDevices", { value: media });
"""
"""A camera that sees what the test says; Chromium without a desktop reads no codes."""


@pytest.fixture
def bought(served: Shop, stripe: FakeStripe) -> Order:
    """Two records, paid."""
    Client(assemble(served), base=served.settings.public_url).send(
        "/checkout", sku="record", quantity="2"
    )
    (order,) = orders.listing(served)
    stripe.pay(order.session)
    settlement.ask(served, order)
    return order


def sign_in(page: Page) -> None:
    page.goto("/admin/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


@pytest.fixture
def counters(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[list[Page]]:
    """Two signed-in browsers as wide as a telephone."""
    narrow = browser_context_args | {"viewport": {"width": 390, "height": 844}}
    contexts = [browser.new_context(**narrow) for _ in range(2)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        sign_in(page)
    yield pages
    for context in contexts:
        context.close()


def usable(page: Page) -> None:
    """It fits, and axe finds nothing in it, light or dark."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_what_is_searched_and_the_story_of_an_order_fit_a_narrow_screen(
    bought: Order, counters: list[Page]
) -> None:
    page = counters[0]
    page.goto("/admin/orders")
    page.get_by_label("Number, payment").fill("record")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 order looked through")).to_be_visible()
    usable(page)
    page.get_by_role("link", name=bought.id).click()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    page.get_by_label("Note, which the customer does not see").fill("Rang: comes on Friday")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator(".story")).to_contain_text("Rang: comes on Friday")
    usable(page)


def test_two_scanners_of_one_code_get_one_green_and_one_red_answer(
    served: Shop, bought: Order, counters: list[Page]
) -> None:
    code = links.pickup(served.settings, bought.id)
    for page in counters:
        page.goto("/admin/pickup")
        expect(page.get_by_label("Pick-up code")).to_be_focused()
        page.keyboard.type(code)
    for page in counters:
        page.keyboard.press("Enter")
    answers = [page.get_by_role("heading", level=1) for page in counters]
    expect(answers[0]).not_to_have_text("Pick-up")
    expect(answers[1]).not_to_have_text("Pick-up")
    assert sorted(answer.inner_text() for answer in answers) == [
        "Already handed over",
        "Hand it over",
    ]
    order = orders.by_id(served, bought.id)
    assert order is not None
    assert (order.state, len(order.handovers)) == (State.FULFILLED, 1)
    for page in counters:
        usable(page)
    green = next(p for p in counters if p.get_by_role("button", name="Undo").count())
    green.get_by_role("button", name="Undo").click()
    expect(green.get_by_role("heading", level=1)).to_have_text("Taken back")


def test_the_camera_scans_one_code_after_the_other_and_a_code_in_sight_once(
    served: Shop, bought: Order, page: Page, complaints: list[str]
) -> None:
    page.add_init_script(CAMERA)
    sign_in(page)
    page.goto("/admin/pickup")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.locator("#view")).to_be_visible()
    posts: list[str] = []
    page.on("request", lambda one: posts.append(one.url) if one.method == "POST" else None)
    page.evaluate(
        "code => { window.seen = ['https://example.com/', code] }",
        links.pickup(served.settings, bought.id),
    )
    answer = page.locator("#answer")
    expect(answer.get_by_role("heading", level=1)).to_have_text("Hand it over")
    expect(answer).to_contain_text("2 × Record")
    page.evaluate("() => { window.seen = ['/admin/pickup/unknown'] }")
    expect(answer.get_by_role("heading", level=1)).to_have_text("No such order")
    assert len(posts) == 2
    expect(page.locator("#view")).to_be_visible()
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.locator("#view")).to_be_hidden()
    assert complaints == []


def test_without_a_reader_of_codes_there_is_no_camera_button(page: Page, bought: Order) -> None:
    sign_in(page)
    page.goto("/admin/pickup")
    expect(page.get_by_role("button", name="Look it up")).to_be_visible()
    expect(page.get_by_role("button", name="Scan with the camera")).to_be_hidden()
