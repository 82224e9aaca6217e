"""The Payment Element's form: what it offers, for whom, and what it says."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.standin.conftest import Endpoint, Standin
from tests.standin.element.host import Host, serve
from tests.standin.element.shopper import (
    CHANGE,
    arrived,
    comes_true,
    opened,
    press_pay,
    status,
    unexpected,
)
from tests.standin.test_payment_intents import create


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
    comes_true(page, f"{CHANGE}.empty")
    press_pay(page)
    expect(page.locator("#error")).to_have_text("Please choose how to pay.")
    assert standin.event_types(intent.id) == ["payment_intent.created"]
    form.get_by_label("Be declined").check()
    expect(form.get_by_role("alert")).to_be_hidden()
    comes_true(page, f"{CHANGE}.complete")
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
    comes_true(page, "seen.some((event) => event.type === 'focus')")
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
    comes_true(
        inside,
        "getComputedStyle(document.documentElement).getPropertyValue('--accent') === '#008000'",
    )
    page.evaluate("theme => elements.update({appearance: {theme}})", theme)
    comes_true(inside, "!document.documentElement.style.getPropertyValue('--accent')")
    assert unexpected(page) == []
    check: Any = Axe().run
    only_a_part = {"rules": {"page-has-heading-one": {"enabled": False}}}  # the page has one
    for found in (check(page), check(inside, options=only_a_part)):
        assert found.violations_count == 0, found.generate_report()


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


def test_the_form_chooses_what_the_shop_hears(telling: tuple[Standin, Endpoint], page: Page):
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
