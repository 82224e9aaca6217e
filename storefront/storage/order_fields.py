"""Reads one order out of its hash."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from storefront.domain.orders import Dispute, Form, Handover, Line, Note, Order, Plan, Refund, State
from storefront.domain.terms import Recipient, Terms


def read_order(fields: Mapping[str, str], units: str | None) -> Order:
    """The order that a hash and its entry in ``units`` describe."""
    lines: list[dict[str, Any]] = json.loads(fields["lines"])
    kinds = _by_kind(fields)
    at, counted = read_units(units) if units else ("none", {})
    return Order(
        id=fields["id"],
        state=State(fields["state"]),
        created=int(fields["created"]),
        currency=fields["currency"],
        amount=int(fields["amount"]),
        lines=tuple(
            Line(
                sku=line["sku"],
                quantity=int(line["quantity"]),
                unit_amount=int(line["unit_amount"]),
                name=line.get("name", ""),
                slug=line.get("slug", ""),
                image=line.get("image", ""),
                price=line.get("price", ""),
            )
            for line in lines
        ),
        deadline=int(fields["deadline"]),
        expires_at=int(fields["expires_at"]),
        session_version=int(fields["session_version"]),
        extended="extended" in fields,
        visitor=fields.get("visitor", ""),
        basket=fields["basket"],
        form=_form(fields),
        terms=Terms.from_json(fields.get("terms", "")),
        shipping=int(fields.get("shipping", "0")),
        tax=int(fields.get("tax", "0")),
        discount=int(fields.get("discount", "0")),
        way=fields.get("way", ""),
        recipient=Recipient.from_json(fields.get("recipient", "")),
        session=fields.get("session", ""),
        url=fields.get("url", ""),
        sessions=tuple(json.loads(fields.get("sessions", "[]"))),
        payment_intent=fields.get("payment_intent", ""),
        email=fields.get("email", ""),
        language=fields.get("language", ""),
        reason=fields.get("reason", ""),
        ending=fields.get("ending", ""),
        units=at,
        counted=counted,
        updated=int(fields.get("updated", "0")),
        place=fields.get("place", ""),
        taken=int(fields.get("taken", "0")),
        erased=int(fields.get("erased", "0")),
        payments=_numbers(kinds["payment"]),
        refunds=tuple(_refunds(kinds["refund"])),
        notices=_numbers(kinds["mail"]),
        refund_versions=_numbers(kinds["refund_version"]),
        refund_reasons=kinds["refund_reason"],
        authorizations=_numbers(kinds["authorized"]),
        capture_before=_numbers(kinds["capture_before"]),
        void_reasons=kinds["void_reason"],
        voided=_numbers(kinds["voided"]),
        capture_versions=_numbers(kinds["capture_version"]),
        disputes=tuple(_disputes(kinds["dispute"])),
        plans=tuple(_plans(kinds["plan"])),
        gone=_numbers(kinds["gone"]),
        handed=_numbers(kinds["handed"]),
        handovers=tuple(_handovers(kinds["handover"])),
        times=_numbers(kinds["at"]),
        events=_numbers(kinds["event"]),
        notes=tuple(_notes(kinds["note"])),
    )


def read_units(text: str) -> tuple[str, dict[str, int]]:
    """``held a=2,b=1`` as ``("held", {"a": 2, "b": 1})``."""
    at, _, basket = text.partition(" ")
    pairs = (part.rpartition("=") for part in basket.split(","))
    return at, {sku: int(number) for sku, _, number in pairs}


def _form(fields: Mapping[str, str]) -> Form:
    """As it was held; of an order that was restored, as its session tells."""
    session = fields.get("session", "")
    return Form(fields.get("form") or ("elements" if session.startswith("pi_") else "hosted"))


def _by_kind(fields: Mapping[str, str]) -> defaultdict[str, dict[str, str]]:
    """The fields of which there are several (``payment:pi_1``), by kind and what they are about."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, value in fields.items():
        kind, colon, about = name.partition(":")
        if colon:
            found[kind][about] = value
    return found


def _numbers(texts: Mapping[str, str]) -> dict[str, int]:
    return {name: int(text) for name, text in texts.items()}


def _refunds(texts: Mapping[str, str]) -> Iterator[Refund]:
    for refund_id, text in texts.items():
        yield read_refund(refund_id, text)


def read_refund(refund_id: str, text: str) -> Refund:
    """The refund that a field of an order describes."""
    row = json.loads(text)
    return Refund(
        id=refund_id,
        amount=int(row["amount"]),
        status=row["status"],
        payment_intent=row["payment_intent"],
        reason=row.get("reason", ""),
    )


def _plans(texts: Mapping[str, str]) -> Iterator[Plan]:
    for key, text in texts.items():
        row = json.loads(text)
        yield Plan(
            key=key,
            payment_intent=row["payment_intent"],
            amount=int(row["amount"]),
            # Lua writes an empty list as an empty object.
            units={line["sku"]: int(line["quantity"]) for line in row["lines"] or ()},
            to=row["to"],
            handed=row.get("handed") or {},
            at=int(row.get("at", 0)),
            reason=row["reason"],
            who=row.get("who", ""),
            refund=row.get("refund", ""),
            given_up=row.get("given_up", False),
        )


def _handovers(texts: Mapping[str, str]) -> list[Handover]:
    found = []
    for key, text in texts.items():
        row = json.loads(text)
        units = {line["sku"]: int(line["quantity"]) for line in row["lines"]}
        at, undone = int(row["at"]), int(row.get("undone", 0))
        found.append(Handover(key, at, units, row["who"], sent=row["sent"], undone=undone))
    return sorted(found, key=lambda one: one.at)


def _notes(texts: Mapping[str, str]) -> list[Note]:
    rows = [json.loads(text) for text in texts.values()]
    notes = [Note(int(row["at"]), row["text"], row["who"]) for row in rows]
    return sorted(notes, key=lambda one: one.at)


def _disputes(texts: Mapping[str, str]) -> Iterator[Dispute]:
    for dispute_id, text in texts.items():
        row = json.loads(text)
        yield Dispute(dispute_id, row["payment_intent"], int(row["amount"]), row["status"])
