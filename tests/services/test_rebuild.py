"""A shop that lost its Redis comes back from Stripe, order by order and unit by unit."""

from dataclasses import replace
from typing import Any

import pytest

from storefront.domain.catalogue_file import CatalogueFile
from storefront.domain.door import Door
from storefront.domain.errors import ShopClosed, StripeUnreachable
from storefront.domain.orders import Order, State
from storefront.domain.products import Level
from storefront.services import (
    giving_back,
    orders,
    publishing,
    rebuilding,
    reconciliation,
    recovery,
    restocking,
    reviews,
    sessions,
)
from storefront.services.giving_back import Wish
from storefront.services.rebuilding import rebuild
from tests.fakes.faults import Fault
from tests.services.conftest import GOODS, STOCK, Build
from tests.services.losses import keep, lose_all
from tests.services.sweeping import MakeFuse, breaks, sweep
from tests.services.town import Town

FILE = CatalogueFile(products=GOODS, stock=STOCK)
SALES = 500


def lose(town: Town) -> publishing.Published:
    """Redis is lost, and the catalogue is imported into an empty one."""
    lose_all(town)
    return publishing.publish(town.shop, FILE)


def restock(town: Town, sku: str, delta: int, key: str = "k") -> None:
    restocking.restock(town.shop, sku=sku, delta=delta, reason="r", who="w", key=key)


def told(town: Town) -> list[dict[str, Any]]:
    """All that is known of every order; why nobody bought is known to the shop alone."""
    found = [orders.as_json(town.shop, order) for order in town.orders()]
    return [row | {"reason": None} if row["state"] == State.RELEASED else row for row in found]


def differences(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[Any]:
    """What is not known as it was, by order and name; Stripe may know of more than the shop did."""
    return [
        (row["id"], name, was[name], row[name])
        for was, row in zip(before, after, strict=True)
        for name in row
        if was[name] != row[name]
        and not (name == "email" and was[name] is None)
        and not (name == "checkout_sessions" and set(was[name]) < set(row[name]))
    ]


def levels(town: Town) -> dict[str, Level]:
    """The counters of what was ever stocked."""
    return {level.sku: level for level in town.shop.store.stock.levels() if level.stocked}


def buy(town: Town, visitor: str, **wanted: int) -> Order:
    return town.begin(wanted, visitor=visitor).order


def sale(town: Town, number: int) -> None:
    """One shopper with one of many fates."""
    visitor = f"visitor-{number}"
    order = buy(town, visitor, **({"poster": 2, "zine": 1} if number % 3 else {"zine": 2}))
    match number % 20:
        case 0:
            orders.cancel(town.shop, order)
        case 1:
            town.stripe.expire_session(order.session)
        case 2:
            town.stripe.pay(order.session)
            town.deliver()
            town.stripe.refund_by_hand(town.order(order).payment_intent)
        case 3:
            town.stripe.pay(order.session)
            town.deliver()
            town.stripe.refund_by_hand(town.order(order).payment_intent, 100)
        case 4:
            town.stripe.pay_later(order.session)
            town.deliver()
            town.stripe.money_fails(order.session)
        case 5:
            twin = town.stripe.create_session(
                sessions.params(town.shop, order), f"twin of {order.id}"
            )
            town.stripe.pay(order.session)
            town.stripe.pay(twin.session)
        case _:
            town.stripe.pay(order.session)
    town.deliver()


def crowd(town: Town, sales: int) -> None:
    """Sales of a day that is over, and some that are under way."""
    restock(town, "poster", 2 * sales, "many")
    restock(town, "zine", 2 * sales, "more")
    restock(town, "poster", -7, "torn")
    for number in range(sales):
        sale(town, number)
    town.stripe.pay_later(buy(town, "coming", poster=1).session)
    town.deliver()
    town.pass_time(6 * 3600)
    town.deliver()
    buy(town, "open", last=1)
    town.work()


def test_five_hundred_sales_with_all_their_fates_come_back(build: Build) -> None:
    town = build(HOLDS_PER_IP="0")
    crowd(town, SALES)
    before, stock, mails = told(town), levels(town), town.mails()
    assert len(before) == SALES + 2
    assert {row["state"] for row in before} >= {
        "paid",
        "refunded",
        "released",
        "processing",
        "open",
    }
    published = lose(town)
    assert published.rebuild
    assert published.stocked == {}
    done = rebuild(town.shop)
    assert done is not None
    assert (done.orders, done.unknown, done.from_file, done.raised) == (SALES + 2, 0, (), {})
    assert differences(before, told(town)) == []
    assert levels(town) == stock
    town.work()
    assert town.mails() == mails
    assert town.failing(with_stripe=True) == {}
    assert reconciliation.JOB in town.due()
    kept = keep(town)
    assert rebuild(town.shop) is None
    assert keep(town) == kept
    town.check()


@pytest.fixture
def lost(town: Town) -> Town:
    """A shop with one sale that lost its books and got its catalogue back."""
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    lose(town)
    return town


# Closed.


def test_until_it_is_rebuilt_nothing_is_sold_restocked_or_worked_on(lost: Town) -> None:
    assert recovery.stands(lost.shop) is Door.REBUILD
    with pytest.raises(ShopClosed, match="rebuild --from-stripe"):
        lost.begin()
    with pytest.raises(ShopClosed):
        restock(lost, "poster", 5)
    with pytest.raises(ShopClosed):
        recovery.recover(lost.shop)
    lost.shop.store.due.schedule("mirror:poster", 0)
    assert lost.work() == 0
    assert lost.level() == (0, 0, 0)


def test_events_about_this_shop_come_again_and_others_are_done_with(lost: Town) -> None:
    [order] = lost.stripe.sessions.values()
    lost.stripe.refund_by_hand(order["payment_intent"], 5)
    lost.stripe.dispute(order["payment_intent"])
    ours = lost.stripe.new_events()
    assert {event["type"] for event in ours} == {
        "refund.created",
        "charge.refunded",
        "charge.dispute.created",
    }
    for event in [*ours, *[e for e in lost.stripe.events if e["type"].startswith("checkout")]]:
        with pytest.raises(ShopClosed):
            lost.receive(event)
    [paid] = [e for e in lost.stripe.events if e["type"] == "checkout.session.completed"]
    paid["data"]["object"]["metadata"]["shop"] = "another"
    assert lost.receive(lost.stripe.twin(paid)) == "not_ours"
    assert not lost.shop.store.orders.seen(ours[0]["id"])


def test_the_link_to_an_order_says_that_it_may_be_lost_for_now_only(lost: Town) -> None:
    [session] = lost.stripe.sessions.values()
    token = orders.token(lost.shop, session["client_reference_id"])
    with pytest.raises(ShopClosed):
        orders.find(lost.shop, token)
    assert orders.find(lost.shop, "x" * 37) is None
    rebuild(lost.shop)
    found = orders.find(lost.shop, token)
    assert found is not None
    assert found.state is State.PAID


def test_without_any_import_nothing_can_be_sold_or_rebuilt(town: Town) -> None:
    lose_all(town)
    assert recovery.stands(town.shop) is Door.EMPTY
    with pytest.raises(ShopClosed, match="flask shop import"):
        town.begin()
    with pytest.raises(ShopClosed, match="flask shop import"):
        rebuild(town.shop)
    assert town.work() == 0


# The import.


def test_an_import_that_cannot_ask_stripe_changes_nothing(town: Town) -> None:
    lose_all(town)
    town.stripe.down()
    with pytest.raises(StripeUnreachable):
        publishing.publish(town.shop, FILE)
    assert keep(town) == {}
    town.stripe.up()


def test_the_built_in_stand_in_need_not_run_for_the_first_import(town: Town) -> None:
    lose_all(town)
    town.stripe.down()
    shop = replace(town.shop, settings=replace(town.shop.settings, standin=True))
    assert publishing.publish(shop, FILE).stocked == STOCK
    town.stripe.up()


def test_a_shop_of_which_stripe_knows_nothing_is_new(town: Town) -> None:
    order = town.begin().order
    town.stripe.expire_session(order.session)
    town.stripe.sessions[order.session]["metadata"]["shop"] = "another"
    published = lose(town)
    assert (published.rebuild, published.stocked) == (False, STOCK)
    assert recovery.stands(town.shop) is Door.OPEN
    town.stripe.sessions.clear()


def test_an_import_into_books_that_are_here_does_not_ask_stripe(town: Town) -> None:
    calls = len(town.stripe.wire.calls)
    publishing.publish(town.shop, FILE)
    assert len(town.stripe.wire.calls) == calls


# What came in.


def test_what_came_in_and_was_written_off_is_what_stripe_keeps(town: Town) -> None:
    restock(town, "poster", 10, "in")
    restock(town, "poster", -4, "out")
    town.begin({"zine": 1})
    town.work()
    before = levels(town)
    lose(town)
    assert rebuild(town.shop) is not None
    after = levels(town)
    assert after == before
    assert (after["poster"].stocked, after["poster"].written_off) == (15, 4)


def test_a_sku_that_stripe_does_not_know_has_the_units_of_the_file(lost: Town) -> None:
    del lost.stripe.catalogue["test_poster"]
    done = rebuild(lost.shop)
    assert done is not None
    assert done.from_file == ("poster",)
    assert lost.level() == (3, 0, 2)


def test_more_sold_than_ever_came_in_is_believed_written_down_and_reported(lost: Town) -> None:
    lost.stripe.catalogue["test_poster"]["metadata"]["stocked"] = "1"
    done = rebuild(lost.shop)
    assert done is not None
    assert done.raised == {"poster": 1}
    assert lost.level() == (0, 0, 2)
    assert {e.why for e in lost.shop.store.ledger.latest(99, "poster")} >= {rebuilding.MORE_SOLD}
    [order] = lost.orders()
    assert (order.state, order.refunded) == (State.PAID, 0)


def test_an_open_payment_whose_units_are_gone_is_ended(town: Town) -> None:
    ada = buy(town, "ada", last=1)
    town.work()
    lose(town)
    town.stripe.catalogue["test_last"]["metadata"]["stocked"] = "0"
    rebuild(town.shop)
    assert town.order(ada).state is State.RELEASED
    assert town.stripe.sessions[ada.session]["status"] == "expired"
    town.rest()


def test_an_open_payment_goes_on_where_it_was(town: Town) -> None:
    ada = buy(town, "ada", last=1)
    town.work()
    lose(town)
    rebuild(town.shop)
    town.stripe.pay(ada.session)
    town.deliver()
    assert town.order(ada).state is State.PAID
    town.rest()


@pytest.mark.parametrize("capture", ["automatic", "manual"])
@pytest.mark.parametrize("form", ["hosted", "elements"])
def test_orders_come_back_however_they_are_paid(build: Build, form: str, capture: str) -> None:
    town = build(CHECKOUT_UI=form, CAPTURE_METHOD=capture, STRIPE_PUBLISHABLE_KEY="pk_test_x")
    paid, back, agreed = (buy(town, name, poster=1) for name in ("paid", "back", "agreed"))
    over = buy(town, "over", zine=1)
    for order in (paid, back):
        town.stripe.pay(order.session)
    town.deliver()
    town.work()
    orders.cancel(town.shop, over)
    town.stripe.refund_by_hand(town.order(back).payment_intent)
    town.deliver()
    town.work()
    town.stripe.pay(agreed.session)  # with manual capture, not captured yet
    buy(town, "open", last=1)
    town.deliver()
    before, stock = told(town), levels(town)
    assert {row["state"] for row in before} >= {"paid", "refunded", "released", "open"}
    assert ("authorized" in {row["state"] for row in before}) == (capture == "manual")
    lose(town)
    done = rebuild(town.shop)
    assert done is not None
    assert (done.unknown, done.raised) == (0, {})
    assert differences(before, told(town)) == []
    assert levels(town) == stock
    town.rest()
    assert town.order(agreed).state is State.PAID


# Mails.


def test_who_paid_unnoticed_gets_the_mail_and_nobody_gets_it_twice(town: Town) -> None:
    noticed = buy(town, "noticed", poster=1)
    unnoticed = buy(town, "unnoticed", poster=1)
    for order in (noticed, unnoticed):
        town.stripe.pay(order.session)
    town.deliver()
    for event in town.stripe.events:
        if event["data"]["object"]["id"] == unnoticed.session:
            town.stripe.not_taken.add(event["id"])
    town.skip(2 * 3600)
    late = buy(town, "late", poster=1)
    town.stripe.pay(late.session)
    town.lose_events()
    lose(town)
    rebuild(town.shop)
    town.work()
    assert sorted(town.mails("confirmed")) == sorted([unnoticed.id, late.id])
    assert "confirmed" in town.order(noticed).notices
    town.rest()


def test_without_asking_who_noticed_everybody_would_be_mailed_again(
    lost: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    lost.skip(2 * 3600)
    monkeypatch.setattr(rebuilding, "_told", lambda _: lambda _about: False)
    rebuild(lost.shop)
    [order] = lost.orders()
    assert f"mail:confirmed:{order.id}" in lost.due()


# Cut short.


def test_a_silent_stripe_leaves_it_closed_and_the_next_run_ends_it(lost: Town) -> None:
    for call in ("products", "undelivered", "sessions_between", "refunds_between"):
        lost.stripe.fault(call, Fault.LOST_REQUEST)
        with pytest.raises(StripeUnreachable):
            rebuild(lost.shop)
        assert recovery.stands(lost.shop) is Door.REBUILD
    assert rebuild(lost.shop) is not None
    assert recovery.stands(lost.shop) is Door.OPEN


@breaks
def test_wherever_it_breaks_the_next_run_ends_with_the_same_books(
    build: Build, make_fuse: MakeFuse
) -> None:
    before: list[Any] = []

    def prepare(town: Town) -> None:
        town.stripe.pay(buy(town, "ada", poster=2).session)
        town.deliver()
        back = buy(town, "back", zine=1)
        town.stripe.pay(back.session)
        town.deliver()
        town.stripe.refund_by_hand(town.order(back).payment_intent)
        town.deliver()
        buy(town, "open", last=1)
        town.work()
        before[:] = [told(town), levels(town)]
        lose(town)

    def then(town: Town) -> None:
        rebuild(town.shop)
        assert [told(town), levels(town)] == before

    sweep(build, make_fuse, lambda town: rebuild(town.shop), prepare=prepare, then=then)


@pytest.mark.parametrize("to", ["available", "written_off", "sold"])
@pytest.mark.parametrize("status", ["succeeded", "pending", "failed"])
def test_units_that_the_operator_took_back_are_no_order_s_after_a_rebuild(
    town: Town, to: str, status: str
) -> None:
    """One of Ada's four posters went back, and all that were left then are Bob's."""
    ada = buy(town, "ada", poster=4)
    town.stripe.pay(ada.session)
    town.deliver()
    town.work()
    town.stripe.refund_status = status
    seen = giving_back.preview(town.order(ada), Wish({"poster": 1}, None, False, to))
    giving_back.send_back(
        town.shop, town.order(ada), seen, reason="torn", key="form-000001", who="admin"
    )
    town.work()
    town.stripe.refund_status = "succeeded"
    if status == "failed":
        reviews.end(town.shop, town.order(ada), "admin")
    left = town.level()[0]
    bob = buy(town, "bob", poster=left)
    town.stripe.pay(bob.session)
    town.deliver()
    town.pass_time(30)
    before, counted = told(town), levels(town)
    own = [order.own for order in town.orders()]
    lose(town)
    rebuild(town.shop)
    assert [order.own for order in town.orders()] == own
    assert levels(town) == counted
    if status == "failed":  # Stripe cannot say that a person has looked at it already
        assert town.order(ada).state is State.REVIEW
        return
    assert differences(before, told(town)) == []
    if status == "pending":
        town.stripe.refund_ends("re_1", "succeeded")
    town.rest()


def test_an_order_in_dispute_comes_back_before_a_person(town: Town) -> None:
    ada = buy(town, "ada", poster=2)
    town.stripe.pay(ada.session)
    town.deliver()
    town.stripe.dispute(town.order(ada).payment_intent)
    town.deliver()
    town.work()
    lose(town)
    rebuild(town.shop)
    order = town.order(ada)
    assert (order.state, order.units, len(order.disputes)) == (State.REVIEW, "sold", 1)
