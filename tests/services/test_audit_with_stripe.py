"""The audit against Stripe: what is on its way is no failure, and all else is found."""

import pytest

from storefront.domain.errors import StripeUnreachable
from storefront.services import holds, sessions
from storefront.services.audit import audit
from storefront.storage.answers import Settled
from tests.services.conftest import Build
from tests.services.town import Town


def test_stripe_that_cannot_be_asked_is_no_failed_check(busy: Town) -> None:
    busy.stripe.down()
    assert busy.failing() == {}
    with pytest.raises(StripeUnreachable):
        audit(busy.shop, True)


def test_a_paid_session_without_an_order_is_found(busy: Town) -> None:
    order = busy.find("open")
    params = sessions.params(busy.shop, order)
    lost = params | {"metadata": {"shop": "test", "order": "lost"}}
    session = busy.stripe.create_session(lost, "lost").session
    busy.stripe.pay(session)
    assert f"session {session} has no order" in busy.failing(with_stripe=True)["stripe: goods"]


def test_a_payment_that_never_reached_a_settled_order_is_found_once_it_is_not_on_its_way(
    busy: Town,
) -> None:
    order = busy.find("released")
    session = busy.stripe.create_session(sessions.params(busy.shop, order), "twin").session
    busy.stripe.pay(session)
    assert busy.failing(with_stripe=True) == {}
    busy.skip(121)
    found = busy.failing(with_stripe=True)
    assert f"session {session} is paid, order {order.id} is released" in found["stripe: goods"]


def test_a_payment_of_a_running_hold_is_on_its_way(town: Town) -> None:
    town.stripe.pay(town.begin().order.session)
    town.skip(600)
    assert town.failing(with_stripe=True) == {}


def test_two_sessions_that_can_be_paid_are_found_once_ending_one_is_not_on_its_way(
    town: Town,
) -> None:
    order = town.begin().order
    town.stripe.create_session(sessions.params(town.shop, order), "twin")
    assert town.failing(with_stripe=True) == {}
    town.skip(121)
    assert f"order {order.id} has 2" in town.failing(with_stripe=True)["stripe: sessions"]
    town.falsified = True


def test_a_session_that_can_be_paid_beside_a_paid_one_is_found(town: Town) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "twin").session
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    town.skip(121)
    assert f"order {order.id} has 2" in town.failing(with_stripe=True)["stripe: sessions"]
    town.shop.store.due.schedule(f"stray:{order.id}:{twin}", 1)
    assert town.failing(with_stripe=True) == {}


def test_two_payments_of_which_one_went_back_are_no_fault(town: Town) -> None:
    order = town.begin().order
    twin = town.stripe.create_session(sessions.params(town.shop, order), "twin").session
    town.stripe.pay(order.session)
    town.stripe.pay(twin)
    town.deliver()
    town.pass_time(600)
    assert town.failing(with_stripe=True) == {}


def test_another_amount_at_stripe_than_here_is_found(busy: Town) -> None:
    order = busy.find("paid")
    busy.stripe.sessions[order.session]["amount_total"] = 1
    assert "2500 here, 1 at Stripe" in busy.failing(with_stripe=True)["stripe: amounts"]


def test_a_refund_that_is_only_here_is_found(busy: Town) -> None:
    order = busy.find("refunded")
    busy.stripe.all_refunds.clear()
    busy.skip(121)
    assert (
        f"order {order.id}: 2500 refunded here, 0 at Stripe"
        in (busy.failing(with_stripe=True)["stripe: amounts"])
    )


def test_a_refund_that_failed_counts_as_none_on_either_side(town: Town) -> None:
    order = town.begin().order
    town.stripe.pay(order.session)
    town.deliver()
    refund = town.stripe.refund_by_hand(town.order(order).payment_intent)
    town.deliver()
    town.stripe.refund_ends(refund, "failed")
    town.deliver()
    town.pass_time(600)
    assert town.failing(with_stripe=True) == {}


def test_the_sessions_of_other_shops_and_of_last_week_are_not_compared(busy: Town) -> None:
    order = busy.find("open")
    params = sessions.params(busy.shop, order)
    other = params | {"metadata": {"shop": "other", "order": "x"}}
    busy.stripe.pay(busy.stripe.create_session(other, "other").session)
    lost = params | {"metadata": {"shop": "test", "order": "lost"}}
    busy.stripe.pay(busy.stripe.create_session(lost, "lost").session)
    busy.pass_time(3 * 24 * 3600 + 1)
    assert busy.failing(with_stripe=True) == {}


@pytest.fixture
def unheard(town: Town) -> Town:
    """A shop that gave the only last thing back without Stripe's word, and to somebody else."""
    order = town.begin({"last": 1}).order
    release = town.shop.store.scripts.release_hold
    assert release(order.id, session=order.session, version=1, reason="expired") is Settled.RELEASED
    town.begin({"last": 1}, visitor="rival")
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    town.falsified = True
    return town


def test_who_paid_in_time_and_got_his_money_back_is_found(unheard: Town) -> None:
    order = unheard.find("refunded")
    found = unheard.failing(with_stripe=True)
    assert found == {
        "stripe: in time": f"order {order.id} was released while its session could be paid"
    }


def test_who_paid_a_session_that_stripe_had_ended_came_too_late(town: Town) -> None:
    """As the stand-in lets shoppers do: the shop had heard Stripe's word, and others have the units."""
    order = town.begin({"last": 1}).order
    town.pass_time(town.shop.settings.hold_seconds + 1)
    town.begin({"last": 1}, visitor="rival")
    assert town.stripe.pay_too_late(order.session)
    town.deliver()
    town.work()
    assert town.order(order).state == "refunded"
    assert town.failing(with_stripe=True) == {}


def test_who_paid_after_a_person_released_his_order_came_too_late(build: Build) -> None:
    town = build(HOLD_SECONDS="60", HOLD_GRACE_SECONDS="10")
    order = town.begin({"last": 1}).order
    town.skip(70)
    town.stripe.down()
    assert holds.release_by_hand(town.shop, order.id, "op") is Settled.RELEASED
    town.stripe.up()
    town.begin({"last": 1}, visitor="rival")
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    assert town.order(order).state == "refunded"
    assert town.failing(with_stripe=True) == {}


def test_other_numbers_at_stripe_than_in_the_books_are_found_unless_they_are_on_their_way(
    town: Town,
) -> None:
    town.stripe.catalogue["test_poster"]["metadata"]["written_off"] = "2"
    town.stripe.delete("test_zine")
    assert town.failing(with_stripe=True)["stripe: mirror"] == (
        "poster: 5 stocked, 0 written off here, 5 and 2 at Stripe; "
        "zine: 3 stocked, 0 written off here, nothing at Stripe"
    )
    town.shop.store.due.schedule("mirror:zine", 1)
    town.shop.store.due.schedule("mirror:poster", 1)
    assert town.failing(with_stripe=True) == {}
    town.work()
    assert town.failing(with_stripe=True) == {}
