"""After a restart the shop takes no hold before its books are whole, and nobody pays for the loss."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from storefront.domain.door import Door
from storefront.domain.errors import NotEnoughStock, ShopClosed, StripeUnreachable
from storefront.domain.orders import Order, Reason, State
from storefront.services import holds, orders, reconciliation, recovery, sessions, settlement, work
from storefront.services.restocking import restock
from storefront.services.shop import Shop
from storefront.storage.answers import Recorded
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.losses import keep, restart
from tests.services.sweeping import MakeFuse, breaks, sweep
from tests.services.town import Town

WINDOW_SECONDS = 1920 + 600 + 300 + 120


def stands(town: Town) -> Door:
    return recovery.stands(town.shop)


def backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake: those who may pay come before those who did, and these before what is over."""
    turns = (reconciliation._over, reconciliation._still_open)
    monkeypatch.setattr(reconciliation, "_over", turns[1])
    monkeypatch.setattr(reconciliation, "_still_open", turns[0])


# The door.


def test_a_shop_is_opened_by_its_first_import(town: Town) -> None:
    assert stands(town) is Door.OPEN
    town.begin()


def test_after_a_restart_nothing_is_held_and_the_refusal_says_why(town: Town) -> None:
    restart(town)
    with pytest.raises(ShopClosed, match="Redis was restarted") as refused:
        town.begin()
    assert refused.value.door is Door.RESTARTED
    assert town.level() == (5, 0, 0)
    assert town.orders() == []


def test_a_running_payment_is_resumed_while_the_shop_is_closed(town: Town) -> None:
    started = town.begin()
    restart(town)
    assert town.begin().url == started.url
    town.stripe.pay(started.order.session)
    town.deliver()
    assert town.order(started).state is State.PAID


def test_the_worker_opens_the_shop_by_itself(town: Town) -> None:
    restart(town)
    town.work()
    assert stands(town) is Door.OPEN
    assert town.begin({"last": 1}).order.state is State.OPEN


def test_a_shop_that_is_open_is_not_walked_for(town: Town) -> None:
    town.work()
    calls = len(town.stripe.wire.calls)
    town.work()
    assert len(town.stripe.wire.calls) == calls


def test_a_silent_stripe_keeps_the_shop_closed_and_is_asked_less_and_less_often(town: Town) -> None:
    restart(town)
    town.stripe.down()
    asked: list[int] = []
    for _ in range(400):
        before = len(town.stripe.wire.calls)
        town.work()
        if len(town.stripe.wire.calls) > before:
            asked.append(town.shop.store.now())
        town.skip(0.5)
    assert stands(town) is Door.RESTARTED
    pauses = [later - sooner for sooner, later in pairwise(asked)]
    assert 5 < len(asked) < 40
    assert max(pauses) > 10_000 > 3 * pauses[0]
    assert max(pauses) <= recovery.LONGEST_MS + 500
    town.stripe.up()
    town.skip(recovery.LONGEST_MS / 1000)
    town.work()
    assert stands(town) is Door.OPEN


def test_only_one_worker_at_a_time_opens_the_shop(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart(town)
    walks: list[int] = []

    def walk(shop: Any, since: int | None = None) -> None:
        walks.append(1)
        recovery.recover_when_closed(shop)  # another worker comes by meanwhile

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "recover", walk)
        recovery.recover_when_closed(town.shop)
    assert walks == [1]
    town.work()
    assert stands(town) is Door.OPEN


def test_a_worker_that_dies_on_it_is_followed_by_another(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart(town)
    assert town.shop.store.door.lease(recovery.LEASE_MS)
    town.work()
    assert stands(town) is Door.RESTARTED
    town.skip(recovery.LEASE_MS / 1000 + 1)
    town.work()
    assert stands(town) is Door.OPEN


def test_a_server_that_was_restarted_once_more_meanwhile_is_not_opened(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart(town)
    read = town.shop.store.scripts.read_door
    monkeypatch.setattr(town.shop.store.scripts, "read_door", lambda: (read()[0], "the-one-before"))
    with pytest.raises(ShopClosed):
        recovery.recover(town.shop)
    monkeypatch.undo()
    assert stands(town) is Door.RESTARTED


def test_books_that_contradict_themselves_stay_closed(town: Town) -> None:
    town.falsified = True
    town.begin()
    keys = town.shop.store.keys
    town.shop.store._client.hincrby(keys.name("stock:sold"), "poster", 1)
    restart(town)
    with pytest.raises(recovery.BooksBroken, match="poster"):
        recovery.recover(town.shop)
    town.work()
    assert stands(town) is Door.RESTARTED


def test_a_second_look_follows_soon(town: Town) -> None:
    work.begin(town.shop)
    town.work()
    restart(town)
    town.work()
    jobs = {job.name: job.at for job in town.shop.store.due.jobs()}
    assert jobs[reconciliation.JOB] == town.shop.store.now() + recovery.AGAIN_MS


# How far back.


def test_sessions_are_walked_from_a_hold_window_before_the_last_entry_of_the_ledger(
    town: Town,
) -> None:
    began = town.shop.store.now() // 1000
    town.begin()
    town.skip(5 * 24 * 3600)  # a quiet shop, or an old copy of a busy one
    assert recovery.earliest(town.shop) == began - WINDOW_SECONDS


def test_what_the_new_server_writes_before_the_walk_does_not_shorten_it(town: Town) -> None:
    before = keep(town)
    order = town.begin().order
    town.stripe.pay(order.session)
    town.deliver()
    restart(town, before)
    for day in range(3):
        town.skip(24 * 3600)
        restock(town.shop, sku="zine", delta=1, reason="a box", who="test", key=f"day-{day}")
    town.work()
    assert town.order(order).state is State.PAID
    assert town.shop.store.door.loss_began() is None, "the next loss begins anew"


def test_an_old_copy_gets_back_what_was_bought_since(town: Town) -> None:
    copy = keep(town)
    for day in range(5):
        town.skip(24 * 3600)
        order = town.begin(visitor=f"visitor-{day}").order
        town.stripe.pay(order.session)
        town.deliver()
        town.work()
    restart(town, copy)
    town.work()
    assert town.level() == (0, 0, 5)
    assert {order.state for order in town.orders()} == {State.PAID}


# What was lost.


def test_a_sale_that_was_lost_is_a_sale_again_with_its_mail(town: Town) -> None:
    before = keep(town)
    order = town.begin({"poster": 2, "zine": 1}).order
    town.stripe.pay(order.session, email="ada@example.com")
    town.deliver()
    sold = town.order(order)
    restart(town, before)
    assert town.shop.store.orders.get(order.id) is None
    town.work()
    assert stands(town) is Door.OPEN
    found = town.order(order)
    # Its session is made, so nothing will name a Price any more.
    sold = replace(sold, lines=tuple(replace(line, price="") for line in sold.lines))
    told = ("id", "created", "state", "lines", "amount", "currency", "deadline", "expires_at")
    told += ("session", "sessions", "payment_intent", "payments", "email", "basket", "units")
    assert {name: getattr(found, name) for name in told} == {
        name: getattr(sold, name) for name in told
    }
    assert town.level() == (3, 0, 2)
    assert town.mails("confirmed") == [order.id]
    town.rest()


def test_a_refund_whose_payment_is_lost_at_this_moment_comes_after_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = town.begin({"poster": 2}).order
    before = keep(town)
    town.stripe.pay(order.session)
    town.deliver()
    [payment] = town.stripe.charges
    town.stripe.refund_by_hand(payment)
    record_refund = town.shop.store.scripts.record_refund

    def after_the_loss(*about: Any, **more: Any) -> Recorded:
        restart(town, before)
        return record_refund(*about, **more)

    [refunded] = [e for e in town.stripe.new_events() if e["type"] == "refund.created"]
    with monkeypatch.context() as patched:
        patched.setattr(town.shop.store.scripts, "record_refund", after_the_loss)
        assert town.receive(refunded) == "asking"
    assert town.order(order).refunds == ()
    town.work()
    assert (town.order(order).state, town.level()) == (State.REFUNDED, (5, 0, 0))
    town.rest()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("settle_payment", "payment_intent.succeeded"),
        ("record_refund", "refund.created"),
        ("record_dispute", "charge.dispute.created"),
    ],
)
def test_an_event_whose_order_is_lost_at_this_moment_is_not_heard_and_comes_again(
    town: Town, monkeypatch: pytest.MonkeyPatch, script: str, kind: str
) -> None:
    before = keep(town)
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    if kind != "payment_intent.succeeded":
        town.deliver()
        [payment] = town.stripe.charges
        make = town.stripe.dispute if "dispute" in kind else town.stripe.refund_by_hand
        make(payment)
    real = getattr(town.shop.store.scripts, script)

    def after_the_loss(*about: Any, **more: Any) -> Any:
        restart(town, before)
        return real(*about, **more)

    [event] = [e for e in town.stripe.new_events() if e["type"] == kind]
    with monkeypatch.context() as patched:
        patched.setattr(town.shop.store.scripts, script, after_the_loss)
        with pytest.raises(ShopClosed):
            town.receive(event)
    assert not town.shop.store.orders.seen(event["id"])
    town.work()
    assert town.receive(event) == "already"
    assert town.shop.store.orders.seen(event["id"])
    town.rest()


def test_no_word_of_an_earlier_key_ends_a_hold_whose_session_is_lost_at_this_moment(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stripe.fault("create_session", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    before = keep(town)

    def none_of_the_first_key(shop: Shop, order: Order) -> None:
        scripts = shop.store.scripts
        scripts.renew_session(order.id, version=1, session_seconds=1920)
        made = sessions.make(shop, town.order(order))
        scripts.attach_session(order.id, session=made.session, url=made.url)
        restart(town, before)

    with monkeypatch.context() as patched:
        patched.setattr(sessions, "find", none_of_the_first_key)
        with pytest.raises(StripeUnreachable, match="may be lost for now"):
            settlement.end(town.shop, order, Reason.REPLACED)
    assert (town.order(order).state, town.level()) == (State.PENDING, (4, 1, 0))
    town.work()
    assert town.order(order).state is State.OPEN
    town.rest()


def test_a_hold_that_never_had_a_payment_page_ends_once_the_shop_is_open(town: Town) -> None:
    town.stripe.fault("create_session", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    restart(town)
    town.stripe.fault("create_session", Fault.REFUSED)
    with pytest.raises(StripeUnreachable, match="may be lost for now"):
        settlement.end(town.shop, order, Reason.REPLACED)
    town.rest()
    assert (town.order(order).state, town.level()) == (State.RELEASED, (5, 0, 0))


def test_the_link_to_an_order_that_was_lost_opens_it_again(town: Town) -> None:
    before = keep(town)
    order = town.begin().order
    token = orders.token(town.shop, order.id)
    restart(town, before)
    town.work()
    found = orders.find(town.shop, token)
    assert found is not None
    assert found.id == order.id


def test_an_open_payment_that_was_lost_has_its_units_again_until_the_same_deadline(
    town: Town,
) -> None:
    before = keep(town)
    order = town.begin({"last": 1}).order
    restart(town, before)
    town.skip(100)
    town.work()
    found = town.order(order)
    assert (found.state, found.units, found.url) == (State.OPEN, "held", order.url)
    assert found.deadline == order.deadline
    assert town.level("last") == (0, 1, 0)
    with pytest.raises(NotEnoughStock):
        town.begin({"last": 1}, visitor="bob")
    town.stripe.pay(order.session)
    town.deliver()
    assert town.order(order).state is State.PAID
    town.rest()


def test_a_payment_on_its_way_that_was_lost_keeps_its_units(town: Town) -> None:
    before = keep(town)
    order = town.begin({"last": 1}).order
    town.stripe.pay_later(order.session)
    town.lose_events()
    restart(town, before)
    town.work()
    assert town.order(order).state is State.PROCESSING
    assert town.level("last") == (0, 1, 0)
    town.stripe.money_comes(order.session)
    town.deliver()
    assert town.order(order).state is State.PAID
    town.rest()


def test_an_attempt_that_was_over_comes_back_as_over(town: Town) -> None:
    before = keep(town)
    order = town.begin().order
    orders.cancel(town.shop, order)
    restart(town, before)
    town.work()
    assert (town.order(order).state, town.level()) == (State.RELEASED, (5, 0, 0))
    town.rest()


def refunded_and_sold_again(town: Town) -> tuple[str, str]:
    """The last one was sold, came back, and was sold to somebody else; then all of it is lost."""
    before = keep(town)
    first = town.begin({"last": 1}, visitor="ada").order
    town.stripe.pay(first.session)
    town.deliver()
    town.stripe.refund_by_hand(town.order(first).payment_intent)
    town.deliver()
    town.work()
    second = town.begin({"last": 1}, visitor="bob").order
    town.stripe.pay(second.session)
    town.deliver()
    restart(town, before)
    return first.id, second.id


def test_an_order_whose_money_went_back_takes_nobodys_goods(town: Town) -> None:
    first, second = refunded_and_sold_again(town)
    town.work()
    back = town.order(first)
    assert (back.state, back.refunded, back.units) == (State.REFUNDED, 9900, "none")
    assert town.order(second).state is State.PAID
    assert town.level("last") == (0, 0, 1)
    town.rest()


def test_part_of_the_money_that_went_back_is_noted(town: Town) -> None:
    before = keep(town)
    order = town.begin().order
    town.stripe.pay(order.session)
    town.deliver()
    refund = town.stripe.refund_by_hand(town.order(order).payment_intent, 700)
    town.deliver()
    restart(town, before)
    town.work()
    found = town.order(order)
    assert (found.state, found.refunded) == (State.PAID, 700)
    assert [r.id for r in found.refunds] == [refund]
    assert f"refunded:{refund}" in found.notices
    town.check()


def test_of_two_payments_for_a_lost_order_one_goes_back(town: Town) -> None:
    before = keep(town)
    order = town.begin().order
    twin = town.stripe.create_session(
        {
            "mode": "payment",
            "client_reference_id": order.id,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 2500,
                        "product_data": {"name": "Poster"},
                    },
                }
            ],
            "success_url": "https://shop.example/",
            "expires_at": order.expires_at,
            "metadata": town.stripe.sessions[order.session]["metadata"],
            "payment_intent_data": {"metadata": town.stripe.sessions[order.session]["metadata"]},
        },
        "another key",
    )
    for session in (order.session, twin.session):
        town.stripe.pay(session)
    town.lose_events()
    restart(town, before)
    town.work()
    found = town.order(order)
    assert (found.state, found.refunded, len(found.payments)) == (State.PAID, 2500, 2)
    town.rest()


def test_a_session_that_its_order_has_not_noted_yet_is_noted(town: Town) -> None:
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    restart(town)
    recovery.recover(town.shop)
    assert town.order(order).state is State.OPEN


def test_a_session_that_does_not_say_what_was_bought_is_for_a_person(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    before = keep(town)
    order = town.begin().order
    session = town.stripe.sessions[order.session]
    session["metadata"]["lines"] = "poster=a lot"
    restart(town, before)
    assert recovery.recover(town.shop).unknown == 1
    assert f"order {order.id} is lost, and a person must look" in caplog.text
    assert stands(town) is Door.OPEN
    town.stripe.expire_session(order.session)


def test_a_session_of_an_earlier_version_is_read_at_todays_prices_if_they_fit(town: Town) -> None:
    before = keep(town)
    order = town.begin({"poster": 2}).order
    session = town.stripe.sessions[order.session]
    session["metadata"] = {"order": order.id, "shop": "test", "lines": "poster=2"}
    restart(town, before)
    town.work()
    found = town.order(order)
    assert (found.amount, found.state) == (5000, State.OPEN)
    assert found.deadline == order.expires_at * 1000


# In which order.


def late_and_lost(town: Town) -> tuple[str, str]:
    """Books in which ada holds the last one; since then she gave it back, and bob bought it."""
    ada = town.begin({"last": 1}, visitor="ada").order
    before = keep(town)
    orders.cancel(town.shop, ada)
    bob = town.begin({"last": 1}, visitor="bob").order
    town.stripe.pay(bob.session)
    town.lose_events()
    restart(town, before)
    return ada.id, bob.id


def test_units_that_nobody_can_pay_for_any_more_go_to_the_one_who_paid(town: Town) -> None:
    ada, bob = late_and_lost(town)
    recovery.recover(town.shop)
    assert town.order(ada).state is State.RELEASED
    assert (town.order(bob).state, town.order(bob).refunded) == (State.PAID, 0)
    town.rest()


def paid_and_open(town: Town) -> tuple[str, str]:
    """Ada can still pay though a person released her hold; bob paid for the unit. All is lost."""
    before = keep(town)
    ada = town.begin({"last": 1}, visitor="ada").order
    town.skip(60 + 301)
    town.stripe.down()
    holds.release_by_hand(town.shop, ada.id, "operator")
    town.stripe.up()
    bob = town.begin({"last": 1}, visitor="bob").order
    town.stripe.pay(bob.session)
    town.lose_events()
    restart(town, before)
    return ada.id, bob.id


def test_who_has_paid_comes_before_who_may_still_pay(build: Build) -> None:
    town = build(HOLD_SECONDS="60")
    ada, bob = paid_and_open(town)
    town.work()
    assert (town.order(bob).state, town.order(bob).refunded) == (State.PAID, 0)
    assert town.order(ada).state is State.RELEASED
    assert {s["status"] for s in town.stripe.sessions_of(ada)} == {"expired"}
    town.rest()


@pytest.mark.parametrize("lose", [late_and_lost, paid_and_open])
def test_in_the_other_order_money_would_go_back_to_who_was_in_time(
    build: Build,
    monkeypatch: pytest.MonkeyPatch,
    lose: Callable[[Town], tuple[str, str]],
) -> None:
    """The negative control of the two before."""
    town = build(HOLD_SECONDS="60")
    _, bob = lose(town)
    backwards(monkeypatch)
    recovery.recover(town.shop)
    town.work()
    assert town.order(bob).state is State.REFUNDED


def test_a_payment_that_cannot_be_ended_at_once_is_ended_later(build: Build) -> None:
    town = build(HOLD_SECONDS="60")
    ada, _ = paid_and_open(town)
    town.stripe.fault("expire_session", Fault.LOST_REQUEST)
    recovery.recover(town.shop)
    assert {s["status"] for s in town.stripe.sessions_of(ada)} == {"open"}
    town.check()
    town.work()
    assert {s["status"] for s in town.stripe.sessions_of(ada)} == {"expired"}


def test_a_second_walk_changes_nothing(town: Town) -> None:
    refunded_and_sold_again(town)
    town.work()
    before = keep(town)
    done = recovery.recover(town.shop)
    assert (done.settled, done.ended, done.refunds, done.restored) == (0, 0, 0, 0)
    assert keep(town) == before


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A lease that was left behind ends at once."""
    monkeypatch.setattr(recovery, "LEASE_MS", 1)
    return


@breaks
@pytest.mark.usefixtures("_quick")
def test_wherever_it_breaks_everyone_gets_what_is_theirs(build: Build, make_fuse: MakeFuse) -> None:
    lost: dict[int, tuple[str, str]] = {}

    def prepare(town: Town) -> None:
        town.begin({"poster": 1}, visitor="eve")
        lost[0] = paid_and_open(town)

    def then(town: Town) -> None:
        town.skip(60)
        town.work()
        assert stands(town) is Door.OPEN
        assert town.order(lost[0][1]).state is State.PAID

    sweep(
        build,
        make_fuse,
        lambda town: recovery.recover_when_closed(town.shop),
        prepare=prepare,
        then=then,
        HOLD_SECONDS="60",
    )


# What comes too late while the books may not be whole.


@pytest.fixture
def late_beside_lost(town: Town) -> tuple[Town, str, str]:
    """Ada's hold on the last one ended, Bob bought it in time, and Redis forgot his sale.

    Answers the two orders, when Stripe tells of the money that Ada sent too late.
    """
    late = town.begin({"last": 1}, visitor="ada").order
    orders.cancel(town.shop, late)
    town.work()
    before = keep(town)
    in_time = town.begin({"last": 1}, visitor="bob").order
    town.stripe.pay(in_time.session)
    town.lose_events()
    restart(town, before)
    town.stripe.pay_too_late(late.session)
    return town, late.id, in_time.id


def test_who_paid_too_late_waits_for_those_whose_sales_were_lost(
    late_beside_lost: tuple[Town, str, str],
) -> None:
    town, late, in_time = late_beside_lost
    with pytest.raises(ShopClosed):
        town.deliver("payment_intent.succeeded")
    order, told = orders.refresh(town.shop, town.order(late))
    assert (order.state, told) == (State.RELEASED, False)
    town.work()
    assert town.order(in_time).state is State.PAID
    town.rest()
    assert town.order(late).state is State.REFUNDED


def test_control_a_late_payer_who_need_not_wait_takes_what_somebody_bought_in_time(
    late_beside_lost: tuple[Town, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, late, in_time = late_beside_lost
    settle = town.shop.store.scripts.settle_payment
    monkeypatch.setattr(
        town.shop.store.scripts,
        "settle_payment",
        lambda *a, **k: settle(*a, **k | {"in_turn": True}),
    )
    town.deliver()
    town.work()
    assert (town.order(late).state, town.order(in_time).state) == (State.PAID, State.REFUNDED)
    town.rest()


def test_who_paid_too_late_and_has_the_goods_keeps_them_over_a_restart_that_forgot_it(
    town: Town,
) -> None:
    """Nobody can come between: the walk gives them before the shop opens."""
    late = town.begin({"last": 1}, visitor="ada").order
    orders.cancel(town.shop, late)
    before = keep(town)
    town.stripe.pay_too_late(late.session)
    town.deliver()
    assert town.order(late).state is State.PAID
    restart(town, before)
    recovery.recover(town.shop)
    assert stands(town) is Door.OPEN
    assert town.order(late).state is State.PAID
    town.rest()
