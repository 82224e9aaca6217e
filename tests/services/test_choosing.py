"""Our own page asks how the goods reach the shopper before it asks for money: one amount, one payment."""

import pytest

from storefront.domain.errors import BadInput, ShopClosed, StripeUnreachable
from storefront.domain.orders import AWAITING, Order, Reason, State
from storefront.domain.terms import Recipient
from storefront.services import choosing, links, orders, rebuilding, recovery, settlement
from storefront.storage.answers import Settled
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.losses import Picture, keep, restart
from tests.services.sweeping import MakeFuse, breaks, sweep
from tests.services.test_rebuild import lose
from tests.services.test_waitlist import take, wait
from tests.services.town import Town

OWN = {
    "CHECKOUT_UI": "elements",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_x",
    "HOLD_SECONDS": "600",
    "DELIVERY": "both",
    "DELIVERY_COUNTRIES": "GB",
    "DELIVERY_RATE": "4.90",
}
ADA = Recipient("Ada Lovelace", "12 St James's Square", "", "SW1Y 4JH", "London", "", "GB")


@pytest.fixture(params=["automatic", "manual"])
def town(build: Build, request: pytest.FixtureRequest) -> Town:
    """A shop with a payment page of its own that sends; its holds last ten minutes."""
    return build(CAPTURE_METHOD=request.param, **OWN)


@pytest.fixture
def asked(town: Town) -> Order:
    """Ada holds two posters and is asked how to get them."""
    return town.begin({"poster": 2}).order


def amounts(town: Town) -> list[int]:
    """Of every PaymentIntent there ever was."""
    return [intent["amount"] for intent in town.stripe.intents.values()]


def test_until_it_is_chosen_stripe_is_asked_for_nothing(town: Town, asked: Order) -> None:
    assert (asked.state, asked.session) == (State.PENDING, "")
    assert (amounts(town), town.stripe.wire.calls) == ([], [])
    again = town.begin({"poster": 2}, token="another")
    assert (again.order.id, again.url) == (
        asked.id,
        links.payment_page(town.shop.settings, asked.id),
    )
    town.pass_time(500)  # far beyond the half minute in which another page would have opened
    assert town.order(asked).state is State.PENDING


def test_the_choice_fixes_the_amount_and_then_the_payment_is_made(town: Town, asked: Order) -> None:
    started = choosing.choose(town.shop, asked, "delivery", ADA)
    assert (started.order.state, started.order.amount) == (State.OPEN, 5490)
    [intent] = town.stripe.intents.values()
    assert (intent["amount"], intent["shipping"]["address"]["line1"]) == (5490, ADA.line1)
    town.stripe.pay(started.order.session)
    town.deliver()
    town.rest()
    order = town.order(asked)
    assert (order.state, order.shipping, order.recipient) == (State.PAID, 490, ADA)


def test_a_pick_up_costs_the_goods_alone(town: Town, asked: Order) -> None:
    started = choosing.choose(town.shop, asked, "pickup", None)
    assert (amounts(town), started.order.way) == ([5000], "pickup")
    town.stripe.pay(started.order.session)
    town.deliver()
    town.rest()


def test_the_first_choice_stands_whatever_another_tab_says(town: Town, asked: Order) -> None:
    first = choosing.choose(town.shop, asked, "delivery", ADA)
    second = choosing.choose(town.shop, asked, "pickup", None)
    assert (second.url, second.order.amount) == (first.url, 5490)
    assert amounts(town) == [5490]


@pytest.mark.parametrize(("way", "to"), [("", None), ("pickup", ADA), ("delivery", None)])
def test_a_way_that_does_not_fit_is_refused(
    town: Town, asked: Order, way: str, to: Recipient | None
) -> None:
    with pytest.raises(BadInput):
        choosing.choose(town.shop, asked, way, to)
    assert amounts(town) == []


def test_a_shopper_who_never_chooses_holds_until_the_deadline_and_no_longer(
    town: Town, asked: Order
) -> None:
    town.pass_time(601)
    assert (town.order(asked).state, town.level()) == (State.RELEASED, (5, 0, 0))
    assert town.stripe.wire.calls == []


def test_without_a_worker_the_page_itself_ends_it(town: Town, asked: Order) -> None:
    town.skip(601)
    order, sure = orders.refresh(town.shop, asked)
    assert (order.state, sure) == (State.RELEASED, True)


def test_it_can_be_given_back_before_anything_was_chosen(town: Town, asked: Order) -> None:
    assert orders.cancel(town.shop, asked).state is State.RELEASED
    assert choosing.choose(town.shop, asked, "pickup", None).url == orders.link(town.shop, asked.id)
    assert amounts(town) == []


def test_a_choice_that_comes_too_late_opens_nothing(town: Town, asked: Order) -> None:
    town.skip(601)
    started = choosing.choose(town.shop, asked, "delivery", ADA)
    assert (started.order.state, amounts(town)) == (State.RELEASED, [])


def test_who_saw_no_choice_cannot_release_what_was_chosen_meanwhile(
    town: Town, asked: Order
) -> None:
    """A worker that looked before the choice and writes after it."""
    started = choosing.choose(town.shop, asked, "delivery", ADA)
    assert settlement.end(town.shop, asked, Reason.EXPIRED) is Settled.OTHER_SESSION
    assert town.order(asked).state is State.OPEN
    town.stripe.pay(started.order.session)
    town.deliver()
    town.rest()


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_REPLY, Fault.ERROR_AFTER])
def test_a_creation_of_which_nothing_is_known_is_ended_before_its_units_go_back(
    town: Town, asked: Order, fault: Fault
) -> None:
    town.stripe.fault("create_intent", fault)
    with pytest.raises(StripeUnreachable):
        choosing.choose(town.shop, asked, "delivery", ADA)
    town.rest()
    assert set(amounts(town)) <= {5490}
    assert (town.order(asked).state, town.level()) == (State.RELEASED, (5, 0, 0))


@breaks
def test_a_choice_that_breaks_anywhere_leaves_one_amount_or_none(
    build: Build, make_fuse: MakeFuse
) -> None:
    def act(town: Town) -> None:
        [order] = town.orders()
        choosing.choose(town.shop, order, "delivery", ADA)

    def then(town: Town) -> None:
        [order] = town.orders()
        if order.session:
            town.stripe.pay(order.session)
        town.deliver()
        assert set(amounts(town)) <= {5490}

    sweep(
        lambda **_: build(**OWN),
        make_fuse,
        act,
        prepare=lambda town: town.begin({"poster": 2}),
        then=then,
    )


def test_a_choice_that_redis_lost_is_made_by_nobody_else_and_told_by_its_payment(
    town: Town, asked: Order
) -> None:
    """Until the books are compared the hold stays, whoever asks; who paid gets it as they chose."""
    before = keep(town)
    session = choosing.choose(town.shop, asked, "delivery", ADA).order.session
    restart(town, before)
    with pytest.raises(ShopClosed):
        choosing.choose(town.shop, town.order(asked), "pickup", None)
    for give_up in (
        lambda: orders.cancel(town.shop, town.order(asked)),
        lambda: settlement.end(town.shop, town.order(asked), Reason.REPLACED),
    ):
        with pytest.raises(StripeUnreachable):
            give_up()
    town.skip(601)
    assert orders.refresh(town.shop, town.order(asked))[1] is False
    assert town.order(asked).state is State.PENDING
    town.stripe.pay(session)
    town.deliver()
    recovery.recover(town.shop)
    town.rest()
    order = town.order(asked)
    assert (order.state, order.shipping, order.recipient) == (State.PAID, 490, ADA)
    assert amounts(town) == [5490]


def test_a_choice_that_redis_lost_comes_back_before_anything_is_paid(
    town: Town, asked: Order
) -> None:
    before = keep(town)
    session = choosing.choose(town.shop, asked, "delivery", ADA).order.session
    restart(town, before)
    recovery.recover(town.shop)
    order = town.order(asked)
    assert (order.state, order.session, order.amount) == (State.OPEN, session, 5490)
    assert choosing.choose(town.shop, order, "pickup", None).order.amount == 5490
    town.stripe.pay(session)
    town.deliver()
    town.rest()
    assert town.order(asked).state is State.PAID


def take_offered(town: Town) -> tuple[Picture, Order]:
    """Bob takes what he waited for; the shop as it was before, and his order."""
    first = town.begin({"last": 1}, visitor="ada")
    wait(town, "bob")
    orders.cancel(town.shop, town.order(first))
    before = keep(town)
    take(town, "bob")
    return before, next(one for one in town.orders() if one.state in AWAITING)


@pytest.mark.parametrize("page", ["hosted", "elements"])
@pytest.mark.parametrize("hears", [True, False])
def test_an_offer_whose_taking_redis_lost_has_the_terms_that_its_payment_was_made_by(
    build: Build, page: str, hears: bool
) -> None:
    town = build(**OWN | {"CHECKOUT_UI": page})
    before, order = take_offered(town)
    if page == "elements":
        order = choosing.choose(town.shop, order, "delivery", ADA).order
    else:
        town.stripe.fill_in(order.session, rate=1)
    restart(town, before)
    assert (town.order(order).state, town.order(order).terms.plain) == (State.OFFERED, True)
    town.stripe.pay(order.session)
    town.deliver() if hears else town.lose_events()
    recovery.recover(town.shop)
    town.rest()
    after = town.order(order)
    assert (after.state, after.way, after.shipping) == (State.PAID, "delivery", 490)
    assert after.recipient is not None


def test_an_offer_whose_session_is_noted_again_has_its_terms_all_the_same(build: Build) -> None:
    """Redis lost its taking; the process that made the session only notes it after that."""
    town = build(**OWN | {"CHECKOUT_UI": "hosted", "PROMOTION_CODES": "true"})
    before, order = take_offered(town)
    town.stripe.fill_in(order.session, rate=1, code="TEN")
    restart(town, before)
    town.shop.store.scripts.attach_session(order.id, session=order.session, url=order.url)
    assert (town.order(order).state, town.order(order).terms.plain) == (State.OPEN, True)
    town.stripe.pay(order.session)
    town.deliver()
    recovery.recover(town.shop)
    town.rest()
    after = town.order(order)
    assert (after.state, after.way, after.shipping) == (State.PAID, "delivery", 490)
    assert after.discount


def test_only_the_other_amount_would_come_before_a_person(town: Town, asked: Order) -> None:
    """The last resort, should Stripe's own dashboard ever change what is asked for."""
    started = choosing.choose(town.shop, asked, "delivery", ADA)
    town.stripe.intents[started.order.session]["amount"] = 5000
    town.stripe.pay(started.order.session)
    town.deliver()
    town.work()
    assert town.order(asked).state is State.REVIEW
    town.falsified = True


def test_a_rebuild_brings_the_choice_back(build: Build) -> None:
    town = build(**OWN)
    order = town.begin({"poster": 2}).order
    order = choosing.choose(town.shop, order, "delivery", ADA).order
    town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    before = orders.as_json(town.shop, town.order(order))
    lose(town)
    rebuilding.rebuild(town.shop)
    after = orders.as_json(town.shop, town.order(order))
    assert {k: after[k] for k in ("amount", "goods", "shipping", "delivery", "state")} == {
        k: before[k] for k in ("amount", "goods", "shipping", "delivery", "state")
    }
