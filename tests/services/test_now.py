"""The shop now: sales, and what needs a person."""

import pytest

from storefront.services import now, settlement
from storefront.services.now import Concern
from tests.services.conftest import Build
from tests.services.town import Town


def kinds(town: Town) -> list[str]:
    """What needs a person; fakeredis keeps nothing on a disk, but this is no production."""
    return [concern.kind for concern in now.look(town.shop).concerns]


def sell(town: Town, visitor: str = "ada", *, told: bool = True) -> str:
    order = town.begin({"poster": 1}, visitor=visitor, token=f"form of {visitor}").order
    town.stripe.pay(order.session)
    if told:
        town.deliver()
    return order.id


def test_the_figures_are_those_of_the_counters(town: Town) -> None:
    sell(town)
    town.begin({"zine": 2}, visitor="bob", token="b")
    seen = now.look(town.shop)
    levels = town.shop.store.stock.levels()
    assert (seen.sold_today, seen.sold_in_the_hour, seen.busiest) == (1, 1, 1)
    assert seen.held == sum(level.held for level in levels) == 2
    assert seen.left == sum(level.available for level in levels)
    names = {stand.level.sku: stand.name for stand in seen.stands}
    assert names["poster"] == "Poster"
    assert seen.oldest_hold is not None


def test_the_day_begins_at_midnight_in_utc_and_the_hour_goes_on(town: Town) -> None:
    town.skip(13 * 3600 + 59 * 60)  # opened at ten: a minute to midnight
    sell(town)
    assert now.look(town.shop).sold_today == 1
    town.skip(60)
    seen = now.look(town.shop)
    assert (seen.sold_today, seen.sold_in_the_hour) == (0, 1)
    assert [minute.units for minute in seen.minutes[-2:]] == [1, 0]
    assert len(seen.minutes) == 60
    town.skip(59 * 60)
    assert now.look(town.shop).sold_in_the_hour == 0


def test_the_day_is_that_of_the_shop_s_time_zone(build: Build) -> None:
    town = build(SHOP_TIMEZONE="Asia/Kolkata")  # ten in the morning in UTC is half past three there
    town.skip(8 * 3600 + 29 * 60)
    sell(town)
    assert now.look(town.shop).sold_today == 1
    town.skip(60)
    assert now.look(town.shop).sold_today == 0


def test_nothing_needs_a_person_in_a_shop_at_rest(town: Town) -> None:
    sell(town)
    town.work()
    assert kinds(town) == []


def test_a_review_is_named_and_a_failed_refund_said_so(town: Town) -> None:
    order = town.begin({"poster": 1}).order
    town.shop.store.scripts.review_order(order.id, reason="look")
    assert Concern("review", order.id) in now.look(town.shop).concerns
    paid = sell(town, "bob")
    [payment] = town.shop.store.orders.get_many([paid])[0].payments
    refund = town.stripe.refund_by_hand(payment)
    town.deliver()
    town.stripe.refund_ends(refund, "failed")
    town.deliver()
    assert Concern("refund", paid) in now.look(town.shop).concerns


def test_work_that_nobody_does_is_late_and_a_hold_that_nobody_ends_is_overdue(
    build: Build,
) -> None:
    town = build(HOLD_SECONDS="60", HOLD_GRACE_SECONDS="10")
    town.begin()
    town.skip(100)
    assert "overdue" in kinds(town)
    assert "late" not in kinds(town)
    town.skip(30)
    assert "late" in kinds(town)
    town.work()
    assert kinds(town) == []


@pytest.mark.parametrize(("told", "found"), [(True, []), (False, ["silence"])])
def test_webhooks_are_silent_when_a_sale_is_told_of_by_none(
    town: Town, told: bool, found: list[str]
) -> None:
    order = sell(town, told=told)
    settlement.ask(town.shop, town.order(order))  # as the return page does
    town.work()
    assert town.level("poster") == (4, 0, 1)
    assert kinds(town) == []  # one may still be on its way
    town.skip(400)
    town.work()
    assert kinds(town) == found
    if found:
        [silence] = now.look(town.shop).concerns
        assert silence.units == 1
        town.deliver()
        assert kinds(town) == []


def test_a_closed_door_is_said_first(town: Town) -> None:
    town.shop.store._client.hset(town.shop.store.keys.door(), "run", "another")
    assert kinds(town)[:1] == ["door"]
