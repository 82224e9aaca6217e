"""kill -9 at each step: nothing is stranded, nothing is done twice, nothing acknowledged is lost."""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import requests

from storefront.domain.orders import State
from tests.contest.market import Market, open_market
from tests.contest.shopper import Shopper, paying
from tests.harness import WAIT_SECONDS, Forked, Running, started, wait_until

CHECKOUT = ["hold_stock", "create_session", "attach_session"]
UNITS = 40
HOLD_SECONDS = 6
CRASHING = "tests.contest.crashing"

Answer = TypeVar("Answer")
Picture = tuple[object, ...]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it stands at which call the web process dies."""
    return tmp_path_factory.mktemp("kills") / "plan"


@pytest.fixture(scope="module")
def market(plan: Path) -> Iterator[Market]:
    """A shop whose one web process dies on demand; at the end all must be at rest and right."""
    with open_market(
        {"poster": UNITS},
        hold_seconds=HOLD_SECONDS,
        application=f"{CRASHING}:app",
        CRASH_PLAN=str(plan),
    ) as opened:
        yield opened
        in_order(opened)


def in_order(market: Market) -> None:
    """The shop comes to rest, and the books are right here and at Stripe."""
    market.at_rest(90)
    paid = [order.id for order in market.orders() if order.state is State.PAID]
    level = market.stock("poster")
    assert (level.available, level.held, level.sold) == (UNITS - len(paid), 0, len(paid))
    live = market.stripe.live()
    unpaid = [order.id for order in market.orders() if order.state is State.RELEASED]
    assert [live[order] for order in paid] == [1] * len(paid), "one payment for each order"
    assert [live[order] for order in unpaid] == [0] * len(unpaid), "and none left open"
    market.audit()
    market.quiet_logs()


@contextmanager
def death(plan: Path, place: str) -> Iterator[None]:
    """The web process dies in the block, at this place."""
    plan.write_text(place)
    yield
    assert not plan.exists(), f"nobody died {place}"


def until_answered(act: Callable[[], Answer], seconds: float = WAIT_SECONDS) -> Answer:
    """The answer of what is tried again while nobody listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except requests.RequestException:
            assert time.monotonic() < deadline, "nobody answers any more"
            time.sleep(0.05)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", CHECKOUT)
def test_the_same_click_after_a_crash_leads_to_one_order_and_its_goods(
    market: Market, plan: Path, step: str, moment: str
) -> None:
    shopper = Shopper(market.shop.url)
    form = shopper.form("poster")
    with death(plan, f"{moment} {step}"), pytest.raises(requests.ConnectionError):
        shopper.send(form)
    pay_url = paying(until_answered(lambda: shopper.send(form)))
    assert shopper.pay(pay_url).status_code == 303
    order = market.order_at(pay_url)
    assert order.state is State.PAID
    assert [o.id for o in market.orders() if o.visitor == order.visitor] == [order.id]
    assert market.stripe.live()[order.id] == 1


def test_what_a_crash_left_behind_goes_back_when_the_shopper_does_not_return(
    market: Market, plan: Path
) -> None:
    """Six shoppers, one for each place; those who died before the hold left nothing behind."""
    before = {order.id for order in market.orders()}
    for place in (f"{moment} {step}" for step in CHECKOUT for moment in ("before", "after")):
        shopper = Shopper(market.shop.url)
        form = until_answered(lambda s=shopper: s.form("poster"))  # type: ignore[misc]
        with death(plan, place), pytest.raises(requests.ConnectionError):
            shopper.send(form)
    left = [order.id for order in market.orders() if order.id not in before]
    assert len(left) == 5
    wait_until(
        lambda: all(o.state is State.RELEASED for o in market.orders() if o.id in left),
        "what they held is given back",
    )
    assert not market.stripe.live().keys() & set(left)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_the_webhook_neither_loses_nor_repeats_a_sale(
    market: Market, plan: Path, moment: str
) -> None:
    shopper = Shopper(market.shop.url)
    pay_url = shopper.hold("poster")
    sold = market.stock("poster").sold
    with death(plan, f"{moment} settle_payment"):
        assert shopper.pay(pay_url).status_code == 303, "Stripe tells again, and then goes on"
    assert market.state_at(pay_url) is State.PAID
    assert market.stock("poster").sold == sold + 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_the_return_page_neither_loses_nor_repeats_a_sale(
    market: Market, plan: Path, moment: str
) -> None:
    shopper = Shopper(market.shop.url)
    pay_url = shopper.hold("poster")
    link = shopper.order_link(pay_url)
    sold = market.stock("poster").sold
    assert shopper.pay(pay_url, webhooks="lost").status_code == 303
    with death(plan, f"{moment} settle_payment"), pytest.raises(requests.ConnectionError):
        shopper.get(link)
    assert until_answered(lambda: shopper.order(link))["state"] == "paid"
    assert market.stock("poster").sold == sold + 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["expire_session", "release_hold"])
def test_the_same_cancellation_after_a_crash_gives_the_units_back_once(
    market: Market, plan: Path, step: str, moment: str
) -> None:
    shopper = Shopper(market.shop.url)
    pay_url = shopper.hold("poster")
    action, fields = shopper.cancel_form(shopper.order_link(pay_url))
    with death(plan, f"{moment} {step}"), pytest.raises(requests.ConnectionError):
        shopper.post(action, fields)
    assert until_answered(lambda: shopper.post(action, fields)).status_code == 303
    assert market.state_at(pay_url) is State.RELEASED


def test_redis_killed_in_the_middle_of_a_payment_forgets_nothing(market: Market) -> None:
    ada, bob = (Shopper(market.shop.url, name) for name in ("ada", "bob"))
    adas, bobs = ada.hold("poster"), bob.hold("poster")
    assert ada.pay(adas).status_code == 303
    before = picture(market)
    market.redis.restart()
    assert picture(market) == before
    assert until_answered(lambda: bob.pay(bobs)).status_code == 303
    wait_until(lambda: market.state_at(bobs) is State.PAID, "the other one is sold too")
    market.open_again()


def picture(market: Market) -> Picture:
    """All that was acknowledged: counters, orders, holds with deadlines, and what is due.

    What a worker may be doing just now (each job's time) is left out.
    """
    orders = market.orders()
    held = [order.id for order in orders if order.units == "held"]
    return (
        market.store.stock.levels(),
        [(order.id, order.state, order.units, order.sessions, order.payments) for order in orders],
        market.store.orders.holding(),
        [market.redis.client().pexpiretime(market.store.keys.hold(order)) for order in held],
    )


WORKER_STEPS = [
    "expire_session",
    "release_hold",
    "settle_payment",
    "create_refund",
    "record_refund",
    "send",
]


@contextmanager
def dying_worker(market: Market, plan: Path) -> Iterator[Running]:
    """A worker that dies where the plan says."""
    command = [sys.executable, "-m", "flask", "--app", CRASHING, "shop", "worker"]
    env = {**market.shop.env, "CRASH_PLAN": str(plan)}
    with started(Forked(command, env, plan.parent)) as worker:
        yield worker


def owe_a_refund(market: Market, slug: str) -> str:
    """The id of an order that was paid after its last unit went to somebody else."""
    ada, bob = Shopper(market.shop.url, "late"), Shopper(market.shop.url, "quick")
    adas = ada.hold(slug)
    assert ada.cancel(ada.order_link(adas)).status_code == 303
    assert bob.pay(bob.hold(slug)).status_code == 303
    assert ada.pay(adas, "late").status_code == 303
    assert market.state_at(adas) is State.REFUND_DUE
    return market.order_at(adas).id


def test_a_worker_killed_at_any_step_leaves_its_work_to_the_next(tmp_path: Path) -> None:
    """Twelve workers die; whatever they had in hand is done once, by whoever comes after them."""
    plan = tmp_path / "plan"
    rare = {f"rare-{number}": 1 for number in range(4)}
    with open_market({"poster": UNITS, **rare}, hold_seconds=2, worker=False) as market:
        slugs = iter(rare)
        refunded = []
        for step in WORKER_STEPS:
            for moment in ("before", "after"):
                shopper = Shopper(market.shop.url)
                pay_url = shopper.hold("poster")
                if step in {"create_refund", "record_refund"}:
                    refunded.append(owe_a_refund(market, next(slugs)))
                elif step in {"settle_payment", "send"}:
                    webhooks = "lost" if step == "settle_payment" else "normal"
                    assert shopper.pay(pay_url, webhooks=webhooks).status_code == 303
                plan.write_text(f"{moment} {step}")
                with dying_worker(market, plan) as worker:
                    wait_until(lambda w=worker: not w.alive, f"a death {moment} {step}")  # type: ignore[misc]
                assert not plan.exists()
        market.start_worker()
        market.at_rest(90)
        states = {order.id: order.state for order in market.orders()}
        assert {states[order] for order in refunded} == {State.REFUNDED}
        returned = [refund["metadata"]["order"] for refund in market.stripe.refunds()]
        assert sorted(returned) == sorted(refunded), "one refund for each"
        posters = [o.state for o in market.orders() if o.lines[0].sku == "poster"]
        assert posters.count(State.PAID) == market.stock("poster").sold == 4
        assert posters.count(State.RELEASED) == 8
        market.audit()
        market.quiet_logs()


def power_cut(market: Market) -> None:
    """Everything dies in one moment: web, worker, Redis and Stripe."""
    assert market.worker is not None
    for process in (market.shop, market.worker, market.redis, market.stripe.process):
        process.kill_all()


def power_back(market: Market) -> None:
    """What was not started again yet serves again."""
    standin, shop = market.stripe.process, market.shop
    standin.start()
    standin.wait_for(lambda: standin.answers("/healthz"), "the stand-in serves")
    shop.start()
    shop.wait_for(lambda: shop.answers("/healthz"), "the shop serves")


def test_after_a_power_cut_stock_orders_and_holds_are_as_before() -> None:
    with open_market({"poster": UNITS}, hold_seconds=600) as market:
        paid, opened, cancelled, leaving = (Shopper(market.shop.url, n) for n in "abcd")
        assert paid.pay(paid.hold("poster")).status_code == 303
        form = opened.form("poster")
        pay_url = paying(opened.send(form))
        link = cancelled.order_link(cancelled.hold("poster"))
        assert cancelled.cancel(link).status_code == 303
        left = leaving.order_link(leaving.hold("poster", 2))
        wait_until(lambda: "mail" not in market.store.due.counts(), "the mail is sent")

        before, due = picture(market), market.store.due.jobs()
        power_cut(market)
        market.redis.start()
        assert picture(market) == before
        assert market.store.due.jobs() == due
        power_back(market)
        assert picture(market) == before

        assert paying(opened.send(form)) == pay_url, "the same form leads on to the same payment"
        assert opened.pay(pay_url).status_code == 303
        assert cancelled.order(link)["state"] == "released"
        assert leaving.cancel(left).status_code == 303
        market.start_worker()
        in_order(market)
        assert market.stock("poster").sold == 2


def test_a_power_cut_among_a_crowd_strands_and_doubles_nothing() -> None:
    """Whoever was in the middle of something tries it again when the lights are on."""
    shoppers, units = 24, 12

    def buy(market: Market, number: int) -> bool:
        shopper = Shopper(market.shop.url, f"shopper-{number}")
        form = until_answered(lambda: shopper.form("ticket"))
        while True:
            answer = until_answered(lambda: shopper.send(form))
            led_to = answer.headers.get("Location", "")
            if "/c/pay/" in led_to:
                until_answered(lambda url=led_to: shopper.pay(url))  # type: ignore[misc]
            elif led_to:
                return True
            elif "Sold out" in answer.text:
                return False

    with (
        open_market({"ticket": units}, hold_seconds=HOLD_SECONDS) as market,
        ThreadPoolExecutor(shoppers) as pool,
    ):
        crowd = [pool.submit(buy, market, number) for number in range(shoppers)]
        wait_until(lambda: market.stock("ticket").sold >= 2, "the first have bought")
        power_cut(market)
        market.redis.start()
        power_back(market)
        market.start_worker()
        happy = [one.result() for one in crowd]
        market.at_rest(90)
        assert happy.count(True) == units
        level = market.stock("ticket")
        assert (level.available, level.held, level.sold) == (0, 0, units)
        assert max(market.stripe.live().values()) == 1
        market.audit()
        market.quiet_logs()
