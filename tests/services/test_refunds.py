"""Money goes back: in full, once, and told."""

import pytest

from storefront.domain.orders import Order, State
from storefront.services import holds
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Town

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
def town(build: Build) -> Town:
    """A shop whose holds last a minute, though Stripe's sessions last longer."""
    return build(HOLD_SECONDS="60")


@pytest.fixture
def owed(town: Town) -> Order:
    """Ada paid for the last thing after it was released by hand, and Bob has it by now."""
    order = town.begin({"last": 1}).order
    town.skip(361)
    town.stripe.down()
    holds.release_by_hand(town.shop, order.id, "operator")
    town.stripe.up()
    bob = town.begin({"last": 1}, visitor="bob")
    town.stripe.pay(bob.order.session)
    town.stripe.pay(order.session)
    town.deliver()
    assert town.order(order).state is State.REFUND_DUE
    return town.order(order)


@pytest.fixture
def bought(town: Town) -> Order:
    """Ada has two posters, paid."""
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    return town.order(order)


def creations(town: Town) -> list[str]:
    """The keys under which a refund was asked for."""
    return [key for call, key in town.stripe.wire.calls if call == "create_refund"]


def test_a_late_payer_whose_goods_are_gone_gets_all_the_money_back_and_a_mail(
    town: Town, owed: Order
) -> None:
    town.work()
    order = town.order(owed)
    assert (order.state, order.reason, order.units) == (State.REFUNDED, "sold_out", "none")
    [refund] = town.stripe.all_refunds.values()
    assert refund["amount"] == order.amount
    assert refund["metadata"] == {"order": order.id, "shop": "test", "reason": "sold_out"}
    assert creations(town) == [f"refund:{order.payment_intent}"]
    assert town.mails("refunded") == [order.id]
    town.rest()


def test_a_refund_that_was_already_made_in_the_dashboard_is_not_made_again(
    town: Town, owed: Order
) -> None:
    town.stripe.refund_by_hand(owed.payment_intent)
    town.work()
    assert (town.order(owed).state, creations(town)) == (State.REFUNDED, [])
    town.rest()


def test_what_is_missing_after_a_partial_refund_in_the_dashboard_is_sent_after_it(
    town: Town, owed: Order
) -> None:
    town.stripe.refund_by_hand(owed.payment_intent, 900)
    town.work()
    assert sorted(r.amount for r in town.order(owed).refunds) == [900, 9000]
    assert town.order(owed).state is State.REFUNDED
    town.rest()


@pytest.mark.parametrize(
    "fault",
    [
        Fault.LOST_REQUEST,
        Fault.LOST_REPLY,
        Fault.LATE,
        Fault.BUSY,
        Fault.LIMITED,
        Fault.ERROR_BEFORE,
        Fault.ERROR_AFTER,
        Fault.SPENT_BEFORE,
        Fault.SPENT_AFTER,
        Fault.UNAUTHORIZED,
    ],
)
@pytest.mark.parametrize("times", [1, 7])
def test_whatever_goes_wrong_the_money_goes_back_once(
    town: Town, owed: Order, fault: Fault, times: int
) -> None:
    town.stripe.fault("create_refund", fault, times)
    town.work()
    town.stripe.wire.arrive()
    town.pass_time(10 * 60)
    town.stripe.wire.arrive()
    town.rest()
    assert town.order(owed).state is State.REFUNDED
    assert len(town.stripe.all_refunds) == 1


def test_a_spent_key_is_followed_by_the_next_number_which_is_stored_first(
    town: Town, owed: Order
) -> None:
    town.stripe.fault("create_refund", Fault.SPENT_BEFORE)
    town.work()
    assert town.order(owed).refund_versions == {owed.payment_intent: 1}
    town.pass_time(5)
    payment = owed.payment_intent
    assert creations(town) == [f"refund:{payment}", f"refund:{payment}:1"]


def test_stripe_in_trouble_is_asked_for_a_refund_less_and_less_often(
    town: Town, owed: Order
) -> None:
    town.stripe.fault("create_refund", Fault.SPENT_BEFORE, times=1000)
    town.pass_time(600)
    assert 15 <= len(creations(town)) <= 60
    assert town.order(owed).state is State.REFUND_DUE
    town.stripe.up()
    town.rest()


@pytest.mark.parametrize("status", ["pending", "requires_action"])
def test_a_refund_on_its_way_is_told_at_once_and_asked_about_until_it_has_arrived(
    town: Town, owed: Order, status: str
) -> None:
    town.stripe.refund_status = status
    town.work()
    order = town.order(owed)
    assert (order.state, order.refunds[0].status) == (State.REFUNDED, status)
    assert town.mails("refunded") == [order.id]
    town.pass_time(DAY)
    town.stripe.refund_ends(order.refunds[0].id, "succeeded")
    town.lose_events()
    town.pass_time(HOUR)
    assert town.order(owed).refunds[0].status == "succeeded"
    assert town.mails("refunded") == [order.id]
    town.rest()


@pytest.mark.parametrize("heard", [True, False], ids=["by event", "by asking"])
def test_a_refund_that_fails_comes_before_a_person_and_is_not_made_again(
    town: Town, owed: Order, heard: bool
) -> None:
    town.stripe.refund_status = "pending"
    town.work()
    town.lose_events()
    [refund] = town.order(owed).refunds
    town.stripe.refund_ends(refund.id, "failed")
    if heard:
        town.deliver()
    else:
        town.lose_events()
    town.pass_time(DAY)
    order = town.order(owed)
    assert (order.state, order.reason) == (State.REVIEW, f"refund {refund.id} failed")
    assert order.refunded == 0
    assert town.mails("review") == [order.id]
    assert len(creations(town)) == 1
    assert town.due() == set()


def test_a_new_refund_in_the_dashboard_after_a_failed_one_ends_the_matter(
    town: Town, owed: Order
) -> None:
    town.stripe.refund_status = "failed"
    town.work()
    assert town.order(owed).state is State.REVIEW
    town.stripe.refund_by_hand(owed.payment_intent)
    town.deliver()
    town.work()
    assert town.order(owed).state is State.REFUNDED


def test_a_disputed_charge_comes_before_a_person(town: Town, owed: Order) -> None:
    town.stripe.dispute(owed.payment_intent)
    town.work()
    order = town.order(owed)
    assert order.state is State.REVIEW
    assert "disputed" in order.reason
    town.pass_time(DAY)
    assert town.due() == set()


def test_a_refund_made_while_ours_was_asked_for_is_found(town: Town, owed: Order) -> None:
    town.stripe.wire.meanwhile(
        "create_refund", before=lambda: town.stripe.refund_by_hand(owed.payment_intent)
    )
    town.rest()
    assert town.order(owed).state is State.REFUNDED
    assert len(town.stripe.all_refunds) == 1


def test_a_clear_no_that_stays_comes_before_a_person(town: Town, owed: Order) -> None:
    town.stripe.fault("create_refund", Fault.REFUSED, times=50)
    town.pass_time(HOUR)
    order = town.order(owed)
    assert order.state is State.REVIEW
    assert "given up after 6 tries" in order.reason


def test_a_full_refund_in_the_dashboard_puts_the_units_back_on_sale(
    town: Town, bought: Order
) -> None:
    town.stripe.refund_by_hand(bought.payment_intent)
    town.deliver()
    town.work()
    assert (town.order(bought).state, town.level()) == (State.REFUNDED, (5, 0, 0))
    assert town.mails("refunded") == [bought.id]
    town.rest()


def test_a_partial_refund_in_the_dashboard_is_listed_and_told_and_changes_no_state(
    town: Town, bought: Order
) -> None:
    town.stripe.refund_by_hand(bought.payment_intent, 1000)
    town.deliver()
    town.work()
    order = town.order(bought)
    assert (order.state, order.refunded, town.level()) == (State.PAID, 1000, (3, 0, 2))
    assert town.mails("refunded") == [bought.id]


def test_a_payment_that_is_not_to_go_back_is_only_read(town: Town, bought: Order) -> None:
    town.shop.store.due.schedule(f"refund:{bought.id}:{bought.payment_intent}", 1)
    town.work()
    assert (town.order(bought).state, creations(town)) == (State.PAID, [])


def test_a_full_refund_before_the_shop_knew_of_the_payment_gives_no_goods(town: Town) -> None:
    """Only the refund's events arrive; those of the payment are lost."""
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.lose_events()
    [payment] = town.stripe.charges
    town.stripe.refund_by_hand(payment)
    town.deliver()
    town.work()
    assert (town.order(order).state, town.level()) == (State.REFUNDED, (5, 0, 0))
    assert "confirmed" not in town.mails()
    town.rest()


def test_a_refund_s_events_may_come_before_the_payment_s(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    [payment] = town.stripe.charges
    town.stripe.refund_by_hand(payment)
    for event in reversed(town.stripe.new_events()):
        town.receive(event)
    town.work()
    assert (town.order(order).state, town.level()) == (State.REFUNDED, (5, 0, 0))
    town.rest()


def test_an_unknown_order_owes_nothing(town: Town) -> None:
    town.shop.store.due.schedule("refund:none:pi_none", 1)
    town.work()
    assert town.due() == set()
