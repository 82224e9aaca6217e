"""Whatever no webhook, no shopper and no deadline brought further, a walk through Stripe does."""

import pytest

from storefront.domain.orders import State
from storefront.services import holds, reconciliation, sessions, work
from storefront.services.reconciliation import reconcile
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Town


@pytest.fixture
def town(build: Build) -> Town:
    return build()


def test_a_payment_that_nobody_told_of_is_settled(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session)
    town.lose_events()
    done = reconcile(town.shop)
    assert (done.sessions, done.settled) == (1, 1)
    assert town.order(order).state is State.PAID


def test_a_late_payment_of_a_released_order_is_found(build: Build) -> None:
    town = build(HOLD_SECONDS="60")
    order = town.begin({"last": 1}).order
    town.skip(60 + 301)
    town.stripe.down()
    holds.release_by_hand(town.shop, order.id, "operator")
    town.stripe.up()
    assert town.order(order).state is State.RELEASED
    town.stripe.pay(order.session)
    town.lose_events()
    assert reconcile(town.shop).settled == 1
    assert town.order(order).state is State.PAID


def test_a_second_session_of_an_order_is_ended(town: Town) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "another key")
    assert reconcile(town.shop).ended == 1
    assert town.stripe.session(twin.session).session_status == "expired"
    assert town.order(order).state is State.OPEN


def test_an_open_payment_and_a_settled_one_are_left_alone(town: Town) -> None:
    town.begin()
    paid = town.begin(visitor="bob").order
    town.stripe.pay(paid.session)
    town.deliver()
    before = town.level()
    done = reconcile(town.shop)
    assert (done.sessions, done.settled, done.ended) == (2, 0, 0)
    assert town.level() == before


def test_a_refund_made_in_the_dashboard_is_noted(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session)
    town.deliver()
    (payment,) = town.order(order).payments
    town.stripe.create_refund(payment, amount=2500, metadata={}, key="by hand")
    town.lose_events()
    assert reconcile(town.shop).refunds == 1
    assert town.order(order).state is State.REFUNDED
    assert town.level() == (5, 0, 0)
    assert reconcile(town.shop).refunds == 0


def test_sessions_of_another_shop_are_not_touched(town: Town) -> None:
    order = town.begin().order
    params = sessions.params(town.shop, order)
    params["metadata"] = {"order": order.id, "shop": "another"}
    foreign = town.stripe.create_session(params, "the other shop's key")
    assert reconcile(town.shop).sessions == 1
    assert town.stripe.session(foreign.session).session_status == "open"


def test_a_session_whose_order_is_not_here_is_counted(town: Town) -> None:
    order = town.begin().order
    params = sessions.params(town.shop, order)
    params["metadata"] = {"order": "lost", "shop": "test"}
    params["client_reference_id"] = "lost"
    lost = town.stripe.create_session(params, "a key that was lost")
    assert reconcile(town.shop).unknown == 1
    town.stripe.expire_session(lost.session)


def test_the_worker_does_it_again_and_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[int] = []
    monkeypatch.setattr(
        reconciliation, "reconcile", lambda shop: walks.append(shop.store.now() // 1000)
    )
    work.begin(town.shop)
    town.pass_time(2 * 3600 + 10)
    assert [at - walks[0] for at in walks] == [0, 3600, 7200]


def test_a_silent_stripe_does_not_end_the_walks(town: Town) -> None:
    work.begin(town.shop)
    town.stripe.down()
    town.work()
    assert reconciliation.JOB in town.due()
    town.stripe.up()


def test_a_session_that_cannot_be_ended_just_now_does_not_hide_the_others(town: Town) -> None:
    paid = town.begin(visitor="bob").order
    town.stripe.pay(paid.session)
    town.lose_events()
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "another key").session
    town.stripe.fault("expire_session", Fault.LOST_REQUEST)
    assert reconcile(town.shop).settled == 1
    town.work()
    assert town.stripe.sessions[twin]["status"] == "expired"


def test_a_refund_that_failed_since_is_noted(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session)
    town.deliver()
    refund = town.stripe.refund_by_hand(town.order(order).payment_intent)
    town.deliver()
    town.stripe.refund_ends(refund, "failed")
    town.lose_events()
    assert reconcile(town.shop).refunds == 1
    assert town.order(order).state is State.REVIEW
    assert reconcile(town.shop).refunds == 0
