"""What Redis and Stripe hold, read from the memory itself.

No function of the shop reads here, so that a mistake in a reader cannot hide one.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from storefront.storage.snapshot import read_units
from storefront.storage.stock import COUNTERS
from tests.simulation.memory import Memory
from tests.simulation.sorted_set import SortedSet
from tests.simulation.town import Town

PREFIX = "{test}:"
GONE = frozenset({"failed", "canceled"})
"""Refunds that brought nobody any money."""
Fields = Mapping[str, str]
Session = dict[str, Any]
"""What an order can be paid through: its id, and a status in the words of a Checkout Session."""
OWN_STATUS = {"requires_payment_method": "open", "canceled": "expired"}
"""Of a PaymentIntent that the shop's own page pays; any other is complete."""


class View:
    """One town, seen from outside."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.redis: Memory = town.redis
        self.stripe = town.stripe

    @property
    def now(self) -> int:
        """Milliseconds."""
        return self.town.clock.ms

    # The books.

    def hash(self, name: str) -> Mapping[str, str]:
        found: Mapping[str, str] = self.redis.data.get(PREFIX + name, {})
        return found

    def zset(self, name: str) -> Mapping[str, float]:
        found = self.redis.data.get(PREFIX + name)
        return found.scores if isinstance(found, SortedSet) else {}

    def orders(self) -> dict[str, Fields]:
        """Every order's stored fields."""
        start = PREFIX + "order:"
        return {
            key[len(start) :]: value
            for key, value in self.redis.data.items()
            if key.startswith(start) and "state" in value
        }

    def level(self, sku: str) -> dict[str, int]:
        """The counters of a SKU."""
        return {name: int(self.hash(f"stock:{name}").get(sku, 0)) for name in COUNTERS}

    def deadline(self, order: str) -> float | None:
        """When an order's hold ends (ms); None when it has none."""
        return self.zset("holds").get(order)

    def units_at(self, order: str) -> str:
        """Where an order's units are counted."""
        return self.hash("units").get(order, "none").partition(" ")[0]

    def places(self) -> dict[str, tuple[str, dict[str, int]]]:
        """Where each order's units are counted, and how many of which."""
        units = self.hash("units").items()
        return {order: read_units(text) for order, text in units if ":" not in order}

    def allotments(self) -> dict[str, dict[str, int]]:
        """How many units of which are set aside for each payment link."""
        units = self.hash("units").items()
        return {name[5:]: read_units(text)[1] for name, text in units if name.startswith("link:")}

    def links(self) -> dict[str, Fields]:
        """Every payment link's stored fields."""
        start = PREFIX + "link:"
        return {
            key[len(start) :]: value
            for key, value in self.redis.data.items()
            if key.startswith(start)
        }

    # Stripe.

    def session(self, session: str) -> Session:
        """A Checkout Session, or a PaymentIntent that stands for one."""
        if found := self.stripe.sessions.get(session):
            return found
        return self._own(self.stripe.intents[session])

    def find(self, session: str) -> Session | None:
        """As ``session``; None when Stripe has none of this id."""
        known = session in self.stripe.sessions or session in self.stripe.intents
        return self.session(session) if known else None

    def sessions(self) -> Iterator[Session]:
        """Whatever orders can be paid through, on Stripe's page and on the shop's own."""
        yield from self.stripe.sessions.values()
        for intent in self.stripe.intents.values():
            if "form" in intent["metadata"]:
                yield self._own(intent)

    def payable(self, session: Session) -> bool:
        """Whether the session can still be paid, or money is on its way in it."""
        if session["status"] == "open":
            return bool(session["expires_at"] * 1000 > self.now)
        intent = self.stripe.intents.get(session["payment_intent"] or "")
        return bool(intent and intent["status"] == "processing")

    def captured(self) -> dict[str, Any]:
        """Charges that moved money, by PaymentIntent."""
        return {i: charge for i, charge in self.stripe.charges.items() if charge["captured"]}

    def order_of(self, intent: Mapping[str, Any]) -> str:
        """The order that a PaymentIntent is for."""
        return self.stripe.order_paid({"payment_intent": intent["id"], **intent})

    def agreed(self) -> list[str]:
        """PaymentIntents that a bank has agreed to and means to pay."""
        return [
            intent
            for intent, until in self.stripe._authorized.items()
            if until * 1000 > self.now and intent not in self.stripe._unwilling
        ]

    def lapsed(self) -> set[str]:
        """Orders with an authorisation that ran out."""
        return {
            self.order_of(intent)
            for intent in self.stripe.intents.values()
            if intent["cancellation_reason"] == "automatic"
        }

    def back(self, intent: str) -> int:
        """Minor units of a payment that went back."""
        return sum(
            int(refund["amount"])
            for refund in self.stripe.all_refunds.values()
            if refund["payment_intent"] == intent and refund["status"] not in GONE
        )

    def _own(self, intent: Mapping[str, Any]) -> Session:
        status = OWN_STATUS.get(intent["status"], "complete")
        own = {"status": status, "payment_intent": intent["id"], "expires_at": float("inf")}
        none = {"payment_link": None, "client_reference_id": None}
        return {**intent, **own, **none}


def noted_back(fields: Fields) -> Counter[str]:
    """What an order knows to have gone back, by PaymentIntent."""
    back: Counter[str] = Counter()
    for name, value in fields.items():
        if name.startswith("refund:"):
            refund = json.loads(value)
            if refund["status"] not in GONE:
                back[refund["payment_intent"]] += refund["amount"]
    return back


def named(fields: Fields, kind: str) -> dict[str, str]:
    """The fields of a kind (``payment``, ``voided``, …), by what they are about."""
    start = f"{kind}:"
    return {name[len(start) :]: text for name, text in fields.items() if name.startswith(start)}
