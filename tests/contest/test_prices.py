"""A price that changes while shoppers pay: each is charged what was held for him, over real HTTP."""

from typing import Any

from storefront.domain.orders import State
from storefront.domain.sold_at_stripe import KnownPrice
from tests.contest.market import PRICE, Market, catalogue, open_market
from tests.contest.shopper import Shopper, paying
from tests.harness import wait_until

DEARER = 2 * PRICE


def known(market: Market, amount: int) -> KnownPrice:
    """The Price that a new hold names, once the worker has made it."""

    def there() -> bool:
        price = market.store.prices.known().get("ticket")
        return price is not None and price.unit_amount == amount

    wait_until(there, f"there is a Price of {amount}")
    return market.store.prices.known()["ticket"]


def reprice(market: Market, amount: int) -> None:
    """The operator imports the catalogue with another price."""
    file = market.folder / "catalogue.toml"
    before = catalogue({"ticket": 9})
    assert f'"{PRICE / 100:.2f}"' in before
    file.write_text(before.replace(f'"{PRICE / 100:.2f}"', f'"{amount / 100:.2f}"'))
    code, document = market.command("import", str(file))
    assert code == 0, document


def lines(market: Market, pay_url: str) -> list[tuple[str, int]]:
    """The Prices at Stripe in a payment page, with their amounts."""
    session = pay_url.rpartition("/")[2]
    found = market.stripe._all(f"checkout/sessions/{session}/line_items", {})
    return [(line["price"]["id"], line["price"]["unit_amount"]) for line in found]


def taken(market: Market, pay_url: str) -> Any:
    """What Stripe took, in cents."""
    session = pay_url.rpartition("/")[2]
    [found] = [one for one in market.stripe.sessions() if one["id"] == session]
    return found["payment_intent"]["amount_received"]


def test_a_price_changed_between_hold_and_payment_charges_the_held_price() -> None:
    with open_market({"ticket": 9}, hold_seconds=600) as market:
        cheap = known(market, PRICE)
        open_page = Shopper(market.shop.url, "ada").hold("ticket", 2)
        assert lines(market, open_page) == [(cheap.id, PRICE)]

        # Of Ben's hold Stripe hears only after the price has changed.
        ben = Shopper(market.shop.url, "ben")
        form = ben.form("ticket")
        market.stripe.plan("POST /v1/checkout/sessions", "rate_limited")
        assert ben.send(form).status_code == 503
        reprice(market, DEARER)
        dear = known(market, DEARER)
        market.stripe.mend()
        late_page = paying(ben.send(form))
        assert lines(market, late_page) == [(cheap.id, PRICE)]

        # Cid comes after the change.
        new_page = Shopper(market.shop.url, "cid").hold("ticket")
        assert lines(market, new_page) == [(dear.id, DEARER)]

        for pay_url in (open_page, late_page, new_page):
            assert Shopper(market.shop.url).pay(pay_url).status_code == 303
        market.hears_all()
        assert [taken(market, url) for url in (open_page, late_page, new_page)] == [
            2 * PRICE,
            PRICE,
            DEARER,
        ]
        assert {order.state for order in market.orders()} == {State.PAID}
        market.audit()


def test_a_price_archived_by_hand_stops_no_sale() -> None:
    with open_market({"ticket": 9}, hold_seconds=600) as market:
        price = known(market, PRICE)
        fields = {"product": "popup_ticket", "currency": "usd", "unit_amount": "1"}
        by_hand = market.stripe.post("prices", fields)
        market.stripe.post("products/popup_ticket", {"default_price": by_hand["id"]})
        market.stripe.post(f"prices/{price.id}", {"active": "false"})
        pay_url = Shopper(market.shop.url).hold("ticket")
        [(other, amount)] = lines(market, pay_url)
        assert (other != price.id, amount) == (True, PRICE)
        assert Shopper(market.shop.url).pay(pay_url).status_code == 303
        market.hears_all()
        assert taken(market, pay_url) == PRICE
        wait_until(lambda: known(market, PRICE).id != price.id, "there is another Price")
        market.audit()


def test_sync_says_what_it_did_and_import_takes_the_account_s_products() -> None:
    with open_market({"ticket": 9}, hold_seconds=600, worker=False) as market:
        code, document = market.command("sync")
        assert (code, document["skus"]) == (
            0,
            [{"sku": "ticket", "done": ["product created", "price created"], "problem": ""}],
        )
        tee = market.stripe.post("products", {"name": "Tee", "metadata[stocked]": "4"})
        fields = {"product": tee["id"], "currency": "usd", "unit_amount": "1200"}
        price = market.stripe.post("prices", fields)
        euro = market.stripe.post("prices", {**fields, "currency": "eur"})
        for fresh, left_out in (({price["id"]: 4}, [euro["id"]]), ({}, [])):
            code, document = market.command("import", "--from-stripe")
            assert (code, document["stocked"]) == (0, fresh)
            assert [one["id"] for one in document["left_out"]] == left_out
            code, document = market.command("sync")
            assert (code, document["ok"]) == (0, True)
            market.stripe.post(f"products/{tee['id']}", {"active": "false"})
            market.stripe.post(f"prices/{price['id']}", {"active": "false"})
        tickets, tees = market.store.catalogue.read().products
        assert (tickets.slug, tees.slug, tees.variants[0].price) == ("ticket", "tee", 1200)
        pay_url = Shopper(market.shop.url).hold("tee")
        assert [amount for _, amount in lines(market, pay_url)] == [1200]
