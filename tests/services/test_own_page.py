"""Paid on our own page: one PaymentIntent for each order, ended before its units go back."""

import pytest

from storefront.domain.errors import AlreadyPaid, StripeUnreachable
from storefront.domain.orders import Order, State
from storefront.services import links, orders, reconciliation
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.sweeping import MakeFuse, breaks, sweep
from tests.services.town import Town

OWN_PAGE = {
    "CHECKOUT_UI": "elements",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_x",
    "HOLD_SECONDS": "60",
}


@pytest.fixture(params=["automatic", "manual"])
def town(build: Build, request: pytest.FixtureRequest) -> Town:
    """A shop with a payment page of its own; its holds last a minute."""
    return build(CAPTURE_METHOD=request.param, **OWN_PAGE)


@pytest.fixture
def opened(town: Town) -> Order:
    """Ada holds two posters, and her payment page is open."""
    return town.begin({"poster": 2}).order


def made(town: Town) -> int:
    """How many PaymentIntents there ever were."""
    return len(town.stripe.intents)


def test_the_hold_leads_to_our_page_and_its_one_payment_intent(town: Town, opened: Order) -> None:
    [intent] = town.stripe.intents.values()
    assert opened.url == links.payment_page(town.shop.settings, opened.id)
    assert (opened.state, opened.session, opened.sessions) == (
        State.OPEN,
        intent["id"],
        (intent["id"],),
    )
    assert (intent["amount"], intent["currency"], intent["metadata"]["order"]) == (
        opened.amount,
        "usd",
        opened.id,
    )
    shown = orders.as_json(town.shop, opened)
    assert (shown["checkout_session"], shown["checkout_sessions"]) == (None, [])
    assert shown["payment_intent"] == intent["id"]


def test_a_second_click_a_reload_and_a_second_tab_pay_the_same_payment_intent(
    town: Town, opened: Order
) -> None:
    for token in ("form-1", "form-2", "form-3"):
        assert town.begin({"poster": 2}, token=token).order.session == opened.session
    for _ in range(3):
        order, payable = orders.payable(town.shop, opened)
        assert payable is not None
        assert (payable.payment_intent, order.id) == (opened.session, opened.id)
        assert payable.client_secret
    assert made(town) == 1


@pytest.mark.parametrize("told", [True, False], ids=["by webhook", "by no webhook"])
def test_what_is_paid_there_is_sold(town: Town, opened: Order, told: bool) -> None:
    town.stripe.pay(opened.session)
    if told:
        town.deliver()
        town.work()
    else:
        town.lose_events()
        town.pass_time(61)
    order = town.order(opened)
    assert (order.state, order.email, town.level()) == (
        State.PAID,
        "ada@example.com",
        (3, 0, 2),
    )
    assert orders.payable(town.shop, order)[1] is None
    town.rest()
    assert town.failing(with_stripe=True) == {}


def test_a_declined_card_keeps_the_hold_and_the_payment_intent(town: Town, opened: Order) -> None:
    town.stripe.decline(opened.session)
    town.deliver()
    assert (town.order(opened).state, town.level()) == (State.OPEN, (3, 2, 0))
    town.stripe.pay(opened.session)
    town.deliver()
    town.rest()
    assert (town.order(opened).state, made(town)) == (State.PAID, 1)


def test_at_the_deadline_it_is_cancelled_before_the_units_go_back(
    town: Town, opened: Order
) -> None:
    town.stripe.down()
    town.pass_time(70)
    assert town.level() == (3, 2, 0)
    town.stripe.up()
    town.pass_time(60)
    assert town.stripe.intents[opened.session]["status"] == "canceled"
    assert (town.order(opened).state, town.order(opened).reason) == (State.RELEASED, "expired")
    assert town.level() == (5, 0, 0)
    assert not town.stripe.pay(opened.session)
    town.rest()


def test_a_shopper_gives_the_units_back(town: Town, opened: Order) -> None:
    order = orders.cancel(town.shop, opened)
    assert (order.state, order.reason, town.level()) == (State.RELEASED, "cancelled", (5, 0, 0))
    assert town.stripe.intents[opened.session]["status"] == "canceled"
    town.rest()


def test_who_paid_first_can_not_give_back(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    with pytest.raises(AlreadyPaid):
        orders.cancel(town.shop, opened)
    town.rest()
    assert town.order(opened).state is State.PAID


def test_another_basket_ends_the_first_one_s_payment(town: Town, opened: Order) -> None:
    other = town.begin({"zine": 1}, token="form-2").order
    assert town.stripe.intents[opened.session]["status"] == "canceled"
    assert (town.order(opened).state, other.state) == (State.RELEASED, State.OPEN)


@pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.REFUSED, Fault.UNAUTHORIZED}))
def test_a_creation_whose_answer_is_unknown_leaves_one_payment_intent_that_can_be_paid(
    town: Town, fault: Fault
) -> None:
    town.stripe.fault("create_intent", fault)
    try:
        order = town.begin({"poster": 2}).order
    except StripeUnreachable:
        town.stripe.wire.arrive()
        order = town.begin({"poster": 2}).order
    assert town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    paid = [i for i in town.stripe.intents.values() if i["status"] == "succeeded"]
    assert len(paid) == 1
    assert town.order(order).state is State.PAID


def test_a_refused_creation_gives_the_units_back_at_once(town: Town) -> None:
    town.stripe.fault("create_intent", Fault.REFUSED)
    with pytest.raises(Exception, match="refused"):
        town.begin({"poster": 2})
    assert town.level() == (5, 0, 0)


@pytest.mark.parametrize("town", ["automatic"], indirect=True)
def test_money_on_its_way_that_fails_ends_the_order(town: Town, opened: Order) -> None:
    """The PaymentIntent could be tried again, but nobody is there any more to do so."""
    town.stripe.pay_later(opened.session)
    town.deliver()
    assert town.order(opened).state is State.PROCESSING
    town.stripe.money_fails(opened.session)
    town.deliver()
    town.pass_time(24 * 3600)
    order = town.order(opened)
    assert (order.state, order.reason, town.level()) == (State.RELEASED, "declined", (5, 0, 0))
    assert town.stripe.intents[opened.session]["status"] == "canceled"
    town.rest()


def test_a_walk_through_stripe_finds_what_was_paid_on_our_page(town: Town, opened: Order) -> None:
    town.stripe.pay(opened.session)
    town.lose_events()
    done = reconciliation.reconcile(town.shop)
    assert (done.sessions, done.settled) == (1, 1)
    town.rest()


def test_old_events_of_its_payment_intent_undo_nothing(town: Town, opened: Order) -> None:
    town.stripe.decline(opened.session)
    town.stripe.pay(opened.session)
    for event in reversed(town.stripe.new_events()):
        town.receive(event)
    town.rest()
    assert (town.order(opened).state, town.level()) == (State.PAID, (3, 0, 2))


@breaks
def test_a_checkout_that_breaks_anywhere_makes_one_payment_intent(
    build: Build, make_fuse: MakeFuse
) -> None:
    def then(town: Town) -> None:
        town.skip(2)
        started = town.begin({"poster": 2})
        assert town.stripe.pay(started.order.session)
        town.deliver()
        town.work()
        assert town.level() == (3, 0, 2)
        assert [i["status"] for i in town.stripe.intents.values()] == ["succeeded"]

    sweep(lambda **_: build(**OWN_PAGE), make_fuse, lambda t: t.begin({"poster": 2}), then=then)


def test_an_order_of_the_hosted_page_has_no_page_of_ours(build: Build) -> None:
    town = build()
    order = town.begin({"poster": 1}).order
    assert orders.payable(town.shop, order) == (order, None)
