"""Stripe.js as a page uses it, rightly and wrongly."""

import pytest
from playwright.sync_api import Page, expect

from tests.standin.conftest import Standin
from tests.standin.element.host import Host
from tests.standin.element.shopper import comes_true, form_of, opened
from tests.standin.test_payment_intents import create


def test_an_element_is_taken_off_the_page_and_put_back(standin: Standin, host: Host, page: Page):
    intent = create(standin)
    opened(page, host, intent)
    page.evaluate("payment.unmount()")
    expect(page.locator("iframe")).to_have_count(0)
    refused = page.evaluate("elements.submit().catch((error) => error.name)")
    assert refused == "IntegrationError"
    page.evaluate("seen.length = 0; payment.mount(document.getElementById('element'))")
    comes_true(page, "seen.some((event) => event.type === 'ready')")
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


@pytest.mark.parametrize("path", ["/v3/stripe.js", "/v3/", "/stripe.js"])
def test_stripe_js_is_served_to_any_page_and_needs_no_eval(standin: Standin, path: str):
    answer = standin.http.get(standin.url + path, timeout=30)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    for word in ("eval(", "new Function", "innerHTML", "setAttribute('style'"):
        assert word not in answer.text
