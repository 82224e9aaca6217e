"""kill -9 at each step: nothing is stranded, nothing is done twice, nothing acknowledged is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from storefront.domain.orders import State
from tests.contest.market import Market, open_market
from tests.contest.shopper import Shopper, paying
from tests.harness import wait_until

CHECKOUT = ["hold_stock", "create_session", "attach_session"]
HOLD_SECONDS = 6


@contextmanager
def crashing(folder: Path, crash: str) -> Iterator[Market]:
    """A market of two posters whose web process dies once."""
    with open_market(
        {"poster": 2},
        hold_seconds=HOLD_SECONDS,
        worker=False,
        application="tests.contest.crashing:app",
        CRASH=crash,
        CRASH_FLAG=str(folder / "crashed"),
    ) as market:
        yield market
        assert (folder / "crashed").exists(), f"nobody died {crash}"


def serves(market: Market) -> None:
    wait_until(lambda: market.shop.answers("/healthz"), "a new web process serves")


def in_order(market: Market, sold: int) -> None:
    """The shop comes to rest, and the books are right here and at Stripe."""
    market.start_worker()
    market.at_rest()
    level = market.stock("poster")
    assert (level.available, level.held, level.sold) == (2 - sold, 0, sold)
    assert all(number == 1 for number in market.stripe.live().values())
    assert len(market.stripe.live()) == sold, "no session is left open for what was given back"
    market.audit()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", CHECKOUT)
def test_the_same_click_after_a_crash_leads_to_one_order_and_its_goods(
    tmp_path: Path, step: str, moment: str
) -> None:
    with crashing(tmp_path, f"{moment} {step}") as market:
        shopper = Shopper(market.shop.url)
        form = shopper.form("poster")
        with pytest.raises(requests.ConnectionError):
            shopper.send(form)
        serves(market)
        shopper.pay(paying(shopper.send(form)))
        wait_until(lambda: market.stock("poster").sold == 1, "the poster is sold")
        assert [order.state for order in market.orders()] == [State.PAID]
        in_order(market, sold=1)


@pytest.mark.parametrize("step", CHECKOUT)
def test_what_a_crash_left_behind_goes_back_when_the_shopper_does_not_return(
    tmp_path: Path, step: str
) -> None:
    with crashing(tmp_path, f"after {step}") as market:
        shopper = Shopper(market.shop.url)
        with pytest.raises(requests.ConnectionError):
            shopper.buy("poster")
        serves(market)
        assert market.stock("poster").held == 1
        in_order(market, sold=0)
        assert [order.state for order in market.orders()] == [State.RELEASED]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_while_settling_neither_loses_nor_repeats_a_sale(
    tmp_path: Path, moment: str
) -> None:
    with crashing(tmp_path, f"{moment} settle_payment") as market:
        shopper = Shopper(market.shop.url)
        pay_url = shopper.hold("poster")
        shopper.pay(pay_url)
        wait_until(lambda: market.stock("poster").sold == 1, "Stripe tells again")
        assert market.state_at(pay_url) is State.PAID
        in_order(market, sold=1)


def test_redis_killed_in_the_middle_of_a_payment_forgets_nothing() -> None:
    with open_market({"poster": 2}, hold_seconds=HOLD_SECONDS) as market:
        ada, bob = (Shopper(market.shop.url, name) for name in ("ada", "bob"))
        adas, bobs = ada.hold("poster"), bob.hold("poster")
        ada.pay(adas)
        wait_until(lambda: market.stock("poster").sold == 1, "one poster is sold")
        before = (market.stock("poster"), [order.state for order in market.orders()])
        market.redis.restart()
        assert (market.stock("poster"), [order.state for order in market.orders()]) == before
        bob.pay(bobs)
        wait_until(lambda: market.stock("poster").sold == 2, "the other one is sold too")
        market.at_rest()
        market.audit()


def test_a_killed_worker_leaves_its_work_to_the_next() -> None:
    with open_market({"poster": 2}, hold_seconds=2) as market:
        assert market.worker is not None
        Shopper(market.shop.url).hold("poster")
        market.worker.kill()
        market.start_worker()
        market.at_rest()
        level = market.stock("poster")
        assert (level.available, level.held, level.sold) == (2, 0, 0)
        market.audit()
