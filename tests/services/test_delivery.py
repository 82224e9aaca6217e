"""Delivery, tax and promotion codes on Stripe's page: each part is compared with what was held."""

import json
import logging
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from storefront.domain.orders import Order, State
from storefront.domain.products import Product, Variant
from storefront.domain.terms import PLAIN, Rate, Terms, Way
from storefront.services import (
    giving_back,
    orders,
    rebuilding,
    reconciliation,
    sessions,
    settlement,
    waitlist,
)
from storefront.storage.answers import Settled
from tests.fakes.account import ADA
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.test_rebuild import lose
from tests.services.test_waitlist import standing, wait
from tests.services.town import Town

BOTH = {"DELIVERY": "both", "DELIVERY_COUNTRIES": "GB,DE", "DELIVERY_RATE": "4.90"}
ALL = {**BOTH, "AUTOMATIC_TAX": "on", "PROMOTION_CODES": "on", "DELIVERY_FREE_FROM": "100.00"}
PICKUP, DELIVERY = 0, 1
"""Where each stands among the shipping options."""
DAY = 24 * 3600


@pytest.fixture(params=["automatic", "manual"])
def town(build: Build, request: pytest.FixtureRequest) -> Town:
    """A shop that sends, taxes and takes codes."""
    return build(**ALL, CAPTURE_METHOD=request.param)


def told(town: Town, order: Order) -> tuple[int, int, int, int, int]:
    """Goods, shipping, tax, discount, and all together."""
    found = town.order(order)
    return (found.goods, found.shipping, found.tax, found.discount, found.amount)


def taken(town: Town, order: Order) -> list[int]:
    """What Stripe took for an order and has not sent back."""
    return [amount for amount in town.stripe.taken(order.id).values() if amount]


def test_what_is_offered_is_frozen_when_the_units_are_held(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    assert order.terms == Terms(
        rates=(Rate(Way.PICKUP, 0), Rate(Way.DELIVERY, 490)),
        countries=("GB", "DE"),
        tax=True,
        codes=True,
    )
    [session] = town.stripe.sessions.values()
    assert [option["shipping_amount"] for option in session["shipping_options"]] == [0, 490]
    assert session["shipping_address_collection"] == {"allowed_countries": ["GB", "DE"]}
    assert session["allow_promotion_codes"] is True
    assert session["automatic_tax"]["enabled"] is True


def test_other_settings_change_nothing_for_an_order_that_is_held(town: Town) -> None:
    """So a creation that is repeated later is the same request."""
    order = town.begin({"poster": 2}).order
    before = sessions.params(town.shop, order)
    other = replace(
        town.shop.settings.delivering, delivery="pickup", delivery_rate=1, promotion_codes=False
    )
    changed = replace(town.shop, settings=replace(town.shop.settings, delivering=other))
    assert sessions.params(changed, town.order(order)) == before


def test_goods_above_the_sum_are_sent_free(town: Town) -> None:
    order = town.begin({"poster": 4}).order
    assert order.terms.rate("delivery") == Rate(Way.DELIVERY, 0)


def test_one_thing_that_cannot_be_sent_makes_the_whole_basket_a_pick_up(build: Build) -> None:
    town = build(**BOTH)
    few = Product("few", "Few", (Variant("few", 100),), delivery=False)
    town.shop.store.scripts.publish_catalogue(
        {"few": json.dumps(few.to_json())}, {}, version="v2", who="tests"
    )
    order = town.begin({"few": 1, "poster": 1}).order
    assert order.terms is PLAIN or order.terms == PLAIN
    [session] = town.stripe.sessions.values()
    assert (session["shipping_options"], session["shipping_address_collection"]) == ([], None)


def test_a_shop_where_all_is_picked_up_asks_stripe_for_nothing_more(build: Build) -> None:
    order = build().begin().order
    assert order.terms == PLAIN
    asked = sessions.params(build().shop, order)
    assert not {"shipping_options", "automatic_tax", "allow_promotion_codes"} & set(asked)
    assert not {"rates", "extras", "way"} & set(asked["metadata"])


def test_a_delivery_with_tax_and_a_code_is_paid_and_kept_in_its_parts(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=DELIVERY, code="TEN")
    town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    assert told(town, order) == (5000, 490, 499, 500, 5489)
    found = town.order(order)
    assert (found.state, found.way) == (State.PAID, "delivery")
    assert found.recipient is not None
    assert found.recipient.name == ADA["name"]
    assert taken(town, order) == [5489]
    assert town.failing(with_stripe=True) == {}
    [mail] = (town.shop.settings.instance / "mail").glob("**/*.eml")
    text = message_from_bytes(mail.read_bytes(), policy=default).get_body(("plain",))
    assert text is not None
    words = " ".join(text.get_content().split())
    assert "Discount: -$5.00 Delivery: $4.90 Tax: $4.99 Total: $54.89" in words
    assert "Ada Lovelace, 12 St James's Square, SW1Y 4JH London, United Kingdom" in words
    assert "When you pick it up" not in words
    assert "Lovelace" not in caplog.text
    assert "St James" not in caplog.text
    assert "Lovelace" not in repr(found)


def test_of_a_pick_up_no_address_is_kept_though_stripe_s_page_asks_for_one(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=PICKUP)
    town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    found = town.order(order)
    assert (found.way, found.recipient, found.shipping) == ("pickup", None, 0)


def test_tax_inside_the_prices_adds_nothing(town: Town) -> None:
    town.stripe.tax_included = True
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=DELIVERY)
    town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    assert told(town, order) == (5000, 490, 499, 0, 5490)
    assert town.order(order).tax_included


def test_an_intent_alone_is_not_final_where_something_may_come_on_top(town: Town) -> None:
    """It does not say what its amount is made of, so Stripe is asked for the session."""
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=DELIVERY, code="TEN")
    town.stripe.pay(order.session)
    outcomes = town.deliver("payment_intent.succeeded", "payment_intent.amount_capturable_updated")
    assert outcomes == ["asking"]
    assert town.order(order).state is State.OPEN
    [payment] = town.stripe.intents
    assert f"ask:{order.id}:{payment}" in town.due()
    town.rest()
    assert (town.order(order).state, told(town, order)[4]) == (State.PAID, 5489)


def test_an_order_is_settled_in_its_parts_without_any_webhook(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=DELIVERY)
    town.stripe.pay(order.session)
    town.lose_events()
    town.pass_time(order.deadline / 1000 - town.shop.store.now() / 1000 + 30)
    assert (town.order(order).state, told(town, order)) == (
        State.PAID,
        (5000, 490, 549, 0, 6039),
    )
    town.rest()


@pytest.mark.parametrize("late", [False, True])
def test_a_full_discount_costs_nothing_and_gives_the_goods(town: Town, late: bool) -> None:
    order = town.begin({"poster": 2}).order
    if late:
        town.pass_time(2 * 3600)
        assert town.order(order).state is State.RELEASED
        town.stripe.sessions[order.session]["status"] = "open"
        town.stripe._open[order.session] = town.stripe._seconds() + 60
    town.stripe.fill_in(order.session, code="FREE")
    town.stripe.pay(order.session)
    assert town.deliver("checkout.session.completed") == ["retaken" if late else "sold"]
    town.rest()
    found = town.order(order)
    assert (found.state, found.payments, found.amount) == (State.PAID, {order.session: 0}, 0)
    assert town.mails() == ["confirmed"]
    assert town.failing(with_stripe=True) == {}


def test_a_late_full_discount_without_stock_ends_released_and_told(town: Town) -> None:
    order = town.begin({"last": 1}).order
    town.pass_time(2 * 3600)
    other = town.begin({"last": 1}, visitor="bob").order
    town.stripe.sessions[order.session]["status"] = "open"
    town.stripe._open[order.session] = town.stripe._seconds() + 60
    town.stripe.fill_in(order.session, code="FREE")
    town.stripe.pay(order.session)
    assert town.deliver("checkout.session.completed") == ["oversold"]
    town.pass_time(60)
    found = town.order(order)
    assert (found.state, found.reason, found.payments) == (State.RELEASED, "sold_out", {})
    assert town.mails("voided") == [order.id]
    [mail] = (town.shop.settings.instance / "mail").glob("**/*.eml")
    assert "othing was charged" in mail.read_text()
    again = settlement.apply(town.shop, found, town.stripe.session(order.session))
    assert again is Settled.ALREADY
    town.stripe.pay(other.session)
    town.deliver()
    town.rest()


def test_a_second_session_for_nothing_is_a_duplicate_that_is_only_told(town: Town) -> None:
    order = town.begin({"poster": 1}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    paid = town.order(order)
    free = replace(
        town.stripe.session(order.session),
        session="cs_twin",
        payment_intent="",
        intent_status="",
        payment_status="no_payment_required",
        amount=0,
    )
    assert free.parts is not None
    parts = replace(free.parts, discount=2500, shipping=0, tax=0)
    outcome = settlement.apply(town.shop, paid, replace(free, parts=parts))
    assert outcome is Settled.DUPLICATE
    town.work()
    assert town.order(order).state is State.PAID
    assert town.mails("voided") == [order.id]
    town.falsified = True  # Stripe knows of no such session


def test_a_late_payer_gets_the_whole_total_back(town: Town) -> None:
    order = town.begin({"last": 1}).order
    town.pass_time(2 * 3600)
    other = town.begin({"last": 1}, visitor="bob").order
    town.stripe.sessions[order.session]["status"] = "open"
    town.stripe._open[order.session] = town.stripe._seconds() + 60
    town.stripe.fill_in(order.session, rate=DELIVERY)
    town.stripe.pay(order.session)
    town.deliver()
    town.pass_time(60)
    found = town.order(order)
    # 99.00, 4.90 of delivery and a tenth of both.
    assert found.amount == 11429
    assert found.state in {State.REFUNDED, State.VOIDED}
    assert found.refunded in {0, 11429}
    assert taken(town, order) == []
    town.stripe.pay(other.session)
    town.deliver()
    town.rest()


@pytest.mark.parametrize(
    ("changes", "total", "said"),
    [
        ({"goods": 4999}, 5489, "paid 4999 usd, held for 5000 usd"),
        ({"shipping": 100}, 5050, "a delivery of 100 usd, which was not offered"),
        ({"rate": 0}, 5489, "a delivery of 490 usd, which was not offered"),
        ({"rate": None}, 5489, "a delivery of 490 usd, which was not offered"),
        ({"rate": 7}, 5489, "a delivery of 490 usd, which was not offered"),
        ({"discount": 5001}, 988, "a discount of 5001 usd on goods of 5000 usd"),
        ({}, 5488, "paid 5488 usd, held for 4990 usd"),
        ({}, 5490, "paid 5490 usd, held for 4990 usd"),
    ],
)
def test_a_part_that_was_not_offered_comes_before_a_person(
    build: Build, changes: dict[str, int | None], total: int, said: str
) -> None:
    """Also where the total would be right: each part is looked at."""
    town = build(**ALL)
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=DELIVERY, code="TEN")
    town.stripe.pay(order.session)
    right = town.stripe.session(order.session)
    assert right.parts is not None
    wrong = replace(right, amount=total, parts=replace(right.parts, **changes))  # type: ignore[arg-type]
    assert settlement.apply(town.shop, order, wrong) is Settled.REVIEW
    assert (town.order(order).state, town.order(order).reason) == (State.REVIEW, said)
    town.falsified = True  # it does not agree with what Stripe has


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("discount", "a discount of 100 usd, which was not offered"),
        ("tax", "a tax of 100 usd, which was not to be asked for"),
        ("shipping", "a delivery of 100 usd, which was not offered"),
    ],
)
def test_what_is_switched_off_comes_before_a_person(build: Build, field: str, said: str) -> None:
    town = build()
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    right = town.stripe.session(order.session)
    assert right.parts is not None
    wrong = replace(right, parts=replace(right.parts, **{field: 100}))
    assert settlement.apply(town.shop, order, wrong) is Settled.REVIEW
    assert town.order(order).reason == said
    town.falsified = True


def test_a_delayed_payment_is_settled_in_its_parts(build: Build) -> None:
    town = build(**ALL)
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=DELIVERY)
    town.stripe.pay_later(order.session)
    town.deliver()
    assert town.order(order).state is State.PROCESSING
    town.pass_time(DAY)
    town.stripe.money_comes(order.session)
    town.deliver("payment_intent.succeeded")
    town.rest()
    assert (town.order(order).state, told(town, order)[4]) == (State.PAID, 6039)


def test_a_refund_that_is_heard_of_before_the_payment_finds_its_session(build: Build) -> None:
    town = build(**ALL)
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=DELIVERY)
    town.stripe.pay(order.session)
    [payment] = town.stripe.intents
    town.stripe.refund_by_hand(payment)
    assert "asking" in town.deliver("charge.refunded")
    town.work()
    found = town.order(order)
    assert (found.state, found.refunded, found.amount) == (State.REFUNDED, 6039, 6039)
    town.rest()


@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.ERROR_AFTER, Fault.LATE])
def test_a_creation_that_is_repeated_is_the_same_request(build: Build, fault: Fault) -> None:
    town = build(**ALL)
    town.stripe.fault("create_session", fault)
    with pytest.raises(Exception, match="create_session"):
        town.begin({"poster": 2})
    town.stripe.wire.arrive()
    town.rest()
    assert len(town.stripe.sessions) == 1
    assert [order.state for order in town.orders()] == [State.RELEASED]


def test_a_rebuild_brings_the_parts_and_the_address_back(town: Town) -> None:
    paid = town.begin({"poster": 2}).order
    town.stripe.fill_in(paid.session, rate=DELIVERY, code="TEN")
    town.stripe.pay(paid.session)
    free = town.begin({"zine": 1}, visitor="bob").order
    town.stripe.fill_in(free.session, code="FREE")
    town.stripe.pay(free.session)
    back = town.begin({"poster": 1}, visitor="cyd").order
    town.stripe.fill_in(back.session, rate=DELIVERY)
    town.stripe.pay(back.session)
    town.deliver()
    town.rest()
    town.stripe.refund_by_hand(town.order(back).payment_intent)
    town.deliver()
    town.rest()
    open_one = town.begin({"poster": 1}, visitor="dot").order
    before = {order.id: orders.as_json(town.shop, order) for order in town.orders()}
    lose(town)
    assert rebuilding.rebuild(town.shop) is not None
    after = {order.id: orders.as_json(town.shop, order) for order in town.orders()}
    for order in (paid, free, back, open_one):
        names = ("state", "amount", "goods", "shipping", "tax", "discount", "delivery", "units")
        assert {n: after[order.id][n] for n in names} == {n: before[order.id][n] for n in names}
    town.stripe.fill_in(open_one.session, rate=DELIVERY)
    town.stripe.pay(open_one.session)
    town.deliver()
    town.rest()
    assert town.order(open_one).state is State.PAID


def test_a_walk_through_stripe_s_sessions_leaves_what_was_settled_as_it_is(town: Town) -> None:
    for visitor, code in (("ada", "FREE"), ("bob", "TEN")):
        order = town.begin({"poster": 1}, visitor=visitor).order
        town.stripe.fill_in(order.session, rate=PICKUP, code=code)
        town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    assert reconciliation.reconcile(town.shop).settled == 0


def test_units_that_go_back_are_worth_what_was_paid_for_them(build: Build) -> None:
    """With their share of the discount and of the tax, and nothing of the delivery."""
    town = build(**ALL)
    order = town.begin({"poster": 2}).order
    town.stripe.fill_in(order.session, rate=DELIVERY, code="TEN")
    town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    one = giving_back.Wish({"poster": 1}, None, whole=False, to="available")
    # Half of 50.00 less 5.00, and of the tax of 4.50 that came on top of it.
    assert giving_back.preview(town.order(order), one).amount == 2475
    whole = giving_back.Wish({}, None, whole=True, to="available")
    seen = giving_back.preview(town.order(order), whole)
    assert seen.amount == town.order(order).amount == 5489
    giving_back.send_back(
        town.shop, town.order(order), seen, reason="sorry", key="one-and-only", who="ada"
    )
    town.rest()
    assert (town.order(order).state, taken(town, order)) == (State.REFUNDED, [])


def test_an_offer_that_is_taken_has_the_terms_of_that_moment(build: Build) -> None:
    town = build(**BOTH)
    other = town.begin({"last": 1}, visitor="bob").order
    wait(town, "ada")
    orders.cancel(town.shop, other)
    started = waitlist.take(town.shop, standing(town, "ada"))
    assert started is not None
    assert [rate.amount for rate in started.order.terms.rates] == [0, 490]
    town.stripe.fill_in(started.order.session, rate=DELIVERY)
    town.stripe.pay(started.order.session)
    town.deliver()
    town.rest()
    assert told(town, started.order) == (9900, 490, 0, 0, 10390)


def test_a_code_for_all_of_it_after_a_card_was_declined_costs_nothing(town: Town) -> None:
    """The card has left a PaymentIntent in the session, with which nothing was paid."""
    order = town.begin({"poster": 1}).order
    town.stripe.decline(order.session)
    town.stripe.fill_in(order.session, code="FREE")
    town.stripe.pay(order.session)
    town.deliver()
    town.rest()
    found = town.order(order)
    assert (found.state, found.payments, found.payment_intent) == (
        State.PAID,
        {order.session: 0},
        "",
    )


def test_a_payment_in_a_session_that_nobody_told_of_is_found_by_its_intent(town: Town) -> None:
    """The order's own session says nothing about it."""
    order = town.begin({"poster": 1}).order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "another-key")
    town.stripe.fill_in(twin.session, rate=DELIVERY)
    town.stripe.pay(twin.session)
    outcomes = town.deliver("payment_intent.succeeded", "payment_intent.amount_capturable_updated")
    assert outcomes == ["asking"]
    town.work()
    assert town.order(order).state in {State.PAID, State.AUTHORIZED}
    assert town.order(order).shipping == 490
    town.rest()


def test_an_old_event_about_an_authorisation_says_nothing_new_once_it_is_captured(
    build: Build,
) -> None:
    town = build(**ALL, CAPTURE_METHOD="manual")
    order = town.begin({"poster": 1}).order
    town.stripe.fill_in(order.session, rate=DELIVERY)
    town.stripe.pay(order.session)
    events = town.stripe.new_events()
    for event in reversed(events):
        town.receive(event)
    town.work()
    for event in (*events, *town.stripe.new_events()):
        town.receive(town.stripe.twin(event))
    town.rest()
    assert (town.order(order).state, town.order(order).amount) == (State.PAID, 3289)
