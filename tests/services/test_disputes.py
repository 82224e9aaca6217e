"""A bank takes a payment back: a person hears of it, with or without a webhook, and decides."""

import pytest

from storefront.domain.orders import Order, State
from storefront.services import giving_back, reconciliation, reviews
from storefront.services.giving_back import Wish
from storefront.services.notices import KINDS
from storefront.storage.answers import Resumed
from tests.services.town import Town

DAY = 24 * 3600


@pytest.fixture
def bought(town: Town) -> Order:
    """Ada has two posters, paid."""
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    return town.order(order)


def test_a_dispute_that_no_webhook_told_of_is_found_by_the_walk(town: Town, bought: Order) -> None:
    town.skip(20 * DAY)
    dispute = town.stripe.dispute(bought.payment_intent)
    town.lose_events()
    assert reconciliation.reconcile(town.shop).disputes == 1
    order = town.order(bought)
    assert (order.state, order.units, town.level()) == (State.REVIEW, "sold", (3, 0, 2))
    assert order.reason == f"the buyer's bank disputes the payment ({dispute})"
    assert [(d.id, d.amount, d.status) for d in order.disputes] == [
        (dispute, order.amount, "needs_response")
    ]
    assert reconciliation.reconcile(town.shop).disputes == 0
    town.work()
    assert town.mails("review") == [order.id]
    town.check()


def test_the_operator_s_mail_says_which_payment_and_leads_to_the_order(
    town: Town, bought: Order
) -> None:
    dispute = town.stripe.dispute(bought.payment_intent)
    town.deliver()
    notice = str(KINDS["review"](town.shop, town.order(bought), ""))
    assert dispute in notice
    assert bought.payment_intent in notice
    assert f"/admin/orders/{bought.id}" in notice
    assert "move the order out of review" in notice


def test_a_dispute_is_told_once_by_webhook_and_walk_together(town: Town, bought: Order) -> None:
    town.stripe.dispute(bought.payment_intent)
    assert town.deliver() == ["review"]
    reconciliation.reconcile(town.shop)
    town.work()
    assert town.mails("review") == [bought.id]


def test_an_order_whose_dispute_was_won_goes_on_as_before(town: Town, bought: Order) -> None:
    dispute = town.stripe.dispute(bought.payment_intent)
    town.deliver()
    assert reviews.end(town.shop, town.order(bought), "admin") == (Resumed.UNDECIDED, "dispute")
    town.stripe.dispute_ends(dispute, "won")
    assert reviews.end(town.shop, town.order(bought), "admin") == (Resumed.RESUMED, "paid")
    order = town.order(bought)
    assert (order.state, order.reason, order.units) == (State.PAID, "", "sold")
    assert reviews.end(town.shop, order, "admin") == (Resumed.KEPT, "paid")
    # The event of its opening may come once more, and the walk still sees it.
    for event in town.stripe.new_events():
        town.receive(event)
    town.receive(town.stripe.twin(town.stripe.events[-2]))
    reconciliation.reconcile(town.shop)
    town.rest()
    assert town.order(bought).state is State.PAID


def test_an_order_whose_dispute_was_lost_stays_before_a_person(town: Town, bought: Order) -> None:
    dispute = town.stripe.dispute(bought.payment_intent)
    town.deliver()
    town.stripe.dispute_ends(dispute, "lost")
    assert town.deliver() == ["recorded"]
    assert reviews.end(town.shop, town.order(bought), "admin") == (Resumed.UNDECIDED, "dispute")
    assert town.order(bought).disputes[0].status == "lost"


def test_what_was_won_before_anybody_heard_of_it_needs_nobody(town: Town, bought: Order) -> None:
    dispute = town.stripe.dispute(bought.payment_intent)
    town.stripe.dispute_ends(dispute, "won")
    town.lose_events()
    reconciliation.reconcile(town.shop)
    assert town.order(bought).state is State.PAID
    town.rest()


def test_a_dispute_adds_to_what_a_person_looks_at_already(town: Town, bought: Order) -> None:
    town.stripe.refund_status = "failed"
    seen = giving_back.preview(bought, Wish({"poster": 1}, None, False, "available"))
    giving_back.send_back(town.shop, bought, seen, reason="torn", key="form-000001", who="admin")
    town.work()
    town.stripe.dispute(bought.payment_intent)
    town.deliver()
    town.work()
    assert town.order(bought).reason.startswith("refund re_1 failed; the buyer's bank")
    assert town.mails("review") == [bought.id, bought.id]


def test_a_partly_refunded_order_goes_on_after_a_refund_failed(town: Town, bought: Order) -> None:
    town.stripe.refund_status = "failed"
    seen = giving_back.preview(bought, Wish({"poster": 1}, None, False, "available"))
    giving_back.send_back(town.shop, bought, seen, reason="torn", key="form-000001", who="admin")
    town.work()
    assert reviews.end(town.shop, town.order(bought), "admin") == (Resumed.RESUMED, "paid")
    assert (town.order(bought).own, town.level()) == ({"poster": 1}, (4, 0, 1))
    town.check()


def test_a_payment_of_another_amount_and_one_whose_goods_are_gone_stay_undecided(
    town: Town,
) -> None:
    order = town.begin({"poster": 1}).order
    town.stripe.sessions[order.session]["amount_total"] = 1
    town.stripe.pay(order.session)
    town.deliver()
    assert reviews.end(town.shop, town.order(order), "admin") == (Resumed.UNDECIDED, "money")
    assert town.order(order).state is State.REVIEW


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("heard", [True, False], ids=["by webhook", "by the walk"])
def test_refunds_in_the_dashboard_end_the_order_once_they_are_everything(
    town: Town, bought: Order, parts: int, heard: bool
) -> None:
    for part in range(1, parts + 1):
        assert town.order(bought).state is State.PAID
        last = bought.amount - (parts - 1) * 700
        town.stripe.refund_by_hand(bought.payment_intent, last if part == parts else 700)
        if heard:
            town.deliver()
        else:
            town.lose_events()
            reconciliation.reconcile(town.shop)
        town.work()
    assert (town.order(bought).state, town.level()) == (State.REFUNDED, (5, 0, 0))
    assert len(town.mails("refunded")) == parts
    town.rest()


@pytest.mark.parametrize("heard", [True, False], ids=["by webhook", "by the walk"])
def test_a_dashboard_refund_that_fails_afterwards_needs_a_person(
    town: Town, bought: Order, heard: bool
) -> None:
    refund = town.stripe.refund_by_hand(bought.payment_intent, 700, status="pending")
    town.deliver()
    town.stripe.refund_ends(refund, "failed")
    if heard:
        town.deliver()
    else:
        town.lose_events()
        reconciliation.reconcile(town.shop)
    order = town.order(bought)
    assert (order.state, order.reason) == (State.REVIEW, f"refund {refund} failed")
    assert town.level() == (3, 0, 2)
    town.work()
    assert town.mails("review") == [order.id]
