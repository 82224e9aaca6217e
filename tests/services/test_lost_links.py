"""Payment links that Redis forgot come back from Stripe; what is left over of them there is ended."""

from typing import Any

import pytest

from storefront.domain.catalogue_file import CatalogueFile
from storefront.domain.door import Door
from storefront.domain.errors import NotEnoughStock, ShopClosed, StripeUnreachable
from storefront.domain.payment_links import LinkState, PaymentLink, order_of
from storefront.services import (
    payment_links,
    publishing,
    rebuilding,
    reconciliation,
    recovery,
    waitlist,
)
from storefront.storage.answers import UnitTaken
from tests.services.conftest import GOODS, STOCK
from tests.services.losses import keep, lose_all, restart
from tests.services.town import Town


def make(town: Town, units: int = 3, *, key: str = "k") -> PaymentLink:
    return payment_links.create(town.shop, sku="poster", units=units, key=key, who="me")


def now(town: Town, link: PaymentLink) -> PaymentLink:
    found = payment_links.find(town.shop, link.id)
    assert found is not None
    return found


def buy(town: Town, link: PaymentLink) -> str:
    session = town.stripe.visit(link.stripe)
    assert town.stripe.pay(session)
    return session


def lose(town: Town) -> None:
    """Redis is lost, and the catalogue is imported into an empty one."""
    lose_all(town)
    publishing.publish(town.shop, CatalogueFile(products=GOODS, stock=STOCK))


def test_a_rebuild_sets_aside_again_what_a_link_has_left(town: Town) -> None:
    link = make(town)
    sold, open_page = buy(town, link), town.stripe.visit(link.stripe)
    town.deliver()
    town.work()
    before = town.level(), town.order(order_of(sold)).lines
    lose(town)
    assert payment_links.listing(town.shop) == []
    rebuilt = rebuilding.rebuild(town.shop)
    assert rebuilt is not None
    assert (rebuilt.orders, rebuilt.unknown) == (1, 0)
    found = now(town, link)
    assert (found.state, found.units, found.left, found.sold) == (LinkState.OPEN, 3, 2, 1)
    assert (found.stripe, found.url, found.unit_amount) == (link.stripe, link.url, 2500)
    assert (town.level(), town.order(order_of(sold)).lines) == before == ((2, 2, 1), before[1])
    assert town.failing(with_stripe=True) == {}
    town.stripe.pay(open_page)
    town.deliver()
    assert (town.order(order_of(open_page)).state, town.level()) == ("paid", (2, 1, 2))
    payment_links.close(town.shop, link.id, "me")
    assert town.level() == (3, 0, 2)
    town.rest()


def test_a_rebuild_that_is_run_again_changes_nothing(town: Town) -> None:
    link = make(town)
    buy(town, link)
    lose(town)
    calls = 0

    def step() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuilding.rebuild(town.shop, step)
    rebuilding.rebuild(town.shop)
    assert (now(town, link).left, town.level()) == (2, (2, 2, 1))
    town.work()
    assert town.failing(with_stripe=True) == {}


def test_a_link_whose_units_are_gone_comes_back_to_be_ended(town: Town) -> None:
    """A restock that Stripe never heard of is lost: those who paid have the goods before the link."""
    town.shop.store.scripts.restock("poster", delta=3, reason="r", who="w", key="k")
    link = make(town, 3)
    visit = town.stripe.visit(link.stripe)
    for number in range(4):
        order = town.begin({"poster": 1}, visitor=f"v{number}").order
        town.stripe.pay(order.session)
    lose(town)
    rebuilding.rebuild(town.shop)
    assert (now(town, link).state, now(town, link).left) == (LinkState.CLOSING, 1)
    assert town.level() == (0, 1, 4)
    town.work()
    assert (now(town, link).state, town.level()) == (LinkState.CLOSED, (1, 0, 4))
    assert not town.stripe.pay(visit)
    assert not town.stripe.links[link.stripe]["active"]


def test_webhooks_of_a_lost_link_come_again(town: Town) -> None:
    link = make(town)
    lose(town)
    assert recovery.stands(town.shop) is Door.REBUILD, "a link alone shows that the shop was here"
    buy(town, link)
    for event in town.stripe.new_events():
        if event["type"] in {"checkout.session.completed", "payment_link.updated"}:
            with pytest.raises(ShopClosed):
                town.receive(event)
    with pytest.raises(ShopClosed):
        payment_links.thank(town.shop, next(iter(town.stripe.sessions)))
    rebuilding.rebuild(town.shop)
    assert town.level() == (2, 2, 1)


def test_who_paid_through_a_link_that_is_lost_at_this_moment_waits_for_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keep(town)
    link = make(town)
    sold = buy(town, link)
    completed = next(
        event for event in town.stripe.new_events() if event["type"] == "checkout.session.completed"
    )
    take_unit = town.shop.store.scripts.take_unit

    def after_the_loss(*about: Any, **more: Any) -> UnitTaken:
        restart(town, before)
        return take_unit(*about, **more)

    with monkeypatch.context() as patched:
        patched.setattr(town.shop.store.scripts, "take_unit", after_the_loss)
        with pytest.raises(ShopClosed):
            town.receive(completed)
    assert town.shop.store.orders.get(order_of(sold)) is None
    recovery.recover(town.shop)
    assert (now(town, link).left, town.order(order_of(sold)).state) == (2, "paid")


def test_a_link_that_a_restart_forgot_is_restored_before_anything_is_sold(town: Town) -> None:
    before = keep(town)
    link = make(town)
    sold = buy(town, link)
    town.deliver()
    restart(town, before)
    with pytest.raises(ShopClosed):
        town.begin({"poster": 1})
    recovery.recover(town.shop)
    assert recovery.stands(town.shop) is Door.OPEN
    assert (now(town, link).left, town.order(order_of(sold)).state) == (2, "paid")
    assert town.level() == (2, 2, 1)
    with pytest.raises(NotEnoughStock):
        town.begin({"poster": 3})


def test_a_sale_that_a_restart_forgot_takes_its_unit_from_the_link_again(town: Town) -> None:
    link = make(town)
    before = keep(town)
    sold = buy(town, link)
    town.deliver()
    town.work()
    restart(town, before)
    recovery.recover(town.shop)
    assert (now(town, link).left, town.order(order_of(sold)).state) == (2, "paid")
    assert town.level() == (2, 2, 1)
    town.work()
    assert town.failing(with_stripe=True) == {}


def test_an_end_that_a_restart_forgot_comes_before_those_who_paid_at_the_shelf(town: Town) -> None:
    """What the link gave back was sold meanwhile: its buyers paid in time, and keep their goods."""
    link = make(town, 5)
    before = keep(town)
    payment_links.close(town.shop, link.id, "me")
    order = town.begin({"poster": 5}).order
    town.stripe.pay(order.session)
    town.deliver()
    restart(town, before)
    assert town.level() == (0, 5, 0)
    recovery.recover(town.shop)
    assert town.order(order).state == "paid"
    assert (now(town, link).state, town.level()) == (LinkState.CLOSED, (0, 0, 5))


def test_a_copy_that_was_made_by_hand_is_switched_off(town: Town) -> None:
    link = make(town, 2)
    copy = town.stripe.copy_by_hand(link.stripe)
    visit, sold = town.stripe.visit(copy), town.stripe.visit(copy)
    town.stripe.pay(sold)
    town.deliver()
    assert (town.order(order_of(sold)).state, now(town, link).left) == ("paid", 1)
    reconciliation.reconcile(town.shop)
    assert not town.stripe.links[copy]["active"]
    assert not town.stripe.pay(visit)
    assert town.failing(with_stripe=True) == {}


def test_a_link_that_says_nothing_of_what_it_sells_is_left_to_a_person(town: Town) -> None:
    link = make(town)
    for broken in ({"lines": "poster"}, {"units": "x"}, {"link": "a:b"}, {"lines": "none=1@5"}):
        lose(town)
        found = town.stripe.links[link.stripe]
        kept = dict(found["metadata"])
        found["metadata"] |= broken
        rebuilding.rebuild(town.shop)
        assert payment_links.listing(town.shop) == [], broken
        found["metadata"] = kept


def test_the_walk_ends_sessions_of_a_closed_link_and_settles_the_unheard(town: Town) -> None:
    link = make(town, 2)
    payment_links.close(town.shop, link.id, "me")
    at_stripe = town.stripe.links[link.stripe]
    at_stripe["active"] = True  # as if its list had shown this session too late
    left_open = town.stripe.visit(link.stripe)
    at_stripe["active"] = False
    paid = town.stripe.visit(make(town, 2, key="other").stripe)
    town.stripe.pay(paid)
    town.lose_events()
    done = reconciliation.reconcile(town.shop)
    assert (done.ended, done.settled, done.unknown) == (1, 1, 0)
    assert not town.stripe.pay(left_open)
    assert town.order(order_of(paid)).state == "paid"
    assert reconciliation.reconcile(town.shop).settled == 0


def test_what_a_link_gives_back_is_for_whoever_waits_in_line(town: Town) -> None:
    link = make(town, 5)
    waitlist.join(town.shop, sku="poster", email="bob@example.com")
    [place] = town.shop.store.waitlist.all()
    waitlist.confirm(town.shop, place)
    with pytest.raises(NotEnoughStock):
        make(town, 1, key="other")
    payment_links.close(town.shop, link.id, "me")
    assert town.find("offered").email == "bob@example.com"
    assert town.level() == (4, 1, 0)


def test_a_link_that_was_being_closed_when_redis_was_restarted_keeps_its_units(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had sold was counted on the server before, and may be lost on the one after."""
    link = make(town, 1)
    read = town.shop.store.scripts.read_door
    with monkeypatch.context() as patched:
        patched.setattr(town.shop.store.scripts, "read_door", lambda: (read()[0], "the-one-before"))
        with pytest.raises(StripeUnreachable, match="restarted"):
            payment_links.close(town.shop, link.id, "me")
    assert town.level() == (4, 1, 0)
    assert now(town, link).left == 1
    town.work()
    assert town.level() == (5, 0, 0)
