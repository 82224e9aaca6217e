"""Mistakes in ending holds: units that go back too soon, twice, untold, or never."""

from collections.abc import Callable
from typing import Any

from storefront.domain.errors import StripeRefused
from storefront.domain.orders import HOLDING, Order, Reason, State
from storefront.domain.payments import from_session
from storefront.services import holds, sessions, settlement, work
from storefront.services.shop import Shop
from storefront.storage.answers import Settled
from storefront.storage.order_fields import read_units
from storefront.storage.scripts import Scripts
from tests.fakes.stripe import FakeStripe
from tests.simulation.bugs.bug import CALM, Bug, release

real_end = settlement.end
real_release = Scripts.release_hold


def end_unasked(shop: Shop, order_id: str) -> None:
    order = shop.store.orders.get(order_id)
    if order is not None and order.state in HOLDING - {State.PROCESSING}:
        release(shop, order, Reason.EXPIRED)


def end_processing_too(shop: Shop, order_id: str) -> int | None:
    order = shop.store.orders.get(order_id)
    if order is not None and order.state is State.PROCESSING:
        release(shop, order, Reason.EXPIRED)
        return None
    return settlement.end_when_due(shop, order_id)


def end_unasked_for(*reasons: Reason) -> Callable[..., Settled]:
    def end(shop: Shop, order: Order, reason: Reason) -> Settled:
        if reason in reasons and order.state in HOLDING - {State.PROCESSING}:
            return release(shop, order, reason)
        return real_end(shop, order, reason)

    return end


def ask_one_key(_fake: Any, session: str) -> Any:
    made = _fake.wire.post(
        "expire_session", f"session:{session}:expire", session, lambda: _fake._expire(session)
    )
    return from_session(made.body)


def never_look(shop: Shop, session: str) -> Any:
    try:
        return shop.stripe.expire_session(session)
    except StripeRefused:
        return shop.stripe.session(session)


def expired_whatever(shop: Shop, order: Order) -> Settled:
    """The order's page takes a session that is not paid for one that is over."""
    payment = shop.stripe.session(order.session)
    if payment.session_status != "complete":
        return release(shop, order, Reason.EXPIRED)
    return settlement.apply(shop, order, payment)


def release_by_word(shop: Shop, order_id: str, who: str) -> Settled:
    order = shop.store.orders.get(order_id)
    if order is None or order.state not in HOLDING - {State.PROCESSING}:
        return Settled.KEPT
    return shop.store.scripts.release_hold(
        order_id, session=order.session, version=1, reason=Reason.EXPIRED, who=who
    )


def end_order_and_stray(shop: Shop, order_id: str, session: str) -> None:
    order = shop.store.orders.get(order_id)
    payment = sessions.ended(shop, session)
    if order is not None:
        settlement.apply(shop, order, payment)


def release_in_two_steps(scripts: Scripts, order: str, **how: Any) -> Settled:
    """First the counters, then what else a release changes."""
    keys, client = scripts._keys, scripts._scripts["release_hold"]._client
    entry = client.hget(keys.name("units"), order)
    if entry and entry.startswith("held"):
        for sku, number in read_units(entry)[1].items():
            client.hincrby(keys.name("stock:held"), sku, -number)
            client.hincrby(keys.name("stock:available"), sku, number)
        client.hdel(keys.name("units"), order)
    return real_release(scripts, order, **how)


BUGS = (
    Bug(
        "releases at the deadline without asking Stripe",
        swaps=((work, "WORK", work.WORK | {"expire": end_unasked}),),
    ),
    Bug(
        "releases what is overdue at a checkout without asking Stripe",
        swaps=((settlement, "end", end_unasked_for(Reason.EXPIRED)),),
    ),
    Bug(
        "releases a replaced hold before Stripe's word",
        swaps=((settlement, "end", end_unasked_for(Reason.REPLACED)),),
    ),
    Bug(
        "releases a cancelled hold before Stripe's word",
        swaps=((settlement, "end", end_unasked_for(Reason.CANCELLED)),),
    ),
    Bug("takes an open session for an expired one", swaps=((settlement, "ask", expired_whatever),)),
    Bug(
        "releases on the word about any session",
        lua=(
            ("release_hold", "session ~= ask.session", "false"),
            ("release_hold", "tonumber(fields[5]) ~= ask.version", "false"),
        ),
        swaps=((settlement, "end_stray", end_order_and_stray),),
        town={"twins": True, "operator": True, "steps": 160},
    ),
    Bug(
        "gives units back once more when the release is sent again",
        lua=(
            ("release_hold", "if state == 'released' then return answer('already') end", ""),
            ("release_hold", "if not holding then", "if not holding and state ~= 'released' then"),
            ("release_hold", "assert(units_at(lines) == 'held'", "assert(units_at(lines)"),
        ),
    ),
    Bug(
        "gives units back before the order's own change is stored",
        lua=(
            ("release_hold", "move_order(lines, fields[3], 'held', 'available'", "local _ = (''"),
        ),
        swaps=((Scripts, "release_hold", release_in_two_steps),),
    ),
    Bug(
        "gives units back that nobody is told of",
        lua=(("release_hold", "set_state('released'", "has_changed = false set_state('released'"),),
    ),
    Bug(
        "releases money that is on its way at the deadline",
        lua=(("mark_processing", "redis.call('ZREM', DUE, 'expire:' .. ask.order)", ""),),
        swaps=((work, "WORK", work.WORK | {"expire": end_processing_too}),),
    ),
    Bug(
        "undoes a sale when an old event says expired",
        lua=(
            ("release_hold", "if not holding then", "if state == 'review' then"),
            ("release_hold", "assert(units_at(lines) == 'held'", "assert(units_at(lines)"),
            ("release_hold", "'held', 'available'", "units_at(lines), 'available'"),
        ),
    ),
    Bug(
        "ends with spent keys for ever",
        swaps=((sessions, "ended", never_look), (FakeStripe, "expire_session", ask_one_key)),
    ),
    Bug(
        "loses the units of what a person must look at",
        lua=(
            ("review_order", "redis.call('PERSIST', HOLD)", "redis.call('HDEL', UNITS, ask.order)"),
        ),
        town=CALM,
    ),
    Bug(
        "leaves the session of an order open that a person released",
        lua=(("release_hold", "if ask.who ~= '' and", "if false and"),),
        swaps=((holds, "release_by_hand", release_by_word),),
    ),
)
