"""The promise at a glance: what the operator is shown is what there is."""

import json
from collections.abc import Callable

import pytest

from storefront.domain.errors import StripeUnreachable
from storefront.services import integrity, orders, reconciliation, sessions, work
from storefront.services.integrity import Integrity, Kind, Money
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Town


def look(town: Town) -> Integrity:
    return integrity.look(town.shop)


def money(town: Town) -> Money:
    return look(town).money["usd"]


def kind(town: Town, name: str) -> Kind:
    [found] = [kind for kind in look(town).due if kind.name == name]
    return found


def test_a_calm_shop_needs_nobody(town: Town) -> None:
    found = look(town)
    assert (found.broken, found.overdue, found.reviews, found.late) == ([], [], [], 0)
    assert (found.due, found.oldest, found.holds) == ([], None, 0)
    assert found.money == {"usd": Money()}
    assert found.mirror == integrity.Mirror(skus=6, waiting=0, late={})


def test_every_unit_and_every_cent_of_a_busy_shop_is_accounted_for(busy: Town) -> None:
    found = look(busy)
    assert found.broken == []
    assert all(level.parts == level.stocked for level in found.levels)
    assert found.money == {
        "usd": Money(paid=5000, for_goods=2500, back=2500, orders=1, units=1),
    }
    assert found.money["usd"].adds_up
    assert (found.orders, found.looked_at, found.holds) == (7, 7, 4)


def test_money_is_owed_until_it_is_on_its_way_and_then_back(build: Build) -> None:
    town = build(HOLD_SECONDS="60")
    order = town.begin({"last": 1}).order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "twin").session
    town.stripe.pay(order.session)
    town.stripe.pay(twin)
    town.deliver()
    assert money(town) == Money(paid=19800, for_goods=9900, owed=9900, orders=1, units=1)
    town.stripe.refund_status = "pending"
    town.work()
    assert money(town) == Money(paid=19800, for_goods=9900, on_its_way=9900, orders=1, units=1)
    [refund] = town.stripe.all_refunds
    town.stripe.refund_ends(refund, "succeeded")
    town.deliver()
    town.pass_time(7200)
    assert money(town) == Money(paid=19800, for_goods=9900, back=9900, orders=1, units=1)


def test_a_part_sent_back_by_hand_leaves_the_rest_for_the_goods(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session)
    town.stripe.refund_by_hand("pi_1", 1000)
    town.deliver()
    town.work()
    assert money(town) == Money(paid=2500, for_goods=1500, back=1000, orders=1, units=1)
    assert money(town).adds_up


def test_what_banks_have_only_agreed_to_is_not_paid_until_it_is_captured(build: Build) -> None:
    town = build(CAPTURE_METHOD="manual")
    order = town.begin().order
    town.stripe.authorize(order.session)
    town.deliver()
    assert money(town) == Money(authorized=2500, orders=1, units=1)
    town.work()
    town.deliver()
    assert money(town) == Money(paid=2500, for_goods=2500, orders=1, units=1)


def test_money_of_a_review_is_a_person_s(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session)
    town.deliver()
    town.stripe.dispute("pi_1")
    town.deliver()
    assert money(town) == Money(paid=2500, in_review=2500)


@pytest.mark.parametrize("state", ["released", "refunded"])
def test_money_with_neither_goods_nor_a_way_back_is_named(busy: Town, state: str) -> None:
    order = busy.find("paid")
    busy.falsified = True
    busy.shop.store._client.hset(busy.shop.store.keys.order(order.id), "state", state)
    found = money(busy)
    assert (found.unexplained, found.adds_up) == ([order.id], False)


def test_more_back_than_paid_does_not_add_up(busy: Town) -> None:
    order = busy.find("refunded")
    busy.falsified = True
    row = {"amount": 1, "status": "succeeded", "payment_intent": order.payment_intent}
    key = busy.shop.store.keys.order(order.id)
    busy.shop.store._client.hset(key, "refund:re_x", json.dumps(row))
    assert not money(busy).adds_up


def test_only_the_newest_orders_are_looked_at_unless_stripe_is_asked(
    busy: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "NEWEST", 3)
    found = look(busy)
    assert (found.looked_at, found.orders, found.broken) == (3, 7, [])
    newest = sum(sum(order.payments.values()) for order in busy.orders()[-3:])
    assert found.money["usd"].paid == newest < 5000
    whole = integrity.look(busy.shop, with_stripe=True)
    assert (whole.looked_at, whole.money["usd"].paid, whole.broken) == (7, 5000, [])
    assert len(whole.checks) > len(found.checks)


def test_stripe_that_cannot_be_asked_is_said(town: Town) -> None:
    town.stripe.down()
    assert look(town).broken == []
    with pytest.raises(StripeUnreachable):
        integrity.look(town.shop, with_stripe=True)


def test_the_hold_that_ends_first_is_shown(town: Town) -> None:
    order = town.begin().order
    town.skip(10)
    town.begin(visitor="bob")
    oldest = look(town).oldest
    assert oldest == integrity.Oldest(order.id, "open", order.deadline)


def test_work_is_late_after_a_minute(town: Town) -> None:
    town.begin()
    town.skip(1920 + 60)
    assert (look(town).late, kind(town, "expire").late) == (0, 0)
    assert kind(town, "expire").latest_ms == 60_000
    town.skip(1)
    assert (look(town).late, kind(town, "expire").late) == (61_000, 1)


def test_jobs_are_counted_by_kind_with_the_most_tries(town: Town) -> None:
    for visitor in ("ada", "bob"):
        town.begin(visitor=visitor)
    town.skip(1920)
    town.stripe.down()
    town.work()
    town.work()
    assert kind(town, "expire") == Kind("expire", jobs=2, late=0, latest_ms=0, tries=1)


def test_the_mirror_is_waiting_then_told_or_late(town: Town) -> None:
    town.shop.store.scripts.restock("poster", delta=1, reason="r", who="op", key="k")
    assert (look(town).mirror.waiting, look(town).mirror.late) == (1, {})
    town.stripe.down()
    town.pass_time(3600)
    assert look(town).mirror.late.keys() == {"poster"}
    town.stripe.up()
    town.pass_time(300)
    assert look(town).mirror.waiting == 0


def test_the_last_walk_through_stripe_is_shown_once_it_was_whole(town: Town) -> None:
    assert look(town).reconciled is None
    now = town.shop.store.now()
    reconciliation.reconcile(town.shop, since=now // 1000 - 60)
    assert look(town).reconciled is None
    town.stripe.fault("refunds_between", Fault.LOST_REQUEST)
    work.begin(town.shop)
    town.work()
    assert look(town).reconciled is None
    town.skip(3600)
    town.work()
    assert look(town).reconciled == now + 3600_000


def test_a_review_that_nothing_was_paid_for_can_be_released_there(busy: Town) -> None:
    order = busy.find("review")
    [task] = look(busy).reviews
    assert (task.order.id, task.releasable, task.at_stripe) == (order.id, True, ())
    assert task.token == orders.token(busy.shop, order.id)


def test_a_failed_refund_leads_to_its_payment_at_stripe(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session)
    town.deliver()
    refund = town.stripe.refund_by_hand("pi_1", status="failed")
    town.deliver()
    [task] = look(town).reviews
    assert (task.failed_refunds, task.releasable) == ((refund,), False)
    assert task.at_stripe == ("https://dashboard.stripe.com/test/payments/pi_1",)


def test_an_overdue_hold_can_be_released_there(town: Town) -> None:
    order = town.begin().order
    town.skip(1920 + 300)
    [task] = look(town).overdue
    assert (task.order.id, task.releasable) == (order.id, True)


def test_no_more_reviews_are_shown_than_a_person_can_read(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "MOST_ROWS", 2)
    for visitor in "abc":
        order = town.begin(visitor=visitor).order
        town.shop.store.scripts.review_order(order.id, reason="look")
    found = look(town)
    assert (len(found.reviews), found.more_reviews) == (2, 1)


def test_what_redis_may_lose_is_said(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    says: Callable[..., list[str]] = lambda **_: ["It forgets."]  # noqa: E731
    monkeypatch.setattr(town.shop.store, "durability", says)
    monkeypatch.setattr(town.shop.store, "remarks", lambda: ["It sleeps."])
    assert look(town).redis == ["It forgets.", "It sleeps."]
