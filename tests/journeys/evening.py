"""One evening of a shop that one person runs from a phone: told once, for the test and for the pictures.

``Evening.spend`` goes from the login to the closed shelf, and hands every page of the operator's that it
comes by to ``look``, with a name.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Shopper, Town

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}
PATIENCE = 30_000
"""Milliseconds for what a worker or another process does first."""

Look = Callable[[Page, str], None]


def photograph() -> bytes:
    """A mug on a table, as a camera would keep it."""
    picture = Image.new("RGB", (1600, 1200), "#d9cbb2")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 860, 1600, 1200), fill="#8a6f52")
    draw.ellipse((980, 380, 1260, 760), outline="#1f7a78", width=60)
    draw.rounded_rectangle((480, 260, 1080, 940), 60, fill="#1f7a78")
    draw.ellipse((480, 210, 1080, 330), fill="#f4efe4")
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


@contextmanager
def phone(browser: Browser, town: Town) -> Iterator[Page]:
    """A browser as wide as a phone."""
    context = browser.new_context(base_url=town.shop.url, viewport=PHONE, locale="en-GB")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@contextmanager
def beside(page: Page, town: Town) -> Iterator[Page]:
    """The same person's desk, signed in like the phone."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(
        base_url=town.shop.url,
        viewport=DESK,  # type: ignore[arg-type]
        locale="en-GB",
        storage_state=page.context.storage_state(),
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@dataclass
class Evening:
    """The operator's ``page``, a shopper who comes by, and who is shown each page."""

    town: Town
    page: Page
    shopper: Page
    look: Look

    def spend(self, password: str) -> None:
        """All of it."""
        self.sign_in(password)
        self.set_up()
        self.open()
        order = self.sell()
        self.restock()
        code = self.refund_a_line(order)
        with beside(self.page, self.town) as desk:
            self.hand_out(code, desk)
            self.look_at_the_books(order, desk)
        self.close()

    def sign_in(self, password: str) -> None:
        self.page.goto("/admin/login")
        self.look(self.page, "login")
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Now")

    def set_up(self) -> None:
        """A product in two colours with a picture, on the shelf, and not yet on sale."""
        page = self.page
        page.goto("/admin/new-product")
        self.look(page, "new-product")
        page.get_by_label("Name", exact=True).fill("Enamel mug")
        page.get_by_label("Description").fill(
            "Dipped twice, fired twice. Each one a little different."
        )
        page.get_by_label("On sale from").fill("2126-12-01T10:00")
        for number, (colour, stock) in enumerate((("Teal", "6"), ("Cream", "3"))):
            page.locator(f"#sku-{number}").fill(f"mug-{colour.lower()}")
            page.locator(f"#stock-{number}").fill(stock)
            page.locator(f"#options-{number}").fill(f"Colour: {colour}")
            page.locator(f"#price-{number}").fill("12.00")
        page.get_by_role("button", name="Make the product").click()
        page.get_by_label("Its picture").set_input_files(
            {"name": "mug.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
        )
        page.get_by_role("button", name="Upload").click()
        expect(page.get_by_role("status").first).to_have_text("The picture is kept.")
        page.get_by_role("button", name="Put on the shelf").click()
        expect(page.get_by_text("On the shelf", exact=True)).to_be_visible()
        self.shopper.goto("/products/enamel-mug")
        expect(self.shopper.get_by_role("button", name="Not on sale yet")).to_be_disabled()

    def open(self) -> None:
        """From now on it is on sale."""
        self.page.get_by_label("On sale from").fill("")
        self.page.get_by_role("button", name="Save").click()
        expect(self.page.get_by_label("On sale from")).to_have_value("")
        self.look(self.page, "product")
        self.page.goto("/admin/products")
        self.look(self.page, "products")

    def sell(self) -> str:
        """A shopper pays two teal mugs and a cream one; answers the order's path."""
        page = self.shopper
        for colour, units in (("Teal", "2"), ("Cream", "1")):
            page.goto("/products/enamel-mug")
            page.get_by_role("radio", name=colour).check()
            page.get_by_label("Quantity").fill(units)
            page.get_by_role("button", name="Add to bag").click()
            page.wait_for_url("**/bag")
        page.get_by_role("button", name="Go to payment").click()
        page.wait_for_url("**/c/pay/**")
        Shopper(page, self.town).pay()
        expect(page.locator("#state")).to_have_text("Paid. It is yours", timeout=PATIENCE)
        self.page.goto("/admin/")
        expect(self.page.get_by_text("Units sold today").locator("xpath=..")).to_contain_text("3")
        self.look(self.page, "now")
        self.page.goto("/admin/orders")
        self.look(self.page, "orders")
        link = self.page.get_by_role("table").get_by_role("link").first
        return f"/admin/orders/{link.inner_text()}"

    def restock(self) -> None:
        """Five cream mugs were found in the van."""
        page = self.page
        page.goto("/admin/stock?sku=mug-cream")
        page.get_by_label("How many").fill("5")
        page.locator("#quick-reason").fill("found in the van")
        self.look(page, "restock")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_text("mug-cream: +5 counted.")).to_be_visible()

    def refund_a_line(self, order: str) -> str:
        """The cream mug comes back; answers the pick-up code of what is left."""
        page = self.page
        page.goto(order)
        page.get_by_label("mug-cream, of 1").fill("1")
        page.get_by_label("They are back: on sale again").check()
        page.get_by_label("Reason, for the ledger").fill("changed their mind")
        page.get_by_role("button", name="Look at this refund").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Send this back?")
        self.look(page, "refund")
        page.get_by_role("button", name="Send $12.00 back").click()

        def sent() -> bool:
            page.goto(order)
            return page.get_by_text("succeeded", exact=True).count() == 1

        self.town.shop.wait_for(sent, "the refund is sent")
        expect(page.get_by_text("$36.00 paid, $12.00 back")).to_be_visible()
        self.look(page, "order")
        link = page.get_by_role("link", name="Hand it over at the counter")
        return f"{self.town.shop.url}{link.get_attribute('href')}"

    def hand_out(self, code: str, desk: Page) -> None:
        """Both of the operator's browsers scan the code at once: one hands over, one is refused."""
        scanners = (self.page, desk)
        for page in scanners:
            page.goto("/admin/pickup")
            if page is self.page:
                self.look(page, "pickup")
            page.get_by_label("Pick-up code").fill(code)
        for page in scanners:
            page.keyboard.press("Enter")
        for page in scanners:
            expect(page.get_by_role("heading", level=1)).not_to_have_text("Pick-up")
        green = self.page if self.page.get_by_role("button", name="Undo").count() else desk
        red = desk if green is self.page else self.page
        expect(green.get_by_role("heading", level=1)).to_have_text("Hand it over")
        expect(green.locator(".given")).to_have_text(re.compile(r"^\s*2 × Enamel mug"))
        expect(red.get_by_role("heading", level=1)).to_have_text("Already handed over")
        for page, name in ((green, "pickup-green"), (red, "pickup-red")):
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            self.look(page, name)
        desk.set_viewport_size(DESK)  # type: ignore[arg-type]

    def look_at_the_books(self, order: str, desk: Page) -> None:
        """What came in and went back is what Stripe says; every check holds; and so at the desk."""
        page = self.page
        page.goto("/admin/money")
        expect(page.get_by_text("None: both say the same of all 2 movements.")).to_be_visible()
        self.look(page, "money")
        page.goto("/admin/privacy")
        page.get_by_label("Mail address").fill("ada@example.com")
        page.get_by_role("button", name="Look").click()
        expect(page.get_by_role("heading", name="What there is")).to_be_visible()
        self.look(page, "privacy")
        page.goto("/admin/integrity?stripe=1")
        expect(page.get_by_text("Every check holds, and Stripe agrees.")).to_be_visible()
        self.look(page, "integrity")
        for name, path in (
            ("now", "/admin/"),
            ("product", "/admin/products/enamel-mug"),
            ("restock", "/admin/stock"),
            ("order", order),
            ("money", "/admin/money"),
        ):
            desk.goto(path)
            self.look(desk, f"{name}-at-the-desk")

    def close(self) -> None:
        """The evening is over: nobody finds the mug any more."""
        self.page.goto("/admin/products/enamel-mug")
        self.page.get_by_role("button", name="Take off the shelf").click()
        expect(self.page.get_by_text("Off the shelf", exact=True)).to_be_visible()
        gone = self.shopper.goto("/products/enamel-mug")
        assert gone is not None
        assert gone.status == 404
