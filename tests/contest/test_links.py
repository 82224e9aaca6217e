"""A payment link with an allotment while the shelf sells the rest, over real processes."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from storefront.domain.payment_links import order_of
from tests.contest.market import PRICE, Market, is_paid, open_market
from tests.contest.shopper import Shopper

STOCK = 16
ALLOTMENT = 6
VISITORS = 3 * ALLOTMENT
AT_THE_SHELF = 24
WEBHOOKS = ("normal", "lost", "doubled", "delayed", "reordered")


def scan(market: Market, url: str, name: str) -> str:
    """Somebody opens the link: the payment page, or empty when it sells no more."""
    answer = Shopper(market.shop.url, name).get(url)
    assert answer.status_code in {303, 410}, answer.text[:500]
    return answer.headers.get("Location", "")


def pay(market: Market, page: str, number: int) -> int:
    """Pays there; every fifth returns to the shop as Stripe says."""
    shopper = Shopper(market.shop.url, f"visitor-{number}")
    answer = shopper.pay(page, "pay", WEBHOOKS[number % len(WEBHOOKS)], 2)
    assert answer.status_code in {303, 409}, answer.text[:500]
    if answer.status_code == 303 and number % 5 == 0:
        shown = shopper.get(answer.headers["Location"])
        assert shown.status_code == 303, shown.text[:500]
        assert shopper.get(shown.headers["Location"]).status_code == 200
    return answer.status_code


def shop_at_the_shelf(market: Market, number: int) -> int:
    """One shopper who buys a unit if there is one."""
    shopper = Shopper(market.shop.url, f"shopper-{number}")
    answer = shopper.buy("ticket")
    if answer.status_code == 303:
        assert shopper.pay(answer.headers["Location"]).status_code == 303
    return answer.status_code


def outcomes(market: Market) -> Mapping[str, list[Any]]:
    """Every paid session, by what became of it; each is held against Stripe's own refunds."""
    refunds: dict[str, list[int]] = {}
    for refund in market.stripe.refunds():
        refunds.setdefault(refund["payment_intent"], []).append(refund["amount"])
    orders = {order.id: order for order in market.orders()}
    found: dict[str, list[Any]] = {"paid": [], "refunded": []}
    for session in filter(is_paid, market.stripe.sessions()):
        through_link = session["payment_link"] is not None
        order = orders[order_of(session["id"]) if through_link else session["client_reference_id"]]
        back = refunds.get(session["payment_intent"]["id"], [])
        assert back == ([PRICE] if order.state == "refunded" else [])
        found[order.state].append(session)
    return found


def test_exactly_the_stock_is_sold_and_every_payment_gets_goods_or_its_money_back() -> None:
    """Three times as many as the link has units open it and pay at once, others buy at the shelf."""
    with open_market({"ticket": STOCK, "badge": 5}, hold_seconds=60, WEB_CONCURRENCY="2") as market:
        code, link = market.command("link", "ticket", "--units", str(ALLOTMENT))
        assert (code, link["left"], link["active"]) == (0, ALLOTMENT, True)
        assert market.stock("ticket").held == ALLOTMENT
        _, early = market.command("link", "badge", "--units", "3")

        with ThreadPoolExecutor(VISITORS + AT_THE_SHELF) as pool:
            pages = list(pool.map(lambda n: scan(market, link["url"], f"v{n}"), range(VISITORS)))
            assert all(pages)
            shelf = [pool.submit(shop_at_the_shelf, market, n) for n in range(AT_THE_SHELF)]
            paying = [pool.submit(pay, market, page, n) for n, page in enumerate(pages)]
            statuses = {one.result() for one in shelf}
            through = [one.result() for one in paying]
        assert statuses == {303, 409}
        assert ALLOTMENT <= through.count(303) <= VISITORS

        # Closed early: who had it open cannot pay any more, and what is left goes back.
        visits = [scan(market, early["url"], f"early-{n}") for n in range(3)]
        assert pay(market, visits[0], 0) == 303
        code, ended = market.command("unlink", early["id"])
        assert (code, ended["sold"], ended["returned"], ended["left"]) == (0, 1, 2, 0)
        assert [pay(market, page, 0) for page in visits[1:]] == [409, 409]
        said = Shopper(market.shop.url).get(early["url"])
        assert said.status_code == 410
        assert "This link sells no more" in said.text

        market.hears_all()
        market.at_rest()
        level = market.stock("ticket")
        assert (level.available, level.held, level.sold) == (0, 0, STOCK)
        level = market.stock("badge")
        assert (level.available, level.held, level.sold) == (4, 0, 1)
        ends = outcomes(market)
        assert len(ends["paid"]) == STOCK + 1
        links = [session for session in ends["paid"] if session["payment_link"]]
        assert len(links) >= ALLOTMENT + 1
        assert all(session["payment_link"] for session in ends["refunded"])
        _, told = market.command("links")
        assert [(one["sold"], one["active"]) for one in told] == [(1, False), (ALLOTMENT, False)]
        market.audit()
        market.quiet_logs()
