"""The audit: right at any moment of a busy shop, and never silent about what is wrong."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from storefront.domain.errors import Refusal, StripeError, StripeUnreachable
from storefront.domain.orders import Order
from storefront.services import orders, sessions
from storefront.services.audit import audit
from storefront.storage.keys import Keys
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Fuse, Town


def failing(town: Town, *, with_stripe: bool = False) -> dict[str, str]:
    """The checks that fail, with what they say."""
    return {c.name: c.detail for c in audit(town.shop, with_stripe) if not c.ok}


@pytest.fixture
def busy(town: Town) -> Town:
    """Orders in many states: paid, open, processing, released, pending, refunded, in review."""
    paid = town.begin({"poster": 1}, visitor="paid").order
    town.stripe.pay(paid.session)
    coming = town.begin({"zine": 1}, visitor="coming").order
    town.stripe.pay_later(coming.session)
    given_back = town.begin({"poster": 1}, visitor="back").order
    orders.cancel(town.shop, given_back)
    returned = town.begin({"poster": 1}, visitor="returned").order
    town.stripe.pay(returned.session)
    town.deliver()
    town.stripe.refund_by_hand(town.order(returned).payment_intent)
    looked_at = town.begin({"few": 1}, visitor="looked at").order
    town.shop.store.scripts.review_order(looked_at.id, reason="look")
    town.deliver()
    town.work()
    town.begin({"poster": 1}, visitor="open")
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin({"zine": 1}, visitor="pending")
    return town


def find(town: Town, state: str) -> Order:
    [order] = [order for order in town.orders() if order.state == state]
    return order


def test_a_busy_shop_passes_every_check(busy: Town) -> None:
    assert failing(busy, with_stripe=True) == {}
    names = [check.name for check in audit(busy.shop, True)]
    assert len(names) == len(set(names)) >= 13
    assert all(check.detail for check in audit(busy.shop, True))


def test_an_empty_shop_passes_every_check(town: Town) -> None:
    assert failing(town, with_stripe=True) == {}


def test_every_moment_of_a_shop_s_day_passes_every_check(build: Build) -> None:
    town = build(HOLD_SECONDS="60")
    seen: list[dict[str, str]] = []

    class Always(Fuse):
        def call(self, name: str, run: Callable[[], object]) -> object:
            if not self._busy:
                self._busy = True
                seen.append(failing(town))
                self._busy = False
            return run()

    with town.fused(Always(0)):
        for visitor in ("a", "b", "c", "d"):
            with suppress(StripeError, Refusal):
                if visitor == "b":
                    town.stripe.fault("create_session", Fault.SPENT_AFTER)
                started = town.begin({"poster": 1, "zine": 1}, visitor=visitor)
                if visitor in "ab":
                    town.stripe.pay(started.order.session)
                if visitor == "c":
                    town.stripe.pay_later(started.order.session)
        town.deliver()
        town.work()
        town.stripe.refund_by_hand("pi_1")
        town.deliver()
        town.pass_time(70)
        town.stripe.money_comes("cs_test_3")
        town.deliver()
        town.work()
    assert len(seen) > 100
    assert [moment for moment in seen if moment] == []


def books(town: Town) -> tuple[Any, Keys]:
    """The books in a forger's hand."""
    town.falsified = True
    return town.shop.store._client, town.shop.store.keys


def put(town: Town, key: str, field: str, value: object) -> None:
    town.falsified = True
    town.shop.store._client.hset(town.shop.store.keys.name(key), field, value)


def test_a_counter_below_0_is_found(busy: Town) -> None:
    put(busy, "stock:written_off", "last", -1)
    put(busy, "stock:available", "last", 2)
    assert "last: written_off is -1" in failing(busy)["I1 counters"]


def test_units_that_vanished_are_found(busy: Town) -> None:
    put(busy, "stock:available", "last", 0)
    found = failing(busy)
    assert "last: 0 units, 1 stocked" in found["I2 equation"]
    assert "available is 0, the ledger says 1" in found["I11 ledger"]


@pytest.mark.parametrize("at", ["held", "sold"])
def test_a_counter_that_its_orders_do_not_explain_is_found(busy: Town, at: str) -> None:
    put(busy, f"stock:{at}", "last", 1)
    assert f"last: {at} is 1, orders have 0" in failing(busy)["I3 sums"]


def test_a_hold_that_is_listed_or_held_alone_is_found(busy: Town) -> None:
    client, keys = books(busy)
    order = find(busy, "open")
    client.zrem(keys.name("holds"), order.id)
    assert f"{order.id} holds units but is not listed" in failing(busy)["I3 holds"]
    client.zadd(keys.name("holds"), {"ghost": 1, order.id: order.deadline})
    assert "ghost is listed but holds nothing" in failing(busy)["I3 holds"]


def test_an_order_whose_units_are_not_where_its_state_says_is_found(busy: Town) -> None:
    order = find(busy, "paid")
    put(busy, f"order:{order.id}", "state", "released")
    found = failing(busy)
    assert "is released, its units are sold" in found["I3 places"]
    assert "is released and keeps 1 payments" in found["I4 money"]


def test_a_second_payment_that_nobody_sends_back_is_found(busy: Town) -> None:
    order = find(busy, "paid")
    put(busy, f"order:{order.id}", "payment:pi_x", order.amount)
    assert "is paid with 2 payments kept" in failing(busy)["I4 money"]


def test_goods_for_no_money_are_found(busy: Town) -> None:
    order = find(busy, "paid")
    client, keys = books(busy)
    client.hdel(keys.order(order.id), f"payment:{order.payment_intent}")
    assert "is paid with 0 payments kept" in failing(busy)["I4 money"]


def test_more_refunded_than_paid_is_found(busy: Town) -> None:
    order = find(busy, "refunded")
    row = {"amount": 1, "status": "succeeded", "payment_intent": order.payment_intent}
    put(busy, f"order:{order.id}", "refund:re_x", json.dumps(row))
    assert "was paid 2500 and refunded 2501" in failing(busy)["I10 refunds"]


def test_a_mail_that_nobody_will_send_is_found(busy: Town) -> None:
    paid, refunded = find(busy, "paid"), find(busy, "refunded")
    client, keys = books(busy)
    client.hdel(keys.order(paid.id), "mail:confirmed")
    client.hdel(keys.order(refunded.id), f"mail:refunded:{refunded.refunds[0].id}")
    found = failing(busy)["I12 notices"]
    assert f"{paid.id} owes its mail confirmed" in found
    assert f"{refunded.id} owes its mail refunded" in found
    busy.shop.store.due.schedule(f"mail:confirmed:{paid.id}", 1)
    busy.shop.store.due.schedule(f"mail:refunded:{refunded.id}:{refunded.refunds[0].id}", 1)
    assert failing(busy) == {}


@pytest.mark.parametrize("state", ["pending", "open", "processing"])
def test_an_order_that_nobody_looks_after_is_found(busy: Town, state: str) -> None:
    order = find(busy, state)
    client, keys = books(busy)
    client.zrem(keys.name("due"), f"ask:{order.id}", f"expire:{order.id}")
    assert f"{order.id} is {state} and nothing is due for it" in failing(busy)["due"]


def test_a_refund_that_nobody_makes_is_found(busy: Town) -> None:
    order = find(busy, "paid")
    fields = {"state": "refund_due", f"refund_reason:{order.payment_intent}": "sold_out"}
    client, keys = books(busy)
    client.hset(keys.order(order.id), mapping=fields)
    found = failing(busy)
    assert "is refund_due and nothing is due for it" in found["due"]
    assert "is refund_due and keeps 1 payments" in found["I4 money"]


def test_a_ledger_entry_that_says_other_counters_is_found(busy: Town) -> None:
    client, keys = books(busy)
    last = client.xrevrange(keys.name("ledger"), count=1)[0][1]
    client.xadd(keys.name("ledger"), last)
    assert "says other counters than replayed" in failing(busy)["I11 ledger"]


def test_a_hold_is_overdue_two_minutes_after_its_grace(town: Town) -> None:
    town.begin()
    town.skip(1920 + 300 + 120)
    assert failing(town) == {}
    town.skip(1)
    assert "should have ended 421 s ago" in failing(town)["I7 deadlines"]


def test_a_hold_whose_money_is_on_its_way_is_never_overdue(town: Town) -> None:
    town.stripe.pay_later(town.begin().order.session)
    town.deliver()
    town.skip(5 * 24 * 3600)
    assert failing(town) == {}


def test_only_the_first_faults_of_a_kind_are_named_and_the_rest_counted(busy: Town) -> None:
    for number in range(9):
        put(busy, "stock:available", f"sku-{number}", -1)
    assert failing(busy)["I1 counters"].endswith(" and 4 more")


def test_stripe_that_cannot_be_asked_is_no_failed_check(busy: Town) -> None:
    busy.stripe.down()
    assert failing(busy) == {}
    with pytest.raises(StripeUnreachable):
        audit(busy.shop, True)


def test_a_paid_session_without_an_order_is_found(busy: Town) -> None:
    order = find(busy, "open")
    params = sessions.params(busy.shop, order)
    lost = params | {"metadata": {"shop": "test", "order": "lost"}}
    session = busy.stripe.create_session(lost, "lost").session
    busy.stripe.pay(session)
    assert f"session {session} has no order" in failing(busy, with_stripe=True)["stripe: goods"]


def test_a_payment_that_never_reached_a_settled_order_is_found_once_it_is_not_on_its_way(
    busy: Town,
) -> None:
    order = find(busy, "released")
    session = busy.stripe.create_session(sessions.params(busy.shop, order), "twin").session
    busy.stripe.pay(session)
    assert failing(busy, with_stripe=True) == {}
    busy.skip(121)
    found = failing(busy, with_stripe=True)
    assert f"session {session} is paid, order {order.id} is released" in found["stripe: goods"]


def test_a_payment_of_a_running_hold_is_on_its_way(town: Town) -> None:
    town.stripe.pay(town.begin().order.session)
    town.skip(600)
    assert failing(town, with_stripe=True) == {}


def test_two_sessions_that_can_be_paid_are_found_once_ending_one_is_not_on_its_way(
    town: Town,
) -> None:
    order = town.begin().order
    town.stripe.create_session(sessions.params(town.shop, order), "twin")
    assert failing(town, with_stripe=True) == {}
    town.skip(121)
    assert f"order {order.id} has 2" in failing(town, with_stripe=True)["stripe: sessions"]
    town.falsified = True


def test_a_session_that_can_be_paid_beside_a_paid_one_is_found(town: Town) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "twin").session
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    town.skip(121)
    assert f"order {order.id} has 2" in failing(town, with_stripe=True)["stripe: sessions"]
    town.shop.store.due.schedule(f"stray:{order.id}:{twin}", 1)
    assert failing(town, with_stripe=True) == {}


def test_two_payments_of_which_one_went_back_are_no_fault(town: Town) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "twin").session
    town.stripe.pay(order.session)
    town.stripe.pay(twin)
    town.deliver()
    town.pass_time(600)
    assert failing(town, with_stripe=True) == {}


def test_another_amount_at_stripe_than_here_is_found(busy: Town) -> None:
    order = find(busy, "paid")
    busy.stripe.sessions[order.session]["amount_total"] = 1
    assert "2500 here, 1 at Stripe" in failing(busy, with_stripe=True)["stripe: amounts"]


def test_a_refund_that_is_only_here_is_found(busy: Town) -> None:
    order = find(busy, "refunded")
    busy.stripe.all_refunds.clear()
    busy.skip(121)
    assert (
        f"order {order.id}: 2500 refunded here, 0 at Stripe"
        in (failing(busy, with_stripe=True)["stripe: amounts"])
    )


def test_a_refund_that_failed_counts_as_none_on_either_side(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session)
    town.deliver()
    refund = town.stripe.refund_by_hand(town.order(order).payment_intent)
    town.deliver()
    town.stripe.refund_ends(refund, "failed")
    town.deliver()
    town.pass_time(600)
    assert failing(town, with_stripe=True) == {}


def test_the_sessions_of_other_shops_and_of_last_week_are_not_compared(busy: Town) -> None:
    order = find(busy, "open")
    params = sessions.params(busy.shop, order)
    other = params | {"metadata": {"shop": "other", "order": "x"}}
    busy.stripe.pay(busy.stripe.create_session(other, "other").session)
    lost = params | {"metadata": {"shop": "test", "order": "lost"}}
    busy.stripe.pay(busy.stripe.create_session(lost, "lost").session)
    busy.pass_time(3 * 24 * 3600 + 1)
    assert failing(busy, with_stripe=True) == {}
