"""The audit: right at any moment of a busy shop, and never silent about what is wrong."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from storefront.domain.errors import Refusal, StripeError
from storefront.domain.orders import Plan
from storefront.services import giving_back
from storefront.services.audit import audit, check
from storefront.services.giving_back import Wish
from storefront.storage import sold as adding
from storefront.storage.keys import Keys
from storefront.storage.snapshot import ENDED
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Fuse, Town


def test_a_busy_shop_passes_every_check(busy: Town) -> None:
    assert busy.failing(with_stripe=True) == {}
    names = [check.name for check in audit(busy.shop, True)]
    assert len(names) == len(set(names)) >= 13
    assert all(check.detail for check in audit(busy.shop, True))


def test_an_empty_shop_passes_every_check(town: Town) -> None:
    assert town.failing(with_stripe=True) == {}


def test_every_moment_of_a_shop_s_day_passes_every_check(build: Build) -> None:
    town = build(HOLD_SECONDS="60")
    seen: list[dict[str, str]] = []

    class Always(Fuse):
        def call(self, name: str, run: Callable[[], object]) -> object:
            if not self._busy:
                self._busy = True
                seen.append(town.failing())
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
    assert "last: written_off is -1" in busy.failing()["I1 counters"]


def test_units_that_vanished_are_found(busy: Town) -> None:
    put(busy, "stock:available", "last", 0)
    found = busy.failing()
    assert "last: 0 units, 1 stocked" in found["I2 equation"]
    assert "available is 0, the ledger says 1" in found["I11 ledger"]


@pytest.mark.parametrize("at", ["held", "sold"])
def test_a_counter_that_its_orders_do_not_explain_is_found(busy: Town, at: str) -> None:
    put(busy, f"stock:{at}", "last", 1)
    assert f"last: {at} is 1, orders and links have 0" in busy.failing()["I3 sums"]


def test_a_hold_that_is_listed_or_held_alone_is_found(busy: Town) -> None:
    client, keys = books(busy)
    order = busy.find("open")
    client.zrem(keys.name("holds"), order.id)
    assert f"{order.id} holds units but is not listed" in busy.failing()["I3 holds"]
    client.zadd(keys.name("holds"), {"ghost": 1, order.id: order.deadline})
    assert "ghost is listed but holds nothing" in busy.failing()["I3 holds"]


def test_an_order_whose_units_are_not_where_its_state_says_is_found(busy: Town) -> None:
    order = busy.find("paid")
    put(busy, f"order:{order.id}", "state", "released")
    found = busy.failing()
    assert "is released, its units are sold" in found["I3 places"]
    assert "is released and keeps 1 payments" in found["I4 money"]


def test_units_that_were_handed_over_twice_or_not_at_all_are_found(busy: Town) -> None:
    order = busy.find("paid")
    [(sku, number)] = order.own.items()
    put(busy, f"order:{order.id}", f"handed:{sku}", str(number + 1))
    found = busy.failing()["I3 places"]
    assert f"has {number} of {sku}, and {number + 1} were handed over" in found
    client, keys = books(busy)
    client.hdel(keys.order(order.id), f"handed:{sku}")
    assert "I3 places" not in busy.failing()
    busy.shop.store.scripts.hand_over(order.id, key="scan-000001", who="w", units={})
    assert "I3 places" not in busy.failing()
    client.hdel(keys.order(order.id), f"handed:{sku}")
    assert "is still to be handed over" in busy.failing()["I3 places"]


def test_an_order_that_the_lists_have_lost_is_found(busy: Town) -> None:
    order = busy.find("paid")
    client, keys = books(busy)
    member = f"paid:{order.created}:{order.id}"
    client.zrem(keys.name("states"), member)
    found = busy.failing()
    assert f"order {order.id} is in no state" in found["I3 lists"]
    assert f"order {order.id} is paid, and listed as nothing" in found["I3 places"]
    client.zadd(keys.name("states"), {member: 0})
    client.zrem(keys.name("orders"), order.id)
    assert f"order {order.id} is only in a state" in busy.failing()["I3 lists"]


def test_an_order_that_is_listed_under_two_states_is_found(busy: Town) -> None:
    order = busy.find("paid")
    client, keys = books(busy)
    client.zadd(keys.name("states"), {f"released:{order.created}:{order.id}": 0})
    assert "is paid, and listed as paid, released" in busy.failing()["I3 places"]


def test_an_order_that_is_gone_is_found(busy: Town) -> None:
    order = busy.find("open")
    client, keys = books(busy)
    client.delete(keys.order(order.id))
    assert f"order {order.id} is listed but not stored" in busy.failing()["I3 places"]


def test_units_of_no_order_are_found(busy: Town) -> None:
    put(busy, "units", "ghost", "sold poster=1")
    found = busy.failing()
    assert "order ghost has units, and does not exist" in found["I3 lists"]
    assert "poster: sold is 1, orders and links have 2" in found["I3 sums"]
    assert "order ghost has 1 of poster sold, the ledger says 0" in found["I11 ledger"]


def test_units_of_a_sku_without_counters_are_found(busy: Town) -> None:
    put(busy, "units", busy.find("paid").id, "sold nothing=1")
    assert "nothing: sold is 0, orders and links have 1" in busy.failing()["I3 sums"]


def test_other_units_than_were_ordered_are_found(busy: Town) -> None:
    order = busy.find("paid")
    put(busy, "units", order.id, "sold poster=2")
    assert (
        f"order {order.id} is of {{'poster': 1}}, its units are {{'poster': 2}}"
        in (busy.failing()["I3 places"])
    )


def test_units_that_go_back_while_the_books_are_read_are_no_fault(busy: Town) -> None:
    snapshot = busy.shop.store.snapshot()
    order = busy.find("paid")
    busy.shop.store.scripts.record_refund(
        order.id,
        refund="re_half",
        payment_intent=order.payment_intent,
        amount=100,
        status="succeeded",
        reason="",
        again_ms=1,
        plan=Plan(
            "a-key-of-it", order.payment_intent, 100, dict(order.quantities), "written_off", "torn"
        ),
    )
    assert busy.find("paid").own != order.own
    assert [one.detail for one in check(busy.shop, snapshot) if not one.ok] == []


def test_more_given_than_came_in_is_found(busy: Town) -> None:
    put(busy, "stock:stocked", "poster", 0)
    assert busy.failing()["I5 goods"] == "poster: 1 given, 0 stocked"


def test_units_that_changed_places_with_another_order_s_are_found_by_the_ledger(
    busy: Town,
) -> None:
    paid, opened = busy.find("paid"), busy.find("open")
    put(busy, "units", paid.id, "held poster=1")
    put(busy, "units", opened.id, "sold poster=1")
    found = busy.failing()
    assert "I3 sums" not in found
    assert f"order {paid.id} has 1 of poster held, the ledger says 0" in found["I11 ledger"]


def test_a_payment_that_two_orders_claim_is_found(busy: Town) -> None:
    order, other = busy.find("paid"), busy.find("refunded")
    put(busy, "payments", order.payment_intent, other.id)
    assert (
        f"{order.payment_intent} of {order.id} is listed for {other.id}"
        in (busy.failing()["I6 payments"])
    )


def test_a_session_that_two_orders_have_is_found(busy: Town) -> None:
    order, other = busy.find("paid"), busy.find("open")
    put(busy, f"order:{other.id}", "sessions", json.dumps([order.session]))
    found = busy.failing()["I6 payments"]
    assert found == f"{order.session} is of {order.id} and of {other.id}"


def test_goods_for_another_sum_than_they_cost_are_found(busy: Town) -> None:
    order = busy.find("paid")
    put(busy, f"order:{order.id}", f"payment:{order.payment_intent}", 1)
    assert f"costs 2500 and was paid 1 by {order.payment_intent}" in busy.failing()["I10 refunds"]


def test_an_order_that_costs_another_sum_than_its_lines_is_found(busy: Town) -> None:
    put(busy, f"order:{busy.find('open').id}", "amount", 1)
    assert "costs 1, its lines 2500" in busy.failing()["I10 refunds"]


def test_one_payment_s_refund_does_not_hide_behind_another_payment(busy: Town) -> None:
    order = busy.find("paid")
    row = {"amount": 2501, "status": "succeeded", "payment_intent": order.payment_intent}
    fields = {
        "payment:pi_x": 2500,
        "refund_reason:pi_x": "duplicate",
        "refund:re_x": json.dumps(row),
    }
    client, keys = books(busy)
    client.hset(keys.order(order.id), mapping=fields)
    found = busy.failing()["I10 refunds"]
    assert f"was paid 2500 by {order.payment_intent} and refunded 2501" in found


def test_a_review_that_nobody_is_told_of_is_found(busy: Town) -> None:
    order = busy.find("review")
    client, keys = books(busy)
    client.hdel(keys.order(order.id), "mail:review")
    assert f"{order.id} owes its mail review" in busy.failing()["I12 notices"]
    busy.shop.store.due.schedule(f"mail:review:{order.id}", 1)
    assert busy.failing() == {}


def test_asking_about_a_refund_is_no_fault_and_no_excuse(busy: Town) -> None:
    """The job reads what Stripe has; only with a reason does it send money back."""
    paid = busy.find("paid")
    busy.shop.store.due.schedule(f"refund:{paid.id}:{paid.payment_intent}", 1)
    assert busy.failing() == {}
    put(busy, f"order:{paid.id}", "state", "released")
    assert "is released and keeps 1 payments" in busy.failing()["I4 money"]
    put(busy, f"order:{paid.id}", f"refund_reason:{paid.payment_intent}", "sold_out")
    assert "I4 money" not in busy.failing()


def test_a_mirror_that_stripe_does_not_take_is_found_after_some_minutes(town: Town) -> None:
    town.stripe.down()
    town.shop.store.scripts.restock("poster", delta=1, reason="r", who="op", key="k")
    town.pass_time(60)
    assert town.failing() == {}
    town.pass_time(1200)
    assert "poster: Stripe has not taken its numbers in" in town.failing()["mirror"]
    town.stripe.up()
    town.pass_time(300)
    assert town.failing() == {}


def test_a_bounded_audit_looks_at_the_newest_orders_and_the_last_entries(busy: Town) -> None:
    whole = {check.name: check for check in audit(busy.shop, False, newest=100)}
    assert all(check.ok for check in whole.values())
    assert whole["I4 money"].detail == "each payment has goods, a refund, or one that is due"
    few = {check.name: check for check in audit(busy.shop, False, newest=2)}
    assert all(check.ok for check in few.values())
    assert "(of the newest 2 orders)" in few["I4 money"].detail
    assert "last entries" in few["I11 ledger"].detail


def test_a_bounded_audit_finds_what_is_wrong_within_its_bound(busy: Town) -> None:
    newest, oldest = busy.orders()[-1], busy.orders()[0]
    for order in (newest, oldest):
        put(busy, f"order:{order.id}", "amount", 1)
    put(busy, "stock:available", "zine", 9)
    found = {c.name: c.detail for c in audit(busy.shop, False, newest=2) if not c.ok}
    assert newest.id in found["I10 refunds"]
    assert oldest.id not in found["I10 refunds"]
    assert "zine: available is 9, the ledger says" in found["I11 ledger"]


def bounded(town: Town) -> dict[str, str]:
    """What fails of the checks on a snapshot that does not grow with the orders."""
    checks = check(town.shop, town.shop.store.snapshot(newest=2), newest=2)
    return {one.name: one.detail for one in checks if not one.ok}


def test_a_bounded_snapshot_holds_and_knows_how_many_orders_there_are(busy: Town) -> None:
    whole, part = busy.shop.store.snapshot(), busy.shop.store.snapshot(newest=2)
    assert (part.orders, part.total, part.listed) == (
        whole.orders[-2:],
        len(whole.orders),
        len(whole.states),
    )
    shown = {*part.orders, *part.holds}
    assert part.units == {order: at for order, at in whole.units.items() if order in shown}
    assert len(part.units) < len(whole.units)
    assert part.allotments == whole.allotments
    assert part.states == {o: s for o, s in whole.states.items() if s not in ENDED}
    assert (whole.total, whole.listed, whole.whole) == (part.total, part.listed, True)
    assert bounded(busy) == {}


def test_a_bounded_snapshot_finds_what_is_held_by_nobody(busy: Town) -> None:
    put(busy, "stock:held", "poster", 99)
    assert "poster: held is 99" in bounded(busy)["I3 sums"]


def sold(town: Town) -> str:
    """What is wrong with the sums, of which those of what is sold are added up in pieces."""
    store = town.shop.store
    found = store.sold()
    assert found is not None
    [sums] = [
        one
        for one in check(town.shop, store.snapshot(newest=2), newest=2, sold=found)
        if one.name == "I3 sums"
    ]
    return "" if sums.ok else sums.detail


def test_what_is_sold_is_added_up_over_all_orders_also_on_a_bounded_snapshot(busy: Town) -> None:
    assert sold(busy) == ""
    put(busy, "stock:sold", "poster", 99)
    assert "poster: sold is 99, orders have " in sold(busy)
    assert "poster: sold" not in bounded(busy).get("I3 sums", ""), "nobody added that up"


def test_what_is_sold_in_more_orders_than_a_page_may_read_is_not_added_up(
    busy: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "MOST", 1)
    assert busy.shop.store.sold() is None


@pytest.mark.parametrize("before", [True, False])
def test_what_is_sold_adds_up_though_orders_move_while_they_are_read(
    town: Town, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """One order is paid, one given back and one begun and paid, before or after they were read."""
    first, second = (town.begin({"poster": 1}, visitor=v, token=f"form of {v}").order for v in "ab")
    town.stripe.pay(second.session)
    town.deliver()
    client = town.shop.store._client
    scan = client.hscan_iter
    as_read: dict[str, str] = {}

    def meanwhile(*args: Any, **options: Any) -> list[tuple[str, str]]:
        if not before:
            as_read.update(scan(*args, **options))
        third = town.begin({"poster": 2}, visitor="c", token="form of c").order
        for order in (first, third):
            town.stripe.pay(order.session)
        town.deliver()
        seen = giving_back.preview(
            town.order(second), Wish({"poster": 1}, None, False, "available")
        )
        giving_back.send_back(
            town.shop, town.order(second), seen, reason="torn", key="key-of-refund", who="ada"
        )
        town.work()
        return list(as_read.items() or scan(*args, **options))

    monkeypatch.setattr(client, "hscan_iter", meanwhile)
    found = town.shop.store.sold()
    assert found is not None
    assert dict(found.counted)["poster"] == found.summed["poster"] == town.level()[2] == 3
    if not before:
        assert adding._sum(as_read)["poster"] == 1, "what was read first does not add up"


def test_a_bounded_snapshot_finds_an_order_that_is_listed_wrong(busy: Town) -> None:
    newest = busy.orders()[-1]
    states = busy.shop.store.keys.name("states")
    busy.falsified = True
    busy.shop.store._client.zadd(states, {f"voided:{newest.created}:{newest.id}": 0})
    assert "states of orders" in bounded(busy)["I3 lists"]
    busy.shop.store._client.zrem(states, f"{newest.state}:{newest.created}:{newest.id}")
    assert newest.id in bounded(busy)["I3 places"]


def test_a_second_payment_that_nobody_sends_back_is_found(busy: Town) -> None:
    order = busy.find("paid")
    put(busy, f"order:{order.id}", "payment:pi_x", order.amount)
    assert "is paid with 2 payments kept" in busy.failing()["I4 money"]


def test_goods_for_no_money_are_found(busy: Town) -> None:
    order = busy.find("paid")
    client, keys = books(busy)
    client.hdel(keys.order(order.id), f"payment:{order.payment_intent}")
    assert "is paid with 0 payments kept" in busy.failing()["I4 money"]


def test_more_refunded_than_paid_is_found(busy: Town) -> None:
    order = busy.find("refunded")
    row = {"amount": 1, "status": "succeeded", "payment_intent": order.payment_intent}
    put(busy, f"order:{order.id}", "refund:re_x", json.dumps(row))
    assert (
        f"was paid 2500 by {order.payment_intent} and refunded 2501"
        in busy.failing()["I10 refunds"]
    )


def test_a_mail_that_nobody_will_send_is_found(busy: Town) -> None:
    paid, refunded = busy.find("paid"), busy.find("refunded")
    client, keys = books(busy)
    client.hdel(keys.order(paid.id), "mail:confirmed")
    client.hdel(keys.order(refunded.id), f"mail:refunded:{refunded.refunds[0].id}")
    found = busy.failing()["I12 notices"]
    assert f"{paid.id} owes its mail confirmed" in found
    assert f"{refunded.id} owes its mail refunded" in found
    busy.shop.store.due.schedule(f"mail:confirmed:{paid.id}", 1)
    busy.shop.store.due.schedule(f"mail:refunded:{refunded.id}:{refunded.refunds[0].id}", 1)
    assert busy.failing() == {}


@pytest.mark.parametrize("state", ["offered", "pending", "open", "processing"])
def test_an_order_that_nobody_looks_after_is_found(busy: Town, state: str) -> None:
    order = busy.find("open" if state == "offered" else state)
    put(busy, f"order:{order.id}", "state", state)
    client, keys = books(busy)
    client.zrem(keys.name("due"), f"ask:{order.id}", f"expire:{order.id}")
    assert f"{order.id} is {state} and nothing is due for it" in busy.failing()["due"]


def test_a_refund_that_nobody_makes_is_found(busy: Town) -> None:
    order = busy.find("paid")
    fields = {"state": "refund_due", f"refund_reason:{order.payment_intent}": "sold_out"}
    client, keys = books(busy)
    client.hset(keys.order(order.id), mapping=fields)
    found = busy.failing()
    assert "is refund_due and nothing is due for it" in found["due"]
    assert "is refund_due and keeps 1 payments" in found["I4 money"]


def test_a_ledger_entry_that_says_other_counters_is_found(busy: Town) -> None:
    client, keys = books(busy)
    last = client.xrevrange(keys.name("ledger"), count=1)[0][1]
    client.xadd(keys.name("ledger"), last)
    assert "says other counters than replayed" in busy.failing()["I11 ledger"]


def test_a_hold_is_overdue_two_minutes_after_its_grace(town: Town) -> None:
    town.begin()
    town.skip(1920 + 300 + 120)
    assert town.failing() == {}
    town.skip(1)
    assert "should have ended 421 s ago" in town.failing()["I7 deadlines"]


def test_a_hold_whose_money_is_on_its_way_is_never_overdue(town: Town) -> None:
    town.stripe.pay_later(town.begin().order.session)
    town.deliver()
    town.skip(5 * 24 * 3600)
    assert town.failing() == {}


def test_only_the_first_faults_of_a_kind_are_named_and_the_rest_counted(busy: Town) -> None:
    for number in range(9):
        put(busy, "stock:available", f"sku-{number}", -1)
    assert busy.failing()["I1 counters"].endswith(" and 4 more")
