"""Whether what changed in the books is no more than was allowed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from storefront.domain.orders import Order
from tests.books import broken
from tests.fuzz.oracle import Expected
from tests.fuzz.stage import Stage

Changes = Mapping[str, tuple[Any, Any]]
STATES = {
    "paid": "goods",
    "authorized": "goods",
    "void_due": "goods",
    "refund_due": "goods",
    "review": "review",
    "released": "release",
    "processing": "processing",
    "refunded": "return",
    "voided": "void",
}
"""What an order needs to come into a state."""


def only_of(order: Order | None, changes: Changes, also: frozenset[str]) -> Iterator[str]:
    """Every change that is neither one of ``also`` nor of this order alone, one sentence each."""
    name = order.id if order else "no order"
    skus = {line.sku for line in order.lines} if order else set()
    for key, (was, now) in changes.items():
        before = was[0] if was else None
        after = now[0] if now else None
        if key in also or key in {f"order:{name}", f"hold:{name}"}:
            continue
        if key.startswith("stock:") and key != "stock:stocked":
            if not _differing(before, after) <= skus:
                yield f"{key} changed: {_shown(before, after)}"
        elif key in {
            "units",
            "payments",
            "mailboxes",
            "holds",
            "returns",
            "visitors",
            "addresses",
            "states",
            "due",
        }:
            foreign = [row for row in _rows(before) ^ _rows(after) if not _about(row, name)]
            if foreign:
                yield f"{key} changed by {foreign}, which is not of {name}"
        elif key == "sales" and order:
            continue
        elif key == "ledger":
            fresh = (after or [])[len(before or []) :]
            if (after or [])[: len(before or [])] != (before or []):
                yield "what the ledger said is gone"
            if any(fields["order"] != name for _, fields in fresh):
                yield f"the ledger has {fresh}, which is not of {name}"
        else:
            yield f"{key} changed: {_shown(before, after)}"


def judged(
    stage: Stage, expected: Expected, changes: Changes, before: Mapping[str, Order]
) -> Iterator[str]:
    """Everything that a signed body did and must not have done, one sentence each."""
    also = {"metrics", "heard"}
    if "goods" in expected.may:
        also.add("sales")
    changes = {k: one for k, one in changes.items() if not _listed(k, one, expected.event)}
    if not expected.repeat and expected.event:
        also.add(f"seen:{expected.event}")
        if f"seen:{expected.event}" not in changes:
            yield f"{expected.event} was answered and not noted"
    was = before.get(expected.order)
    yield from only_of(was if expected.may else None, changes, frozenset(also))
    if changes.keys() <= also:
        return
    yield from broken(stage.shop.store)
    if was is None:
        return
    now = stage.order(was.id)
    yield from _order(was, now, expected)
    added = _rows(_now(changes, "due")) - _rows(_was(changes, "due"))
    for job, _ in added:
        kind = str(job).split(":")[0]
        if kind == "refund" and job != f"refund:{was.id}:{expected.payment}":
            yield f"{job} is due for no reason"


def _listed(key: str, change: tuple[Any, Any], event: str) -> bool:
    """Whether all that happened to an order is that it lists the event, which told it nothing."""
    was, now = change
    if not (event and was and now and key.startswith("order:")):
        return False
    rest = {name: value for name, value in now[0].items() if name != f"event:{event}"}
    return bool(rest == was[0] and now[1] == was[1])


def _order(was: Order, now: Order, expected: Expected) -> Iterator[str]:
    """What happened to the one order."""
    may = expected.may
    fixed = (
        "id",
        "created",
        "currency",
        "amount",
        "lines",
        "expires_at",
        "session_version",
        "basket",
    )
    for name in fixed:
        if getattr(was, name) != getattr(now, name):
            yield f"{name} of an order changed"
    if was.state != now.state and STATES.get(now.state) not in may:
        yield f"{was.state} became {now.state}"
    moved = (was.units, now.units)
    if now.units == "sold" and was.units != "sold" and "goods" not in may:
        yield "goods were given"
    if moved == ("held", "none") and not may & {"release", "return", "void"}:
        yield "held units went back"
    if moved == ("sold", "none") and not may & {"return", "void"}:
        yield "sold units went back"
    paid = dict(now.payments.items() - was.payments.items())
    if paid and ("payment" not in may or paid != {expected.payment: expected.amount}):
        yield f"{paid} was noted as paid"
    agreed = dict(now.authorizations.items() - was.authorizations.items())
    if agreed and ("authorized" not in may or agreed != {expected.payment: expected.amount}):
        yield f"{agreed} was noted as authorised"
    fresh = set(now.refunds) - set(was.refunds)
    if fresh:
        told = {(refund.id, refund.amount, refund.payment_intent) for refund in fresh}
        if "refund" not in may or told != {(expected.refund, expected.amount, expected.payment)}:
            yield f"{fresh} was noted as refunded"
    if now.refunded > sum(now.payments.values()):
        yield f"{now.refunded} of {now.payments} was sent back"
    if now.email != was.email and now.email != expected.email:
        yield f"the address became {now.email}"


def _now(changes: Changes, key: str) -> Any:
    found = changes.get(key, (None, None))[1]
    return found[0] if found else None


def _was(changes: Changes, key: str) -> Any:
    found = changes.get(key, (None, None))[0]
    return found[0] if found else None


def _rows(value: Any) -> set[tuple[Any, ...]]:
    """A hash or a sorted set as rows."""
    if value is None:
        return set()
    return set(value.items()) if isinstance(value, dict) else {tuple(row) for row in value}


def _about(row: tuple[Any, ...], order: str) -> bool:
    return any(order in re.split("[: ]", str(part)) for part in row)


def _shown(was: Any, now: Any) -> str:
    if isinstance(was, dict) and isinstance(now, dict):
        return ", ".join(f"{n} {was.get(n)!r} -> {now.get(n)!r}" for n in _differing(was, now))
    return f"{was!r:.200} -> {now!r:.200}"


def _differing(was: Any, now: Any) -> set[str]:
    was, now = was or {}, now or {}
    return {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
