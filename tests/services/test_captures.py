"""With manual capture money moves only once goods are committed; else nothing was ever taken."""

import pytest

from storefront.domain.errors import AlreadyPaid
from storefront.domain.orders import Order, State
from storefront.services import holds, orders, recovery, sessions, work
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.losses import restart
from tests.services.sweeping import MakeFuse, breaks, sweep
from tests.services.town import Town

DAY = 24 * 3600
OWN_PAGE = {"CHECKOUT_UI": "elements", "STRIPE_PUBLISHABLE_KEY": "pk_test_captures"}
MANUAL = {"CAPTURE_METHOD": "manual", "HOLD_SECONDS": "60"}


@pytest.fixture
def town(build: Build) -> Town:
    """A shop that authorises first; its holds last a minute."""
    return build(**MANUAL)


@pytest.fixture
def authorized(town: Town) -> Order:
    """Ada's bank has agreed to pay for two posters."""
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    return town.order(order)


@pytest.fixture
def unwanted(town: Town) -> Order:
    """Ada's bank agreed to pay for the last thing after it was released by hand; Bob has it."""
    order = late(town)
    town.deliver()
    assert town.order(order).state is State.VOID_DUE
    return town.order(order)


def late(town: Town) -> Order:
    """An order that is authorised after its units were given to someone else."""
    order = town.begin({"last": 1}).order
    town.skip(361)
    town.stripe.down()
    holds.release_by_hand(town.shop, order.id, "operator")
    town.stripe.up()
    bob = town.begin({"last": 1}, visitor="bob")
    town.stripe.pay(bob.order.session)
    town.stripe.pay(order.session)
    return order


def keys(town: Town, call: str) -> list[str]:
    return [key for name, key in town.stripe.wire.calls if name == call]


def status(town: Town, order: Order) -> str:
    return str(town.stripe.intents[town.order(order).payment_intent]["status"])


def test_goods_are_committed_before_the_money_is_taken(town: Town, authorized: Order) -> None:
    assert (authorized.state, town.level()) == (State.AUTHORIZED, (3, 0, 2))
    assert status(town, authorized) == "requires_capture"
    assert town.mails() == []
    assert town.failing(with_stripe=True) == {}
    town.work()
    assert (town.order(authorized).state, status(town, authorized)) == (State.PAID, "succeeded")
    assert keys(town, "capture") == [f"capture:{authorized.payment_intent}"]
    assert town.mails("confirmed") == [authorized.id]
    town.rest()
    assert town.failing(with_stripe=True) == {}


def test_it_is_captured_though_no_webhook_ever_comes(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.lose_events()
    town.pass_time(61)
    assert (town.order(order).state, status(town, order)) == (State.PAID, "succeeded")
    town.rest()


def test_the_order_s_page_settles_it_when_no_webhook_came(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.lose_events()
    order, asked = orders.refresh(town.shop, order)
    assert (order.state, asked) == (State.AUTHORIZED, True)
    town.rest()


def test_events_in_any_order_and_twice_lead_to_one_sale(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    events = town.stripe.new_events()
    for event in [*reversed(events), *events, *map(town.stripe.twin, events)]:
        town.receive(event)
    town.work()
    for event in reversed(town.stripe.new_events()):
        town.receive(event)
    assert (town.order(order).state, town.level()) == (State.PAID, (3, 0, 2))
    assert town.mails("confirmed") == [order.id]
    town.rest()


def test_an_old_event_from_before_the_authorisation_undoes_nothing(
    town: Town, authorized: Order
) -> None:
    """Stripe promises no order: what it told of the payment's beginning may come last."""
    intent = {**town.stripe.intents[authorized.payment_intent], "status": "requires_payment_method"}
    [event] = [e for e in town.stripe.events if e["type"].startswith("payment_intent")]
    for number, kind in enumerate(("created", "payment_failed", "requires_action")):
        old = {"id": f"evt_old_{number}", "type": f"payment_intent.{kind}"}
        town.receive({**event, **old, "data": {"object": intent}})
    assert (town.order(authorized).state, town.level()) == (State.AUTHORIZED, (3, 0, 2))
    town.work()
    assert town.order(authorized).state is State.PAID
    town.rest()


def test_a_late_payer_for_whom_nothing_is_left_is_told_and_no_money_ever_moved(
    town: Town, unwanted: Order
) -> None:
    town.work()
    order = town.order(unwanted)
    assert (order.state, order.reason, order.units) == (State.VOIDED, "sold_out", "none")
    assert status(town, order) == "canceled"
    assert keys(town, "cancel_intent") == [f"void:{order.payment_intent}:1"]
    assert town.mails("voided") == [order.id]
    town.rest()
    assert (town.stripe.all_refunds, keys(town, "create_refund")) == ({}, [])
    assert town.failing(with_stripe=True) == {}


def test_a_late_payer_gets_the_goods_while_they_are_there(town: Town) -> None:
    order = town.begin({"last": 1}).order
    town.skip(361)
    town.stripe.down()
    holds.release_by_hand(town.shop, order.id, "operator")
    town.stripe.up()
    town.stripe.pay(order.session)
    assert "retaken" in town.deliver()
    town.work()
    assert (town.order(order).state, town.level("last")) == (State.PAID, (0, 0, 1))
    town.rest()


def test_a_second_authorisation_for_one_order_is_let_go(town: Town, authorized: Order) -> None:
    """A twin of its session turned up late and was paid as well."""
    twin = town.stripe.create_session(sessions.params(town.shop, authorized), "another key")
    town.stripe.pay(twin.session)
    town.deliver()
    town.work()
    order = town.order(authorized)
    assert (order.state, town.level()) == (State.PAID, (3, 0, 2))
    [second] = order.voided
    assert town.stripe.intents[second]["status"] == "canceled"
    assert town.mails("voided") == [order.id]
    town.rest()
    assert town.stripe.all_refunds == {}


@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.REFUSED])
def test_a_capture_whose_answer_is_unknown_is_made_once(
    town: Town, authorized: Order, fault: Fault
) -> None:
    town.stripe.fault("capture", fault)
    town.pass_time(30)
    town.stripe.wire.arrive()
    town.pass_time(90)
    assert (town.order(authorized).state, status(town, authorized)) == (State.PAID, "succeeded")
    assert town.mails("confirmed") == [authorized.id]
    town.rest()


@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.REFUSED])
def test_a_void_whose_answer_is_unknown_is_made_once(
    town: Town, unwanted: Order, fault: Fault
) -> None:
    town.stripe.fault("cancel_intent", fault)
    town.pass_time(30)
    town.stripe.wire.arrive()
    town.pass_time(90)
    assert (town.order(unwanted).state, status(town, unwanted)) == (State.VOIDED, "canceled")
    assert town.mails("voided") == [unwanted.id]
    town.rest()


def test_an_authorisation_that_ran_out_gives_the_goods_back_and_says_so(
    town: Town, authorized: Order
) -> None:
    """Stripe could not be reached for a week: nothing is captured blindly afterwards."""
    town.stripe.down()
    town.pass_time(DAY)
    assert town.level() == (3, 0, 2)
    town.skip(6 * DAY)
    town.stripe.up()
    town.pass_time(60)
    order = town.order(authorized)
    assert (order.state, order.reason, town.level()) == (State.VOIDED, "lapsed", (5, 0, 0))
    assert status(town, order) == "canceled"
    assert town.mails("voided") == [order.id]
    town.rest()


@pytest.mark.parametrize("page", [{}, OWN_PAGE])
def test_a_bank_that_backs_out_gives_the_goods_back_and_says_so(
    build: Build, page: dict[str, str]
) -> None:
    town = build(**MANUAL, **page)
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.stripe.back_out(town.order(order).payment_intent)
    town.work()
    town.deliver()
    order = town.order(order)
    assert (order.state, order.reason, town.level()) == (State.VOIDED, "lapsed", (5, 0, 0))
    assert town.mails("voided") == [order.id]
    town.rest()
    assert town.stripe.taken(order.id) == {}


def test_what_a_bank_backed_out_of_can_not_be_paid_on_our_page_while_the_goods_go_back(
    build: Build,
) -> None:
    town = build(**MANUAL, **OWN_PAGE)
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.stripe.back_out(order.session)
    town.work()
    assert not town.stripe.pay(order.session)
    assert status(town, order) == "canceled"
    town.rest()


def test_who_pays_again_before_anyone_has_noticed_keeps_the_goods(build: Build) -> None:
    """The bank backed out, the shopper took another card, and only then the shop looked."""
    town = build(**MANUAL, **OWN_PAGE)
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.stripe.back_out(order.session)
    town.stripe.wire.meanwhile("capture", after=lambda: town.stripe.pay(order.session))
    town.pass_time(60)
    assert (town.order(order).state, status(town, order)) == (State.PAID, "succeeded")
    town.rest()


def test_a_no_that_is_only_said_again_is_none_about_the_card_that_was_taken_instead(
    build: Build,
) -> None:
    """However often the job was taken before: a worker may have died with it again and again."""
    town = build(**MANUAL, **OWN_PAGE)
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.stripe.back_out(order.session)
    town.stripe.wire.meanwhile("capture", after=lambda: town.stripe.pay(order.session))
    town.stripe.fault("intent", Fault.LOST_REQUEST, times=work.REFUSALS)
    for _ in range(work.REFUSALS):
        town.work()
        town.skip(31)
    town.pass_time(60)
    assert (town.order(order).state, status(town, order)) == (State.PAID, "succeeded")
    town.rest()


def test_an_authorisation_cancelled_in_stripe_s_dashboard_gives_the_goods_back(
    town: Town, authorized: Order
) -> None:
    town.stripe.cancel_by_hand(authorized.payment_intent)
    town.deliver()
    order = town.order(authorized)
    assert (order.state, order.reason, town.level()) == (State.VOIDED, "lapsed", (5, 0, 0))
    town.work()
    assert keys(town, "capture") == []
    assert order.refunds == ()
    town.rest()
    assert town.failing(with_stripe=True) == {}


def test_a_payment_that_was_to_be_cancelled_and_was_captured_by_hand_is_money_and_goes_back(
    town: Town, unwanted: Order
) -> None:
    town.stripe.capture_by_hand(unwanted.payment_intent)
    town.work()
    town.deliver()
    town.work()
    order = town.order(unwanted)
    assert (order.state, order.reason) == (State.REFUNDED, "sold_out")
    assert town.stripe.taken(order.id) == {order.payment_intent: 0}
    town.rest()


def test_what_was_to_be_cancelled_and_has_to_wait_for_the_books_stays_due(
    town: Town, unwanted: Order
) -> None:
    town.stripe.capture_by_hand(unwanted.payment_intent)
    restart(town)
    assert town.shop.store.door.lease(recovery.LEASE_MS), "a worker is at it"
    town.work()
    assert f"void:{unwanted.id}:{unwanted.payment_intent}" in town.due()
    town.pass_time(60)
    assert town.order(unwanted).state is State.REFUNDED
    town.rest()


def test_a_payment_captured_by_hand_is_a_sale(town: Town, authorized: Order) -> None:
    town.stripe.capture_by_hand(authorized.payment_intent)
    town.deliver()
    assert town.order(authorized).state is State.PAID
    town.work()
    assert keys(town, "capture") == []
    assert town.mails("confirmed") == [authorized.id]
    town.rest()


def test_another_amount_than_the_held_one_is_not_captured(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.sessions[order.session]["amount_total"] = 1
    town.stripe.pay(order.session)
    town.deliver("payment_intent.amount_capturable_updated")
    town.work()
    assert town.order(order).state is State.REVIEW
    assert keys(town, "capture") == []


@breaks
def test_a_sale_that_breaks_anywhere_is_captured_once(build: Build, make_fuse: MakeFuse) -> None:
    def prepare(town: Town) -> None:
        order = town.begin({"poster": 2}).order
        town.stripe.pay(order.session)

    def act(town: Town) -> None:
        town.deliver()
        town.work()

    def then(town: Town) -> None:
        town.pass_time(4000)
        assert town.level() == (3, 0, 2)
        assert [o.state for o in town.orders()] == [State.PAID]
        assert [charge["captured"] for charge in town.stripe.charges.values()] == [True]

    sweep(lambda **_: build(**MANUAL), make_fuse, act, prepare=prepare, then=then)


@breaks
def test_a_void_that_breaks_anywhere_takes_no_money(build: Build, make_fuse: MakeFuse) -> None:
    found: list[str] = []

    def prepare(town: Town) -> None:
        found[:] = [late(town).id]

    def act(town: Town) -> None:
        town.deliver()
        town.work()

    def then(town: Town) -> None:
        town.pass_time(4000)
        assert town.order(found[0]).state is State.VOIDED
        assert town.level("last") == (0, 0, 1)
        assert town.stripe.taken(found[0]) == {}

    sweep(lambda **_: build(**MANUAL), make_fuse, act, prepare=prepare, then=then)


def test_a_payment_authorised_though_the_setting_was_changed_meanwhile_is_captured(
    town: Town, build: Build
) -> None:
    """The session was made while the shop authorised first; facts decide, no setting."""
    order = town.begin({"poster": 1}).order
    object.__setattr__(town.shop.settings, "capture_method", "automatic")
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    assert town.order(order).state is State.PAID
    town.rest()


def test_a_shopper_can_not_cancel_what_is_authorised(town: Town, authorized: Order) -> None:
    with pytest.raises(AlreadyPaid):
        orders.cancel(town.shop, authorized)
    assert town.order(authorized).state is State.AUTHORIZED
