"""A process may end before any call that it makes, and any answer may be lost: nothing is stranded.

Each sweep does one thing again and again, broken at its first call to Redis or Stripe, at its
second, and so on, until it comes through unbroken. After each break the shop is left to its worker,
and must come to rest with nothing due, no unit missing and no money kept for nothing.
"""

from contextlib import suppress

import pytest

from storefront.domain.errors import AlreadyPaid, StripeError
from storefront.domain.orders import Order, State
from storefront.services import holds, links, orders, waitlist
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.sweeping import MakeFuse, breaks, crash, sweep
from tests.services.town import Town


def only(town: Town) -> Order:
    [order] = town.orders()
    return order


@breaks
def test_a_checkout_that_breaks_anywhere_gives_the_units_back_by_itself(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        town.pass_time(4000)
        assert town.level() == (5, 0, 0)
        assert {order.state for order in town.orders()} <= {State.RELEASED}
        assert town.stripe.charges == {}

    sweep(build, make_fuse, lambda town: town.begin({"poster": 2}), then=then)


@breaks
def test_a_shopper_who_tries_again_after_any_break_buys_once(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        town.skip(2)
        started = town.begin({"poster": 2})
        assert town.stripe.pay(started.order.session)
        town.deliver()
        assert town.level() == (3, 0, 2)
        assert [o.state for o in town.orders() if o.units != "none"] == [State.PAID]

    sweep(build, make_fuse, lambda town: town.begin({"poster": 2}), then=then)


@breaks
def test_a_shopper_who_tries_again_after_a_break_and_some_work_buys_once(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        town.pass_time(5)
        started = town.begin({"poster": 2})
        assert town.stripe.pay(started.order.session)
        town.lose_events()
        town.pass_time(4000)
        assert town.level() == (3, 0, 2)

    sweep(build, make_fuse, lambda town: town.begin({"poster": 2}), then=then)


@breaks
@pytest.mark.parametrize("fault", [Fault.SPENT_BEFORE, Fault.SPENT_AFTER, Fault.ERROR_AFTER])
def test_a_checkout_whose_key_is_spent_breaks_anywhere_and_leaves_nothing(
    build: Build, make_fuse: MakeFuse, fault: Fault
) -> None:
    sweep(
        build,
        make_fuse,
        lambda town: town.begin({"poster": 2}),
        prepare=lambda town: town.stripe.fault("create_session", fault),
        then=lambda town: town.stripe.up(),
    )


@breaks
def test_changing_the_basket_breaks_anywhere_and_no_unit_is_held_for_nobody(
    build: Build, make_fuse: MakeFuse
) -> None:
    sweep(
        build,
        make_fuse,
        lambda town: town.begin({"zine": 1}, token="b"),
        prepare=lambda town: town.begin({"poster": 2}, token="a"),
    )


@breaks
def test_making_room_breaks_anywhere_and_no_unit_is_held_for_nobody(
    build: Build, make_fuse: MakeFuse
) -> None:
    def prepare(town: Town) -> None:
        town.begin({"last": 1}, visitor="bob")
        town.skip(1920)

    sweep(build, make_fuse, lambda town: town.begin({"last": 1}), prepare=prepare)


def paid(town: Town) -> None:
    """Ada has paid two posters, and nobody has told the shop."""
    assert town.stripe.pay(town.begin({"poster": 2}).order.session)


def sold(town: Town) -> None:
    town.pass_time(4000)
    assert (only(town).state, town.level()) == (State.PAID, (3, 0, 2))
    assert town.mails("confirmed")[:1] == [only(town).id]
    assert "refunded" not in town.mails()


@breaks
@pytest.mark.parametrize("again", [True, False], ids=["sent again", "never sent again"])
def test_a_webhook_that_breaks_anywhere_still_ends_in_the_goods(
    build: Build, make_fuse: MakeFuse, again: bool
) -> None:
    def receive(town: Town) -> None:
        for event in town.stripe.events:
            town.receive(event)

    def then(town: Town) -> None:
        if again:
            receive(town)
        sold(town)

    sweep(build, make_fuse, receive, prepare=paid, then=then)


@breaks
def test_the_return_page_breaks_anywhere_and_the_goods_are_given_once(
    build: Build, make_fuse: MakeFuse
) -> None:
    sweep(
        build,
        make_fuse,
        lambda town: orders.refresh(town.shop, only(town)),
        prepare=paid,
        then=sold,
    )


@breaks
def test_the_worker_breaks_anywhere_and_a_sale_that_no_webhook_told_is_still_made(
    build: Build, make_fuse: MakeFuse
) -> None:
    def prepare(town: Town) -> None:
        paid(town)
        town.skip(1920)

    sweep(build, make_fuse, lambda town: town.work(), prepare=prepare, then=sold)


@breaks
def test_the_worker_breaks_anywhere_and_an_unpaid_hold_still_ends(
    build: Build, make_fuse: MakeFuse
) -> None:
    def prepare(town: Town) -> None:
        town.begin({"poster": 2})
        town.skip(61)

    def then(town: Town) -> None:
        town.pass_time(300)
        assert (only(town).state, town.level()) == (State.RELEASED, (5, 0, 0))

    sweep(build, make_fuse, lambda town: town.work(), prepare=prepare, then=then, HOLD_SECONDS="60")


def cancel(town: Town) -> None:
    orders.cancel(town.shop, only(town))


@breaks
def test_a_cancellation_that_breaks_anywhere_gives_the_units_back_in_the_end(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        with suppress(StripeError):
            cancel(town)
        assert (only(town).state, town.level()) == (State.RELEASED, (5, 0, 0))

    sweep(build, make_fuse, cancel, prepare=lambda town: town.begin({"poster": 2}), then=then)


@breaks
def test_a_shopper_who_pays_after_a_broken_cancellation_gets_goods_or_cannot_pay(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        could = town.stripe.pay(only(town).session)
        town.lose_events()
        town.pass_time(4000)
        order = only(town)
        assert order.state is (State.PAID if could else State.RELEASED)
        assert town.level() == ((3, 0, 2) if could else (5, 0, 0))

    sweep(build, make_fuse, cancel, prepare=lambda town: town.begin({"poster": 2}), then=then)


@breaks
def test_cancelling_what_was_just_paid_breaks_anywhere_and_the_goods_stay(
    build: Build, make_fuse: MakeFuse
) -> None:
    def act(town: Town) -> None:
        with suppress(AlreadyPaid):
            cancel(town)

    sweep(build, make_fuse, act, prepare=paid, then=sold)


def owed(town: Town) -> None:
    """Ada paid the last thing after it was released by hand, and Bob has it by now."""
    started = town.begin({"last": 1})
    town.skip(60 + 300)
    town.stripe.down()
    holds.release_by_hand(town.shop, started.order.id, "operator")
    town.stripe.up()
    bob = town.begin({"last": 1}, visitor="bob")
    assert town.stripe.pay(bob.order.session)
    assert town.stripe.pay(started.order.session)
    assert "oversold" in town.deliver()
    assert town.order(started).state is State.REFUND_DUE


def refunded(town: Town) -> None:
    town.pass_time(4000)
    ada = town.orders()[0]
    assert ada.state is State.REFUNDED
    assert [(r.amount, r.status) for r in ada.refunds] == [(9900, "succeeded")]
    assert len(town.stripe.all_refunds) == 1
    assert town.mails("refunded")[:1] == [ada.id]
    assert ada.id not in town.mails("confirmed")
    assert town.level("last") == (0, 0, 1)


@breaks
def test_a_refund_that_breaks_anywhere_sends_the_money_back_once(
    build: Build, make_fuse: MakeFuse
) -> None:
    sweep(
        build,
        make_fuse,
        lambda town: town.work(),
        prepare=owed,
        then=refunded,
        HOLD_SECONDS="60",
    )


@breaks
@pytest.mark.parametrize("fault", [Fault.SPENT_BEFORE, Fault.SPENT_AFTER, Fault.ERROR_AFTER])
def test_a_refund_whose_key_is_spent_breaks_anywhere_and_is_made_once(
    build: Build, make_fuse: MakeFuse, fault: Fault
) -> None:
    def prepare(town: Town) -> None:
        owed(town)
        town.stripe.fault("create_refund", fault)

    def then(town: Town) -> None:
        town.stripe.up()
        refunded(town)

    sweep(
        build,
        make_fuse,
        lambda town: town.work(),
        prepare=prepare,
        then=then,
        HOLD_SECONDS="60",
    )


@breaks
def test_a_delayed_payment_breaks_anywhere_and_ends_in_goods(
    build: Build, make_fuse: MakeFuse
) -> None:
    def prepare(town: Town) -> None:
        assert town.stripe.pay_later(town.begin({"poster": 2}).order.session)

    def act(town: Town) -> None:
        town.deliver()
        town.work()

    def then(town: Town) -> None:
        town.pass_time(6 * 3600)
        assert town.level() == (3, 2, 0)
        town.stripe.money_comes(only(town).session)
        town.lose_events()
        sold(town)

    sweep(build, make_fuse, act, prepare=prepare, then=then)


def test_a_sweep_finds_an_order_that_is_left_alone(build: Build) -> None:
    """The set-up makes sense: without the job that looks after it, a hold would be stranded."""

    def forget(town: Town) -> None:
        town.shop.store._client.delete(town.shop.store.keys.name("due"))

    with pytest.raises(AssertionError, match="is not due"):
        sweep(build, crash, lambda town: town.begin(), then=forget)
    build()


def in_line(town: Town) -> None:
    """The last thing is offered to Bob, and Cyd is next in line."""
    order = town.begin({"last": 1}, visitor="ada").order
    for name in ("bob", "cyd"):
        waitlist.join(town.shop, sku="last", email=f"{name}@example.com")
        waitlist.confirm(town.shop, town.shop.store.waitlist.all()[-1])
    orders.cancel(town.shop, town.order(order))


def first_in_line(town: Town) -> waitlist.Standing:
    place = town.shop.store.waitlist.all()[0]
    found = waitlist.find(town.shop, links.place_token(town.shop.settings, place.id))
    assert found is not None
    return found


@breaks
def test_an_offer_whose_taking_breaks_anywhere_is_paid_or_passes_on(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        town.skip(2)
        started = waitlist.take(town.shop, first_in_line(town))
        assert started is not None
        assert town.stripe.pay(started.order.session)
        town.deliver()
        assert town.level("last") == (0, 0, 1)

    def take(town: Town) -> object:
        return waitlist.take(town.shop, first_in_line(town))

    sweep(build, make_fuse, take, prepare=in_line, then=then)


@breaks
@pytest.mark.parametrize("how", ["leaves", "is stopped"])
def test_who_leaves_with_a_break_anywhere_leaves_when_it_is_done_again_and_the_next_is_offered(
    build: Build, make_fuse: MakeFuse, how: str
) -> None:
    def leave(town: Town) -> None:
        place = first_in_line(town).place
        if how == "leaves":
            waitlist.leave(town.shop, place)
        else:
            waitlist.stop(town.shop, place.id, "admin")

    def then(town: Town) -> None:
        leave(town)
        [order] = [order for order in town.orders() if order.state is State.OFFERED]
        assert order.email == "cyd@example.com"

    sweep(build, make_fuse, leave, prepare=in_line, then=then)


@breaks
def test_a_hold_that_ends_with_a_break_anywhere_is_offered_to_the_next_in_line(
    build: Build, make_fuse: MakeFuse
) -> None:
    def wait(town: Town) -> None:
        town.begin({"last": 1}, visitor="ada")
        waitlist.join(town.shop, sku="last", email="bob@example.com")
        waitlist.confirm(town.shop, town.shop.store.waitlist.all()[0])

    def then(town: Town) -> None:
        town.pass_time(10)
        orders.cancel(town.shop, next(o for o in town.orders() if o.visitor))
        assert town.level("last") == (0, 1, 0)
        assert town.find("offered").email == "bob@example.com"

    def cancel(town: Town) -> object:
        return orders.cancel(town.shop, only(town))

    sweep(build, make_fuse, cancel, prepare=wait, then=then)
