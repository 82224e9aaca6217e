"""The shop for all who come: by keyboard, without motion, on paper, in German, without scripts, on a bad line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect

from tests.harness import ROOT, free_port, start_shop
from tests.journeys.conftest import Town, open_town
from tests.screenshots import mailed

PAGES = {
    "shelf": "/",
    "on sale": "/products/poster",
    "soon": "/products/cassette",
    "low": "/products/candle",
    "sold out": "/products/pin",
    "held": "/products/tote",
    "bag": "/bag",
    "my orders": "/orders",
    "asked for": "/orders/asked",
    "joined": "/products/pin/waitlist",
    "nothing": "/nothing",
}
LIGHT_ENOUGH = 60_000
PHONE = {"width": 360, "height": 740}
TABS = 40
ORDER = re.compile(r"/orders/[a-z2-7-]+$")
FOCUSED = """() => {
  const one = document.activeElement, after = getComputedStyle(one, "::after");
  const seen = [getComputedStyle(one), after].some((style) =>
    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
  return [one.textContent.trim() || one.name || one.tagName, seen];
}"""
MOVES = """() => [...document.querySelectorAll("*")].filter((one) =>
  ["", "::before", "::after"].some((part) => {
    const { transitionDuration, animationDuration } = getComputedStyle(one, part || null);
    return `${transitionDuration},${animationDuration}`.split(",").some((time) => parseFloat(time));
  })).length + document.getAnimations().length"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A shop with the demo's goods, in every state of stock; it is never empty, so tests share it."""
    with open_town(Path(tmp_path_factory.mktemp("town"))) as town:
        town.command("import", str(ROOT / "demo" / "catalogue.toml"))
        for sku, delta in (("candle", -5), ("pin", -50), ("tote", -34)):
            town.command("restock", sku, str(delta), "--reason", "for the tests")
        yield town


@pytest.fixture(scope="module")
def held(town: Town, browser: Browser) -> str:
    """The address of an order that holds the last tote bag."""
    with someone(browser, town) as page:
        page.goto("/products/tote")
        page.get_by_role("button", name="Buy now").click()
        page.wait_for_url("**/c/pay/**")
    (order,) = (one for one in town.orders() if one["lines"][0]["sku"] == "tote")
    return f"/orders/{order['token']}"


@pytest.fixture(scope="module")
def own_page(town: Town) -> Iterator[str]:
    """The address of the same shop where one pays on its own page."""
    port = free_port()
    wishes = {"PUBLIC_URL": f"http://127.0.0.1:{port}", "CHECKOUT_UI": "elements"}
    wishes |= {"STRIPE_PUBLISHABLE_KEY": "pk_test_journeys"}
    with start_shop({**town.environment, **wishes}, port) as shop:
        yield shop.url


@contextmanager
def someone(browser: Browser, town: Town, **wishes: Any) -> Iterator[Page]:
    """A visitor with a browser of their own."""
    wishes = {"base_url": town.shop.url, "locale": "en-GB", "viewport": PHONE} | wishes
    context = browser.new_context(**wishes)
    yield context.new_page()
    context.close()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is there; it is to be seen wherever it comes."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        text, seen = page.evaluate(FOCUSED)
        assert seen, f"the focus on {text} cannot be seen"
        if text == name:
            return
    raise AssertionError(f"{name} is not within {TABS} presses of Tab")


def test_the_keyboard_alone_buys_a_poster_and_shows_where_it_is(
    town: Town, browser: Browser
) -> None:
    with someone(browser, town) as page:
        page.goto("/")
        tab_to(page, "Skip to content")
        page.keyboard.press("Enter")
        tab_to(page, "Opening night poster")
        page.keyboard.press("Enter")
        page.wait_for_url("**/products/poster")
        tab_to(page, "sku")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label("Dawn")).to_be_checked()
        tab_to(page, "Buy now")
        page.keyboard.press("Enter")
        page.wait_for_url("**/c/pay/**")
        page.get_by_label("Mail address").focus()
        page.keyboard.type("ada@example.com")
        page.keyboard.press("Enter")
        expect(page).to_have_url(ORDER, timeout=30_000)
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Paid. It is yours", timeout=30_000
        )
        print_well(page)


def print_well(page: Page) -> None:
    """On paper a paid order is what one shows at the counter, and nothing that one could press."""
    pressed = page.locator("nav, button, form, .banner, .actions, a.button")
    assert any(one.is_visible() for one in pressed.all()), "on the screen there is something"
    for scheme in ("light", "dark"):
        page.emulate_media(media="print", color_scheme=scheme)  # type: ignore[arg-type]
        assert not any(one.is_visible() for one in pressed.all())
        for shown in ("h1", "table.lines", "dl.facts code", "img[alt^='Pick-up code']"):
            expect(page.locator(shown)).to_be_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        found = Axe().run(page, options={"runOnly": ["color-contrast"]})
        assert found.violations_count == 0, found.generate_report()
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1


def test_nothing_moves_for_who_asked_for_less_motion(
    town: Town, browser: Browser, held: str
) -> None:
    found = {}
    for wish in ("no-preference", "reduce"):
        with someone(browser, town, reduced_motion=wish) as page:
            for path in ("/", "/products/poster", held):
                page.goto(path)
                found[wish, path] = page.evaluate(MOVES)
            page.goto("/")
            page.locator(".card").first.hover()
            picture = page.locator(".card .picture").first
            expect(picture).not_to_have_css("box-shadow", "none")
            moved = picture.evaluate("(one) => getComputedStyle(one).transform")
            assert (moved == "none") == (wish == "reduce")
    assert all(found["no-preference", path] for path in ("/", held)), "the control"
    assert not any(moves for (wish, _), moves in found.items() if wish == "reduce")


def load(page: Page, path: str) -> tuple[set[str], dict[str, int]]:
    """The hosts that a page asks, and the bytes of all that it is made of, pictures aside."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    page.goto(path, wait_until="load")
    parts = (a for a in answers if "/pictures/" not in a.url and "/live" not in a.url)
    weights = {urlsplit(answer.url).path: len(answer.body()) for answer in parts}
    return {urlsplit(answer.url).netloc for answer in answers}, weights


def test_every_page_is_light_and_asks_nobody_else(town: Town, browser: Browser, held: str) -> None:
    for path in [*PAGES.values(), held]:
        with someone(browser, town) as page:
            hosts, weights = load(page, path)
        assert hosts == {urlsplit(town.shop.url).netloc}, path
        assert {path, "/static/shop.css", "/static/shop.js"} <= {*weights}
        assert sum(weights.values()) <= LIGHT_ENOUGH, (path, weights)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_every_state_says_what_one_can_do(
    town: Town, browser: Browser, held: str, scripts: bool
) -> None:
    with someone(browser, town, java_script_enabled=scripts) as page:
        buy, line = page.locator("[data-part=buy]"), page.locator("form.waitlist")
        badge, instead = page.locator("#buy .badge"), page.locator(".instead")

        def see(path: str, words: str | re.Pattern[str], button: str, *, waits: bool) -> None:
            page.goto(path)
            expect(badge).to_have_text(words)
            expect(buy).to_have_text(button)
            expect(line).to_be_visible(visible=waits)

        see(PAGES["soon"], re.compile(r"^From (1 Dec|Dec 1)"), "Not on sale yet", waits=False)
        expect(buy).to_be_disabled()
        see(PAGES["on sale"], "In stock", "Buy now", waits=False)
        expect(instead).to_be_hidden()
        see(PAGES["low"], "Only 3 left", "Buy now", waits=False)
        see(PAGES["held"], "Held, may return", "Buy now", waits=True)
        expect(page.get_by_text("All held: the first may return at")).to_be_visible()
        see(PAGES["sold out"], "Sold out", "Sold out", waits=True)
        expect(buy).to_be_disabled()
        expect(instead.locator(".card:visible h2")).to_have_text(["Night, a risograph zine"])

        page.goto(held)
        expect(page.get_by_role("heading", level=1)).to_have_text("Held for you")
        expect(page.locator(".countdown")).to_be_visible(visible=scripts)
        expect(page.get_by_role("link", name="Resume payment")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it_in_german_too(
    town: Town, browser: Browser, held: str, own_page: str, scheme: str
) -> None:
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    options = {"runOnly": rules if scheme == "light" else ["color-contrast"]}
    axe, found = Axe(), {}
    with someone(browser, town, locale="de-DE", color_scheme=scheme) as page:

        def look(name: str) -> None:
            assert page.locator("html").get_attribute("lang") == "de"
            result = axe.run(page, options=options)
            if result.violations_count:
                found[name] = result.generate_report()
            if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                found[f"{name} is too wide"] = page.url

        for name, path in {**PAGES, "order": held}.items():
            page.goto(path)
            look(name)
        page.goto(PAGES["held"])
        page.get_by_role("button", name="Jetzt kaufen").click()
        page.locator(".refusal").wait_for()
        look("refusal")
        page.goto(PAGES["on sale"])
        page.get_by_role("button", name="In die Tasche").click()
        page.wait_for_url("**/bag")
        look("filled bag")
        page.goto(PAGES["sold out"])
        page.get_by_label("E-Mail").fill(f"{scheme}@example.com")
        page.get_by_role("button", name="Auf die Warteliste").click()
        page.wait_for_url("**/waitlist")
        page.goto(mailed(town, f"{scheme}@example.com", r"https?://\S+/waitlist/\S+"))
        look("unconfirmed place")
        page.locator("button.primary").click()
        page.locator("button.danger").wait_for()
        look("place in the line")
        page.goto(f"{own_page}{PAGES['on sale']}")
        page.get_by_role("button", name="Jetzt kaufen").click()
        page.wait_for_url("**/pay/**")
        page.frame_locator("#payment-fields iframe").locator("input").first.wait_for()
        look("own payment page")
    assert found == {}, "\n".join(f"{k}: {v}" for k, v in found.items())
