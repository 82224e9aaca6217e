"""A day's money: what Stripe says and what the shop says."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

import pytest

from storefront.domain.balance import Entry, Kind
from storefront.domain.errors import StripeError
from storefront.services import money, movements, settlement
from storefront.services.money import Stage, Sums
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
    assert (found.differences, found.whole, found.number) == ([], True, 3)


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
    assert money.look(town.shop, DAY, anew=True).differences == []


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
    assert [row.order for row in money.rows(town.shop, DAY)] == [order]
    del town.stripe.charges["pi_x"]


def test_the_day_is_that_of_the_shop_s_time_zone(build: Build) -> None:
    town = build(SHOP_TIMEZONE="Asia/Kolkata")
    town.skip(9 * 3600)  # half past midnight there, seven in the evening in UTC
    sell(town)
    assert money.today(town.shop) == date(2026, 12, 2)
    assert money.look(town.shop, date(2026, 12, 1)).number == 0
    [row] = money.rows(town.shop, date(2026, 12, 2))
    assert row.at == int(datetime.fromisoformat("2026-12-02T00:30:00+05:30").timestamp() * 1000)


def test_what_is_settled_after_midnight_is_no_difference_on_either_day(town: Town) -> None:
    town.skip(13 * 3600 + 59 * 60 + 30)
    order = town.begin({"poster": 1}).order
    town.stripe.pay(order.session)
    town.skip(60)
    town.deliver()
    assert [money.look(town.shop, date(2026, 12, d)).number for d in (1, 2)] == [1, 0]
    assert money.look(town.shop, date(2026, 12, 1)).differences == []


MANY = 5200


@pytest.fixture
def busy(town: Town) -> Iterator[Town]:
    """A day on which Stripe booked 5,200 payments of 1.00, one each second, of orders that we know.

    Of the oldest the shop knows another amount. Beside them one poster was sold, of which Stripe knows
    nothing; a later one it knows.
    """
    untold = sell(town)
    town.skip(7200)
    told = sell(town, "bob")
    taken = town.stripe.charges.pop(payment(town, untold))
    [poster] = town.stripe.entries_between(0, 2**40, after="", most=99)
    begin = int(OPENING.timestamp())
    entries = [
        replace(
            poster,
            id=f"txn_{number}",
            at=begin + number,
            source=f"ch_{number}",
            payment_intent=f"pi_many_{number}",
            charged=100,
        )
        for number in range(MANY)
    ]
    listed = sorted([*entries, poster], key=lambda entry: (-entry.at, entry.id))
    keys, redis = town.shop.store.keys, town.shop.store._client
    pipe = redis.pipeline(transaction=False)
    for number in range(MANY):
        known = 100 if number else 99
        pipe.hset(
            keys.order(f"many{number}"),
            mapping={"id": f"many{number}", f"payment:pi_many_{number}": known},
        )
        pipe.hset(keys.name("payments"), f"pi_many_{number}", f"many{number}")
    pipe.execute()

    def entries_between(earliest: int, latest: int, *, after: str, most: int) -> Iterator[Entry]:
        town.stripe.wire.get("entries_between", lambda: None)
        first = [entry.id for entry in listed].index(after) + 1 if after else 0
        yield from listed[first : first + most]

    plain = town.stripe.entries_between
    town.stripe.entries_between = entries_between  # type: ignore[method-assign]
    yield town
    town.stripe.entries_between = plain  # type: ignore[method-assign]
    town.stripe.charges[taken["payment_intent"]] = taken
    redis.delete(*(keys.order(f"many{number}") for number in range(MANY)))
    redis.hdel(keys.name("payments"), *(f"pi_many_{number}" for number in range(MANY)))
    assert told


def test_the_file_of_a_day_with_more_than_5000_movements_has_all_of_them(busy: Town) -> None:
    rows = list(money.rows(busy.shop, DAY))
    assert len(rows) == len({row.payment for row in rows}) == MANY + 2
    assert sum(row.theirs or 0 for row in rows) == MANY * 100 + 2500
    assert sum(row.ours or 0 for row in rows) == MANY * 100 - 1 + 2 * 2500
    assert [(row.theirs, row.ours) for row in rows if row.differs] == [(100, 99), (None, 2500)]
    at_stripe = [row.at for row in rows if row.source]
    assert at_stripe == sorted(at_stripe, reverse=True)


def test_such_a_day_is_added_up_in_several_looks_by_whichever_process_and_says_how_far(
    busy: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(money, "STEPS", 4)
    first = money.look(busy.shop, DAY)
    assert (first.whole, first.number) == (False, 2000), "four steps of 500"
    assert (first.walk.stage, first.differences) == (Stage.STRIPE, [])
    assert first.walk.reached == int(OPENING.timestamp() + MANY + 1 - 2000) * 1000
    second = money.look(busy.shop, DAY)
    assert (second.whole, second.number, second.asked) == (False, 4000, first.asked)
    busy.skip(3500)
    last = money.look(busy.shop, DAY)
    assert (last.whole, last.number, last.looks, last.asked) == (True, MANY + 2, 3, first.asked)
    assert last.sums == [Sums(Kind.SOLD, "usd", MANY * 100 + 2500, MANY * 100 - 1 + 2 * 2500)]
    assert last.fees == {"usd": (MANY + 1) * FEE}
    assert last.differing == 2
    busy.stripe.down()
    assert money.look(busy.shop, DAY) == last, "it is kept"
    busy.stripe.up()
    key = busy.shop.store.keys.money(DAY.isoformat())
    assert 3500_000 < busy.shop.store._client.pttl(key) <= money.KEPT_LONG_MS
    assert money.look(busy.shop, DAY, anew=True).number == 2000


def test_what_stripe_did_not_tell_is_tried_again_at_the_same_place(
    busy: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(money, "STEPS", 4)
    monkeypatch.setattr(movements, "MOVEMENTS", 1000)
    money.look(busy.shop, DAY)
    busy.stripe.down()
    with pytest.raises(StripeError):
        money.look(busy.shop, DAY)
    busy.stripe.up()
    assert money.look(busy.shop, DAY).number == MANY + 2


def test_a_sale_is_no_difference_because_it_was_made_while_the_day_was_added_up(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(money, "STEPS", 1)
    sell(town)
    town.skip(10)
    first = money.look(town.shop, DAY)
    town.skip(10)
    sell(town, "bob")
    last = money.look(town.shop, DAY)
    assert (first.whole, last.whole, last.number, last.differing) == (False, True, 1, 0)


def test_a_few_differences_are_shown_and_all_are_counted(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(money, "MOST_ROWS", 1)
    for order in [sell(town, visitor) for visitor in ("ada", "bob")]:
        town.stripe.refund_by_hand(payment(town, order), 700)
    found = money.look(town.shop, DAY)
    assert (len(found.differences), found.differing, found.number) == (1, 2, 4)
    town.deliver()


def test_a_day_is_asked_about_at_most_once_a_minute_or_when_one_wants_it_anew(town: Town) -> None:
    sell(town)
    first = money.look(town.shop, DAY)
    sell(town, "bob")
    assert money.look(town.shop, DAY) == first
    second = money.look(town.shop, DAY, anew=True)
    assert (first.number, second.number) == (1, 2)
    assert first.asked <= second.asked
    sell(town, "carol")
    town.skip(59)
    assert money.look(town.shop, DAY) == second
    town.skip(2)
    third = money.look(town.shop, DAY)
    assert (third.number, third.asked) == (3, town.shop.store.now())
    town.skip(61)
    town.stripe.down()
    with pytest.raises(StripeError):
        money.look(town.shop, DAY)
    town.stripe.up()


def test_what_another_version_kept_is_added_up_again(town: Town) -> None:
    sell(town)
    for text in ("{}", "[]", "x", '{"walk": 1}', '{"walk": [1, "x", "", 0, []]}'):
        town.shop.store.additions.keep(DAY, text, 1000)
        assert money.look(town.shop, DAY).number == 1


def test_a_silent_stripe_is_no_empty_day(town: Town) -> None:
    town.stripe.down()
    with pytest.raises(StripeError):
        money.look(town.shop, DAY)
    town.stripe.up()
