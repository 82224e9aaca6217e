"""Redis is killed and started again under a running shop: closed for a moment, then open by itself."""

from collections.abc import Iterator

import pytest
import requests

from storefront.domain.door import Door
from storefront.domain.orders import State
from tests.contest.market import Market, open_market
from tests.contest.shopper import Shopper, paying
from tests.harness import wait_until

CHECKING = "checking our books with Stripe"


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with open_market({"ticket": 5, "badge": 5}, hold_seconds=600) as opened:
        yield opened


def page(market: Market) -> str:
    return requests.get(market.shop.url, timeout=10).text


def ready(market: Market) -> requests.Response:
    return requests.get(f"{market.shop.url}/readyz", timeout=10)


def test_after_kill_minus_9_nothing_is_sold_until_the_books_were_compared_with_stripe(
    market: Market,
) -> None:
    paid, open_, late = (Shopper(market.shop.url, name) for name in ("paid", "open", "late"))
    bought = paid.hold("ticket")
    paid.pay(bought)
    market.hears_all()
    held = open_.hold("ticket")
    form = late.form("ticket")

    market.stripe.plan("GET /v1/checkout/sessions", "error_500_unsaved")
    market.redis.restart()
    wait_until(lambda: CHECKING in page(market), "the shelf says that books are checked")
    refused = late.send(form)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) <= 10
    assert CHECKING in refused.text
    assert ready(market).status_code == 200
    assert "Redis was restarted" in ready(market).json()["notes"][0]
    assert market.store.scripts.read_door()[0] is Door.RESTARTED
    assert market.stock("ticket").held == 1

    market.stripe.mend()
    wait_until(lambda: CHECKING not in page(market), "the shop opens by itself")
    assert "notes" not in ready(market).json()
    paying(late.send(form))
    assert market.state_at(bought) is State.PAID
    assert market.state_at(held) is State.OPEN
    assert (market.stock("ticket").held, market.stock("ticket").sold) == (2, 1)
    market.audit()


def test_a_redis_that_comes_back_empty_is_rebuilt_from_stripe(market: Market) -> None:
    paid, open_ = (Shopper(market.shop.url, name) for name in ("paid", "open"))
    bought, held = paid.hold("badge"), open_.hold("badge")
    link = paid.order_link(bought)
    paid.pay(bought)
    market.hears_all()
    wait_until(
        lambda: not [j for j in market.store.due.jobs() if j.name.startswith("mirror:")],
        "Stripe keeps the stock",
    )
    before = market.command("orders")[1]

    with market.redis.client() as client:
        client.flushall()
    assert "flask shop import" in ready(market).json()["notes"][0]
    file = market.folder / "catalogue.toml"
    code, document = market.command("import", str(file))
    assert (code, document["rebuild"], document["stocked"]) == (0, True, {})
    assert requests.get(link, timeout=10).status_code == 503
    assert requests.get(f"{link}.json", timeout=10).status_code == 503
    assert ready(market).status_code == 503
    assert Shopper(market.shop.url, "eve").buy("badge").status_code == 503

    code, document = market.command("rebuild", "--from-stripe")
    assert (code, document["rebuilt"], document["orders"]) == (0, True, len(before))
    assert market.command("orders")[1] == before
    assert ready(market).status_code == 200
    assert paid.order(link)["state"] == State.PAID
    open_.pay(held)
    market.hears_all()
    assert market.state_at(held) is State.PAID
    assert (market.stock("badge").available, market.stock("badge").sold) == (3, 2)
    assert market.command("rebuild", "--from-stripe") == (0, {"rebuilt": False})
    market.audit()
