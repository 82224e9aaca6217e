"""The Payment Element in a real browser, on a page of another origin under a strict policy."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, expect

from tests.standin.conftest import Endpoint, Standin
from tests.standin.payment_host import Host, serve
from tests.standin.test_payment_intents import create

PHONE: Any = {"width": 360, "height": 740}
SLOW = 45_000
"""Milliseconds that a page may take on a busy machine."""
CHANGE = "seen.filter((event) => event.type === 'change').at(-1)"
"""The last change that the page heard of."""
expect.set_options(timeout=SLOW)


@pytest.fixture
def host(standin: Standin) -> Iterator[Host]:
    with serve(standin.url) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A small screen; `page.complaints` keeps what the browser blocked or missed."""
    context = browser.new_context(viewport=PHONE)
    opened = context.new_page()
    opened.set_default_timeout(SLOW)
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    opened.on("console", heard)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.complaints = complaints  # type: ignore[attr-defined]
    yield opened
    context.close()


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


def test_a_shopper_pays_and_comes_back_to_the_shop(standin: Standin, host: Host, page: Page):
    intent = create(standin)
    form = opened(page, host, intent)
    expect(form.get_by_text("Test payments: no real money moves.")).to_be_visible()
    expect(form.get_by_label("Pay (card 4242)")).to_be_checked()
    press_pay(page)
    assert arrived(page, host, intent) == "succeeded"
    paid = standin.client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert paid.status == "succeeded"
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert paid.latest_charge.billing_details.email == "ada@example.com"
    assert unexpected(page) == []


def test_a_declined_shopper_stays_and_pays_with_another_card(
    standin: Standin, host: Host, page: Page
):
    intent = create(standin)
    form = opened(page, host, intent)
    for label, words, reason in (
        ("Be declined", "Your card was declined.", "generic_decline"),
        ("Insufficient funds", "Your card has insufficient funds.", "insufficient_funds"),
    ):
        form.get_by_label(label).check()
        press_pay(page)
        expect(page.locator("#error")).to_have_text(words)
        error = page.evaluate("window.result.error")
        assert (error["type"], error["code"]) == ("card_error", "card_declined")
        assert error["decline_code"] == reason
        assert error["payment_intent"]["status"] == "requires_payment_method"
    assert page.url.startswith(f"{host.url}/pay")
    form.get_by_label("Pay (card 4242)").check()
    press_pay(page)
    assert arrived(page, host, intent) == "succeeded"
    assert standin.event_types(intent.id).count("payment_intent.payment_failed") == 2
    assert unexpected(page) == []


def test_a_shopper_whom_the_bank_knows_has_paid(standin: Standin, host: Host, page: Page):
    intent = create(standin)
    opened(page, host, intent).get_by_label("3-D Secure (card 3220)").check()
    press_pay(page)
    expect(page.get_by_role("heading", name="Your bank asks: is it you?")).to_be_visible()
    assert status(standin, intent) == "requires_action"
    page.get_by_role("button", name="Confirm").click()
    assert arrived(page, host, intent) == "succeeded"
    assert status(standin, intent) == "succeeded"
    assert unexpected(page) == []


def test_a_shopper_who_refuses_at_the_bank_pays_the_same_intent_later(
    standin: Standin, host: Host, page: Page
):
    intent = create(standin)
    opened(page, host, intent).get_by_label("3-D Secure (card 3220)").check()
    press_pay(page)
    page.get_by_role("button", name="Refuse").click()
    assert arrived(page, host, intent) == "failed"
    assert status(standin, intent) == "requires_payment_method"
    opened(page, host, intent).get_by_label("3-D Secure, then declined").check()
    press_pay(page)
    page.get_by_role("button", name="Confirm").click()
    assert arrived(page, host, intent) == "failed"
    opened(page, host, intent)
    press_pay(page)
    assert arrived(page, host, intent) == "succeeded"
    assert unexpected(page) == []


def test_an_intent_canceled_while_the_page_is_open_is_not_paid(
    standin: Standin, host: Host, page: Page
):
    intent = create(standin)
    opened(page, host, intent)
    standin.client.v1.payment_intents.cancel(intent.id)
    press_pay(page)
    expect(page.locator("#error")).to_contain_text("status of canceled")
    error = page.evaluate("window.result.error")
    assert error["code"] == "payment_intent_unexpected_state"
    assert error["payment_intent"]["status"] == "canceled"
    assert page.evaluate("elements.fetchUpdates()") == {}
    page.reload()
    expect(page.locator("#error")).to_contain_text("is in a terminal state")
    expect(page.get_by_role("button", name="Pay")).to_be_disabled()


def test_without_a_redirect_the_page_gets_the_intent(standin: Standin, host: Host, page: Page):
    intent = create(standin, capture_method="manual")
    opened(page, host, intent, {"redirect": "if_required"})
    press_pay(page)
    expect(page.locator("#status")).to_have_text("is requires_capture")
    seen = page.evaluate("window.result.paymentIntent")
    assert (seen["id"], "metadata" in seen) == (intent.id, False)
    found = page.evaluate(
        "secret => stripe.retrievePaymentIntent(secret)", str(intent.client_secret)
    )
    assert found["paymentIntent"]["status"] == "requires_capture"
    again = page.evaluate(
        "secret => stripe.handleNextAction({clientSecret: secret})", str(intent.client_secret)
    )
    assert "not in the requires_action state" in again["error"]["message"]
    assert unexpected(page) == []


def test_a_delayed_method_is_offered_where_it_is_allowed_and_comes_back_pending(
    standin: Standin, host: Host, page: Page
):
    cards_only = create(standin, allowed_payment_method_types=["card"])
    form = opened(page, host, cards_only)
    expect(form.get_by_label("Pay (card 4242)")).to_be_visible()
    expect(form.get_by_label("SEPA direct debit (delayed)")).to_be_hidden()
    intent = create(standin, currency="eur")
    form = opened(page, host, intent)
    expect(form.get_by_label("US bank account (delayed)")).to_be_hidden()
    form.get_by_label("SEPA direct debit (delayed)").check()
    form.get_by_text("For trials").click()
    form.get_by_label("Seconds of delay").fill("600")
    press_pay(page)
    assert arrived(page, host, intent) == "pending"
    assert status(standin, intent) == "processing"


def test_the_form_chooses_what_the_shop_hears(
    telling: tuple[Standin, Endpoint], browser: Browser, page: Page
):
    standin, endpoint = telling
    with serve(standin.url) as host:
        intent = create(standin)
        form = opened(page, host, intent)
        form.get_by_text("For trials").click()
        form.get_by_label("What the shop hears of it").select_option("lost")
        press_pay(page)
        assert arrived(page, host, intent) == "succeeded"
    marker = create(standin)
    endpoint.wait_for("payment_intent.created", 2)
    assert endpoint.about(marker.id) == ["payment_intent.created"]
    assert endpoint.about(intent.id) == ["payment_intent.created"]


def test_what_is_not_filled_in_is_said_before_anything_is_sent(
    standin: Standin, host: Host, page: Page
):
    intent = create(standin)
    form = opened(page, host, intent)
    form.get_by_text("For trials").click()
    form.get_by_label("Seconds of delay").fill("")
    press_pay(page)
    expect(page.locator("#error")).to_have_text(
        "Please enter a number of seconds, from 0 to a week."
    )
    expect(form.get_by_role("alert")).to_be_visible()
    assert page.evaluate("window.result.error.type") == "validation_error"
    page.evaluate("payment.clear()")
    page.wait_for_function(f"{CHANGE}.empty")
    press_pay(page)
    expect(page.locator("#error")).to_have_text("Please choose how to pay.")
    assert standin.event_types(intent.id) == ["payment_intent.created"]
    form.get_by_label("Be declined").check()
    expect(form.get_by_role("alert")).to_be_hidden()
    page.wait_for_function(f"{CHANGE}.complete")
    assert page.evaluate(CHANGE) == {
        "type": "change",
        "elementType": "payment",
        "empty": False,
        "complete": True,
        "collapsed": False,
        "value": {"type": "card"},
    }


def test_the_form_can_be_used_by_keyboard_alone(standin: Standin, host: Host, page: Page):
    intent = create(standin)
    form = opened(page, host, intent)
    page.evaluate("payment.focus()")
    expect(form.get_by_label("Pay (card 4242)")).to_be_focused()
    page.wait_for_function("seen.some((event) => event.type === 'focus')")
    page.keyboard.press("ArrowDown")
    expect(form.get_by_label("Be declined")).to_be_checked()
    page.keyboard.press("Tab")
    expect(form.get_by_text("For trials")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(form.get_by_label("What the shop hears of it")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Pay")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_have_text("Your card was declined.")


@pytest.mark.parametrize("theme", ["stripe", "night"])
def test_the_form_fits_a_phone_and_can_be_read_by_all(
    standin: Standin, host: Host, page: Page, theme: str
):
    form = opened(page, host, create(standin), {"theme": theme})
    form.get_by_text("For trials").click()
    page.locator("iframe").evaluate(
        "async (frame) => { while (frame.clientHeight < 500) await new Promise(requestAnimationFrame) }"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    inside = page.frames[1]
    assert inside.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert inside.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    dark = (
        inside.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    )
    assert dark == (theme == "night")
    page.evaluate("elements.update({appearance: {variables: {colorPrimary: '#008000'}}})")
    inside.wait_for_function(
        "getComputedStyle(document.documentElement).getPropertyValue('--accent') === '#008000'"
    )
    page.evaluate("theme => elements.update({appearance: {theme}})", theme)
    inside.wait_for_function("!document.documentElement.style.getPropertyValue('--accent')")
    assert unexpected(page) == []
    check: Any = Axe().run
    only_a_part = {"rules": {"page-has-heading-one": {"enabled": False}}}  # the page has one
    for found in (check(page), check(inside, options=only_a_part)):
        assert found.violations_count == 0, found.generate_report()


def test_an_element_is_taken_off_the_page_and_put_back(standin: Standin, host: Host, page: Page):
    intent = create(standin)
    opened(page, host, intent)
    page.evaluate("payment.unmount()")
    expect(page.locator("iframe")).to_have_count(0)
    refused = page.evaluate("elements.submit().catch((error) => error.name)")
    assert refused == "IntegrationError"
    page.evaluate("seen.length = 0; payment.mount(document.getElementById('element'))")
    page.wait_for_function("seen.some((event) => event.type === 'ready')")
    types = page.evaluate("seen.map((event) => event.type)")
    assert types[0] == "loaderstart"
    assert page.evaluate("elements.getElement('payment') === payment")
    page.evaluate("payment.destroy()")
    assert page.evaluate("elements.getElement('payment')") is None
    again = "(() => { try { payment.mount('#element') } catch (error) { return error.message } })()"
    assert "already been destroyed" in page.evaluate(again)
    page.evaluate("window.payment = elements.create('payment').mount('#element')")
    expect(form_of(page).get_by_label("Pay (card 4242)")).to_be_visible()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("Stripe('sk_test_x')", "should not use your secret key"),
        ("Stripe()", "publishable key"),
        ("stripe.elements({clientSecret: 'pi_1'})", "value should be a client secret"),
        ("stripe.elements({mode: 'payment'})", "needs a clientSecret"),
        ("elements.create('payment')", "only create one Element"),
        ("elements.create('card')", "does not model"),
        ("payment.mount('#nowhere')", "applies to no DOM elements"),
        ("stripe.confirmPayment({elements, confirmParams: {}})", "return_url"),
        ("stripe.confirmPayment({confirmParams: {return_url: location.href}})", "mounted Payment"),
    ],
)
def test_a_wrong_use_is_an_integration_error(
    standin: Standin, host: Host, page: Page, code: str, words: str
):
    opened(page, host, create(standin))
    failed = page.evaluate(
        f"(async () => {{ try {{ await {code} }} catch (error) {{ return [error.name, error.message] }} }})()"
    )
    assert failed[0] == "IntegrationError"
    assert words in failed[1]


def test_a_wrong_secret_is_a_load_error(standin: Standin, host: Host, page: Page):
    intent = create(standin)
    page.goto(host.address(secret=f"{intent.id}_secret_guess"))
    expect(page.locator("#error")).to_contain_text("client_secret provided does not match")
    expect(page.get_by_role("button", name="Pay")).to_be_disabled()


@pytest.mark.parametrize("directive", ["script-src", "frame-src", "connect-src"])
def test_a_policy_that_forgets_something_breaks_the_page(
    standin: Standin, host: Host, page: Page, directive: str
):
    """The negative control of every other test here: the policy is what they run under."""
    host.policy = host.policy.replace(f"{directive} {host.standin}", f"{directive} 'none'")
    host.policy = host.policy.replace(f"script-src 'self' {host.standin}", "script-src 'self'")
    if directive != "script-src":
        host.policy = host.policy.replace("script-src 'self'", f"script-src 'self' {host.standin}")
    page.goto(host.address(secret=str(create(standin).client_secret)))
    if directive != "script-src":
        expect(page.locator("#error")).not_to_be_empty()
    expect(page.get_by_role("button", name="Pay")).to_be_disabled()
    assert any("Content Security Policy" in text for text in unexpected(page))


def test_the_two_sides_hear_nobody_else(standin: Standin, host: Host, page: Page):
    """A message from another window, or said to come from one side, is not taken by the other."""
    intent = create(standin)
    form = opened(page, host, intent)
    page.evaluate(
        "() => { seen.length = 0;"
        " window.postMessage({standin: 'element', type: 'change', empty: true}, '*'); }"
    )
    inside = page.frames[1]
    inside.evaluate(
        "() => new Promise((done) => {"
        " window.addEventListener('message', () => setTimeout(done));"
        " window.postMessage({standin: 'page', type: 'clear'}, '*'); })"
    )
    expect(form.get_by_label("Pay (card 4242)")).to_be_checked()
    form.get_by_label("Be declined").check()
    page.wait_for_function("seen.some((event) => event.type === 'change')")
    changes = page.evaluate("seen.filter((event) => event.type === 'change')")
    assert [change["empty"] for change in changes] == [False]


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
    page.wait_for_function("document.querySelector('iframe').src.endsWith('shop.test')")
    expect(form_of(page).locator("form")).to_have_count(0)


@pytest.mark.parametrize("path", ["/v3/stripe.js", "/v3/", "/stripe.js"])
def test_stripe_js_is_served_to_any_page_and_needs_no_eval(standin: Standin, path: str):
    answer = standin.http.get(standin.url + path, timeout=30)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    for word in ("eval(", "new Function", "innerHTML", "setAttribute('style'"):
        assert word not in answer.text
