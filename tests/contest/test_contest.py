"""Two hundred shoppers after twenty units, over real processes: each unit is sold once."""

from collections import Counter

import pytest

from tests.contest import own_page
from tests.contest.crowd import Crowd, Fate
from tests.contest.market import PRICE, Market, is_paid, open_market
from tests.contest.own_page import OwnPageShopper
from tests.contest.post import Post, open_post

SHOPPERS = 200
UNITS = 20

DECK = [
    Fate("pay"),
    Fate("leave"),
    Fate("pay", "lost", returns=False),
    Fate("decline and leave"),
    Fate("pay too late", "doubled"),
    Fate("cancel"),
    Fate("pay by transfer", "doubled"),
    Fate("bounce", "reordered"),
    Fate("race the end", "reordered", returns=False),
    Fate("leave"),
    Fate("decline then pay", "doubled"),
    Fate("pay too late", "lost"),
    Fate("pay by transfer", "lost", returns=False),
    Fate("bounce", "lost", returns=False),
    Fate("pay by transfer", "lost"),
    Fate("cancel"),
    Fate("pay", "delayed", returns=False),
    Fate("race the end", "lost", returns=False),
    Fate("leave"),
    Fate("pay", "reordered"),
    Fate("pay too late", "delayed", returns=False),
    Fate("decline and leave", "lost"),
    Fate("pay by transfer", "delayed", returns=False),
    Fate("bounce"),
    Fate("cancel", "lost"),
    Fate("race the end"),
    Fate("decline then pay", "lost", returns=False),
]
"""What the first holds are used for."""


ONCE_AUTHORIZED = [fate for fate in DECK if fate.act not in {"pay by transfer", "bounce"}]
"""The same with money that is authorised first, which no delayed method can do."""


def settled_orders(market: Market) -> tuple[list[str], list[str], list[str]]:
    """Orders with goods, with their money back and with a cancelled authorisation.

    Each is held against Stripe's own books.
    """
    code, orders = market.command("orders")
    assert code == 0
    by_id = {order["id"]: order for order in orders}
    refunds: dict[str, list[int]] = {}
    for refund in market.stripe.refunds():
        refunds.setdefault(refund["payment_intent"], []).append(refund["amount"])
    goods, money_back, voided = [], [], []
    for session in market.stripe.sessions():
        assert session["status"] != "open"
        order = by_id[session["client_reference_id"]]
        if order["state"] == "voided":
            assert session["payment_intent"]["status"] == "canceled"
            assert order["refunds"] == []
            voided.append(order["id"])
            continue
        if not is_paid(session):
            assert order["state"] == "released"
            continue
        intent = session["payment_intent"]["id"]
        assert order["payment_intent"] == intent
        assert order["amount"] == session["amount_total"]
        if order["state"] == "paid":
            assert intent not in refunds
            goods.append(order["id"])
        else:
            assert order["state"] == "refunded"
            assert refunds[intent] == [session["amount_total"]]
            assert [refund["amount"] for refund in order["refunds"]] == [session["amount_total"]]
            money_back.append(order["id"])
    assert len(by_id) == len(market.stripe.sessions())
    return goods, money_back, voided


def mails_are_right(post: Post, goods: list[str], money_back: list[str], voided: list[str]) -> None:
    assert post.of("confirmed") == sorted(goods)
    assert post.of("refunded") == sorted(money_back)
    assert post.of("voided") == sorted(voided)
    on_its_way = post.of("processing")
    failed = post.of("declined")
    for kind in (on_its_way, failed):
        assert len(kind) == len(set(kind))
    ended = len(goods) + len(money_back) + len(voided)
    assert len(post.mails) == ended + len(on_its_way) + len(failed)


@pytest.mark.parametrize(
    ("capture", "deck"),
    [("automatic", DECK), ("manual", ONCE_AUTHORIZED)],
    ids=["money at once", "authorised first"],
)
@pytest.mark.parametrize("ui", ["hosted", "elements"], ids=["stripe's page", "our own page"])
def test_exactly_the_stock_is_sold_and_everybody_gets_goods_or_money_back(
    ui: str, capture: str, deck: list[Fate]
) -> None:
    """I1 to I12, at the end of a crowd's day in which every kind of thing went wrong.

    With money that is authorised first, nobody needs a refund: what buys nothing is never taken.
    """
    with (
        open_post() as post,
        open_market(
            {"ticket": UNITS},
            hold_seconds=8,
            WEB_CONCURRENCY="2",
            RECONCILE_SECONDS="5",
            SMTP_URL=post.url,
            MAIL_FROM="Shop <shop@moth.example>",
            CAPTURE_METHOD=capture,
            CHECKOUT_UI=ui,
            STRIPE_PUBLISHABLE_KEY=own_page.KEY,
        ) as market,
    ):
        if ui == "elements":
            deck = own_page.on_the_own_page(deck)
            kind = type("Visitor", (OwnPageShopper,), {"stripe": market.stripe.process.url})
            crowd = Crowd(market, "ticket", SHOPPERS, deck, kind, own_page.WAYS)
        else:
            crowd = Crowd(market, "ticket", SHOPPERS, deck)
        crowd.run()
        market.hears_all()
        market.at_rest()

        assert crowd.statuses.keys() == {303, 409}
        assert crowd.acts.keys() == {fate.act for fate in deck}
        assert crowd.acts - Counter(fate.act for fate in deck) == Counter(
            {"pay": crowd.acts["pay"] - 4}
        )
        code, (level,) = market.command("stock")
        assert code == 0
        assert level == {
            "sku": "ticket",
            "available": 0,
            "held": 0,
            "sold": UNITS,
            "written_off": 0,
            "stocked": UNITS,
        }
        goods, money_back, voided = settled_orders(market)
        assert (money_back if capture == "manual" else voided) == []
        sold = sum(o.amount for o in market.orders() if o.id in goods)
        assert sold == UNITS * PRICE
        mails_are_right(post, goods, money_back, voided)
        market.audit()
        market.quiet_logs()


def test_a_take_that_is_not_atomic_oversells_in_the_same_crowd() -> None:
    """The negative control: what proves the shop right finds a wrong one wrong."""
    with open_market(
        {"ticket": UNITS},
        hold_seconds=60,
        application="tests.contest.read_then_write:app",
        WEB_CONCURRENCY="2",
    ) as market:
        Crowd(market, "ticket", SHOPPERS // 2, []).run()
        market.at_rest()

        assert market.stock("ticket").sold > UNITS
        code, document = market.command("audit")
        assert (code, document["ok"]) == (1, False)
        failed = {check["name"] for check in document["checks"] if not check["ok"]}
        assert {"I2 equation", "I11 ledger"} <= failed
