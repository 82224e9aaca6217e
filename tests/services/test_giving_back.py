"""The operator sends money back: by line and quantity, whole, or as a kindness; each wish once."""

from dataclasses import replace

import pytest

from storefront.domain.errors import BadInput
from storefront.domain.orders import Order, State
from storefront.services import giving_back
from storefront.services.giving_back import Wish
from storefront.services.notices import KINDS
from storefront.storage.answers import Planned, Settled
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Town

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
def bought(town: Town) -> Order:
    """Ada has three posters, paid."""
    order = town.begin({"poster": 3}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    return town.order(order)


def want(
    town: Town,
    order: Order,
    units: dict[str, int] | None = None,
    *,
    amount: int | None = None,
    whole: bool = False,
    to: str = "available",
    key: str = "form-000001",
) -> Planned | Settled:
    wish = Wish(units or {}, amount, whole, to)
    seen = giving_back.preview(town.order(order), wish)
    return giving_back.send_back(
        town.shop, town.order(order), seen, reason="torn in the post", key=key, who="admin"
    )


def creations(town: Town) -> list[str]:
    return [key for call, key in town.stripe.wire.calls if call == "create_refund"]


def refunded(town: Town) -> list[int]:
    return [r["amount"] for r in town.stripe.all_refunds.values() if r["status"] != "failed"]


def test_one_of_three_goes_back_on_sale_with_its_price_and_a_mail_says_so(
    town: Town, bought: Order
) -> None:
    want(town, bought, {"poster": 1})
    assert town.level() == (2, 0, 3)
    town.work()
    order = town.order(bought)
    price = order.lines[0].unit_amount
    assert (order.state, order.refunded, town.level()) == (State.PAID, price, (3, 0, 2))
    [refund] = town.stripe.all_refunds.values()
    assert refund["metadata"] == {
        "order": order.id,
        "shop": "test",
        "reason": "operator",
        "plan": "form-000001",
        "to": "available",
        "note": "torn in the post",
        "units": "poster=1",
    }
    assert creations(town) == [f"refund:{order.payment_intent}:form-000001"]
    assert town.mails("refunded") == [order.id]
    notice = str(KINDS["refunded"](town.shop, order, refund["id"]))
    assert "The rest of your order stands: 2 × Poster." in notice
    town.rest()


@pytest.mark.parametrize(
    ("to", "level", "written_off"),
    [("available", (3, 0, 2), 0), ("written_off", (2, 0, 2), 1), ("sold", (2, 0, 3), 0)],
)
def test_the_units_go_where_the_operator_said(
    town: Town, bought: Order, to: str, level: tuple[int, int, int], written_off: int
) -> None:
    want(town, bought, {"poster": 1}, to=to)
    town.work()
    assert town.level() == level
    [poster] = [one for one in town.shop.store.stock.levels() if one.sku == "poster"]
    assert poster.written_off == written_off
    [entry] = [e for e in town.shop.store.ledger.walk() if e.who == "admin"]
    assert (entry.why, entry.quantity, entry.order) == ("torn in the post", 1, bought.id)
    town.rest()


def test_a_kindness_sends_money_and_touches_no_unit(town: Town, bought: Order) -> None:
    want(town, bought, amount=500, to="sold")
    town.work()
    assert (town.order(bought).refunded, town.level()) == (500, (2, 0, 3))
    town.rest()


@pytest.mark.parametrize("to", ["available", "written_off", "sold"])
def test_everything_ends_the_order_and_leaves_no_unit_with_it(
    town: Town, bought: Order, to: str
) -> None:
    want(town, bought, whole=True, to=to)
    town.work()
    order = town.order(bought)
    assert (order.state, order.reason, order.units) == (State.REFUNDED, "operator", "none")
    assert town.level() == ((5, 0, 0) if to == "available" else (2, 0, 0))
    assert town.mails("refunded") == [order.id]
    town.rest()


def test_units_bought_again_after_they_came_back_are_another_order_s(
    town: Town, bought: Order
) -> None:
    want(town, bought, {"poster": 2})
    town.work()
    bob = town.begin({"poster": 4}, visitor="bob").order
    town.stripe.pay(bob.session)
    town.deliver()
    town.stripe.refund_by_hand(bought.payment_intent, town.order(bought).money_left("pi_1"))
    town.deliver()
    town.work()
    assert town.order(bought).state is State.REFUNDED
    assert town.level() == (1, 0, 4)
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
def test_whatever_goes_wrong_each_wish_is_one_refund(
    town: Town, bought: Order, fault: Fault, times: int
) -> None:
    town.stripe.fault("create_refund", fault, times)
    want(town, bought, {"poster": 1})
    want(town, bought, {"poster": 1}, amount=700, key="form-000002")
    town.work()
    town.stripe.wire.arrive()
    town.pass_time(10 * 60)
    town.stripe.wire.arrive()
    town.rest()
    order = town.order(bought)
    price = order.lines[0].unit_amount
    assert sorted(refunded(town)) == sorted([price, 700])
    assert (order.state, town.level()) == (State.PAID, (4, 0, 1))
    assert len(town.mails("refunded")) == 2


def test_a_spent_key_is_followed_by_the_next_number_which_is_stored_first(
    town: Town, bought: Order
) -> None:
    town.stripe.fault("create_refund", Fault.SPENT_BEFORE)
    want(town, bought, {"poster": 1})
    town.work()
    about = f"{bought.payment_intent}:form-000001"
    assert town.order(bought).refund_versions == {about: 1}
    town.pass_time(5)
    assert creations(town) == [f"refund:{about}", f"refund:{about}:1"]


def test_a_clear_no_that_stays_comes_before_a_person_with_the_units_where_they_were(
    town: Town, bought: Order
) -> None:
    town.stripe.fault("create_refund", Fault.REFUSED, times=50)
    want(town, bought, {"poster": 1})
    town.pass_time(HOUR)
    order = town.order(bought)
    assert order.state is State.REVIEW
    assert "given up after 6 tries" in order.reason
    assert (order.plans[0].given_up, town.level()) == (True, (2, 0, 3))
    town.stripe.up()
    town.shop.store.due.schedule(f"refund:{order.id}:{order.payment_intent}", 1)
    town.work()
    assert refunded(town) == []
    assert want(town, bought, {"poster": 1}, key="form-000002") == Planned.PLANNED
    town.work()
    assert (len(refunded(town)), town.level()) == (1, (3, 0, 2))
    town.check()


def test_a_disputed_payment_comes_before_a_person_and_nothing_is_sent(
    town: Town, bought: Order
) -> None:
    town.stripe.dispute(bought.payment_intent)
    town.lose_events()
    want(town, bought, {"poster": 1})
    town.work()
    order = town.order(bought)
    assert (order.state, refunded(town), town.level()) == (State.REVIEW, [], (2, 0, 3))
    assert "disputed" in order.reason
    town.pass_time(DAY)
    assert town.due() == set()


def test_money_that_went_back_by_another_hand_meanwhile_is_not_sent_twice(
    town: Town, bought: Order
) -> None:
    want(town, bought, whole=True, to="available")
    town.stripe.wire.meanwhile(
        "create_refund", before=lambda: town.stripe.refund_by_hand(bought.payment_intent)
    )
    town.rest()
    assert town.order(bought).state is State.REFUNDED
    assert (len(refunded(town)), town.level()) == (1, (5, 0, 0))


def test_a_wish_that_does_not_fit_any_more_comes_before_a_person(town: Town, bought: Order) -> None:
    want(town, bought, {"poster": 2})
    town.stripe.refund_by_hand(bought.payment_intent, bought.amount - 100)
    town.work()
    order = town.order(bought)
    assert (order.state, town.level()) == (State.REVIEW, (2, 0, 3))
    assert order.reason.startswith("the refund does not fit any more")
    assert town.mails("review") == [order.id]
    assert len(refunded(town)) == 1


@pytest.mark.parametrize("heard", [True, False], ids=["by event", "by asking"])
def test_a_refund_that_fails_later_comes_before_a_person_and_no_unit_is_lost_or_doubled(
    town: Town, bought: Order, heard: bool
) -> None:
    town.stripe.refund_status = "pending"
    want(town, bought, {"poster": 1})
    town.work()
    town.lose_events()
    assert town.level() == (3, 0, 2)
    [refund] = town.order(bought).refunds
    town.stripe.refund_ends(refund.id, "failed")
    if heard:
        town.deliver()
    town.pass_time(DAY)
    order = town.order(bought)
    assert (order.state, order.reason) == (State.REVIEW, f"refund {refund.id} failed")
    assert (town.level(), order.own) == ((3, 0, 2), {"poster": 2})
    assert len(creations(town)) == 1
    town.stripe.refund_status = "succeeded"
    want(town, bought, amount=refund.amount, to="sold", key="form-000002")
    town.work()
    assert (town.order(bought).refunded, town.level()) == (refund.amount, (3, 0, 2))
    town.check()


def test_the_same_form_sent_twice_counts_once(town: Town, bought: Order) -> None:
    assert want(town, bought, {"poster": 1}) == Planned.PLANNED
    assert want(town, bought, {"poster": 1}) == Planned.ALREADY
    town.work()
    assert want(town, bought, {"poster": 1}) == Planned.ALREADY
    town.rest()
    assert len(refunded(town)) == 1


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish({"poster": 4}, None, False, "available"), "no more than 3"),
        (Wish({"mug": 1}, None, False, "available"), "no more than 0"),
        (Wish({}, None, False, "available"), "Choose units"),
        (Wish({"poster": 1}, 0, False, "available"), "Choose units"),
        (Wish({}, 10**6, False, "sold"), "more than is left"),
        (Wish({"poster": 1}, None, False, "elsewhere"), "what becomes"),
        (Wish({"poster": 1}, None, False, "available", "pi_9"), "no money"),
    ],
)
def test_what_cannot_be_done_is_said_before_it_is_tried(
    town: Town, bought: Order, wish: Wish, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        giving_back.preview(bought, wish)


@pytest.mark.parametrize(("currency", "amount"), [("kwd", 1235), ("isk", 1250), ("ugx", 1201)])
def test_a_part_that_stripe_cannot_count_in_is_refused_before_it_is_tried(
    bought: Order, currency: str, amount: int
) -> None:
    dear = replace(bought, currency=currency)
    with pytest.raises(BadInput, match=f"Stripe sends {currency} back in steps of 10"):
        giving_back.preview(dear, Wish({}, amount, False, "sold"))
    whole = giving_back.preview(dear, Wish({}, 1200, False, "sold"))
    assert whole.amount == 1200


def test_a_preview_says_that_the_order_ends_and_what_else_goes_with_it(
    town: Town, bought: Order
) -> None:
    left = bought.money_left(bought.payment_intent)
    seen = giving_back.preview(bought, Wish({"poster": 1}, left, False, "written_off"))
    assert (seen.ends, seen.others) == (True, {"poster": 2})
    seen = giving_back.preview(bought, Wish({"poster": 1}, None, False, "written_off"))
    assert (seen.ends, seen.others, seen.amount) == (False, {}, left // 3)


@pytest.fixture
def agreed(build: Build) -> tuple[Town, Order]:
    """Ada's bank has agreed to pay for two posters, and nothing is captured yet."""
    town = build(CAPTURE_METHOD="manual")
    order = town.begin({"poster": 2}).order
    town.stripe.authorize(order.session)
    town.deliver()
    return town, town.order(order)


def test_an_order_that_is_only_authorised_is_cancelled_whole_and_nothing_is_refunded(
    agreed: tuple[Town, Order],
) -> None:
    town, order = agreed
    assert want(town, order, whole=True) is Settled.CANCELLED
    assert town.level() == (5, 0, 0)
    town.rest()
    assert (town.order(order).state, town.mails("voided")) == (State.VOIDED, [order.id])
    assert refunded(town) == []


def test_a_part_of_what_is_only_authorised_waits_for_the_money(
    agreed: tuple[Town, Order],
) -> None:
    town, order = agreed
    with pytest.raises(BadInput, match="Wait until the money is collected"):
        want(town, order, {"poster": 1})
    with pytest.raises(BadInput, match="write them off"):
        want(town, order, whole=True, to="sold")


def test_money_that_was_captured_before_the_cancelling_reached_stripe_goes_back(
    agreed: tuple[Town, Order],
) -> None:
    town, order = agreed
    want(town, order, whole=True)
    town.stripe.capture_by_hand(order.payment_intent)
    town.rest()
    assert (town.order(order).state, town.level()) == (State.REFUNDED, (5, 0, 0))
    assert refunded(town) == [order.amount]
    assert town.mails("refunded") == [order.id]
