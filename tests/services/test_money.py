"""A day's money: what Stripe says and what the shop says."""

from datetime import date

import pytest

from storefront.domain.balance import Kind
from storefront.domain.errors import StripeError
from storefront.services import money, settlement
from storefront.services.money import Sums
from tests.fakes.stripe import FEE
from tests.services.conftest import OPENING, Build
from tests.services.town import Town

DAY = OPENING.date()


def sell(town: Town, visitor: str = "ada") -> str:
    """One poster of 25.00, paid and told of."""
    order = town.begin({"poster": 1}, visitor=visitor, token=f"form of {visitor}").order
    town.stripe.pay(order.session)
    town.deliver()
    return order.id


def payment(town: Town, order: str) -> str:
    [paid] = town.order(order).payments
    return paid


def test_what_was_sold_and_refunded_stands_side_by_side_with_the_fees(town: Town) -> None:
    sell(town)
    back = sell(town, "bob")
    town.stripe.refund_by_hand(payment(town, back), 700)
    town.deliver()
    town.work()
    found = money.look(town.shop, DAY)
    assert found.sums == [
        Sums(Kind.SOLD, "usd", 5000, 5000),
        Sums(Kind.REFUNDED, "usd", -700, -700),
    ]
    assert found.fees == {"usd": 2 * FEE}
    assert (found.differences, found.cut, len(found.rows)) == ([], False, 3)


def test_what_only_stripe_knows_is_a_difference_with_its_order(town: Town) -> None:
    order = sell(town)
    town.stripe.refund_by_hand(payment(town, order), 700)
    [row] = money.look(town.shop, DAY).differences
    assert (row.kind, row.order, row.theirs, row.ours) == (Kind.REFUNDED, order, -700, None)


def test_a_payment_that_the_shop_has_not_heard_of_is_one_without_an_order(town: Town) -> None:
    order = town.begin({"poster": 1}).order
    town.stripe.pay(order.session)
    [row] = money.look(town.shop, DAY).differences
    assert (row.order, row.theirs, row.ours) == ("", 2500, None)
    settlement.ask(town.shop, town.order(order))
    assert money.look(town.shop, DAY).differences == []


def test_what_only_the_shop_knows_is_a_difference(town: Town) -> None:
    order = sell(town)
    paid = payment(town, order)
    town.stripe.charges[paid]["captured"] = False  # as if Stripe had none of it
    [row] = money.look(town.shop, DAY).differences
    assert (row.order, row.payment, row.theirs, row.ours) == (order, paid, None, 2500)
    town.stripe.charges[paid]["captured"] = True


def test_another_amount_is_a_difference(town: Town) -> None:
    order = sell(town)
    town.stripe.charges[payment(town, order)]["amount_captured"] = 2400
    [row] = money.look(town.shop, DAY).differences
    assert (row.theirs, row.ours) == (2400, 2500)
    town.stripe.charges[payment(town, order)]["amount_captured"] = 2500


def test_another_shop_s_money_in_the_same_account_is_not_looked_at(town: Town) -> None:
    order = sell(town)
    for charge in list(town.stripe.charges.values()):
        other = {**charge, "id": "ch_x", "payment_intent": "pi_x", "metadata": {"shop": "other"}}
        town.stripe.charges["pi_x"] = other
    found = money.look(town.shop, DAY)
    assert [row.order for row in found.rows] == [order]
    del town.stripe.charges["pi_x"]


def test_the_day_is_that_of_the_shop_s_time_zone(build: Build) -> None:
    town = build(SHOP_TIMEZONE="Asia/Kolkata")
    town.skip(9 * 3600)  # half past midnight there, seven in the evening in UTC
    sell(town)
    assert money.today(town.shop) == date(2026, 12, 2)
    assert money.look(town.shop, date(2026, 12, 1)).rows == []
    [row] = money.look(town.shop, date(2026, 12, 2)).rows
    assert row.at.isoformat() == "2026-12-02T00:30:00+05:30"


def test_what_is_settled_after_midnight_is_no_difference_on_either_day(town: Town) -> None:
    town.skip(13 * 3600 + 59 * 60 + 30)
    order = town.begin({"poster": 1}).order
    town.stripe.pay(order.session)
    town.skip(60)
    town.deliver()
    assert [len(money.look(town.shop, date(2026, 12, d)).rows) for d in (1, 2)] == [1, 0]
    assert money.look(town.shop, date(2026, 12, 1)).differences == []


def test_a_day_with_too_much_says_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    sell(town)
    sell(town, "bob")
    monkeypatch.setattr(money, "MOST", 1)
    found = money.look(town.shop, DAY)
    assert (found.cut, found.differences) == (True, []), "what was not told is no difference"


def test_a_day_is_asked_about_at_most_once_a_minute_or_when_one_wants_it_anew(town: Town) -> None:
    days = money.Days()
    sell(town)
    first = days.look(town.shop, DAY)
    sell(town, "bob")
    assert days.look(town.shop, DAY) is first
    second = days.look(town.shop, DAY, anew=True)
    assert (len(first.rows), len(second.rows)) == (1, 2)
    assert first.asked <= second.asked
    sell(town, "carol")
    town.skip(59)
    assert days.look(town.shop, DAY) is second
    town.skip(2)
    third = days.look(town.shop, DAY)
    assert (len(third.rows), third.asked) == (3, town.shop.store.now())
    town.skip(61)
    town.stripe.down()
    with pytest.raises(StripeError):
        days.look(town.shop, DAY)
    town.stripe.up()


def test_a_silent_stripe_is_no_empty_day(town: Town) -> None:
    town.stripe.down()
    with pytest.raises(StripeError):
        money.look(town.shop, DAY)
    town.stripe.up()
