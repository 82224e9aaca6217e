"""The page's policy, and who is heard by the page and by the frame in it."""

import re

import pytest
import stripe
from playwright.sync_api import Page, Route, expect

from tests.harness import wait_until
from tests.standin.conftest import Standin
from tests.standin.element.host import Host
from tests.standin.element.shopper import CHANGE, comes_true, opened, unexpected
from tests.standin.test_payment_intents import create


@pytest.mark.parametrize("directive", ["script-src", "frame-src", "connect-src"])
def test_a_policy_that_forgets_something_breaks_the_page(
    standin: Standin, host: Host, page: Page, directive: str
):
    """The negative control of every other test here: the policy is what they run under."""
    source = re.escape(host.standin)
    host.policy, times = re.subn(rf"({directive}[^;]*?) {source}", r"\1", host.policy)
    assert times == 1
    page.goto(host.address(secret=str(create(standin).client_secret)))
    if directive != "script-src":
        expect(page.locator("#error")).not_to_be_empty()
    expect(page.get_by_role("button", name="Pay")).to_be_disabled()
    assert any("Content Security Policy" in text for text in unexpected(page))


CHECKS = {
    "stripe.js": "event.origin !== ORIGIN || event.source !== this.#frame?.contentWindow",
    "element.js": "event.source !== window.parent || event.origin !== HOST",
}
"""What each side asks before it hears a message."""


def said_by_others(page: Page, host: Host, intent: stripe.PaymentIntent) -> list[str]:
    """Which side takes a message that its own window sends in the name of the other."""
    form = opened(page, host, intent)
    page.evaluate(
        "() => { seen.length = 0;"
        " window.postMessage({standin: 'element', type: 'change', empty: true}, '*'); }"
    )
    page.frames[1].evaluate(
        "() => new Promise((done) => {"
        " window.addEventListener('message', () => setTimeout(done));"
        " window.postMessage({standin: 'page', type: 'clear'}, '*'); })"
    )
    believed = [] if form.get_by_label("Pay (card 4242)").is_checked() else ["element.js"]
    form.get_by_label("Be declined").check()
    comes_true(page, f"{CHANGE}?.complete")
    forged = "seen.some((event) => event.type === 'change' && !('value' in event))"
    return [*believed, "stripe.js"] if page.evaluate(forged) else believed


def test_the_two_sides_hear_nobody_else(standin: Standin, host: Host, page: Page):
    assert said_by_others(page, host, create(standin)) == []


@pytest.mark.parametrize("side", sorted(CHECKS))
def test_a_side_that_does_not_ask_who_speaks_is_found_out(
    standin: Standin, host: Host, page: Page, side: str
):
    """The negative control: the same messages, and a script that believes everybody."""

    def without_the_check(route: Route) -> None:
        text = route.fetch().text()
        assert CHECKS[side] in text
        route.fulfill(body=text.replace(CHECKS[side], "false"), content_type="text/javascript")

    page.route(f"**/{side}", without_the_check)
    assert side in said_by_others(page, host, create(standin))


def test_the_frame_is_for_the_page_that_it_names(standin: Standin, host: Host, page: Page):
    frame = f"{standin.url}/v3/elements/payment"
    answer = standin.http.get(frame, params={"host": "https://shop.test"}, timeout=30)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://shop.test")
    assert "unsafe" not in policy
    for wrong in ("", "*", "https://a.test https://b.test", "https://a.test; script-src *"):
        refused = standin.http.get(frame, params={"host": wrong}, timeout=30)
        assert refused.status_code == 400
    page.goto(host.address(secret=str(create(standin).client_secret)))
    expect(page.get_by_role("button", name="Pay")).to_be_enabled()
    page.evaluate(
        "(address) => { document.querySelector('iframe').src = address }",
        f"{frame}?host=https%3A%2F%2Fshop.test",
    )
    wait_until(
        lambda: page.evaluate("1") and any("frame-ancestors" in text for text in unexpected(page)),
        "the browser refuses to show the frame in a page that it does not name",
    )
