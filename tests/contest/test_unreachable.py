"""Stripe or Redis fails at any step: an honest answer, nothing charged, and all comes right again."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from storefront.domain.orders import State
from tests.contest.events import deliver, event
from tests.contest.market import Market, open_market
from tests.contest.shopper import Shopper, paying
from tests.harness import wait_until

UNITS = 60
CREATE = "POST /v1/checkout/sessions"
EXPIRE = "POST /v1/checkout/sessions/*/expire"
RETRIEVE = "GET /v1/checkout/sessions/*"
EVERYTHING = "* /v1/**"

Fault = tuple[str, dict[str, Any]]
FAULTS: list[Fault] = [
    ("rate_limited", {}),
    ("error_500_unsaved", {}),
    ("error_500_saved", {}),
    ("error_500_saved", {"effect": True}),
    ("reset_before", {}),
    ("reset_after", {}),
]
"""Those that answer at once; the timeouts are tried together, since each takes 17 seconds."""


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with open_market({"ticket": UNITS, "badge": UNITS}, hold_seconds=600) as opened:
        yield opened
        opened.stripe.mend()
        wait_until(lambda: not waiting(opened), "nothing waits for Stripe any more")
        assert max(opened.stripe.live().values(), default=0) <= 1
        opened.audit()
        opened.quiet_logs()


@pytest.fixture(autouse=True)
def mended(market: Market) -> Iterator[None]:
    """Nothing fails before or after a test."""
    yield
    market.stripe.mend()


@pytest.fixture
def shopper(market: Market) -> Shopper:
    return Shopper(market.shop.url)


def waiting(market: Market) -> set[str]:
    """Orders that no payment page was made for yet."""
    return {order.id for order in market.orders() if order.state is State.PENDING}


def out_of_reach(answer: requests.Response) -> None:
    """A page that says what is wrong, that nobody was charged, and when to come back."""
    assert answer.status_code == 503, f"{answer.status_code} {answer.text[:500]}"
    assert int(answer.headers["Retry-After"]) > 0
    assert "nothing was charged" in answer.text.lower()


def ids(market: Market) -> set[str]:
    return {order.id for order in market.orders()}


def state_of(market: Market, order_id: str) -> State:
    order = market.store.orders.get(order_id)
    assert order is not None
    return order.state


def goes_back(market: Market, order_id: str) -> None:
    """The order's units are given back, and nothing can be paid for it."""
    wait_until(
        lambda: state_of(market, order_id) is State.RELEASED, f"the units of {order_id} return"
    )
    assert order_id not in market.stripe.live()


@pytest.mark.parametrize(("kind", "more"), FAULTS, ids=str)
def test_a_checkout_answers_and_gives_back_or_leads_to_the_payment(
    market: Market, shopper: Shopper, kind: str, more: dict[str, Any]
) -> None:
    """A Stripe that fails every creation, then works again."""
    before = ids(market)
    market.stripe.plan(CREATE, kind, **more)
    answer = shopper.buy("ticket")
    (made,) = ids(market) - before
    if "effect" in more:
        # Stripe's list shows the session that the failed creation made.
        assert market.order_at(paying(answer)).id == made
        return
    out_of_reach(answer)
    assert state_of(market, made) is State.PENDING, "unknown is not failed"
    market.stripe.mend()
    goes_back(market, made)


@pytest.mark.parametrize(("kind", "more"), FAULTS, ids=str)
def test_a_shopper_who_tries_again_comes_to_one_payment(
    market: Market, shopper: Shopper, kind: str, more: dict[str, Any]
) -> None:
    """A Stripe that fails one creation: the shopper may never notice, or sends his form again."""
    form = shopper.form("ticket")
    market.stripe.plan(CREATE, kind, times=1, **more)

    def leads_to_payment() -> str:
        answer = shopper.send(form)
        if answer.status_code == 503:
            out_of_reach(answer)
            return ""
        return paying(answer)

    pay_url = wait_until(leads_to_payment, "the payment page")
    link = shopper.order_link(pay_url)
    assert shopper.pay(pay_url).status_code == 303
    assert shopper.order(link)["state"] == "paid"
    visitor = market.order_at(pay_url).visitor
    mine = [order for order in market.orders() if order.visitor == visitor]
    assert [order.state for order in mine if order.units != "none"] == [State.PAID]


@pytest.mark.parametrize(("kind", "more"), FAULTS, ids=str)
def test_an_order_s_page_says_what_is_known_and_that_stripe_is_silent(
    market: Market, shopper: Shopper, kind: str, more: dict[str, Any]
) -> None:
    link = shopper.order_link(shopper.hold("ticket"))
    market.stripe.plan(RETRIEVE, kind, **more)
    page = shopper.get(link)
    assert page.status_code == 200
    assert "Stripe, which does not answer right now" in page.text
    assert shopper.order(link)["state"] == "open"
    market.stripe.mend()
    assert shopper.cancel(link).status_code == 303


@pytest.mark.parametrize(("kind", "more"), FAULTS, ids=str)
def test_a_hold_is_given_back_only_when_stripe_has_ended_its_payment(
    market: Market, shopper: Shopper, kind: str, more: dict[str, Any]
) -> None:
    pay_url = shopper.hold("ticket")
    link = shopper.order_link(pay_url)
    action, fields = shopper.cancel_form(link)
    for path in (EXPIRE, RETRIEVE):
        market.stripe.plan(path, kind, **more)
    out_of_reach(shopper.post(action, fields))
    if not more and not kind.endswith("after"):  # else Stripe ended it, and tells so by webhook
        assert market.state_at(pay_url) is State.OPEN
    market.stripe.mend()
    assert shopper.post(action, fields).status_code == 303
    assert market.state_at(pay_url) is State.RELEASED


def test_another_basket_leaves_the_old_hold_while_stripe_is_silent(
    market: Market, shopper: Shopper
) -> None:
    old = shopper.hold("ticket")
    form = shopper.form("badge")
    before = market.stock("badge")
    market.stripe.plan(EVERYTHING, "error_500_unsaved")
    out_of_reach(shopper.send(form))
    assert market.state_at(old) is State.OPEN
    assert market.stock("badge") == before
    market.stripe.mend()
    new = paying(shopper.send(form))
    assert (market.state_at(old), market.state_at(new)) == (State.RELEASED, State.OPEN)


def test_a_webhook_settles_a_sale_though_stripe_s_api_is_down(
    market: Market, shopper: Shopper
) -> None:
    pay_url = shopper.hold("ticket")
    market.stripe.plan(EVERYTHING, "error_500_unsaved")
    assert shopper.pay(pay_url).status_code == 303
    assert market.state_at(pay_url) is State.PAID


def test_a_stripe_that_never_answers_is_given_up_and_asked_again(market: Market) -> None:
    """Timeouts before and after the effect, at creation, end and look-up; together, for time."""
    names = ("creator", "creator-too", "canceller", "canceller-too", "reader")
    one, two, ada, bob, reader = (Shopper(market.shop.url, name) for name in names)
    held = {shopper: shopper.hold("ticket") for shopper in (ada, bob, reader)}
    cancels = {
        shopper: shopper.cancel_form(shopper.order_link(held[shopper])) for shopper in (ada, bob)
    }
    link = reader.order_link(held[reader])
    forms = {shopper: shopper.form("badge") for shopper in (one, two)}
    before = ids(market)
    for path in (CREATE, EXPIRE):
        # The library repeats the call under its key, which is then still in use.
        market.stripe.plan(path, "timeout_before", times=1)
        market.stripe.plan(path, "timeout_after", times=1)
    market.stripe.plan(RETRIEVE, "timeout_before", times=2)
    with ThreadPoolExecutor(5) as pool:
        begun = [pool.submit(shopper.send, form) for shopper, form in forms.items()]
        ended = [pool.submit(shopper.post, *form) for shopper, form in cancels.items()]
        shown = pool.submit(reader.get, link)
        assert Shopper(market.shop.url).get("/").status_code == 200, "nobody else waits"
        assert not any(answer.done() for answer in (*begun, *ended, shown))
        for answer in ended:
            out_of_reach(answer.result())
        assert shown.result().status_code == 200
        assert "does not answer right now" in shown.result().text
        led_to = set()
        for answer in (click.result() for click in begun):
            # Whether the shop waited for the first try's session or gave up, nothing is left over.
            if answer.status_code == 303:
                led_to.add(market.order_at(paying(answer)).id)
            else:
                out_of_reach(answer)
    made = ids(market) - before
    assert len(made) == 2
    for order in made - led_to:
        goes_back(market, order)
    for shopper, form in cancels.items():
        wait_until(
            lambda s=shopper, f=form: s.post(*f).status_code == 303, "the hold is given back"
        )
        assert market.state_at(held[shopper]) is State.RELEASED
    assert reader.pay(held[reader]).status_code == 303
    assert market.state_at(held[reader]) is State.PAID


def test_a_stripe_that_is_gone_costs_nobody_anything(market: Market, shopper: Shopper) -> None:
    """Nobody listens at its address: pages serve, units stay held until it is back."""
    other = Shopper(market.shop.url, "other")
    pay_url = other.hold("ticket")
    link = other.order_link(pay_url)
    action, fields = other.cancel_form(link)
    form = shopper.form("ticket")
    before = ids(market)
    market.stripe.process.kill()
    try:
        out_of_reach(shopper.send(form))
        out_of_reach(other.post(action, fields))
        assert "does not answer right now" in other.get(link).text
        for path in ("/", "/products/ticket", "/bag", "/stock.json", "/healthz", "/readyz"):
            assert shopper.get(path).status_code == 200, path
        (made,) = ids(market) - before
        job = f"ask:{made}"
        wait_until(
            lambda: any(due.name == job and due.tries > 1 for due in market.store.due.jobs()),
            "the worker has asked more than once",
        )
        assert state_of(market, made) is State.PENDING
        assert market.state_at(pay_url) is State.OPEN
    finally:
        market.stripe.process.start()
        market.stripe.process.wait_for(
            lambda: market.stripe.process.answers("/healthz"), "it is back"
        )
    goes_back(market, made)
    assert other.post(action, fields).status_code == 303
    assert market.state_at(pay_url) is State.RELEASED
    assert paying(shopper.send(form))


def test_a_shop_without_its_redis_says_so_everywhere_and_forgets_nothing(
    market: Market, shopper: Shopper
) -> None:
    pay_url = shopper.hold("ticket")
    link = shopper.order_link(pay_url)
    action, fields = shopper.cancel_form(link)
    other = Shopper(market.shop.url, "other")
    form = other.form("ticket")
    told = json.dumps(event("customer.created")).encode()
    before = (market.store.stock.levels(), market.orders())
    market.redis.kill()
    try:
        out_of_reach(other.send(form))
        out_of_reach(shopper.post(action, fields))
        for path in ("/", "/products/ticket", link):
            out_of_reach(shopper.get(path))
        for path in ("/stock.json", f"{link}.json", "/readyz"):
            assert shopper.get(path).status_code == 503, path
        assert shopper.get("/healthz").status_code == 200
        assert deliver(market, told).status_code == 503, "so that Stripe sends it again"
        assert deliver(market, told, {}).status_code == 400, "a forged one needs no Redis"
    finally:
        market.redis.start()
    assert (market.store.stock.levels(), market.orders()) == before
    assert deliver(market, told).status_code == 200
    market.open_again()
    assert paying(shopper.buy("ticket")) == pay_url
    assert shopper.cancel(link).status_code == 303


def test_a_redis_that_hangs_is_given_up_and_the_same_form_buys_once(
    market: Market, shopper: Shopper
) -> None:
    """What it was sent before it hung may still take effect: the second click finds it."""
    form = shopper.form("ticket")
    before = ids(market)
    market.redis.process.send_signal(signal.SIGSTOP)
    try:
        out_of_reach(shopper.send(form))
    finally:
        market.redis.process.send_signal(signal.SIGCONT)
    pay_url = wait_until(lambda: shopper.send(form).headers.get("Location", ""), "the shop is back")
    made = ids(market) - before
    assert made == {market.order_at(pay_url).id}
    assert market.stripe.live()[made.pop()] == 1
