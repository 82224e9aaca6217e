"""A shopper pays with the Payment Element in a real browser, under a strict policy."""

import stripe
from playwright.sync_api import Page, expect

from tests.standin.conftest import Standin
from tests.standin.element.host import Host
from tests.standin.element.shopper import arrived, opened, press_pay, status, unexpected
from tests.standin.test_payment_intents import create


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


def test_a_call_that_fails_is_an_error_and_can_be_repeated(
    standin: Standin, host: Host, page: Page
):
    intent = create(standin)
    opened(page, host, intent)
    page.route("**/confirm", lambda route: route.abort())
    press_pay(page)
    expect(page.locator("#error")).to_contain_text("issues connecting")
    assert page.evaluate("window.result.error.type") == "api_connection_error"
    page.unroute("**/confirm")
    standin.control(
        "faults", {"match": "POST /v1/payment_intents/*/confirm", "kind": "error_500_unsaved"}
    )
    press_pay(page)
    expect(page.locator("#error")).to_contain_text("An unknown error occurred")
    assert page.evaluate("window.result.error.type") == "api_error"
    press_pay(page)
    assert arrived(page, host, intent) == "succeeded"
