"""An event as Stripe signs it: what it is about, read strictly before anything is done with it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from storefront.domain import fields
from storefront.domain.fields import Malformed
from storefront.domain.payment_links import LinkFact, from_link
from storefront.domain.payments import (
    Charge,
    DisputeFact,
    Payment,
    RefundFact,
    from_charge,
    from_dispute,
    from_intent,
    from_refund,
    from_session,
)

Fact = Payment | RefundFact | Charge | DisputeFact | LinkFact
HANDLED = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.amount_capturable_updated",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_link.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.closed",
)
"""The types of events that tell the shop something."""
DOTTED = re.compile(r"[a-z][a-z0-9_.]{0,63}")
"""The name of a kind of object, as ``checkout.session``."""
TYPE = re.compile(r"[A-Za-z0-9_.\[\]-]{0,255}")


@dataclass(frozen=True, slots=True)
class Event:
    """One event, with the facts that it brings."""

    id: str
    type: str
    modes: frozenset[bool]
    """Live or not, as the event and its object say."""
    created: int | None
    """Seconds since 1970; None when Stripe did not say."""
    fact: Fact | None
    """None for an event that the shop has no use for."""


def from_event(event: Mapping[str, Any]) -> Event:
    """The event in a webhook's body. Raises Malformed when it is not what Stripe sends."""
    fields.required(event, "type", "data")
    fields.required(fields.part(event, "data"), "object")
    found = fields.part(fields.part(event, "data"), "object")
    kind = fields.text(event, "type")
    if not TYPE.fullmatch(kind):
        raise Malformed("type is no event's")
    return Event(
        id=fields.identity(event),
        type=kind,
        modes=frozenset(fields.flag(one, "livemode") for one in _with_mode(event, found)),
        created=fields.whole(event, "created") or None,
        fact=_fact(kind, found),
    )


def _with_mode(event: Mapping[str, Any], found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The event and, where it says its mode, its object; not every kind does."""
    return [event] if found.get("livemode") is None else [event, found]


def _fact(kind: str, found: Mapping[str, Any]) -> Fact | None:
    match kind.split("."):
        # The shopper finished, a delayed payment ended, or the session ran out.
        case ["checkout", "session", _]:
            return _read(found, "checkout.session", from_session)
        # Money was taken or authorised, failed, or cannot come any more.
        case ["payment_intent", _]:
            return _read(found, "payment_intent", from_intent)
        # A refund was made, here or in the dashboard, or its status changed.
        case ["refund", _] | ["charge", "refund", _]:
            return _read(found, "refund", _told_refund)
        # The charge's refunds are not in it: they are listed.
        case ["charge", "refunded"]:
            return _read(found, "charge", from_charge)
        # The buyer's bank took the money back: a person must answer it. Or it was decided.
        case ["charge", "dispute", "created" | "closed"]:
            return _read(found, "dispute", from_dispute)
        # A payment link has sold all it may, or was switched off or on by hand.
        case ["payment_link", "updated"]:
            return _read(found, "payment_link", from_link)
    return None


def _read(
    found: Mapping[str, Any], what: str, read: Callable[[Mapping[str, Any]], Fact]
) -> Fact | None:
    """The facts, or None when the event is about another kind of object than its type says."""
    return read(found) if fields.word(found, "object", DOTTED) == what else None


def _told_refund(found: Mapping[str, Any]) -> RefundFact:
    """A refund in an event, which may leave out its amount: then Stripe's list is asked for it."""
    return from_refund({**found, "amount": 0} if found.get("amount") is None else found)
