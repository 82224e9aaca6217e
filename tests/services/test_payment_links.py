"""Payment links: they sell out of an allotment, never more, and give back what is left of it."""

from collections.abc import Callable

import pytest

from storefront.domain.errors import (
    BadInput,
    NotEnoughStock,
    ShopClosed,
    StripeRefused,
    StripeUnreachable,
    UnknownSku,
)
from storefront.domain.payment_links import LinkFact, LinkState, PaymentLink, order_of
from storefront.services import payment_links
from storefront.services.shop import Shop
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.town import Town


def make(town: Town, units: int = 2, *, sku: str = "poster", key: str = "k") -> PaymentLink:
    return payment_links.create(town.shop, sku=sku, units=units, key=key, who="me")


def close(town: Town, link: PaymentLink) -> PaymentLink | None:
    return payment_links.close(town.shop, link.id, "me")


def now(town: Town, link: PaymentLink) -> PaymentLink:
    found = payment_links.find(town.shop, link.id)
    assert found is not None
    return found


def test_a_link_sells_what_was_set_aside_and_the_shelf_the_rest(town: Town) -> None:
    link = make(town, 2)
    assert (link.active, link.left, link.unit_amount) == (True, 2, 2500)
    assert town.level() == (3, 2, 0)
    at_stripe = town.stripe.links[link.stripe]
    assert at_stripe["restrictions"]["completed_sessions"] == {"count": 0, "limit": 2}
    assert at_stripe["metadata"] == {
        "shop": "test",
        "link": link.id,
        "sku": "poster",
        "units": "2",
        "lines": "poster=1@2500",
    }
    session = town.stripe.visit(link.stripe)
    assert town.deliver() == []
    town.stripe.pay(session)
    assert "sold" in town.deliver()
    order = town.order(order_of(session))
    assert (order.state, order.email, order.session) == ("paid", "ada@example.com", session)
    assert town.level() == (3, 1, 1)
    town.work()
    assert town.mails("confirmed") == [order.id]
    assert town.failing(with_stripe=True) == {}


def test_one_key_makes_one_link(town: Town) -> None:
    assert make(town, key="form").id == make(town, key="form").id != make(town, key="other").id
    assert len(town.stripe.links) == 2
    assert town.level() == (1, 4, 0)


@pytest.mark.parametrize(
    ("sku", "units", "refusal"),
    [
        ("none", 1, UnknownSku),
        ("gone", 1, UnknownSku),
        ("never", 1, UnknownSku),
        ("poster", 6, NotEnoughStock),
        ("poster", 0, BadInput),
        ("poster", payment_links.MOST + 1, BadInput),
    ],
)
def test_what_cannot_be_a_link_changes_nothing(
    town: Town, sku: str, units: int, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        make(town, units, sku=sku)
    assert town.stripe.links == {}
    assert payment_links.listing(town.shop) == []


def test_while_the_shop_is_closed_no_link_is_made(town: Town) -> None:
    store = town.shop.store
    store._client.hset(store.keys.door(), "run", "another server")
    with pytest.raises(ShopClosed):
        make(town)
    assert town.stripe.links == {}
    store._client.hset(store.keys.door(), "run", store.scripts.read_door()[1])


def test_refused_by_stripe_the_units_go_back_at_once(town: Town) -> None:
    town.stripe.fault("create_payment_link", Fault.REFUSED)
    with pytest.raises(StripeRefused):
        make(town)
    assert town.level() == (5, 0, 0)
    [link] = payment_links.listing(town.shop)
    assert (link.state, link.why) == (LinkState.CLOSED, "refused")


@pytest.mark.parametrize(
    "fault",
    [
        Fault.LOST_REQUEST,
        Fault.LOST_REPLY,
        Fault.BUSY,
        Fault.ERROR_BEFORE,
        Fault.ERROR_AFTER,
        Fault.SPENT_BEFORE,
        Fault.SPENT_AFTER,
    ],
)
def test_unknown_is_not_failed_and_the_worker_makes_one_link(town: Town, fault: Fault) -> None:
    town.stripe.fault("create_payment_link", fault)
    try:
        link = make(town)
    except StripeUnreachable:
        [link] = payment_links.listing(town.shop)
        assert (link.state, town.level()) == (LinkState.MAKING, (3, 2, 0))
    town.pass_time(120)
    assert now(town, link).active
    assert len([one for one in town.stripe.links.values() if one["active"]]) == 1
    assert town.level() == (3, 2, 0)


def test_a_link_that_stripe_never_heard_of_gives_its_units_back_after_a_day(town: Town) -> None:
    town.stripe.wire.choose = lambda call: (
        Fault.LOST_REQUEST if call == "create_payment_link" else None
    )
    with pytest.raises(StripeUnreachable):
        make(town)
    town.pass_time(24 * 3600)
    town.stripe.up()
    assert town.level() == (5, 0, 0)


def test_a_sold_out_link_ends_and_its_open_sessions_with_it(town: Town) -> None:
    link = make(town, 2)
    sessions = [town.stripe.visit(link.stripe) for _ in range(6)]
    for session in sessions[:2]:
        assert town.stripe.pay(session)
    town.deliver()
    assert now(town, link).state is LinkState.CLOSING
    assert town.stripe.visit(link.stripe) == ""
    town.work()
    assert now(town, link).state is LinkState.CLOSED
    assert [town.stripe.pay(session) for session in sessions[2:]] == [False] * 4
    assert town.level() == (3, 0, 2)
    town.rest()


def test_three_times_as_many_at_once_get_the_goods_or_their_money_back(town: Town) -> None:
    """All pay before the shop hears of one: what the allotment lacks is taken from the shelf."""
    link = make(town, 2)
    sessions = [town.stripe.visit(link.stripe) for _ in range(6)]
    assert all(town.stripe.pay(session) for session in sessions)
    town.begin({"poster": 1}, visitor="at the shelf")
    town.deliver()
    town.work()
    states = [town.order(order_of(session)).state for session in sessions]
    assert sorted(states) == ["paid"] * 4 + ["refunded"] * 2
    assert town.level() == (0, 1, 4)
    assert len(town.mails("refunded")) == 2
    town.rest()


def test_closed_early_what_is_left_goes_back_once_nobody_can_pay(town: Town) -> None:
    link = make(town, 3)
    paid, visit = town.stripe.visit(link.stripe), town.stripe.visit(link.stripe)
    town.stripe.pay(paid)
    town.lose_events()
    closed = close(town, link)
    assert closed is not None
    assert (closed.state, closed.sold, closed.returned) == (LinkState.CLOSED, 1, 2)
    assert not town.stripe.pay(visit)
    assert town.order(order_of(paid)).state == "paid"
    assert town.level() == (4, 0, 1)
    assert close(town, link) == closed
    town.rest()


def test_nothing_goes_back_before_stripe_has_said_so(town: Town) -> None:
    link = make(town, 3)
    visit = town.stripe.visit(link.stripe)
    for call in ("deactivate_payment_link", "link_sessions", "expire_session"):
        town.stripe.fault(call, Fault.LOST_REQUEST)
        with pytest.raises(StripeUnreachable):
            close(town, link)
        assert town.level() == (2, 3, 0), call
    assert now(town, link).state is LinkState.CLOSING
    town.pass_time(10)
    assert (town.level(), town.stripe.pay(visit)) == ((5, 0, 0), False)


def test_a_link_that_is_ended_before_stripe_made_it_is_ended_there_too(town: Town) -> None:
    town.stripe.fault("create_payment_link", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        make(town)
    [link] = payment_links.listing(town.shop)
    closed = close(town, link)
    assert closed is not None
    assert (closed.state, town.level()) == (LinkState.CLOSED, (5, 0, 0))
    [at_stripe] = town.stripe.links.values()
    assert not at_stripe["active"]


def test_a_payment_under_way_is_waited_for(town: Town) -> None:
    """A session in which a delayed payment is on its way keeps its unit until the money is here."""
    link = make(town, 2)
    session = town.stripe.visit(link.stripe)
    town.stripe.pay_later(session)
    town.lose_events()
    close(town, link)
    order = town.order(order_of(session))
    assert (order.state, town.level()) == ("processing", (4, 1, 0))
    town.stripe.money_comes(session)
    town.deliver()
    assert (town.order(order).state, town.level()) == ("paid", (4, 0, 1))
    town.rest()


def test_a_delayed_payment_that_fails_gives_its_unit_to_the_shelf(town: Town) -> None:
    link = make(town, 2)
    session = town.stripe.visit(link.stripe)
    town.stripe.pay_later(session)
    town.deliver()
    town.stripe.money_fails(session)
    town.deliver()
    town.work()
    assert (town.order(order_of(session)).state, town.level()) == ("released", (4, 1, 0))
    assert (now(town, link).left, now(town, link).sold) == (1, 1)
    town.rest()


def test_a_payment_that_slips_through_gets_the_goods_if_they_are_there(town: Town) -> None:
    link = make(town, 1)
    visits = [town.stripe.visit(link.stripe) for _ in range(2)]
    close(town, link)
    assert town.level() == (5, 0, 0)
    assert town.stripe.pay_too_late(visits[0])
    assert "retaken" in town.deliver()
    town.begin({"poster": 4}, visitor="the rest")
    assert town.stripe.pay_too_late(visits[1])
    assert "oversold" in town.deliver()
    town.work()
    assert town.order(order_of(visits[1])).state == "refunded"
    town.rest()


@pytest.mark.parametrize("at", ["hears nothing", "hears twice"])
def test_without_webhooks_all_is_settled_within_a_minute(town: Town, at: str) -> None:
    link = make(town, 2)
    session = town.stripe.visit(link.stripe)
    town.stripe.pay(session)
    events = town.stripe.new_events()
    if at == "hears twice":
        for event in events:
            town.receive(event)
            town.receive(town.stripe.twin(event))
    town.pass_time(payment_links.LOOK_MS / 1000)
    assert (town.order(order_of(session)).state, town.level()) == ("paid", (3, 1, 1))
    assert town.mails("confirmed") == [order_of(session)]


def test_a_process_that_dies_before_it_settled_leaves_that_to_the_worker(town: Town) -> None:
    link = make(town, 2)
    session = town.stripe.visit(link.stripe)
    town.stripe.pay(session)
    town.lose_events()
    line = link.line
    town.shop.store.scripts.take_unit(
        order_of(session),
        line,
        link=link.id,
        session=session,
        currency="usd",
        expires_at=0,
        email="",
        ask_ms=10_000,
    )
    town.pass_time(10)
    assert (town.order(order_of(session)).state, town.level()) == ("paid", (3, 1, 1))


def test_a_reference_in_the_links_address_leads_to_nobody_elses_order(town: Town) -> None:
    link = make(town, 2)
    other = town.begin({"poster": 1}, visitor="bob").order
    session = town.stripe.visit(link.stripe, reference=other.id)
    town.stripe.pay(session)
    town.deliver()
    assert town.order(other).state == "open"
    assert town.order(order_of(session)).state == "paid"


def test_a_link_that_asks_for_another_amount_is_looked_at(town: Town) -> None:
    link = make(town, 2)
    session = town.stripe.visit(link.stripe)
    town.stripe.sessions[session]["amount_total"] = 1
    town.stripe.pay(session)
    town.deliver()
    assert town.order(order_of(session)).state == "review"
    assert town.level() == (3, 2, 0)


def test_cards_can_be_authorised_first(build: Build) -> None:
    town = build(CAPTURE_METHOD="manual")
    link = make(town, 1)
    sessions = [town.stripe.visit(link.stripe) for _ in range(2)]
    town.begin({"poster": 4}, visitor="the rest")
    for session in sessions:
        town.stripe.pay(session)
    town.deliver()
    town.work()
    town.deliver()
    assert [town.order(order_of(s)).state for s in sessions] == ["paid", "voided"]
    town.rest()


def test_switched_off_at_stripe_a_link_ends_here_and_switched_on_there_too(town: Town) -> None:
    link = make(town, 2)
    town.stripe.switch_by_hand(link.stripe, False)
    assert town.deliver() == ["ending"]
    town.work()
    assert (now(town, link).state, town.level()) == (LinkState.CLOSED, (5, 0, 0))
    town.deliver()
    town.stripe.switch_by_hand(link.stripe, True)
    assert town.deliver() == ["asking"]
    town.work()
    assert not town.stripe.links[link.stripe]["active"]
    assert town.deliver() == ["known"]
    assert town.due() == {"reconcile:all"} or not town.due()


def test_switched_off_unheard_a_link_ends_within_a_minute(town: Town) -> None:
    link = make(town, 2)
    town.stripe.switch_by_hand(link.stripe, False)
    town.lose_events()
    town.pass_time(payment_links.LOOK_MS / 1000)
    assert (now(town, link).state, town.level()) == (LinkState.CLOSED, (5, 0, 0))


def test_more_open_sessions_than_one_go_can_end_are_ended_all(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.services.link_sessions.MOST_AT_ONCE", 2)
    link = make(town, 2)
    visits = [town.stripe.visit(link.stripe) for _ in range(7)]
    close(town, link)
    assert [town.stripe.pay(visit) for visit in visits] == [False] * 7
    assert town.level() == (5, 0, 0)


def _lost_link(town: Town, link: PaymentLink) -> None:
    keys, client = town.shop.store.keys, town.shop.store._client
    client.delete(keys.link(link.id))


def _units_vanish(town: Town, link: PaymentLink) -> None:
    town.shop.store._client.hdel(town.shop.store.keys.name("units"), link.allotment)


def _job_vanishes(town: Town, link: PaymentLink) -> None:
    town.shop.store._client.zrem(town.shop.store.keys.name("due"), f"link:{link.id}")


def _unlisted(town: Town, link: PaymentLink) -> None:
    town.shop.store._client.zrem(town.shop.store.keys.links(), link.id)


@pytest.mark.parametrize(
    ("falsify", "check", "says"),
    [
        (_lost_link, "I3 links", "is listed but not stored"),
        (_units_vanish, "I3 links", "has 2 left, its units are none"),
        (_units_vanish, "I3 sums", "poster: held is 2, orders and links have 0"),
        (_units_vanish, "I11 ledger", "has 0 of poster held, the ledger says 2"),
        (_job_vanishes, "I3 links", "is open and nothing is due for it"),
        (_unlisted, "I3 links", "has units, and does not exist"),
    ],
)
def test_the_audit_finds_a_link_that_its_units_contradict(
    town: Town, falsify: Callable[[Town, PaymentLink], None], check: str, says: str
) -> None:
    link = make(town, 2)
    assert town.failing(with_stripe=True) == {}
    town.falsified = True
    falsify(town, link)
    assert says in town.failing()[check]


def test_the_audit_with_stripe_finds_what_only_stripe_knows(town: Town) -> None:
    link = make(town, 2)
    session, visit = town.stripe.visit(link.stripe), town.stripe.visit(link.stripe)
    town.stripe.pay(session)
    town.lose_events()
    assert town.failing(with_stripe=True) == {}, "the link's own job will ask"
    town.skip(300)
    assert f"session {session} has no order" in town.failing(with_stripe=True)["stripe: goods"]
    assert "nobody looks after it" in town.failing(with_stripe=True)["stripe: links"]
    town.work()
    assert town.failing(with_stripe=True) == {}
    close(town, link)
    town.stripe.links[link.stripe]["active"] = True
    town.stripe.sessions[visit].update(status="open")
    found = town.failing(with_stripe=True)
    assert f"link {link.id} is closed, and sells at Stripe" in found["stripe: links"]
    assert f"session {visit} of a closed link can be paid" in found["stripe: goods"]


def test_links_as_commands_tell_them(town: Town) -> None:
    link = make(town, 2)
    told = payment_links.as_json(link)
    assert {name: told[name] for name in ("id", "url", "sku", "units", "left", "active")} == {
        "id": link.id,
        "url": f"https://buy.stripe.com/{link.stripe}",
        "sku": "poster",
        "units": 2,
        "left": 2,
        "active": True,
    }
    assert payment_links.close(town.shop, "none", "me") is None


@pytest.mark.parametrize("fault", [Fault.SPENT_AFTER, Fault.LOST_REPLY])
def test_a_link_that_had_sold_all_before_it_was_known_keeps_what_it_sold(
    town: Town, fault: Fault
) -> None:
    """It sells no more at Stripe, so it is not among those that do."""
    town.stripe.fault("create_payment_link", fault)
    if fault is Fault.SPENT_AFTER:
        town.stripe.fault("payment_links", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        make(town, 1)
    [at_stripe] = town.stripe.links
    session = town.stripe.visit(at_stripe)
    town.stripe.pay(session)
    town.lose_events()
    assert not town.stripe.links[at_stripe]["active"]
    town.skip(payment_links.KEY_MS / 1000)
    town.rest()
    assert town.order(order_of(session)).state == "paid"
    assert [*town.stripe.links] == [at_stripe]
    assert town.level() == (4, 0, 1)


def test_a_link_that_is_made_while_it_is_closed_is_ended_at_stripe_first(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stripe.fault("create_payment_link", Fault.LOST_REQUEST)
    with pytest.raises(StripeUnreachable):
        make(town, 1)
    town.skip(payment_links.KEY_MS / 1000)
    look, made = payment_links._look_up, []

    def made_meanwhile(shop: Shop, link: PaymentLink) -> LinkFact | None:
        if not made:
            fact = shop.stripe.create_payment_link(payment_links.params(shop, link), "late")
            made.append(town.stripe.visit(fact.id))
            shop.store.scripts.attach_link(link.id, stripe=fact.id, url=fact.url)
            town.stripe.pay(made[0])
            return None  # as it was a moment ago
        return look(shop, link)

    monkeypatch.setattr(payment_links, "_look_up", made_meanwhile)
    [link] = payment_links.listing(town.shop)
    closed = close(town, link)
    assert closed is not None
    assert (closed.state, closed.returned) == (LinkState.CLOSED, 0)
    assert town.order(order_of(made[0])).state == "paid"
    assert town.level() == (4, 0, 1)
    town.rest()
