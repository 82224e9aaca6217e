"""Reads orders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.client import Pipeline

from storefront.domain.orders import COUNTER, Order, Refund, State
from storefront.storage.keys import SEEN_SECONDS, Keys
from storefront.storage.order_fields import read_order, read_refund

CHUNK = 500
"""Orders read in one round trip."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an order keeps of one movement of money."""

    order: str
    paid: int | None
    """By the payment that was asked about; None when it knows of no such payment."""
    refund: Refund | None


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

    def number(self) -> int:
        """How many there are."""
        found: int = self._client.zcard(self._keys.name("orders"))
        return found

    def filed(self, orders: Sequence[Order]) -> set[str]:
        """Ids of those that are listed under the state that they were read with."""
        members = [f"{order.state}:{order.created}:{order.id}" for order in orders]
        scores = self._client.zmscore(self._keys.name("states"), members) if members else []
        return {order.id for order, at in zip(orders, scores, strict=True) if at is not None}

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

    def paid_at_counter(self, begin: int, end: int) -> list[str]:
        """Ids of the orders that were made from a time (ms) until another, and paid at the counter."""
        ids = self._client.zrangebyscore(self._keys.name("orders"), begin, f"({end}")
        found: list[str] = []
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            names = [f"{form}_{order}" for form in sorted(COUNTER) for order in chunk]
            payers = self._client.hmget(self._keys.name("payments"), names)
            found += {order for order in payers if order}
        return found

    def note_given_back(self, order_id: str, at: int) -> None:
        """Keep that money of an order goes back at the counter; told before it is written there."""
        self._client.zadd(self._keys.name("till"), {order_id: at}, gt=True)

    def given_back_since(self, at: int) -> list[str]:
        """Ids of the orders of which money went back at the counter at a time (ms) or later."""
        found: list[str] = self._client.zrangebyscore(self._keys.name("till"), at, "+inf")
        return found

    def payers(self, payment_intents: Sequence[str]) -> dict[str, str | None]:
        """Which order each PaymentIntent is listed for."""
        if not payment_intents:
            return {}
        found = self._client.hmget(self._keys.name("payments"), list(payment_intents))
        return dict(zip(payment_intents, found, strict=True))

    def told_of(self, movements: Sequence[tuple[str, str, str]]) -> list[Told | None]:
        """For each order, payment and refund, what the order keeps of them; None without an order.

        Of each order no more is read than that.
        """
        found: list[Told | None] = []
        for start in range(0, len(movements), CHUNK):
            pipe = self._client.pipeline(transaction=False)
            for order, payment, refund in movements[start : start + CHUNK]:
                names = ["id", f"payment:{payment}", f"refund:{refund}"]
                pipe.hmget(self._keys.order(order), names)
            for (_, _, refund), (order, paid, row) in zip(
                movements[start : start + CHUNK], pipe.execute(), strict=True
            ):
                back = read_refund(refund, row) if row else None
                found.append(Told(order, int(paid) if paid else None, back) if order else None)
        return found

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
        self._client.set(self._keys.seen(event_id), "1", ex=SEEN_SECONDS)


def _small(email: str) -> str:
    """The address as it is listed: small letters where Lua has them, in ASCII."""
    return email.encode().lower().decode()
