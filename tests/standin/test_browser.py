"""The pages in a real browser: without scripts, on a small screen, in the light and in the dark."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.standin.conftest import Standin

PHONE = {"width": 360, "height": 740}


@pytest.fixture(params=["light", "dark"])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A small screen in one of the two looks, without JavaScript."""
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        color_scheme=request.param,
        java_script_enabled=False,
    )
    yield context
    context.close()


@pytest.fixture
def page(phone: BrowserContext) -> Page:
    """A page that fails the test when its browser blocks or misses something."""
    return phone.new_page()


def address(standin: Standin) -> str:
    return str(
        standin.open_session(
            custom_text={"submit": {"message": "Held for you until ten."}},
            shipping_address_collection={"allowed_countries": ["DE", "AT"]},
        ).url
    )


def test_a_shopper_pays_without_javascript_and_lands_in_the_shop(standin: Standin, page: Page):
    page.goto(address(standin))
    expect(page.get_by_role("heading", name="Payment")).to_be_visible()
    expect(page.get_by_text("Test payments: no real money moves.")).to_be_visible()
    page.get_by_label("Mail address").fill("ada@example.com")
    page.get_by_label("Be declined").check()
    page.get_by_role("button", name="Pay 50.00 USD").click()
    expect(page.get_by_role("alert")).to_contain_text("Your card was declined")
    expect(page.get_by_label("Mail address")).to_have_value("ada@example.com")
    page.get_by_label("3-D Secure").check()
    page.get_by_role("button", name="Pay 50.00 USD").click()
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(f"{standin.url}/healthz?session=cs_test_*")


def test_a_shopper_goes_back_to_the_shop(standin: Standin, page: Page):
    page.goto(address(standin))
    page.get_by_role("link", name="Back to the shop").click()
    page.wait_for_url(f"{standin.url}/healthz?cancelled=1")


def test_the_success_page_may_be_on_another_origin(standin: Standin, page: Page):
    """Chromium holds a form's redirect against `form-action` too."""
    elsewhere = standin.url.replace("127.0.0.1", "localhost")
    page.goto(str(standin.open_session(success_url=f"{elsewhere}/healthz?paid=1").url))
    page.get_by_label("Mail address").fill("ada@example.com")
    page.get_by_role("button", name="Pay 50.00 USD").click()
    page.wait_for_url(f"{elsewhere}/healthz?paid=1")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_page_fits_a_phone_and_can_be_used_by_all(
    standin: Standin, browser: Browser, look: Any
):
    expired = standin.open_session()
    standin.client.v1.checkout.sessions.expire(expired.id)
    paid = standin.pay(standin.open_session())
    secure = standin.open_session()
    standin.visit(secure, fate="secure")
    pages = [
        address(standin),
        f"{standin.url}/c/pay/{expired.id}",
        f"{standin.url}/c/pay/{paid.id}",
        f"{standin.url}/c/pay/{secure.id}/secure",
        f"{standin.url}/c/pay/cs_test_none",
        standin.url,
    ]
    context = browser.new_context(viewport=PHONE, color_scheme=look)  # type: ignore[arg-type]
    blocked: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: blocked.append(message.text))
    check: Callable[[Page], Any] = Axe().run
    for url in pages:
        page.goto(url)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{url} is {width} wide"
        found = check(page)
        assert found.violations_count == 0, f"{url}: {found.generate_report()}"
    context.close()
    assert [text for text in blocked if "404" not in text and "ERR_" not in text] == []
