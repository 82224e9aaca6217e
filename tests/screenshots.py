"""Takes a picture of every state that shoppers see, wide and on a small phone, into docs/screenshots/.

``make screenshots`` (``python -m tests.screenshots``) runs it: a real shop with the demo's goods, its worker,
Redis and the stand-in for Stripe, and Chromium.
"""

import io
import tempfile
from pathlib import Path

import redis
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import launch_arguments
from tests.harness import ROOT
from tests.journeys.conftest import Town, open_town

FOLDER = ROOT / "docs" / "screenshots"
SIZES = {"wide": (1280, 860), "phone": (360, 760)}
COLOURS = 96


def shoot(page: Page, name: str) -> None:
    """The page as it is now, in both sizes; few colours keep the files small."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_load_state("load")
        with Image.open(io.BytesIO(page.screenshot(full_page=size == "phone"))) as picture:
            few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(FOLDER / f"{name}-{size}.png", optimize=True)


def someone(browser: Browser, town: Town, language: str = "en-GB") -> Page:
    """A new visitor."""
    context = browser.new_context(
        base_url=town.shop.url, locale=language, timezone_id="Europe/London"
    )
    return context.new_page()


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


def pay(page: Page) -> None:
    """Fill in the stand-in's payment page and send it."""
    page.get_by_label("Mail address").fill("ada@example.com")
    page.get_by_role("button", name="Pay ").click()
    page.wait_for_url("**/orders/**")
    page.get_by_role("heading", name="Paid. It is yours").wait_for(timeout=30_000)


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
        "mail-confirmed": "/dev/mails/confirmed.html",
        "mail-confirmed-german": "/dev/mails/confirmed.html?language=de",
        "mail-refunded": "/dev/mails/refunded.html",
        "admin-login": "/admin/login",
    }.items():
        page.goto(path)
        shoot(page, name)
    page.goto("/products/poster")
    page.evaluate("document.forms.buy.noValidate = true")
    page.get_by_label("Quantity").fill("99")
    page.get_by_role("button", name="Buy now").click()
    shoot(page, "limit-reached")
    german = someone(browser, town, "de-DE")
    for name, path in (("shelf-german", "/"), ("on-sale-german", "/products/poster")):
        german.goto(path)
        shoot(german, name)


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
    shoot(bob, "refused-all-held")
    payment = ada.url
    ada.goto(order)
    shoot(ada, "hold-running")
    ada.goto(payment)
    pay(ada)
    shoot(ada, "paid")
    order = buy(bob, "/products/zine")
    bob.goto(order)
    bob.get_by_role("button", name="Give the units back").click()
    bob.get_by_role("heading", name="Given back").wait_for()
    shoot(bob, "given-back")


def in_trouble(browser: Browser, town: Town) -> None:
    """Stripe does not answer, and then Redis does not either. Nothing works after that."""
    page = someone(browser, town)
    order = buy(page, "/products/zine")
    town.standin.kill()
    page.goto(order)
    shoot(page, "checking-with-stripe")
    page = someone(browser, town)
    page.goto("/products/zine")
    page.get_by_role("button", name="Buy now").click()
    page.get_by_role("heading", name="The payment page cannot be opened").wait_for(timeout=60_000)
    shoot(page, "stripe-down")
    with redis.Redis.from_url(town.environment["REDIS_URL"]) as client:
        client.shutdown(nosave=True)
    page.goto("/")
    shoot(page, "redis-down")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        open_town(Path(name)) as town,
        sync_playwright() as play,
    ):
        town.command("import", str(ROOT / "demo" / "catalogue.toml"))
        browser = play.chromium.launch(**launch_arguments())
        on_the_shelf(browser, town)
        on_the_way(browser, town)
        in_trouble(browser, town)
        browser.close()
