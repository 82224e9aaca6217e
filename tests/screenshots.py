"""Takes a picture of every state that shoppers see on a small phone, and of a few wide and in the dark;
and of the operator's pages in the course of an evening.

``make screenshots`` (``python -m tests.screenshots``) runs it: a real shop with the demo's goods, its worker,
Redis and the stand-in for Stripe, and Chromium. The pictures go into docs/screenshots/.
"""

import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import requests
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import launch_arguments
from tests.harness import ROOT, wait_until
from tests.journeys.conftest import Town, open_town
from tests.journeys.evening import Evening, phone
from tests.web.conftest import HASH, PASSWORD

FOLDER = ROOT / "docs" / "screenshots"
PHONE, WIDE = (360, 760), (1280, 860)
COLOURS = 96
LONGEST = 2600
"""Pixels of the operator's longest pages that are shown: what matters stands first."""
KEY = {"Authorization": "Bearer sk_test_journeys"}
OWN_PAGE = {"CHECKOUT_UI": "elements", "STRIPE_PUBLISHABLE_KEY": "pk_test_journeys"}
SENDS = {"DELIVERY": "both", "DELIVERY_COUNTRIES": "GB,DE", "DELIVERY_RATE": "4.90"}

SHOWN_WIDE = frozenset({"shelf", "on-sale", "sold-out", "all-held", "bag", "hold-running", "paid"})
SHOWN_DARK = frozenset({"shelf", "on-sale", "sold-out", "hold-running", "refunded", "own-page"})
"""Of every other state the picture on a phone, in the light, is enough."""


def shoot(page: Page, name: str) -> None:
    """The page as it is now: whole on a phone, and as it opens on a desk or in the dark."""
    page.wait_for_load_state("load")
    page.evaluate("for (const one of document.images) one.loading = 'eager'")
    page.wait_for_function("[...document.images].every((one) => one.complete)")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    keep(page.screenshot(full_page=True), f"{name}-phone")
    if name in SHOWN_DARK:
        page.emulate_media(color_scheme="dark")
        keep(page.screenshot(full_page=True), f"{name}-dark")
        page.emulate_media(color_scheme="light")
    if name in SHOWN_WIDE:
        page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        page.wait_for_function("[...document.images].every((one) => one.complete)")
        keep(page.screenshot(), f"{name}-wide")


def shoot_operator(page: Page, name: str) -> None:
    """The operator's page as it is now."""
    page.wait_for_load_state("load")
    height = min(page.evaluate("document.documentElement.scrollHeight"), LONGEST)
    clip = {"x": 0, "y": 0, "width": page.evaluate("innerWidth"), "height": height}
    keep(page.screenshot(full_page=True, clip=clip), f"admin-{name}")  # type: ignore[arg-type]


def keep(taken: bytes, name: str) -> None:
    """A picture in few colours, which keep the files small."""
    with Image.open(io.BytesIO(taken)) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(FOLDER / f"{name}.png", optimize=True)


def someone(browser: Browser, town: Town, language: str = "en-GB") -> Page:
    """A new visitor."""
    context = browser.new_context(
        base_url=town.shop.url,
        locale=language,
        timezone_id="Europe/London",
        viewport={"width": PHONE[0], "height": PHONE[1]},
        reduced_motion="reduce",
    )
    return context.new_page()


def headed(page: Page, title: str) -> None:
    """Waits until the page says this at its top."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title, timeout=30_000)


def buy(page: Page, path: str) -> str:
    """Go to the payment page; answers the address of the order's own."""
    page.goto(path)
    page.get_by_role("button", name="Buy now").click()
    page.wait_for_url("**/c/pay/**")
    payment = page.url
    page.goto("/")
    page.get_by_role("link", name="Go on paying").click()
    page.wait_for_url("**/orders/**")
    address = page.url
    page.goto(payment)
    return address


def pay(page: Page, fate: str = "pay", title: str = "Paid. It is yours") -> None:
    """Fill in the stand-in's payment page and send it, in whatever way it ends."""
    page.get_by_label("Mail address").fill("ada@example.com")
    page.locator(f"input[name=fate][value={fate}]").check()
    page.locator("input[name=delay_seconds]").fill("6")
    page.get_by_role("button", name="Pay ").click()
    page.wait_for_url("**/orders/**")
    headed(page, title)


def give_back(page: Page, order: str) -> None:
    page.goto(order)
    page.get_by_role("button", name="Give the units back").click()
    headed(page, "Given back")


def mailed(town: Town, address: str, pattern: str) -> str:
    """The newest link like this that was mailed to somebody."""

    def look() -> str:
        found = ""
        for path in sorted((town.folder / "instance" / "mail").glob("**/*.eml")):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            if mail["To"] == address:
                text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
                found = ([found, *re.findall(pattern, text)])[-1]
        return found

    return wait_until(look, f"a mail to {address}")


def on_an_evening(browser: Browser, town: Town) -> None:
    """What the operator sees from the first product to the closed shelf."""
    with phone(browser, town) as page, phone(browser, town) as shopper:
        Evening(town, page, shopper, shoot_operator).spend(PASSWORD)


def on_the_shelf(browser: Browser, town: Town) -> None:
    """What can be had, and what cannot."""
    for sku, delta in (("candle", -5), ("pin", -50), ("tote", -34)):
        town.command("restock", sku, str(delta), "--reason", "for the pictures")
    page = someone(browser, town)
    for name, path in {
        "shelf": "/",
        "coming-soon": "/products/cassette",
        "on-sale": "/products/poster",
        "low": "/products/candle",
        "sold-out": "/products/pin",
        "not-found": "/nothing",
        "my-orders": "/orders",
        "bag-empty": "/bag",
        "mail-confirmed": "/dev/mails/confirmed.html",
        "mail-confirmed-german": "/dev/mails/confirmed.html?language=de",
        "mail-refunded": "/dev/mails/refunded.html",
        "mail-declined": "/dev/mails/declined.html",
    }.items():
        page.goto(path)
        shoot(page, name)
    page.goto("/products/poster")
    page.evaluate("document.forms.buy.noValidate = true")
    page.get_by_label("Quantity").fill("99")
    page.get_by_role("button", name="Buy now").click()
    headed(page, "At most 2 in one order")
    shoot(page, "limit-reached")
    german = someone(browser, town, "de-DE")
    for name, path in {
        "shelf-german": "/",
        "on-sale-german": "/products/poster",
        "sold-out-german": "/products/pin",
    }.items():
        german.goto(path)
        shoot(german, name)


def in_line(browser: Browser, town: Town) -> None:
    """Two wait for what is sold out; a unit comes back for the first of them."""
    places = []
    page = someone(browser, town)
    for name in ("ada", "bob"):
        page.goto("/products/pin")
        page.get_by_label("E-mail").fill(f"{name}@example.com")
        page.get_by_role("button", name="Join the line").click()
        headed(page, "Look at your mail")
        places.append(mailed(town, f"{name}@example.com", r"https?://\S+/waitlist/\S+"))
    shoot(page, "waitlist-joined")
    page.goto(places[0])
    shoot(page, "waitlist-unconfirmed")
    for place in places:
        page.goto(place)
        page.get_by_role("button", name="Confirm my place").click()
        page.get_by_role("button", name="Leave the line").wait_for()
    shoot(page, "waitlist-place")
    town.command("restock", "pin", "1", "--reason", "for the pictures")
    page.goto(places[0])
    shoot(page, "waitlist-offer")


def on_the_way(browser: Browser, town: Town) -> None:
    """From the bag to the goods, and what others see meanwhile."""
    ada, bob = someone(browser, town), someone(browser, town)
    ada.goto("/products/record")
    ada.get_by_role("button", name="Add to bag").click()
    shoot(ada, "bag")
    order = buy(ada, "/products/tote")
    shoot(ada, "pay")
    bob.goto("/products/tote")
    shoot(bob, "all-held")
    bob.get_by_role("button", name="Buy now").click()
    headed(bob, "Someone was quicker")
    shoot(bob, "refused-all-held")
    ada.goto(order)
    shoot(ada, "hold-running")
    ada.goto("/")
    shoot(ada, "shelf-with-hold")
    give_back(ada, order)
    shoot(ada, "given-back")
    buy(bob, "/products/tote")
    pay(bob)
    shoot(bob, "paid")


def undone(browser: Browser, town: Town) -> None:
    """How it ends for who pays too late, not at all, or with money that does not come."""
    town.command("restock", "tote", "1", "--reason", "for the pictures")
    late, quick, slow = (someone(browser, town) for _ in range(3))
    order = buy(late, "/products/tote")
    give_back(quick, order)
    buy(quick, "/products/tote")
    pay(quick)
    pay(late, "late", "Refunded")
    shoot(late, "refunded")

    order = buy(slow, "/products/zine")
    [*_, session] = (one["checkout_session"] for one in town.orders())
    ended = f"{town.standin.url}/v1/checkout/sessions/{session}/expire"
    requests.post(ended, headers=KEY, timeout=10).raise_for_status()
    slow.goto(order)
    headed(slow, "The time ran out")
    shoot(slow, "hold-ended")

    buy(slow, "/products/zine")
    pay(slow, "delayed_fail", "Your payment is on its way")
    shoot(slow, "payment-on-its-way")
    headed(slow, "The payment did not go through")
    shoot(slow, "payment-failed")


def on_our_own_page(browser: Browser, town: Town) -> None:
    """The payment form in the shop itself, and before it how the goods are to come."""
    page = someone(browser, town)
    page.goto("/products/poster")
    page.get_by_role("button", name="Buy now").click()
    headed(page, "How you get it")
    shoot(page, "how-you-get-it")
    page.get_by_label("Have it sent").check()
    page.get_by_role("button", name="Go on to pay").click()
    expect(page.get_by_role("alert")).to_contain_text("missing or wrong")
    shoot(page, "how-you-get-it-wrong")
    page.get_by_label("Pick it up").check()
    page.get_by_role("button", name="Go on to pay").click()
    form = page.frame_locator("#payment-fields iframe")
    form.get_by_label("Pay (card 4242)").wait_for(timeout=30_000)
    shoot(page, "own-page")
    page.get_by_label("Mail address").fill("ada@example.com")
    form.get_by_label("Be declined (card 0002)", exact=True).check()
    page.get_by_role("button", name="Pay $25.00").click()
    expect(page.get_by_role("alert")).to_contain_text("declined")
    shoot(page, "own-page-declined")


def in_trouble(browser: Browser, town: Town) -> None:
    """Stripe does not answer, Redis comes up without it, and then is gone. Nothing works after that."""
    page = someone(browser, town)
    order = buy(page, "/products/zine")
    town.standin.kill()
    page.goto(order)
    shoot(page, "checking-with-stripe")
    page = someone(browser, town)
    page.goto("/products/zine")
    page.get_by_role("button", name="Buy now").click()
    headed(page, "The payment page cannot be opened")
    shoot(page, "stripe-down")
    town.redis.restart()
    page = someone(browser, town)
    wait_until(lambda: _shut(page), "the shop knows that Redis was restarted")
    shoot(page, "closed")
    page.get_by_role("button", name="Buy now").click()
    headed(page, "The shop is closed for the moment")
    shoot(page, "refused-closed")
    town.redis.kill()
    page.goto("/")
    headed(page, "The shop cannot count its stock")
    shoot(page, "redis-down")


def _shut(page: Page) -> bool:
    page.goto("/products/zine")
    return page.get_by_text("checking our books").is_visible()


@contextmanager
def demo(**settings: str) -> Iterator[Town]:
    """A town that sells the demo's goods."""
    with tempfile.TemporaryDirectory() as name, open_town(Path(name), **settings) as town:
        town.command("import", str(ROOT / "demo" / "catalogue.toml"))
        yield town


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(**launch_arguments())
        with demo(**OWN_PAGE, **SENDS) as town:
            on_our_own_page(browser, town)
        with demo(ADMIN_PASSWORD_HASH=HASH) as town:
            on_an_evening(browser, town)
        with demo(DELAYED_METHODS="on") as town:
            on_the_shelf(browser, town)
            in_line(browser, town)
            on_the_way(browser, town)
            undone(browser, town)
            in_trouble(browser, town)
        browser.close()
