"""What seeds found, told plainly, so that it stays mended without them."""

from functools import partial
from unittest.mock import patch

import pytest

from storefront.domain.errors import AlreadyPaid, StripeUnreachable
from storefront.domain.orders import State
from storefront.services import holds, orders, reconciliation, sessions, settlement, work
from storefront.storage.answers import Job
from tests.fakes.faults import Fault
from tests.services.conftest import Build, build, clock, new_redis, town  # noqa: F401 - fixtures
from tests.services.town import Town


def test_a_part_sent_back_by_hand_does_not_keep_the_rest_from_going_back(
    town: Town,  # noqa: F811
) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "another key").session
    assert town.stripe.pay(order.session)
    assert town.stripe.pay(twin)
    town.deliver("payment_intent.succeeded")
    town.stripe.refund_by_hand("pi_2", 1000)
    town.deliver("refund.created")
    town.rest()
    assert town.stripe.taken(order.id) == {"pi_1": 2500, "pi_2": 0}


def test_money_back_for_another_payment_ends_no_review(town: Town) -> None:  # noqa: F811
    order = town.begin().order
    asked = sessions.params(town.shop, order)
    twins = [town.stripe.create_session(asked, key).session for key in ("one", "two")]
    for session in (order.session, *twins):
        assert town.stripe.pay(session)
    town.stripe.refund_by_hand("pi_1", 2500)
    town.stripe.dispute("pi_2")
    town.deliver("payment_intent.succeeded", "refund.created", "charge.dispute.created")
    assert town.order(order).state is State.REVIEW
    town.work()
    assert town.stripe.taken(order.id)["pi_3"] == 0
    assert town.order(order).state is State.REVIEW


def test_a_sale_in_a_session_that_nobody_told_of_is_confirmed_all_the_same(
    town: Town,  # noqa: F811
) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "another key").session
    assert town.stripe.pay(twin)
    town.deliver("payment_intent.succeeded")
    town.lose_events()
    town.rest()
    assert town.mails("confirmed") == [order.id]


@pytest.mark.parametrize("kind", [Fault.SPENT_AFTER, Fault.SPENT_BEFORE])
def test_a_hold_ends_though_every_key_for_it_replays_an_error(
    build: Build,  # noqa: F811
    kind: Fault,
) -> None:
    town = build(HOLD_SECONDS="60")  # noqa: F811
    order = town.begin().order
    town.stripe.fault("expire_session", kind, times=5)
    town.pass_time(60 + 30)
    assert town.order(order).state is State.RELEASED
    town.rest()


def test_money_that_comes_back_unasked_for_one_payment_does_not_hide_another_that_does_not(
    town: Town,  # noqa: F811
) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "another key").session
    for session in (order.session, twin):
        assert town.stripe.pay(session)
    town.deliver("payment_intent.succeeded")
    town.stripe.refund_status = "failed"
    town.work()
    assert town.order(order).state is State.REVIEW
    town.stripe.refund_by_hand("pi_1", 2500)
    town.deliver("refund.created")
    assert town.order(order).state is State.REVIEW
    town.stripe.refund_by_hand("pi_2", 2500)
    town.deliver("refund.created")
    assert town.order(order).state is State.REFUNDED


def test_a_question_that_comes_while_a_worker_asks_an_older_one_is_asked_all_the_same(
    town: Town,  # noqa: F811
) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "another key").session
    town.stripe.pay_later(twin)
    town.shop.store.due.schedule(f"ask:{order.id}", town.shop.store.now())
    finish = town.shop.store.scripts.finish_due

    def finished(job: Job, **rest: str) -> str:
        settlement.apply(town.shop, order, town.stripe.session(twin))
        return finish(job, **rest)

    with patch.object(town.shop.store.scripts, "finish_due", finished):
        work.run_due(town.shop, 1)
    assert town.order(order).state is State.PROCESSING
    assert f"ask:{order.id}" in town.due()


def test_money_that_was_on_its_way_on_our_page_and_fails_does_not_hold_units_for_ever(
    build: Build,  # noqa: F811
) -> None:
    """Stripe refused to cancel it while it was on its way, and repeats that under the same key."""
    town = build(CHECKOUT_UI="elements", STRIPE_PUBLISHABLE_KEY="pk_test_found")  # noqa: F811
    order = town.begin().order
    pay = partial(town.stripe.pay_later, order.session)
    town.stripe.wire.meanwhile("cancel_intent", before=pay)
    with pytest.raises(AlreadyPaid):
        orders.cancel(town.shop, order)
    town.stripe.money_fails(order.session)
    town.rest()
    assert town.order(order).state is State.RELEASED


def test_a_second_payment_goes_back_while_the_first_is_only_authorised(
    build: Build,  # noqa: F811
) -> None:
    town = build(CAPTURE_METHOD="manual")  # noqa: F811
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "another key").session
    for session in (order.session, twin):
        assert town.stripe.pay(session)
    town.deliver("payment_intent.amount_capturable_updated")
    town.stripe.capture_by_hand("pi_2")
    town.stripe.refund_by_hand("pi_2")
    town.deliver("payment_intent.succeeded", "refund.created")
    assert (town.order(order).state, town.level()) == (State.AUTHORIZED, (4, 0, 1))
    town.rest()
    assert town.stripe.taken(order.id) == {"pi_1": 2500, "pi_2": 0}


def test_an_old_word_that_a_session_is_over_does_not_release_what_was_authorised_in_it(
    build: Build,  # noqa: F811
) -> None:
    """Which of the two events came last says nothing: Stripe is asked."""
    town = build(CAPTURE_METHOD="manual")  # noqa: F811
    order = town.begin().order
    town.stripe.fault("expire_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        orders.cancel(town.shop, order)
    assert town.stripe.pay_too_late(order.session)
    told = {event["type"]: event for event in town.stripe.new_events()}
    town.receive(told["checkout.session.completed"])
    town.receive(told["checkout.session.expired"])
    town.rest()
    assert (town.order(order).state, town.level()) == (State.PAID, (4, 0, 1))


def test_a_shopper_whose_order_is_lost_while_its_page_is_made_is_told_to_try_again(
    town: Town,  # noqa: F811
) -> None:
    town.stripe.wire.meanwhile("create_session", after=lambda: lose(town))
    with pytest.raises(StripeUnreachable):
        town.begin()
    assert town.orders() == []


def test_a_note_on_an_order_that_is_lost_does_not_keep_it_from_coming_back(
    town: Town,  # noqa: F811
) -> None:
    order = town.begin().order
    lose(town)
    town.shop.store.scripts.note_ending(order.id, "cancelled")
    assert town.orders() == []
    assert town.shop.store.orders.get(order.id) is None
    reconciliation.reconcile(town.shop)
    assert (town.order(order).state, town.level()) == (State.OPEN, (4, 1, 0))


def lose(town: Town) -> None:  # noqa: F811
    """Redis forgets everything but its first stock, as after a restart that lost what came last."""
    stock = {level.sku: level.stocked for level in town.shop.store.stock.levels()}
    catalogue = town.shop.store._client.hgetall("{test}:catalogue")
    town.shop.store._client.flushall()
    town.shop.store.scripts.publish_catalogue(catalogue, stock, version="v2", who="tests")


@pytest.mark.parametrize("seconds", [112, 119])
def test_a_creation_that_stripe_gets_late_never_finds_its_order_released(
    town: Town,  # noqa: F811
    seconds: int,
) -> None:
    town.stripe.fault("create_session", Fault.LATE)
    with pytest.raises(StripeUnreachable):
        town.begin()
    town.skip(seconds)
    work.run_due(town.shop, 1)
    town.stripe.wire.arrive()
    town.check()
    town.rest()


def test_a_session_found_while_its_order_is_released_by_hand_is_ended(
    build: Build,  # noqa: F811
) -> None:
    town = build(HOLD_SECONDS="60")  # noqa: F811
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    town.skip(400)
    town.stripe.fault("expire_session", Fault.LOST_REQUEST)
    holds.release_by_hand(town.shop, order.id, "operator")
    town.lose_events()
    town.rest(days=0.01)


def test_a_later_key_for_an_own_page_is_tried_as_long_as_the_first(build: Build) -> None:  # noqa: F811
    town = build(CHECKOUT_UI="elements", STRIPE_PUBLISHABLE_KEY="pk_test_1")  # noqa: F811
    town.stripe.fault("create_intent", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        town.begin()
    [order] = town.orders()
    town.skip(40 * 3600)
    assert not sessions.creatable(town.shop, order)
    town.shop.store.scripts.renew_session(order.id, version=1, session_seconds=1920)
    assert sessions.creatable(town.shop, town.order(order))


def test_a_dispute_of_a_payment_that_nobody_has_told_of_makes_the_walk_due_soon(
    town: Town,  # noqa: F811
) -> None:
    order = town.begin().order
    work.begin(town.shop)
    town.work()
    assert town.stripe.pay(order.session)
    town.stripe.dispute("pi_1")
    town.deliver("charge.dispute.created")
    [walk] = [job for job in town.shop.store.due.jobs() if job.name == reconciliation.JOB]
    assert walk.at <= town.shop.store.now() + 60_000
