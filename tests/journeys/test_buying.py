"""What a shopper meets, in a real browser, over real processes and HTTP."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.harness import wait_until
from tests.journeys.conftest import Shopper, Town

ORDER = re.compile(r"/orders/[a-z2-7-]+$")


@pytest.fixture(params=["scripts", "no scripts"])
def newcomer(town: Town, browser: Browser, request: pytest.FixtureRequest) -> Callable[[], Shopper]:
    """Makes a shopper with a browser of his own, with scripts on or off."""
    return arrivals(town, browser, request, scripts=request.param == "scripts")


@pytest.fixture
def shopper(town: Town, browser: Browser, request: pytest.FixtureRequest) -> Shopper:
    """One shopper with scripts on."""
    return arrivals(town, browser, request, scripts=True)()


def arrivals(
    town: Town, browser: Browser, request: pytest.FixtureRequest, *, scripts: bool
) -> Callable[[], Shopper]:
    def arrive() -> Shopper:
        context = browser.new_context(java_script_enabled=scripts)
        request.addfinalizer(context.close)
        return Shopper(context.new_page(), town)

    return arrive


def state(page: Page, title: str) -> None:
    expect(page.locator("#state")).to_have_text(title, timeout=15_000)


def test_one_buys_after_being_declined_and_the_stock_falls(
    town: Town, newcomer: Callable[[], Shopper]
) -> None:
    town.stock(3)
    shopper = newcomer()
    shopper.buy()
    assert (town.level()["available"], town.level()["held"]) == (2, 1)
    shopper.pay("decline")
    expect(shopper.page.get_by_role("alert")).to_contain_text("declined")
    shopper.pay()
    expect(shopper.page).to_have_url(ORDER)
    state(shopper.page, "Paid. It is yours")
    level = town.level()
    assert (level["available"], level["held"], level["sold"]) == (2, 0, 1)
    assert town.audit()


def test_double_clicks_reloads_back_two_tabs_and_retries_lead_to_one_payment(
    town: Town, shopper: Shopper
) -> None:
    """On Stripe's own page: one order, one session, and in it one PaymentIntent, paid once."""
    town.stock(2)
    page = shopper.page
    page.goto(f"{town.shop.url}/products/poster")
    page.get_by_role("button", name="Buy now").dblclick()
    page.wait_for_url("**/c/pay/**")
    payment = page.url
    page.reload()
    page.go_back()
    page.get_by_role("button", name="Buy now").dblclick()
    expect(page).to_have_url(payment)
    tab = Shopper(page.context.new_page(), town)
    tab.buy()
    assert tab.page.url == payment, "another tab leads to the same payment"
    tab.pay("decline")
    expect(tab.page.get_by_role("alert")).to_contain_text("declined")
    tab.pay()
    state(tab.page, "Paid. It is yours")
    shopper.pay()  # in the tab that was open all the time
    expect(page.locator("#ended")).to_contain_text("Nothing more can be paid")
    tab.page.goto(payment)
    expect(tab.page.locator("#ended")).to_contain_text("Nothing more can be paid")
    assert len(town.at_stripe("checkout/sessions")) == len(town.orders()) == 1
    [intent] = town.at_stripe("payment_intents")
    assert (intent["status"], intent["amount_received"]) == ("succeeded", 2500)
    assert town.level()["sold"] == 1
    assert town.audit()


def test_one_leaves_resumes_the_same_payment_and_gives_back(
    town: Town, newcomer: Callable[[], Shopper]
) -> None:
    town.stock(1)
    shopper, other = newcomer(), newcomer()
    shopper.buy()
    payment = shopper.page.url
    shopper.page.get_by_role("link", name="Back to the shop").click()
    state(shopper.page, "Held for you")
    link = shopper.page.url
    shopper.buy()
    assert shopper.page.url == payment, "the same basket resumes the same payment"

    other.page.goto(town.shop.url + "/products/poster")
    expect(other.page.locator("main")).to_contain_text(re.compile("held", re.IGNORECASE))

    shopper.page.goto(link)
    shopper.page.get_by_role("link", name="Resume").click()
    assert shopper.page.url == payment
    shopper.page.goto(link)
    shopper.page.get_by_role("button", name="Give the units back").click()
    state(shopper.page, "Given back")
    expect(shopper.page.locator("main")).to_contain_text("not charged")

    other.buy()
    other.pay()
    state(other.page, "Paid. It is yours")
    assert [order["state"] for order in town.orders()] == ["released", "paid"]
    assert town.audit()


def test_one_who_pays_late_gets_the_goods_that_are_still_there(
    town: Town, newcomer: Callable[[], Shopper]
) -> None:
    town.stock(1)
    shopper = newcomer()
    shopper.buy()
    shopper.pay("late")
    expect(shopper.page).to_have_url(ORDER)
    state(shopper.page, "Paid. It is yours")
    assert town.level()["sold"] == 1
    assert town.audit()


def test_one_who_pays_late_for_what_is_gone_gets_the_money_back(
    town: Town, newcomer: Callable[[], Shopper]
) -> None:
    town.stock(1)
    late, quick = newcomer(), newcomer()
    late.buy()
    other_tab = late.page.context.new_page()
    other_tab.goto(f"{town.shop.url}/orders/{town.orders()[0]['token']}")
    other_tab.get_by_role("button", name="Give the units back").click()
    state(other_tab, "Given back")
    quick.buy()
    quick.pay()
    state(quick.page, "Paid. It is yours")

    late.pay("late")  # on the page that was open all the time
    expect(late.page).to_have_url(ORDER)
    expect(late.page.locator("#state")).to_contain_text(
        re.compile("money|refund", re.IGNORECASE), timeout=15_000
    )
    expect(late.page.locator("main")).to_contain_text("the last units were sold")

    def refunded() -> bool:
        return town.orders()[0]["state"] == "refunded"

    wait_until(refunded, "the money is on its way back")
    (refund,) = town.orders()[0]["refunds"]
    assert refund["amount"] == 2500
    assert town.level()["sold"] == 1
    assert town.audit()


@pytest.mark.parametrize("webhooks", ["lost", "doubled", "reordered"])
def test_the_order_page_tells_the_truth_whatever_becomes_of_the_webhooks(
    town: Town, shopper: Shopper, webhooks: str
) -> None:
    town.stock(1)
    shopper.buy()
    shopper.pay(webhooks=webhooks)
    expect(shopper.page).to_have_url(ORDER, timeout=20_000)
    state(shopper.page, "Paid. It is yours")
    assert town.audit()


@pytest.mark.parametrize("town", [{"DELAYED_METHODS": "on"}], indirect=True)
@pytest.mark.parametrize(
    ("fate", "title"),
    [
        ("delayed_succeed", "Paid. It is yours"),
        ("delayed_fail", "The payment did not go through"),
    ],
)
def test_a_delayed_payment_keeps_the_units_until_it_ends(
    town: Town, shopper: Shopper, fate: str, title: str
) -> None:
    town.stock(1)
    shopper.buy()
    shopper.pay(fate, seconds=3)
    expect(shopper.page).to_have_url(ORDER)
    state(shopper.page, "Your payment is on its way")
    assert town.level()["held"] == 1

    def ended() -> bool:
        return town.level()["held"] == 0

    wait_until(ended, "the bank has answered")
    shopper.page.reload()
    state(shopper.page, title)
    assert town.audit()
