"""In line for what is sold out: units that come free are offered in order, and nobody jumps the line."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from storefront.domain.door import Door
from storefront.domain.errors import (
    BadInput,
    NotEnoughStock,
    NotOpenYet,
    OverLimit,
    ShopClosed,
    StripeUnreachable,
    UnknownSku,
)
from storefront.domain.orders import Order, Reason, State
from storefront.domain.waitlist import MOST_UNITS, Place, PlaceState, mail_address
from storefront.services import (
    line_checks,
    links,
    orders,
    reconciliation,
    recovery,
    restocking,
    settlement,
    waitlist,
    work,
)
from storefront.services.shop import Shop
from storefront.services.waitlist import LAPSE_MS, MAIL_AGAIN_MS, Standing
from storefront.storage.answers import Settled
from tests.fakes.faults import Fault
from tests.services.town import Town

OFFER_SECONDS = 7200
Build = Callable[..., Town]


@pytest.fixture
def gone(town: Town) -> Town:
    """The last thing is held by Ada, whose payment page is open."""
    town.begin({"last": 1}, visitor="ada")
    return town


def place_of(town: Town, name: str, sku: str = "last") -> Place:
    [place] = town.shop.store.waitlist.get_many(
        links.place_ids(town.shop.settings, sku, address(name))
    )
    return place


def standing(town: Town, name: str, sku: str = "last") -> Standing:
    token = links.place_token(town.shop.settings, place_of(town, name, sku).id)
    found = waitlist.find(town.shop, token)
    assert found is not None
    return found


def address(name: str) -> str:
    return f"{name}@example.com"


def join(town: Town, name: str, sku: str = "last", quantity: int = 1) -> None:
    waitlist.join(town.shop, sku=sku, email=address(name), quantity=quantity)


def wait(town: Town, *names: str, sku: str = "last", quantity: int = 1) -> None:
    for name in names:
        join(town, name, sku, quantity)
        waitlist.confirm(town.shop, place_of(town, name, sku))


def take(town: Town, name: str, order: str = "") -> str:
    started = waitlist.take(town.shop, standing(town, name), order)
    return started.url if started else ""


def restock(town: Town, delta: int, sku: str = "last") -> None:
    key = f"restock-{len(list(town.shop.store.ledger.walk()))}"
    restocking.restock(town.shop, sku=sku, delta=delta, reason="found", who="admin", key=key)


def offered_to(town: Town) -> list[str]:
    """Who has an offer now, in the order of their offers."""
    made = [town.order(e.order) for e in town.shop.store.ledger.walk() if e.what == "offer"]
    return [order.email.partition("@")[0] for order in made if order.state is State.OFFERED]


# Joining


def test_joining_sends_a_mail_whose_link_alone_confirms(gone: Town) -> None:
    join(gone, "bob")
    gone.work()
    assert gone.mails("waitlist") == [place_of(gone, "bob").orders[0]]
    assert standing(gone, "bob").place.state is PlaceState.UNCONFIRMED
    restock(gone, 1)
    assert (gone.level("last"), offered_to(gone)) == ((1, 1, 0), [])


def test_joining_again_keeps_the_place_and_sends_no_mail(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    gone.work()
    join(gone, "bob")
    waitlist.join(gone.shop, sku="last", email="BOB@Example.com")
    gone.work()
    assert standing(gone, "bob").ahead == 0
    assert gone.mails("waitlist") == []  # both confirmed before the worker came


def test_nobody_can_have_a_strangers_mailbox_filled(gone: Town) -> None:
    for _ in range(50):
        join(gone, "bob")
        gone.work()
    assert len(gone.mails("waitlist")) == 1
    gone.skip(MAIL_AGAIN_MS / 1000)
    for _ in range(5):
        join(gone, "bob")
        gone.work()
    assert len(gone.mails("waitlist")) == 2


def test_an_unconfirmed_place_is_forgotten(gone: Town) -> None:
    join(gone, "bob")
    link = links.place_token(gone.shop.settings, place_of(gone, "bob").id)
    gone.pass_time(LAPSE_MS / 1000)
    assert waitlist.find(gone.shop, link) is None
    assert gone.shop.store.waitlist.all() == []


def test_a_place_is_found_after_the_secret_key_was_rolled(gone: Town) -> None:
    wait(gone, "bob")
    settings = replace(
        gone.shop.settings,
        secret_key="another-key-of-theirs",
        secret_key_fallbacks=(gone.shop.settings.secret_key,),
    )
    shop = replace(gone.shop, settings=settings)
    waitlist.join(shop, sku="last", email=address("bob"))
    assert len(gone.shop.store.waitlist.all()) == 1


@pytest.mark.parametrize(
    ("sku", "quantity", "refusal"),
    [
        ("nothing", 1, UnknownSku),
        ("gone", 1, UnknownSku),
        ("never", 1, UnknownSku),
        ("last", 0, BadInput),
        ("last", MOST_UNITS + 1, OverLimit),
        ("few", 3, OverLimit),
        ("soon", 1, NotOpenYet),
    ],
)
def test_what_cannot_be_waited_for_is_refused(
    town: Town, sku: str, quantity: int, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        join(town, "bob", sku, quantity)
    assert town.shop.store.waitlist.all() == []


NO_ADDRESS = (
    "",
    "bob",
    "bob@",
    "@example.org",
    "bob@example",
    "a b@example.org",
    "bob@ex..org",
    "bob@-x.org",
    "bob@example.org\r\nBcc: eve@example.org",
    "bob@example.org,eve@example.org",
    "é@example.org",
    f"{'x' * 65}@example.org",
    f"bob@{'x' * 250}.org",
)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_mail_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        mail_address(text)


def test_a_mail_address_is_kept_as_it_was_written() -> None:
    assert mail_address(" Ada.Lovelace+moth@Example.org ") == "Ada.Lovelace+moth@Example.org"


def test_addresses_stand_in_no_line_of_the_log(
    gone: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wait(gone, "bob", "cyd")
    orders.cancel(gone.shop, gone.find("open"))
    gone.pass_time(2 * OFFER_SECONDS)
    assert "bob" not in caplog.text
    assert "cyd@" not in caplog.text


# Offers


def test_a_unit_that_comes_free_is_offered_by_mail_to_the_first_in_line(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    orders.cancel(gone.shop, gone.find("open"))
    assert (gone.level("last"), offered_to(gone)) == ((0, 1, 0), ["bob"])
    gone.work()
    order = gone.find("offered")
    assert gone.mails("offer") == [order.id]
    assert order.deadline == gone.shop.store.now() + OFFER_SECONDS * 1000


def test_a_passer_by_is_refused_while_an_offer_runs_and_while_anyone_waits(gone: Town) -> None:
    wait(gone, "bob")
    orders.cancel(gone.shop, gone.find("open"))
    with pytest.raises(NotEnoughStock):
        gone.begin({"last": 1}, visitor="eve")


def test_an_offer_that_is_not_taken_passes_on_with_a_mail_and_without_stripe(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    orders.cancel(gone.shop, gone.find("open"))
    gone.work()
    gone.stripe.wire.calls.clear()
    gone.pass_time(OFFER_SECONDS)
    assert offered_to(gone) == ["cyd"]
    missed = [order for order in gone.orders() if order.state is State.RELEASED and order.place]
    assert gone.mails("offer-missed") == [missed[0].id]
    assert gone.stripe.wire.calls == []
    assert standing(gone, "bob").place.state is PlaceState.MISSED
    gone.rest()


def test_a_taken_offer_is_paid_like_any_order(gone: Town) -> None:
    wait(gone, "bob")
    orders.cancel(gone.shop, gone.find("open"))
    url = take(gone, "bob")
    order = gone.find("open")
    assert url == order.url
    assert order.deadline == gone.shop.store.now() + gone.shop.settings.hold_seconds * 1000
    assert take(gone, "bob") == url  # a second click
    gone.stripe.pay(order.session)
    gone.deliver()
    assert gone.order(order).state is State.PAID
    gone.rest()
    assert gone.level("last") == (0, 0, 1)


def test_a_taken_offer_that_is_not_paid_passes_on(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    orders.cancel(gone.shop, gone.find("open"))
    take(gone, "bob")
    gone.pass_time(gone.shop.settings.hold_seconds)
    assert offered_to(gone) == ["cyd"]


def test_the_shopper_s_own_hold_does_not_stand_in_the_way_of_an_offer(gone: Town) -> None:
    wait(gone, "bob")
    gone.begin({"poster": 1}, visitor="bob")
    orders.cancel(gone.shop, next(o for o in gone.orders() if o.visitor == "ada"))
    take(gone, "bob")
    gone.begin({"zine": 1}, visitor="bob")  # ends the hold on the poster, and not what was offered
    states = {order.lines[0].sku: order.state for order in gone.orders()}
    assert states == {"last": State.OPEN, "poster": State.RELEASED, "zine": State.OPEN}


def test_what_is_taken_too_late_is_the_next_one_s_at_once(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    orders.cancel(gone.shop, gone.find("open"))
    gone.skip(OFFER_SECONDS)
    assert take(gone, "bob") == ""
    assert offered_to(gone) == ["cyd"]


def test_stripe_away_when_an_offer_is_taken_loses_nothing(gone: Town) -> None:
    wait(gone, "bob")
    orders.cancel(gone.shop, gone.find("open"))
    gone.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        take(gone, "bob")
    assert gone.find("pending").place == place_of(gone, "bob").id
    assert take(gone, "bob") == gone.find("open").url
    assert len(gone.stripe.sessions) == 2  # Ada's, and one of Bob's


def test_an_offer_that_was_long_there_is_taken_on_our_own_page(build: Build) -> None:
    town = build(CHECKOUT_UI="elements", STRIPE_PUBLISHABLE_KEY="pk_test_x", OFFER_SECONDS="200000")
    town.shop.store.scripts._terms = replace(town.shop.store.scripts._terms, offer_ms=200_000_000)
    town.begin({"last": 1}, visitor="ada")
    wait(town, "bob")
    orders.cancel(town.shop, town.find("open"))
    town.skip(150_000)
    town.stripe.fault("create_intent", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        take(town, "bob")
    assert take(town, "bob") == town.find("open").url


def test_several_units_are_offered_one_by_one_and_each_can_be_taken(town: Town) -> None:
    town.begin({"zine": 3}, visitor="ada")
    wait(town, "bob", sku="zine", quantity=2)
    orders.cancel(town.shop, town.find("open"))
    place = standing(town, "bob", "zine")
    assert [order.quantities for order in place.open_offers] == [{"zine": 1}, {"zine": 1}]
    assert town.level("zine") == (1, 2, 0)
    first, second = (order.id for order in place.open_offers)
    waitlist.take(town.shop, place, second)
    waitlist.take(town.shop, standing(town, "bob", "zine"))
    assert town.order(first).state is State.OPEN
    assert town.order(second).state is State.OPEN


# Leaving, and the operator


def test_who_leaves_gives_the_offer_to_the_next_at_once_and_is_told_nothing(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    orders.cancel(gone.shop, gone.find("open"))
    waitlist.leave(gone.shop, place_of(gone, "bob"))
    assert offered_to(gone) == ["cyd"]
    gone.work()
    assert gone.mails("offer-missed") == []
    assert standing(gone, "bob").place.state is PlaceState.LEFT
    assert standing(gone, "bob").place.email == ""


def test_who_leaves_with_units_still_to_come_is_not_offered_his_own_again(town: Town) -> None:
    town.begin({"zine": 3}, visitor="ada")
    wait(town, "bob", sku="zine", quantity=5)
    orders.cancel(town.shop, town.find("open"))
    waitlist.leave(town.shop, place_of(town, "bob", "zine"))
    assert town.level("zine") == (3, 0, 0)
    assert offered_to(town) == []


def test_giving_the_offer_back_on_the_order_s_page_leaves_the_line(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    orders.cancel(gone.shop, gone.find("open"))
    orders.cancel(gone.shop, gone.find("offered"))
    assert offered_to(gone) == ["cyd"]
    assert standing(gone, "bob").place.state is PlaceState.LEFT


def test_the_operator_stops_a_place_or_an_offer_and_its_shopper_is_told(gone: Town) -> None:
    wait(gone, "bob", "cyd", "dee")
    orders.cancel(gone.shop, gone.find("open"))
    order = gone.find("offered")
    assert waitlist.stop_offer(gone.shop, order.id, "admin") is Settled.RELEASED
    assert waitlist.stop_offer(gone.shop, order.id, "admin") is Settled.KEPT
    assert waitlist.stop_offer(gone.shop, "nothing", "admin") is Settled.UNKNOWN_ORDER
    assert offered_to(gone) == ["cyd"]
    assert waitlist.stop(gone.shop, place_of(gone, "cyd").id, "admin")
    assert not waitlist.stop(gone.shop, "nothing", "admin")
    assert offered_to(gone) == ["dee"]
    gone.work()
    assert len(gone.mails("offer-missed")) == 2
    assert [one.place.id for one in waitlist.running(gone.shop)] == [place_of(gone, "dee").id]


def test_who_missed_left_or_bought_may_join_again_and_is_last(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    orders.cancel(gone.shop, gone.find("open"))
    join(gone, "bob")  # his offer runs: nothing happens
    assert place_of(gone, "bob").state is PlaceState.OFFERED
    gone.pass_time(OFFER_SECONDS)
    wait(gone, "bob")
    assert standing(gone, "bob").place.state is PlaceState.WAITING
    gone.pass_time(OFFER_SECONDS)  # now Cyd has missed hers
    assert offered_to(gone) == ["bob"]
    take(gone, "bob")
    gone.stripe.pay(gone.find("open").session)
    gone.deliver()
    wait(gone, "bob")
    assert len({order.id for order in gone.orders() if order.place}) == 3
    gone.rest()


# The whole line


def test_of_a_hundred_in_line_for_ten_units_the_first_ten_are_offered_them_in_order(
    town: Town,
) -> None:
    town.begin({"last": 1}, visitor="ada")
    names = [f"p{number:03}" for number in range(100)]
    for name in names:
        join(town, name)
    for name in reversed(names):  # in which order they confirm makes no difference
        waitlist.confirm(town.shop, place_of(town, name))
    restock(town, 10)
    assert offered_to(town) == names[:10]
    assert town.level("last") == (0, 11, 0)
    with pytest.raises(NotEnoughStock):
        town.begin({"last": 1}, visitor="eve")
    takers = names[:10:2]
    for name in takers:
        take(town, name)
        order = next(o for o in town.orders() if o.email == address(name))
        town.stripe.pay(order.session, email=address(name))
    town.deliver()
    town.pass_time(OFFER_SECONDS)
    # Five missed theirs, and Ada's hold has ended: six more.
    assert offered_to(town) == names[10:16]
    while offered_to(town):
        town.pass_time(OFFER_SECONDS)
    sold = [order.email for order in town.orders() if order.state is State.PAID]
    assert sorted(sold) == [address(name) for name in takers]
    assert town.level("last") == (6, 0, 5)
    assert not town.failing(with_stripe=True)
    town.rest()


def test_ten_units_that_come_back_one_by_one_are_offered_in_order(town: Town) -> None:
    town.shop.store.scripts.restock("last", delta=9, reason="r", who="w", key="k")
    held = [town.begin({"last": 1}, visitor=f"v{n}", address=f"192.0.2.{n}") for n in range(10)]
    names = [f"p{number:03}" for number in range(12)]
    wait(town, *names)
    for started in held:
        orders.cancel(town.shop, town.order(started))
    assert offered_to(town) == names[:10]


# After a restart


def test_a_taking_that_redis_lost_is_known_again_from_its_session(gone: Town) -> None:
    wait(gone, "bob")
    orders.cancel(gone.shop, gone.find("open"))
    before = gone.find("offered")
    order = forgotten(gone, before)
    reconciliation.reconcile(gone.shop)
    assert gone.order(order).state is State.OPEN
    gone.stripe.pay(gone.order(order).session)
    gone.deliver()
    assert gone.order(order).state is State.PAID


def forgotten(town: Town, order: Order) -> Order:
    """The offer is taken and its session made, and then Redis is as it was before."""
    town.falsified = True
    client = town.shop.store._client
    keys = [key for key in client.scan_iter() if client.type(key) != "stream"]
    before = {key: client.dump(key) for key in keys}
    take(town, "bob")
    for key in client.scan_iter():
        if client.type(key) != "stream":
            client.delete(key)
    for key, value in before.items():
        client.restore(key, 0, value)
    assert town.order(order).state is State.OFFERED
    return order


def test_while_the_books_are_lost_nobody_joins(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "stands", lambda _shop: Door.REBUILD)
    with pytest.raises(ShopClosed):
        join(town, "bob", "poster")


# The audit


def test_the_audit_finds_units_that_nobody_in_line_is_offered(gone: Town) -> None:
    wait(gone, "bob")
    gone.falsified = True
    gone.shop.store._client.hincrby("{test}:stock:available", "last", 1)
    assert "last: 1 are there" in gone.failing()["I13 line"]


def test_the_audit_finds_who_was_sold_a_unit_around_the_line(
    gone: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait(gone, "bob")
    gone.falsified = True
    place, client = place_of(gone, "bob"), gone.shop.store._client
    member = f"last:{place.number}:{place.id}"
    client.zrem("{test}:waiting", member)
    gone.skip(1)
    orders.cancel(gone.shop, gone.find("open"))
    eve = gone.begin({"last": 1}, visitor="eve").order
    client.zadd("{test}:waiting", {member: 0})
    assert gone.failing()["I13 line"] == f"last: order {eve.id} came before place {place.id}"


def test_the_audit_finds_who_was_offered_a_unit_out_of_turn(gone: Town) -> None:
    wait(gone, "bob", "cyd")
    gone.falsified = True
    place, client = place_of(gone, "bob"), gone.shop.store._client
    member = f"last:{place.number}:{place.id}"
    client.zrem("{test}:waiting", member)
    gone.skip(1)
    orders.cancel(gone.shop, gone.find("open"))
    assert "I13 places" in gone.failing()
    client.zadd("{test}:waiting", {member: 0})
    order = gone.find("offered")
    assert gone.failing()["I13 line"] == f"last: order {order.id} came before place {place.id}"


def test_the_audit_finds_an_offer_that_was_never_mailed(gone: Town) -> None:
    wait(gone, "bob")
    orders.cancel(gone.shop, gone.find("open"))
    gone.falsified = True
    order = gone.find("offered")
    gone.shop.store._client.zrem("{test}:due", f"mail:offer:{order.id}", f"expire:{order.id}")
    found = gone.failing()
    assert "owes its mail offer" in found["I12 notices"]
    assert "nothing is due" in found["due"]


def test_line_checks_find_nothing_in_a_line_that_moves(gone: Town) -> None:
    wait(gone, "bob", "cyd", "dee")
    orders.cancel(gone.shop, gone.find("open"))
    gone.pass_time(OFFER_SECONDS + 5)
    checks = line_checks.check(gone.shop, gone.shop.store.snapshot())
    assert [check.ok for check in checks] == [True, True]


# The worker


def test_units_of_what_is_off_the_shelf_are_offered_when_it_is_back(
    gone: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait(gone, "bob")
    catalogue = gone.shop.store.catalogue
    current = catalogue.current()
    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "current", lambda: replace(current, products=()))
        orders.cancel(gone.shop, gone.find("open"))
        gone.work()
        assert offered_to(gone) == []
        assert "offer:last" in gone.due()
    gone.pass_time(120)
    assert offered_to(gone) == ["bob"]


def test_a_job_of_the_waitlist_is_about_no_order() -> None:
    assert {"offer", "lapse"} <= work.OF_THE_SHOP


def test_withdrawing_is_refused_for_what_was_taken(gone: Town) -> None:
    wait(gone, "bob")
    orders.cancel(gone.shop, gone.find("open"))
    before: Order = gone.find("offered")
    take(gone, "bob")
    shop: Shop = gone.shop
    assert settlement.withdraw(shop, before, Reason.EXPIRED) is Settled.OTHER_SESSION
    assert gone.order(before).state is State.OPEN
