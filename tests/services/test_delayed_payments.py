"""Money that is on its way for hours or days is asked about until it is there, or is not."""

import pytest

from storefront.domain.orders import Order, State
from storefront.domain.payments import Payment
from storefront.services import notice_texts, settlement
from storefront.storage.answers import Settled
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Town

HOUR = 3600
DAY = 24 * HOUR


def test_a_delayed_payment_known_by_the_hold_s_deadline_is_settled_then_without_a_webhook(
    build: Build,
) -> None:
    town = build(HOLD_SECONDS="60")
    order = town.begin({"poster": 2}).order
    town.stripe.pay_later(order.session)
    town.deliver()
    town.pass_time(30)
    town.stripe.money_comes(order.session)
    town.lose_events()
    town.pass_time(31)
    assert (town.order(order).state, town.level()) == (State.PAID, (3, 0, 2))


def test_a_delayed_payment_is_asked_about_less_and_less_often_then_every_hour(
    town: Town, opened: Order
) -> None:
    town.stripe.pay_later(opened.session)
    town.deliver()
    asked = len(town.stripe.wire.calls)
    town.pass_time(3 * DAY)
    assert (town.order(opened).state, town.level()) == (State.PROCESSING, (3, 2, 0))
    assert 72 <= len(town.stripe.wire.calls) - asked <= 84
    town.stripe.money_comes(opened.session)
    town.lose_events()
    town.pass_time(HOUR)
    assert (town.order(opened).state, town.level()) == (State.PAID, (3, 0, 2))


def test_a_delayed_payment_that_fails_gives_the_units_back(town: Town, opened: Order) -> None:
    town.stripe.pay_later(opened.session)
    town.deliver()
    town.pass_time(DAY)
    town.stripe.money_fails(opened.session)
    town.lose_events()
    town.pass_time(HOUR)
    order = town.order(opened)
    assert (order.state, order.reason, town.level()) == (State.RELEASED, "declined", (5, 0, 0))
    assert sorted(town.mails()) == ["declined", "processing"]


def test_whose_delayed_payment_fails_is_told_once_that_nothing_was_charged(
    town: Town, opened: Order
) -> None:
    town.stripe.pay_later(opened.session)
    town.deliver()
    town.work()
    town.stripe.money_fails(opened.session)
    for event in town.stripe.new_events():
        town.receive(event)
        town.work()
        town.receive(town.stripe.twin(event))
        town.work()
    assert town.mails("declined") == [opened.id]
    notice = notice_texts.declined(town.shop, town.order(opened))
    assert notice is not None
    assert "Nothing was charged." in str(notice.parts)
    assert "back on sale" in str(notice.parts)

    assert town.stripe.money_comes(opened.session) is None
    town.deliver()
    town.work()
    order = town.order(opened)
    assert (order.state, town.mails("confirmed")) == (State.PAID, [opened.id])
    assert notice_texts.declined(town.shop, order) is None
    assert town.mails("declined") == [opened.id]


def test_the_audit_finds_a_shopper_who_was_never_told_that_the_money_did_not_come(
    town: Town, opened: Order
) -> None:
    town.stripe.pay_later(opened.session)
    town.deliver()
    town.stripe.money_fails(opened.session)
    released = settlement.ask(town.shop, town.order(opened))
    assert (released, town.failing()) == (Settled.RELEASED, {})
    town.shop.store._client.zrem(town.shop.store.keys.name("due"), f"mail:declined:{opened.id}")
    assert "owes its mail declined" in town.failing()["I12 notices"]
    town.falsified = True


def test_one_clear_no_after_days_of_asking_is_tried_again_and_puts_nothing_before_a_person(
    town: Town, opened: Order
) -> None:
    town.stripe.pay_later(opened.session)
    town.deliver()
    town.pass_time(DAY)
    town.stripe.fault("session", Fault.REFUSED)
    town.pass_time(HOUR)
    assert town.order(opened).state is State.PROCESSING


def test_a_released_order_whose_delayed_payment_comes_late_is_asked_about_until_it_ends(
    build: Build,
) -> None:
    from storefront.services import holds

    town = build(HOLD_SECONDS="60")
    order = town.begin({"poster": 2}).order
    town.skip(361)
    town.stripe.down()
    holds.release_by_hand(town.shop, order.id, "operator")
    town.stripe.up()
    town.stripe.pay_later(order.session)
    town.deliver()
    town.pass_time(3 * DAY)
    assert (town.order(order).state, town.level()) == (State.RELEASED, (5, 0, 0))
    town.stripe.money_comes(order.session)
    town.lose_events()
    town.pass_time(HOUR)
    assert (town.order(order).state, town.level()) == (State.PAID, (3, 0, 2))


def test_the_question_about_a_released_order_s_delayed_payment_never_ends_before_it(
    town: Town, opened: Order
) -> None:
    """Even where no stray session is due that would ask as well."""
    expired = Payment(order=opened.id, session=opened.session, session_status="expired")
    town.stripe.pay_later(opened.session)
    settlement.apply(town.shop, opened, expired)
    town.deliver()
    town.pass_time(2 * DAY)
    town.stripe.money_comes(opened.session)
    town.lose_events()
    town.pass_time(HOUR)
    assert town.order(opened).state is State.PAID


def test_whoever_pays_by_a_delayed_method_is_told_once_where_the_money_is(
    town: Town, opened: Order
) -> None:
    town.stripe.pay_later(opened.session)
    for event in town.stripe.new_events():
        town.receive(event)
        town.receive(town.stripe.twin(event))
    assert "mail:processing:" + opened.id in town.due()
    town.pass_time(2 * DAY)
    assert town.mails() == ["processing"]
    town.stripe.money_comes(opened.session)
    town.deliver()
    town.work()
    assert sorted(town.mails()) == ["confirmed", "processing"]


def test_nobody_is_told_that_money_is_on_its_way_which_is_there_already(
    town: Town, opened: Order
) -> None:
    town.stripe.pay_later(opened.session)
    town.deliver()
    town.stripe.money_comes(opened.session)
    town.deliver()
    town.work()
    assert (town.order(opened).state, town.mails()) == (State.PAID, ["confirmed"])


def test_the_audit_finds_a_shopper_who_was_never_told_where_the_money_is(
    town: Town, opened: Order
) -> None:
    town.stripe.pay_later(opened.session)
    town.deliver()
    assert town.failing() == {}
    town.shop.store._client.zrem(town.shop.store.keys.name("due"), f"mail:processing:{opened.id}")
    assert "owes its mail processing" in town.failing()["I12 notices"]
    town.falsified = True


@pytest.mark.parametrize("form", ["hosted", "elements"])
def test_unless_the_operator_switches_them_on_no_delayed_method_is_offered(
    build: Build, form: str
) -> None:
    page = {"CHECKOUT_UI": form, "STRIPE_PUBLISHABLE_KEY": "pk_test_x"}
    for switched, later in (("off", False), ("on", True)):
        town = build(DELAYED_METHODS=switched, **page)
        order = town.begin({"poster": 1}).order
        assert town.stripe.pay_later(order.session) is later
        if not later:
            assert town.stripe.pay(order.session)
    assert build(DELAYED_METHODS="off").shop.settings.warnings() == []
    assert "held for days" in " ".join(build(DELAYED_METHODS="on").shop.settings.warnings())
