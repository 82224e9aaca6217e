"""What a shopper does and sees on a page with the Payment Element."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import stripe
from playwright.sync_api import Frame, FrameLocator, Page, expect

from tests.harness import wait_until
from tests.standin.conftest import Standin
from tests.standin.element.host import Host

PHONE: Any = {"width": 360, "height": 740}
SLOW = 45_000
"""Milliseconds that a page may take on a busy machine."""
CHANGE = "seen.filter((event) => event.type === 'change').at(-1)"
"""The last change that the page heard of."""
expect.set_options(timeout=SLOW)


def unexpected(page: Page) -> list[str]:
    """What the browser complained of, without the 402 of a declined card and its like."""
    complaints: list[str] = page.complaints  # type: ignore[attr-defined]
    return [text for text in complaints if "status of 40" not in text and "favicon" not in text]


def form_of(page: Page) -> FrameLocator:
    return page.frame_locator('iframe[title="Secure payment input frame"]')


def opened(
    page: Page, host: Host, intent: stripe.PaymentIntent, query: dict[str, str] | None = None
) -> FrameLocator:
    """The payment page of an intent, ready to be filled in."""
    page.goto(host.address(secret=str(intent.client_secret), **(query or {})))
    expect(page.get_by_role("button", name="Pay")).to_be_enabled()
    return form_of(page)


def press_pay(page: Page) -> None:
    page.get_by_role("button", name="Pay").click()


def arrived(page: Page, host: Host, intent: stripe.PaymentIntent) -> str:
    """The `redirect_status` with which the shopper comes back to the shop."""
    page.wait_for_url(f"{host.url}/return?*")
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    word = query.pop("redirect_status")
    assert query == {
        "order": "7",
        "payment_intent": intent.id,
        "payment_intent_client_secret": intent.client_secret,
    }
    return word


def status(standin: Standin, intent: stripe.PaymentIntent) -> str:
    return str(standin.client.v1.payment_intents.retrieve(intent.id).status)


def comes_true(part: Page | Frame, question: str) -> None:
    """Waits for an answer; Playwright's own way of waiting needs the eval that the policy bars."""
    wait_until(lambda: part.evaluate(question), question)
