"""What a signed body may do to the books, decided from Stripe's description and without the shop's code.

Three answers are possible: it is not what Stripe sends, and nothing at all may change; it is, but it is
no news for this shop, and only its id and a counter are noted; or it is, and then one order may
change, in the ways that its facts allow.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from storefront.domain.orders import Order

LONGEST_BODY = 256 * 1024
FAILED = {"failed", "canceled"}


@dataclass(frozen=True, slots=True)
class Expected:
    """The answer, and what may happen."""

    status: int
    event: str = ""
    """Its id is noted."""
    repeat: bool = False
    order: str = ""
    """The only order that may change."""
    may: frozenset[str] = frozenset()
    """goods, release, return, review, processing, ask, look, refund."""
    amount: int = 0
    payment: str = ""
    refund: str = ""
    email: str = ""


class Wrong(Exception):
    """Stripe never sends this."""


Rule = Callable[[Any], bool]


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", value) is not None


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= 5000
        and not any("\ud800" <= letter <= "\udfff" for letter in value)
    )


def _is_line(value: Any) -> bool:
    return _is_text(value) and value.isprintable()


def _is_word(value: Any) -> bool:
    return value == "" or (
        isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value) is not None
    )


def _is_kind(value: Any) -> bool:
    return (
        value is None
        or value == ""
        or (isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_.]{0,63}", value) is not None)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**14


def _is_reference(value: Any) -> bool:
    if not isinstance(value, dict):
        return _is_id(value)
    status = value.get("status")
    return _is_id(value.get("id")) and (status is None or _is_word(status))


def _is_flag(value: Any) -> bool:
    return value is True or value is False


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _is_all_text(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_text(name) and (inner is None or _is_text(inner)) for name, inner in value.items()
    )


def _is_unread_reference(value: Any) -> bool:
    return _is_id(value.get("id")) if isinstance(value, dict) else _is_id(value)


TAGS: dict[str, Rule] = {"metadata": _is_map, "metadata.order": _is_text, "metadata.shop": _is_text}
CHARGED: dict[str, Rule] = {
    "latest_charge": _is_unread_reference,
    "latest_charge.payment_method_details": _is_map,
    "latest_charge.payment_method_details.card": _is_map,
    "latest_charge.payment_method_details.card.capture_before": _is_number,
}
"""How long an authorisation stands is said by its charge, where that is sent along."""
RULES: dict[str, dict[str, Rule]] = {
    "checkout.session": {
        **TAGS,
        "status": _is_word,
        "payment_status": _is_word,
        "metadata": _is_all_text,
        "mode": _is_word,
        "payment_intent": _is_reference,
        **{f"payment_intent.{name}": rule for name, rule in CHARGED.items()},
        "amount_total": _is_number,
        "amount_subtotal": _is_number,
        **dict.fromkeys(("total_details", "shipping_cost", "collected_information"), _is_map),
        "collected_information.shipping_details": _is_map,
        "collected_information.shipping_details.address": _is_map,
        "currency": _is_word,
        "livemode": _is_flag,
        "customer_details": _is_map,
        "customer_details.email": _is_line,
        "url": _is_line,
        "expires_at": _is_number,
        "created": _is_number,
        "client_reference_id": _is_text,
    },
    "payment_intent": {
        **TAGS,
        "metadata": _is_all_text,
        **CHARGED,
        "shipping": _is_map,
        "shipping.address": _is_map,
        "client_secret": _is_line,
        "status": _is_word,
        "amount": _is_number,
        "currency": _is_word,
        "livemode": _is_flag,
        "receipt_email": _is_line,
        "created": _is_number,
    },
    "refund": {
        **TAGS,
        "metadata": _is_all_text,
        "status": _is_word,
        "amount": _is_number,
        "payment_intent": _is_unread_reference,
    },
    "charge": {**TAGS, "payment_intent": _is_unread_reference},
    "dispute": {
        **TAGS,
        "metadata": _is_all_text,
        "payment_intent": _is_unread_reference,
        "amount": _is_number,
        "status": _is_word,
    },
}
NEVER_NULL = {"payment_intent": ("amount", "currency", "status")}


def object_of(kind: str) -> str:
    """The kind of object that an event of this type is about, or an empty text."""
    parts = kind.split(".")
    if parts[:2] == ["checkout", "session"] and len(parts) == 3:
        return "checkout.session"
    if len(parts) == 2 and parts[0] in {"payment_intent", "refund"}:
        return parts[0]
    if parts[:2] == ["charge", "refund"] and len(parts) == 3:
        return "refund"
    if parts in (["charge", "dispute", "created"], ["charge", "dispute", "closed"]):
        return "dispute"
    return {"charge.refunded": "charge"}.get(kind, "")


def expect(body: bytes, orders: Mapping[str, Order], seen: set[str]) -> Expected:
    """What this body may do to a test-mode shop called ``popup``, if it is signed."""
    if len(body) > LONGEST_BODY:
        return Expected(413)
    try:
        event = _read(body)
    except (Wrong, ValueError, RecursionError):
        return Expected(400)
    found = event["data"]["object"]
    if event["id"] in seen:
        return Expected(200, event["id"], repeat=True)
    noted = Expected(200, event["id"])
    if event.get("livemode") or found.get("livemode") is True:
        return noted
    about = object_of(event["type"])
    match about if found.get("object") == about else "":
        case "checkout.session" | "payment_intent":
            return _payment(noted, about, found, orders)
        case "refund":
            return _refund(noted, found, orders)
        case "charge":
            payment = _id_in(found.get("payment_intent"))
            order = _by_payment(orders, payment) or (
                orders.get(_tag(found, "order")) if _tag(found, "shop") == "popup" else None
            )
            if order and payment:
                return Expected(
                    200, event["id"], order=order.id, may=frozenset({"look"}), payment=payment
                )
        case "dispute":
            order = _by_payment(orders, _id_in(found.get("payment_intent")))
            if order:
                return Expected(200, event["id"], order=order.id, may=frozenset({"review"}))
    return noted


def _read(body: bytes) -> dict[str, Any]:
    def constant(_name: str) -> None:
        raise Wrong

    event = json.loads(body.decode("utf-8"), parse_constant=constant)
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        raise Wrong
    found = event["data"].get("object")
    kind = event.get("type")
    right = (
        isinstance(found, dict)
        and _is_id(event.get("id"))
        and isinstance(kind, str)
        and re.fullmatch(r"[A-Za-z0-9_.\[\]-]{0,255}", kind)
        and _optional(_is_flag, event.get("livemode"))
        and _optional(_is_number, event.get("created"))
        and _optional(_is_flag, found.get("livemode"))
    )
    if not right:
        raise Wrong
    about = object_of(str(kind))
    if about:
        if not _is_kind(found.get("object")):
            raise Wrong
        if found.get("object") != about:
            return event
        if not _is_id(found.get("id")):
            raise Wrong
        for path, rule in RULES[about].items():
            if not _optional(rule, _inside(found, path)):
                raise Wrong
        if any(found.get(name) is None for name in NEVER_NULL.get(about, ())):
            raise Wrong
        if about == "checkout.session" and found.get("mode") in {None, "", "payment"}:
            _check_paid(found)
    return event


def _check_paid(session: Mapping[str, Any]) -> None:
    """Raises Wrong when what says that a session was paid says otherwise, too."""
    status = session.get("payment_status")
    needed = [session.get(name) for name in ("amount_total", "currency", "payment_intent")]
    if status == "paid" and None in needed:
        raise Wrong
    if status == "no_payment_required" and needed[0]:
        raise Wrong


def _payment(
    noted: Expected, about: str, found: dict[str, Any], orders: Mapping[str, Order]
) -> Expected:
    session = about == "checkout.session"
    named = {_tag(found, "order"), (session and found.get("client_reference_id")) or ""} - {""}
    order = orders.get(named.pop()) if len(named) == 1 else None  # two names are none
    if _tag(found, "shop") != "popup" or order is None:
        return noted
    inner = found.get("payment_intent") if session else found
    intent = _id_in(inner) if session else found["id"]
    status = (inner.get("status") or "") if isinstance(inner, dict) else ""
    if not session:
        status = found["status"]
    stands = (found.get("status") or "") if session else ""
    amount = (found.get("amount_total") if session else found.get("amount")) or 0
    free = session and found.get("payment_status") == "no_payment_required"
    payment = found["id"] if free else intent or found["id"]
    paid = status == "succeeded" or (
        stands == "complete"
        and found.get("payment_status") in {"paid", "no_payment_required"}
        and status not in {"requires_capture", "processing", "canceled"}
    )
    email = (
        (found.get("customer_details") or {}).get("email")
        if session
        else found.get("receipt_email")
    )
    owner = _by_payment(orders, payment)
    right = (amount, found.get("currency")) == (order.amount, order.currency)
    if (paid or status == "requires_capture") and owner and owner.id != order.id:
        may = set() if paid or right else {"review"}  # one payment buys one order
    elif paid and right:
        may = {"goods", "payment"}
    elif paid:
        may = {"review", "payment"}
    elif status == "canceled" and intent in order.authorizations:
        may = {"void"}
    elif status == "requires_capture" and right:
        may = {"goods", "authorized"}
    elif status == "requires_capture":
        may = {"review"}
    elif stands == "expired" and status != "processing" and found["id"] == order.session:
        may = {"release"}
    elif stands == "complete":
        may = {"processing", "ask"}
    else:
        may = {"ask"}
    return Expected(
        200, noted.event, False, order.id, frozenset(may), amount, payment, "", email or ""
    )


def _refund(noted: Expected, found: dict[str, Any], orders: Mapping[str, Order]) -> Expected:
    payment = _id_in(found.get("payment_intent"))
    order = _by_payment(orders, payment)
    if order is None:
        return noted
    status = found.get("status") or "pending"
    others = sum(
        refund.amount
        for refund in order.refunds
        if refund.payment_intent == payment
        and refund.id != found["id"]
        and refund.status not in FAILED
    )
    paid, amount = order.payments.get(payment, 0), found.get("amount") or 0
    may = {"refund"}
    known = {"pending", "requires_action", "succeeded"} | FAILED
    if not amount or status not in known or (status not in FAILED and others + amount > paid):
        may = {"look"}  # nothing, or more than was paid: whatever it is, it is to be asked for
    elif status in FAILED:
        may |= {"review"}
    elif others + amount == paid:
        may |= {"return"}
    return Expected(200, noted.event, False, order.id, frozenset(may), amount, payment, found["id"])


def _by_payment(orders: Mapping[str, Order], payment: str) -> Order | None:
    def has(order: Order) -> bool:
        return payment in {*order.payments, *order.authorizations, *order.voided}

    return next((o for o in orders.values() if payment and has(o)), None)


def _id_in(value: Any) -> str:
    return str(value["id"] if isinstance(value, dict) else value or "")


def _tag(found: dict[str, Any], name: str) -> str:
    return str((found.get("metadata") or {}).get(name) or "")


def _optional(rule: Rule, value: Any) -> bool:
    return value is None or rule(value)


def _inside(found: dict[str, Any], path: str) -> Any:
    value: Any = found
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
