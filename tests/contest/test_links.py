"""Payment links with an allotment while the shelf sells the rest, over real processes.

Stripe documents that a link is completed at most as often as its limit says, and says nothing of
its own of pages that were open by then. So both are tried: a Stripe that keeps the limit, and one
that lets every open page be paid.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from storefront.domain.payment_links import order_of
from tests.contest.market import PRICE, Market, is_paid, open_market
from tests.contest.shopper import Shopper
from tests.harness import wait_until

STOCK = 16
ALLOTMENT = 6
VISITORS = 3 * ALLOTMENT
AT_THE_SHELF = 24
KEPT = 4
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


def is_over(market: Market, page: str) -> bool:
    """Whether Stripe was told to end this page."""
    ended = {
        session["id"] for session in market.stripe.sessions() if session["status"] == "expired"
    }
    return page.rpartition("/")[2] in ended


def late(market: Market, page: str) -> int:
    """Pays on a page that was ended, as if the payment had won by a moment."""
    return Shopper(market.shop.url, "late").pay(page, "late").status_code


def outcome(market: Market, page: str) -> str:
    """What became of the payment on a link's page."""
    order = market.store.orders.get(order_of(page.rpartition("/")[2]))
    assert order is not None
    return order.state


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


def exactly_as_many_as_the_link_has_units_can_pay(market: Market) -> None:
    """Stripe keeps the limit: the rest are told that the link is over, and pay nothing."""
    code, link = market.command("link", "print", "--units", str(KEPT))
    assert code == 0, link
    with ThreadPoolExecutor(3 * KEPT) as pool:
        pages = list(pool.map(lambda n: scan(market, link["url"], f"k{n}"), range(3 * KEPT)))
        assert all(pages)
        through = list(pool.map(lambda n: pay(market, pages[n], n), range(3 * KEPT)))
    assert (through.count(303), through.count(409)) == (KEPT, 2 * KEPT)
    said = Shopper(market.shop.url).get(link["url"])
    assert (said.status_code, "This link sells no more" in said.text) == (410, True)
    market.hears_all()
    market.at_rest()
    level = market.stock("print")
    assert (level.available, level.held, level.sold) == (2, 0, KEPT)
    # Who had it open cannot pay any more: Stripe was told to end each of these pages.
    rest = [session for session in market.stripe.sessions() if not is_paid(session)]
    assert [session["status"] for session in rest] == ["expired"] * (2 * KEPT)
    assert market.stripe.refunds() == []


def test_exactly_the_stock_is_sold_and_every_payment_gets_goods_or_its_money_back() -> None:
    """Three times as many as a link has units open it and pay at once, others buy at the shelf."""
    stock = {"print": KEPT + 2, "ticket": STOCK, "badge": 5}
    with open_market(stock, hold_seconds=60, WEB_CONCURRENCY="2") as market:
        exactly_as_many_as_the_link_has_units_can_pay(market)
        market.stripe.control("links", {"limit": "overrun"})
        code, link = market.command("link", "ticket", "--units", str(ALLOTMENT))
        assert (code, link["left"], link["active"]) == (0, ALLOTMENT, True)
        assert market.stock("ticket").held == ALLOTMENT
        _, early = market.command("link", "badge", "--units", "3")

        with ThreadPoolExecutor(VISITORS + AT_THE_SHELF) as pool:
            pages = list(pool.map(lambda n: scan(market, link["url"], f"v{n}"), range(VISITORS)))
            left_open = scan(market, link["url"], "left open")
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

        # Paid all the same once they are ended: what the shelf still has, else one refund.
        wait_until(lambda: is_over(market, left_open), "the link that is sold out is closed")
        assert [late(market, page) for page in (left_open, visits[1])] == [303, 303]
        market.hears_all()
        market.at_rest()
        assert outcome(market, left_open) == "refunded"
        assert outcome(market, visits[1]) == "paid"
        levels = [market.stock(sku) for sku in stock]
        assert [(one.available, one.held) for one in levels] == [(2, 0), (0, 0), (3, 0)]
        assert [one.sold for one in levels] == [KEPT, STOCK, 2]
        ends = outcomes(market)
        assert len(ends["paid"]) == STOCK + 2 + KEPT
        links = [session for session in ends["paid"] if session["payment_link"]]
        assert len(links) >= ALLOTMENT + 2 + KEPT
        assert all(session["payment_link"] for session in ends["refunded"])
        _, told = market.command("links")
        assert [(one["sold"], one["active"]) for one in told] == [
            (1, False),
            (ALLOTMENT, False),
            (KEPT, False),
        ]
        market.audit()
        market.quiet_logs()
