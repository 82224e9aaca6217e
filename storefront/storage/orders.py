"""Reads orders."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import redis
from redis.client import Pipeline

from storefront.domain.orders import Dispute, Form, Handover, Line, Note, Order, Plan, Refund, State
from storefront.domain.terms import Recipient, Terms
from storefront.storage.keys import Keys

CHUNK = 500
"""Orders read in one round trip."""


class Orders:
    """The shop's orders, as the scripts left them."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys

    def get(self, order_id: str) -> Order | None:
        """The order as it stands, with where its units are counted, at one moment."""
        return next(iter(self.get_many([order_id])), None)

    def get_many(self, order_ids: Sequence[str]) -> list[Order]:
        """Those of the orders that exist, in the same order, all read at one moment."""
        if not order_ids:
            return []
        pipe = self._client.pipeline(transaction=True)
        self._ask_for(pipe, order_ids)
        *fields, units = pipe.execute()
        return [read_order(f, u) for f, u in zip(fields, units, strict=True) if "state" in f]

    def examine(self, order_ids: Sequence[str]) -> Iterator[tuple[list[Order], set[str]]]:
        """Orders in chunks, each with the names of all jobs that are due, read at one moment."""
        for start in range(0, len(order_ids), CHUNK):
            pipe = self._client.pipeline(transaction=True)
            self._ask_for(pipe, order_ids[start : start + CHUNK])
            pipe.zrange(self._keys.name("due"), 0, -1)
            *fields, units, due = pipe.execute()
            orders = [read_order(f, u) for f, u in zip(fields, units, strict=True) if "state" in f]
            yield orders, set(due)

    def _ask_for(self, pipe: Pipeline, order_ids: Sequence[str]) -> None:
        for order_id in order_ids:
            pipe.hgetall(self._keys.order(order_id))
        pipe.hmget(self._keys.name("units"), list(order_ids))

    def ids(self, state: State | None = None, since_ms: int | None = None) -> list[str]:
        """Ids of all orders, or of those in one state, made since a time (ms), oldest first."""
        if state is None:
            lowest = "-inf" if since_ms is None else since_ms
            found: list[str] = self._client.zrangebyscore(self._keys.name("orders"), lowest, "+inf")
            return found
        members: list[str] = self._client.zrangebylex(
            self._keys.name("states"), f"[{state}:{since_ms or 0:013d}", f"({state};"
        )
        return [member.rpartition(":")[2] for member in members]

    def newest(self, state: State | None, *, skip: int, most: int) -> list[str]:
        """At most so many ids of all orders, or of those in a state, the newest first."""
        found: list[str]
        if state is None:
            found = self._client.zrevrange(self._keys.name("orders"), skip, skip + most - 1)
            return found
        found = self._client.zrevrangebylex(
            self._keys.name("states"), f"({state};", f"[{state}:", start=skip, num=most
        )
        return [member.rpartition(":")[2] for member in found]

    def walk(self, state: State | None = None, since_ms: int | None = None) -> Iterator[Order]:
        """Every such order, oldest first, read in chunks so that memory stays bounded."""
        yield from self.each(self.ids(state, since_ms))

    def each(self, order_ids: Sequence[str]) -> Iterator[Order]:
        """Those of the orders that exist, read in chunks so that memory stays bounded."""
        for start in range(0, len(order_ids), CHUNK):
            yield from self.get_many(order_ids[start : start + CHUNK])

    def counts(self) -> dict[State, int]:
        """How many orders are in each state, at one moment."""
        pipe = self._client.pipeline(transaction=True)
        for state in State:
            pipe.zlexcount(self._keys.name("states"), f"[{state}:", f"({state};")
        return dict(zip(State, pipe.execute(), strict=True))

    def by_payment(self, payment_intent: str) -> str | None:
        """The id of the order that this PaymentIntent paid."""
        found: str | None = self._client.hget(self._keys.name("payments"), payment_intent)
        return found

    def paid_as(self, beginning: str) -> set[str]:
        """Ids of the orders with a payment whose name begins so."""
        found = self._client.hscan_iter(
            self._keys.name("payments"), match=f"{beginning}*", count=CHUNK
        )
        return {order for _, order in found}

    def payers(self, payment_intents: Sequence[str]) -> dict[str, str | None]:
        """Which order each PaymentIntent is listed for."""
        if not payment_intents:
            return {}
        found = self._client.hmget(self._keys.name("payments"), list(payment_intents))
        return dict(zip(payment_intents, found, strict=True))

    def listed_in(self, order_id: str) -> tuple[str, list[str]]:
        """The order's state, and the states under which it is listed, at one moment."""
        order = self.get(order_id)
        if order is None:
            return "", []
        pipe = self._client.pipeline(transaction=True)
        pipe.hget(self._keys.order(order_id), "state")
        for state in State:
            pipe.zscore(self._keys.name("states"), f"{state}:{order.created}:{order_id}")
        state, *scores = pipe.execute()
        return state, [s for s, score in zip(State, scores, strict=True) if score is not None]

    def by_email(self, email: str, *, most: int) -> list[Order]:
        """The newest ``most`` orders of a mail address, whatever the case of its letters."""
        address = _small(email)
        members: list[str] = self._client.zrevrangebylex(
            self._keys.name("mailboxes"), f"({address}!", f"[{address} ", start=0, num=most
        )
        orders = self.get_many([member.rpartition(" ")[2] for member in members])
        return [order for order in orders if _small(order.email) == address]

    def with_email(self, until_ms: int) -> list[str]:
        """Ids of the orders made until a time (ms) of which a mail address is kept, in no order."""
        members = (member for member, _ in self._client.zscan_iter(self._keys.name("mailboxes")))
        found = (member.rsplit(" ", 2) for member in members)
        return [order for _, created, order in found if int(created) <= until_ms]

    def live_of(self, visitor: str) -> list[str]:
        """Ids of the visitor's live holds, oldest first."""
        if not visitor:
            return []
        members: list[str] = self._client.zrangebylex(
            self._keys.name("visitors"), f"[{visitor}:", f"({visitor};"
        )
        return [member.rpartition(":")[2] for member in members]

    def holding(self, *, until_ms: int | str = "+inf", most: int = -1) -> list[tuple[str, int]]:
        """Orders that hold units, with their deadlines (ms), the earliest first."""
        found: list[tuple[str, float]] = self._client.zrangebyscore(
            self._keys.name("holds"), "-inf", until_ms, withscores=True, start=0, num=most
        )
        return [(order, int(deadline)) for order, deadline in found]

    def seen(self, event_id: str) -> bool:
        """Whether this Stripe event's outcome is stored already."""
        return bool(self._client.exists(self._keys.seen(event_id)))

    def mark_seen(self, event_id: str) -> None:
        """Note an event that changes nothing; one with an outcome is marked by its script."""
        self._client.set(self._keys.seen(event_id), "1", ex=35 * 24 * 3600)


def _small(email: str) -> str:
    """The address as it is listed: small letters where Lua has them, in ASCII."""
    return email.encode().lower().decode()


def read_order(fields: Mapping[str, str], units: str | None) -> Order:
    """The order that a hash and its entry in ``units`` describe."""
    lines: list[dict[str, Any]] = json.loads(fields["lines"])
    kinds = _by_kind(fields)
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
        units=units.partition(" ")[0] if units else "none",
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
        row = json.loads(text)
        yield Refund(
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
