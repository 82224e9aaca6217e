"""A sale at the counter: units move as in any other, the money from hand to hand."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from storefront.domain.balance import Kind
from storefront.domain.errors import BadInput, NotEnoughStock, NotOpenYet, ShopClosed, UnknownSku
from storefront.domain.orders import Form, Order, Plan, Reason, State
from storefront.services import (
    counter,
    giving_back,
    holds,
    money,
    orders,
    rebuilding,
    recovery,
    settlement,
    story,
    till,
    waitlist,
)
from storefront.services.counter import HOLD_MS, NotSold, Sale
from storefront.services.giving_back import Wish
from storefront.services.reconciliation import reconcile
from storefront.storage.answers import Recorded
from tests.services.conftest import OPENING, Build
from tests.services.losses import keep, restart
from tests.services.sweeping import BREAKS, MakeFuse, sweep
from tests.services.test_rebuild import lose
from tests.services.town import Fuse, Town

KEY = "form-0000001"


def sell(
    town: Town,
    wanted: Mapping[str, int] | None = None,
    form: Form = Form.CASH,
    key: str = KEY,
) -> Sale:
    units = wanted or {"poster": 1}
    return counter.sell(town.shop, wanted=units, form=form, key=key, who="admin")


def broken_off(town: Town) -> Order:
    """A sale whose process ended once the units were held."""
    lines = counter.priced(town.shop, {"poster": 2})
    order_id = counter.links.order_id(town.shop.settings, "counter", KEY)
    counter._hold(town.shop, order_id, lines, Form.CASH)
    return town.order(order_id)


def give_back(
    town: Town,
    order: Order,
    units: Mapping[str, int] | None = None,
    amount: int | None = None,
    key: str = "",
) -> None:
    wish = Wish(units or {}, amount, not units and amount is None, "available")
    seen = giving_back.preview(order, wish)
    key = key or f"refund-{len(order.plans)}-of-it"
    giving_back.send_back(town.shop, order, seen, reason="torn", key=key, who="admin")


@pytest.mark.parametrize("form", [Form.CASH, Form.READER])
def test_a_sale_is_held_paid_and_handed_over_and_stripe_is_told_nothing(
    town: Town, form: Form
) -> None:
    order = sell(town, {"poster": 2, "zine": 1}, form).order
    assert (order.state, order.units, order.amount) == (State.FULFILLED, "sold", 5450)
    assert order.payments == {f"{form}_{order.id}": 5450}
    assert order.to_hand_over == {}
    assert (town.level(), town.level("zine")) == ((3, 0, 2), (2, 0, 1))
    town.work()
    assert town.stripe.wire.calls == []
    assert town.failing(with_stripe=True) == {}
    whats = [(e.what, e.who) for e in town.shop.store.ledger.walk() if e.order == order.id]
    assert sorted(whats) == sorted(
        2 * [("hold", ""), ("sell", ""), ("hand_over", "admin")],
    )


def test_the_same_form_sells_once_whatever_it_asks_for_by_then(town: Town) -> None:
    first = sell(town)
    again = sell(town, {"poster": 3}, Form.READER)
    assert (first.again, again.again, again.order) == (False, True, first.order)
    assert town.level() == (4, 0, 1)


def test_limits_of_shoppers_do_not_count_at_the_counter(build: Build) -> None:
    town = build(MAX_PER_ORDER="1", HOLDS_PER_VISITOR="1", HOLDS_PER_IP="1")
    sell(town, {"few": 5}, key="form-of-five")
    assert [sell(town, key=f"form-number-{n}").again for n in range(3)] == [False] * 3


def test_what_is_short_not_on_sale_or_not_there_is_refused_with_nothing_held(town: Town) -> None:
    town.begin({"poster": 4})
    with pytest.raises(NotEnoughStock) as short:
        sell(town, {"poster": 2, "zine": 1})
    assert (short.value.shortages[0].available, short.value.shortages[0].held) == (1, 4)
    with pytest.raises(NotOpenYet):
        sell(town, {"soon": 1})
    for sku in ("gone", "never", "nothing"):
        with pytest.raises(UnknownSku):
            sell(town, {sku: 1})
    with pytest.raises(BadInput):
        counter.sell(town.shop, wanted={}, form=Form.CASH, key=KEY, who="admin")
    assert (town.level(), town.level("zine")) == ((1, 4, 0), (3, 0, 0))
    assert sell(town).again is False  # a refusal does not use the form up


def test_nobody_at_the_counter_jumps_the_line(town: Town) -> None:
    town.begin({"last": 1})
    waitlist.join(town.shop, sku="last", email="bob@shop.example")
    waitlist.confirm(town.shop, town.shop.store.waitlist.all()[0])
    orders.cancel(town.shop, town.find("open"))
    with pytest.raises(NotEnoughStock):  # it is offered to who waits
        sell(town, {"last": 1})
    assert town.find("offered").lines[0].sku == "last"


def test_units_that_somebody_waits_for_are_not_sold_around_the_line(town: Town) -> None:
    waitlist.join(town.shop, sku="poster", email="bob@shop.example")
    town.begin({"poster": 5})
    waitlist.confirm(town.shop, town.shop.store.waitlist.all()[0])
    # Two came in and only one is wanted in line: the other is free again.
    town.shop.store.scripts.restock("poster", delta=2, reason="found", who="tests", key="k-1")
    assert town.find("offered").lines[0].sku == "poster"
    sell(town)
    with pytest.raises(NotEnoughStock):
        sell(town, key="another-form")


def test_a_sale_that_was_broken_off_is_finished_by_its_form(town: Town) -> None:
    order = broken_off(town)
    town.skip_to(order.created + HOLD_MS - 1000)
    town.work()
    done = sell(town, {"poster": 2})
    assert (done.again, done.order.state) == (False, State.FULFILLED)
    assert (done.order.id, town.level()) == (order.id, (3, 0, 2))


def test_a_sale_that_nobody_finishes_gives_its_units_back_without_a_word_to_stripe(
    town: Town,
) -> None:
    order = broken_off(town)
    town.pass_time(HOLD_MS / 1000 + 10)
    assert (town.order(order).state, town.order(order).reason) == ("released", "expired")
    assert town.level() == (5, 0, 0)
    with pytest.raises(NotSold):
        sell(town, {"poster": 2})
    assert town.level() == (5, 0, 0)
    assert town.stripe.wire.calls == []


def test_a_sale_in_review_is_released_by_hand_without_a_word_to_stripe(town: Town) -> None:
    order = broken_off(town)
    town.shop.store.scripts.review_order(order.id, reason="look")
    assert holds.release_by_hand(town.shop, order.id, "admin") == "released"
    town.work()
    assert (town.level(), town.stripe.wire.calls) == ((5, 0, 0), [])


def test_a_buyer_who_was_quicker_than_a_late_sale_has_the_goods_and_the_cash_goes_back(
    town: Town,
) -> None:
    def somebody_else() -> None:
        """The worker ends the hold, and all five are gone."""
        town.shop.store.scripts.release_hold(
            town.orders()[0].id, session="", version=1, reason=Reason.EXPIRED
        )
        paid = town.begin({"poster": 5}).order
        town.stripe.pay(paid.session)
        town.deliver()

    broken_off(town)
    with town.fused(Fuse(2, somebody_else, "redis")), pytest.raises(NotSold):
        sell(town, {"poster": 2})
    order = town.orders()[0]
    [refund] = order.refunds
    assert (order.state, refund.amount, refund.status) == (State.REFUNDED, 5000, "succeeded")
    assert town.level() == (0, 0, 5)
    with pytest.raises(NotSold):
        sell(town, {"poster": 2})


def test_a_refund_is_noted_and_never_asked_of_stripe(town: Town) -> None:
    order = sell(town, {"poster": 2, "zine": 1}).order
    give_back(town, order, amount=33)
    order = town.order(order)
    assert (order.state, order.refunded, town.due() & {f"refund:{order.id}"}) == (
        State.FULFILLED,
        33,
        set(),
    )
    give_back(town, order, {"poster": 1})
    assert (town.order(order).refunded, town.level()) == (2533, (4, 0, 1))
    give_back(town, town.order(order))
    order = town.order(order)
    assert (order.state, order.refunded, town.level()) == (State.REFUNDED, 5450, (5, 0, 0))
    town.work()
    assert town.stripe.wire.calls == []
    told = [moment.what for moment in story.of(town.shop, order)]
    assert "Paid in cash at the counter, its units sold" in told
    assert told.count("Given back in cash: torn") == 3
    assert not any("Mail" in what for what in told)


def test_a_refund_whose_note_was_lost_is_noted_by_the_worker(town: Town) -> None:
    order = sell(town, {"poster": 2}).order
    seen = giving_back.preview(order, Wish({"poster": 1}, None, False, "available"))
    about = (seen.payment, seen.amount, seen.units, seen.to, "torn")
    plan = Plan("refund-key", *about, handed=seen.handed)
    town.shop.store.scripts.plan_refund(order.id, plan)
    town.work()
    assert (town.order(order).refunded, town.level()) == (2500, (4, 0, 1))
    assert town.stripe.wire.calls == []


def test_the_counters_money_stands_apart_from_stripes(town: Town) -> None:
    sell(town, {"poster": 1})
    order = sell(town, {"zine": 2}, key="another-form").order
    give_back(town, order, {"zine": 1})
    sell(town, {"last": 1}, Form.READER, key="third-form-of-all")
    paid = town.begin({"poster": 1}).order
    town.stripe.pay(paid.session)
    town.deliver()
    day = money.look(town.shop, OPENING.date())
    assert [(s.theirs, s.ours) for s in day.sums] == [(2500, 2500)]
    assert day.differences == []
    assert day.tills == [
        till.Sums(Form.CASH, "usd", 3400, 450),
        till.Sums(Form.READER, "usd", 9900, 0),
    ]
    assert [one.kept for one in day.tills] == [2950, 9900]
    kinds = [(one.kind, one.order == order.id, one.amount) for one in day.counter]
    assert (Kind.REFUNDED, True, -450) in kinds
    later = money.look(town.shop, OPENING.date().replace(day=2))
    assert (later.counter, later.number) == ([], 0)


def test_of_a_days_till_only_its_own_sales_and_what_went_back_since_are_read(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = OPENING.date(), OPENING.date().replace(day=2)
    returned = sell(town, {"zine": 2}).order
    sell(town, {"poster": 1}, key="never-given-back")
    town.skip(24 * 3600)
    give_back(town, returned, {"zine": 1})
    today = sell(town, {"last": 1}, Form.READER, key="the-day-after").order
    read: list[str] = []
    each = town.shop.store.orders.each
    monkeypatch.setattr(town.shop.store.orders, "each", lambda ids: read.extend(ids) or each(ids))
    found = money.at_the_counter(town.shop, second)
    assert sorted(read) == sorted([returned.id, today.id])
    assert [(one.order, one.amount) for one in found] == [(returned.id, -450), (today.id, 9900)]
    before = money.at_the_counter(town.shop, first)
    assert [(one.kind, one.amount) for one in before if one.order == returned.id] == [
        (Kind.SOLD, 900)
    ]


def test_exports_name_no_payment_at_stripe(town: Town) -> None:
    told = orders.as_json(town.shop, sell(town).order)
    assert (told["payment_intent"], told["checkout_session"], told["through"]) == (
        None,
        None,
        "cash",
    )
    paid = town.begin().order
    assert orders.as_json(town.shop, paid)["through"] == "stripe"


def test_walking_stripe_leaves_the_counters_sales_as_they_are(town: Town) -> None:
    order = sell(town).order
    before = town.order(order)
    reconcile(town.shop)
    recovery.recover(town.shop, 0)
    assert replace(town.order(order), notices={}) == replace(before, notices={})
    assert town.failing(with_stripe=True) == {}


def test_a_rebuild_knows_nothing_of_the_counters_sales(town: Town) -> None:
    """What is missing then must be counted by hand: docs/operations.md says so."""
    sell(town, {"poster": 2})
    town.work()
    lose(town)
    rebuilding.rebuild(town.shop)
    assert town.level() == (5, 0, 0)


@pytest.mark.parametrize("make_fuse", BREAKS[:3], ids=lambda make: make.__name__)
def test_a_sale_broken_off_anywhere_is_whole_or_nothing(build: Build, make_fuse: MakeFuse) -> None:
    sweep(build, make_fuse, lambda town: sell(town, {"poster": 2, "zine": 1}), then=_either)


def _either(town: Town) -> None:
    """The form is sent again, and then its sale is whole."""
    assert sell(town, {"poster": 2, "zine": 1}).order.state is State.FULFILLED
    assert (town.level(), town.level("zine")) == ((3, 0, 2), (2, 0, 1))


@pytest.mark.parametrize("make_fuse", BREAKS[:3], ids=lambda make: make.__name__)
def test_giving_back_that_was_broken_off_is_noted_once(build: Build, make_fuse: MakeFuse) -> None:
    def ask(town: Town) -> None:
        order = town.orders()[0]
        if not order.plans:  # the order's page says what was given back before
            give_back(town, order, {"poster": 1})

    def noted(town: Town) -> None:
        ask(town)
        town.work()
        assert (town.orders()[0].refunded, town.level()) == (2500, (4, 0, 1))

    sweep(build, make_fuse, ask, prepare=lambda town: sell(town, {"poster": 2}), then=noted)


def test_money_is_given_back_once_though_redis_loses_the_wish_before_it_is_noted(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = sell(town, {"poster": 2}).order
    before = keep(town)
    real = town.shop.store.scripts.record_refund

    def after_the_loss(*about: Any, **more: Any) -> Recorded:
        restart(town, before)
        patched.undo()
        give_back(town, town.order(order), key="another-form")
        return real(*about, **more)

    with monkeypatch.context() as patched:
        patched.setattr(town.shop.store.scripts, "record_refund", after_the_loss)
        with pytest.raises(ShopClosed):
            give_back(town, order, {"poster": 1})
    assert (town.order(order).state, town.order(order).refunded) == (State.REFUNDED, 5000)


def test_stripe_is_never_asked_about_money_in_the_till(town: Town) -> None:
    """Nor when a sale whose hold had ended came while the books were not known to be whole."""
    order = broken_off(town)
    town.pass_time(HOLD_MS / 1000 + 1)
    restart(town)
    with pytest.raises(NotSold):
        sell(town, {"poster": 2})
    asked = len(town.stripe.wire.calls)
    assert settlement.ask_when_due(town.shop, order.id, f"cash_{order.id}") is None
    assert len(town.stripe.wire.calls) == asked
    assert town.order(order).state is State.RELEASED
