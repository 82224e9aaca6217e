"""No webhook ever arrives: the return page and the worker settle every order."""

import time
from collections.abc import Callable

from storefront.domain.orders import HOLDING, State
from tests.contest.crowd import went_through
from tests.contest.market import Market, open_market
from tests.contest.shopper import Shopper
from tests.harness import wait_until

HOLD_SECONDS = 8
WITHIN_SECONDS = 30
"""After a hold's deadline, as the worker promises."""
UNITS = 12

Settled = tuple[State, str]


def arrange(market: Market) -> dict[str, Settled]:
    """Shoppers of every fate; how the order of each must end, by its id."""
    expected: dict[str, Settled] = {}

    def one(name: str, end: Settled, act: Callable[[Shopper, str, str], object]) -> None:
        shopper = Shopper(market.shop.url, name)
        pay_url = shopper.hold("ticket")
        expected[market.order_at(pay_url).id] = end
        act(shopper, pay_url, shopper.order_link(pay_url))

    paid, expired = (State.PAID, ""), (State.RELEASED, "expired")

    def pays_and_returns(shopper: Shopper, pay_url: str, link: str) -> None:
        went_through(shopper.pay(pay_url))
        assert shopper.order(link)["state"] == "paid", "the return page asks Stripe itself"

    def transfers_and_returns(shopper: Shopper, pay_url: str, link: str) -> None:
        went_through(shopper.pay(pay_url, "delayed_succeed", seconds=1))
        assert shopper.order(link)["state"] in {"processing", "paid"}

    def bounces_and_returns(shopper: Shopper, pay_url: str, link: str) -> None:
        went_through(shopper.pay(pay_url, "delayed_fail", seconds=1))
        assert shopper.order(link)["state"] in {"processing", "released"}

    one("returns", paid, pays_and_returns)
    one("never-returns", paid, lambda s, url, _: s.pay(url))
    one("declined-first", paid, lambda s, url, _: (s.pay(url, "decline"), s.pay(url)))
    one("declined", expired, lambda s, url, _: s.pay(url, "decline"))
    one("leaves", expired, lambda *_: None)
    one("cancels", (State.RELEASED, "cancelled"), lambda s, _, link: s.cancel(link))
    one("transfers", paid, lambda s, url, _: s.pay(url, "delayed_succeed", seconds=1))
    one("transfers-returns", paid, transfers_and_returns)
    declined = (State.RELEASED, "declined")
    one("bounces", declined, lambda s, url, _: s.pay(url, "delayed_fail", seconds=1))
    one("bounces-returns", declined, bounces_and_returns)
    return expected


def test_every_order_is_settled_within_half_a_minute_of_its_hold_s_deadline() -> None:
    """Promise 4: nothing waits on a webhook."""
    with open_market(
        {"ticket": UNITS}, hold_seconds=HOLD_SECONDS, standin_arguments=("--webhooks", "lost")
    ) as market:
        expected = arrange(market)
        last = max(order.deadline for order in market.orders())

        def settled() -> bool:
            return all(order.state not in HOLDING for order in market.orders())

        wait_until(settled, "every order is settled", last / 1000 + WITHIN_SECONDS - time.time())
        assert {order.id: (order.state, order.reason) for order in market.orders()} == expected
        market.at_rest()
        sold = sum(end is State.PAID for end, _ in expected.values())
        level = market.stock("ticket")
        assert (level.available, level.held, level.sold) == (UNITS - sold, 0, sold)
        assert not [name for name in market.store.metrics() if name.startswith("webhooks:")]
        market.audit()
        market.quiet_logs()
