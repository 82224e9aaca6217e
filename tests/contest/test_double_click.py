"""Whoever clicks twice buys once, even before the shop knows the browser."""

from tests.contest.market import open_market
from tests.contest.shopper import Shopper, paying


def test_a_newcomer_s_double_click_is_one_order_one_hold_and_one_payment() -> None:
    """Both clicks carry the cookies that came with the product's page, and no others."""
    with open_market({"ticket": 5}, hold_seconds=600, worker=False) as market:
        shopper = Shopper(market.shop.url)
        form = shopper.form("ticket")
        cookies = dict(shopper.session.cookies)
        urls = set()
        for _ in range(2):
            shopper.session.cookies.clear()
            shopper.session.cookies.update(cookies)
            urls.add(paying(shopper.send(form)))
        assert len(urls) == 1
        assert len(market.orders()) == len(market.stripe.sessions()) == 1
        assert market.stock("ticket").held == 1
