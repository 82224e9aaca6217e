"""What must be true of a shop's books at every moment, and a picture of all its keys."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import redis

from storefront.domain.orders import AWAITING, GOODS, HOLDING, MONEY_BACK, Order, State
from storefront.domain.payment_links import LinkState
from storefront.domain.products import Level
from storefront.domain.waitlist import PlaceState
from storefront.storage.stock import COUNTERS
from storefront.storage.store import Store

UNITS: dict[State, frozenset[str]] = {
    **dict.fromkeys(HOLDING, frozenset({"held"})),
    **dict.fromkeys(GOODS, frozenset({"sold"})),
    **dict.fromkeys(MONEY_BACK | {State.RELEASED}, frozenset({"none"})),
    State.REVIEW: frozenset({"held", "sold", "none"}),
}
"""Where the units of an order may be counted, by its state."""


FIGURES = frozenset({"metrics", "heard"})
"""What is counted beside the books."""


def dump(client: redis.Redis, but: frozenset[str] = FIGURES) -> dict[str, Any]:
    """Every key with its value and the time (ms) when it expires (-1: never).

    ``but`` are names, after the shop's prefix, that are left out.
    """
    found: dict[str, Any] = {}
    for key in sorted(client.scan_iter(count=1000)):
        if key.partition(":")[2] not in but:
            found[key] = read(client, key)
    return found


def read(client: redis.Redis, key: str) -> tuple[Any, Any]:
    """One key's value and the time (ms) when it expires."""
    return _value(client, key), client.pexpiretime(key)


def _value(client: redis.Redis, key: str) -> Any:
    match client.type(key):
        case "string":
            return client.get(key)
        case "hash":
            return client.hgetall(key)
        case "zset":
            return client.zrange(key, 0, -1, withscores=True)
        case "stream":
            return client.xrange(key)
        case "set":
            return sorted(client.smembers(key))
        case other:
            raise AssertionError(f"{key} is a {other}")


def broken(store: Store) -> list[str]:
    """Every way in which the books contradict themselves, one sentence each. Meant to be empty."""
    orders = list(store.orders.walk())
    return [
        *_counters(store),
        *_indexes(store, orders),
        *_due(store, orders),
        *_line(store),
        *_links(store),
    ]


def _links(store: Store) -> Iterator[str]:
    """Each payment link has the units that it says, and somebody who looks after it."""
    jobs = {job.name for job in store.due.jobs()}
    links = store.links.all()
    expected = {link.id: {link.sku: link.left} for link in links if link.left}
    if (found := store.snapshot().allotments) != expected:
        yield f"links have {found} set aside, not {expected}"
    for link in links:
        if min(link.left, link.sold, link.returned) < 0:
            yield f"{link} has sold or given back more than it had"
        if link.state is LinkState.CLOSED and link.left:
            yield f"{link} is closed and has units"
        job = "unlink" if link.state is LinkState.CLOSING else "link"
        if link.state is not LinkState.CLOSED and f"{job}:{link.id}" not in jobs:
            yield f"{link} is {link.state}, and no job looks after it"


def _counters(store: Store) -> Iterator[str]:
    snapshot = store.snapshot()
    counted: dict[str, Counter[str]] = {"held": Counter(), "sold": Counter()}
    for at, units in snapshot.units.values():
        counted[at].update(units)
    for units in snapshot.allotments.values():
        counted["held"].update(units)
    for sku, level in snapshot.levels.items():
        numbers = {name: getattr(level, name) for name in COUNTERS}
        if min(numbers.values()) < 0:
            yield f"{sku} has a counter below 0: {numbers}"
        if level.stocked != level.available + level.held + level.sold + level.written_off:
            yield f"{sku} is not the sum of its parts: {numbers}"
        for at in ("held", "sold"):
            if numbers[at] != counted[at][sku]:
                yield f"{sku} has {numbers[at]} {at}, its orders {counted[at][sku]}"
    running: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in store.ledger.walk():
        now = running[entry.sku]
        if entry.origin:
            now[entry.origin] -= entry.quantity
        else:
            now["stocked"] += entry.quantity
        now[entry.target] += entry.quantity
        if any(now[name] != getattr(entry, name) for name in COUNTERS):
            yield f"ledger entry {entry} follows {dict(now)}"
    for sku, level in snapshot.levels.items():
        if level != Level(sku, **{name: running[sku][name] for name in COUNTERS}):
            yield f"the ledger of {sku} ends with {dict(running[sku])}, its counters are {level}"


def _indexes(store: Store, orders: list[Order]) -> Iterator[str]:
    client, keys = store._client, store.keys
    ids = {order.id for order in orders}
    stored = {key.rpartition(":")[2] for key in client.scan_iter(keys.order("*"), count=1000)}
    if ids != stored:
        yield f"listed and stored orders differ by {ids ^ stored}"
    expected: dict[str, dict[str, float]] = {
        name: {} for name in ("states", "holds", "returns", "visitors", "addresses", "mailboxes")
    }
    for order in orders:
        if order.units not in (UNITS[order.state] if order.own else {"none"}):
            yield f"{order.id} is {order.state} with its units {order.units}"
        expected["states"][f"{order.state}:{order.created}:{order.id}"] = 0
        if order.email:
            listed = f"{order.email.lower()} {order.created} {order.id}"
            expected["mailboxes"][listed] = 0
        if order.units == "held":
            expected["holds"][order.id] = order.deadline
        if order.state in AWAITING | {State.OFFERED}:
            for line in order.lines:
                expected["returns"][f"{line.sku}:{order.id}"] = order.deadline
            address = client.hget(keys.order(order.id), "address")
            for index, who in (("visitors", order.visitor), ("addresses", address)):
                if who:
                    expected[index][f"{who}:{order.created}:{order.id}"] = 0
        elif order.units != "held" and client.exists(keys.hold(order.id)):
            yield f"{order.id} is {order.state}, and its hold still exists"
    for index, members in expected.items():
        found = dict(client.zrange(keys.name(index), 0, -1, withscores=True))
        if found != members:
            yield f"{index} is {found}, not {members}"
    payments: Mapping[str, str] = client.hgetall(keys.name("payments"))
    known = {
        payment: order.id
        for order in orders
        for payment in (*order.payments, *order.authorizations, *order.voided)
    }
    if payments != known:
        yield f"payments lead to {payments}, not {known}"


def _line(store: Store) -> Iterator[str]:
    """Those in line are exactly the places that wait, and no unit is kept from them unnoticed."""
    places = store.waitlist.all()
    members = store._client.zrange(store.keys.name("waiting"), 0, -1)
    waiting = [place for place in places if place.state is PlaceState.WAITING]
    if members != [f"{place.sku}:{place.number}:{place.id}" for place in waiting]:
        yield f"in line are {members}, not {waiting}"
    jobs = {job.name for job in store.due.jobs()}
    levels = {level.sku: level for level in store.stock.levels()}
    for place in places:
        if place.offered > len(place.orders):
            yield f"{place.id} has {place.offered} offers of {len(place.orders)}"
        if place.state is PlaceState.WAITING and place.offered == len(place.orders):
            yield f"{place.id} waits for nothing"
        if place.state is PlaceState.UNCONFIRMED and f"lapse:{place.id}" not in jobs:
            yield f"{place.id} never lapses"
        ended = place.state not in {PlaceState.UNCONFIRMED, PlaceState.WAITING, PlaceState.OFFERED}
        if ended == bool(place.email):
            yield f"{place.id} is {place.state}, its address is {place.email!r}"
    for place in waiting:
        if levels[place.sku].available and f"offer:{place.sku}" not in jobs:
            yield f"{place.id} waits for {place.sku}, of which units are there"


def _due(store: Store, orders: list[Order]) -> Iterator[str]:
    """Nothing stands that nobody will look after."""
    jobs = {job.name for job in store.due.jobs()}
    for order in orders:
        for job in needed(order):
            if job not in jobs:
                yield f"{order.id} is {order.state}, and {job} is not due"


def needed(order: Order) -> Iterator[str]:
    """The jobs that an order in this state cannot be without."""
    match order.state:
        case State.OFFERED:
            yield f"expire:{order.id}"
            if "offer" not in order.notices:
                yield f"mail:offer:{order.id}"
        case State.PENDING:
            yield f"ask:{order.id}"
            yield f"expire:{order.id}"
        case State.OPEN:
            yield f"expire:{order.id}"
        case State.PROCESSING:
            yield f"ask:{order.id}"
    for payment in order.authorizations:
        kind = "void" if payment in order.void_reasons else "capture"
        if order.state is not State.REVIEW:
            yield f"{kind}:{order.id}:{payment}"
    if order.state is not State.REVIEW:
        for payment in order.refund_reasons:
            back = sum(r.amount for r in order.refunds if r.payment_intent == payment)
            if back < order.payments[payment]:
                yield f"refund:{order.id}:{payment}"


def raw(store: Store, order: str) -> dict[str, str]:
    """An order's fields as they are stored."""
    found: dict[str, str] = store._client.hgetall(store.keys.order(order))
    return found


def live(messages: list[dict[str, Any]]) -> list[dict[str, dict[str, int]]]:
    """What pub/sub messages say about stock."""
    return [json.loads(m["data"]) for m in messages if m["type"] == "message"]
