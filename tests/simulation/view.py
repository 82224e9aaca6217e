"""What Redis and Stripe hold, read from the memory itself.

No function of the shop reads here, so that a mistake in a reader cannot hide one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from storefront.domain.orders import COUNTER
from storefront.storage.order_fields import read_units
from storefront.storage.stock import COUNTERS
from tests.simulation.hash import read
from tests.simulation.memory import Memory
from tests.simulation.sorted_set import SortedSet
from tests.simulation.town import Town
from tests.simulation.values import parsed

PREFIX = "{test}:"
ORDER, LINK = f"{PREFIX}order:", f"{PREFIX}link:"
KEPT_TWICE = ("stocked", "written_off")
"""What only Redis knows of a SKU, and Stripe's product says too."""
LEVELS = tuple((name, f"{PREFIX}stock:{name}") for name in COUNTERS)
NOTHING: Mapping[str, str] = {}
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
        self._found: tuple[Any, dict[str, Fields], dict[str, Fields]] = (None, {}, {})
        """Orders and links, and of which moment of Redis they are."""

    @property
    def now(self) -> int:
        """Milliseconds."""
        return self.town.clock.ms

    # The books.

    def hash(self, name: str) -> Mapping[str, str]:
        found: Mapping[str, str] = self.redis.data.get(PREFIX + name, NOTHING)
        return found

    def zset(self, name: str) -> Mapping[str, float]:
        found = self.redis.data.get(PREFIX + name)
        return found.scores if isinstance(found, SortedSet) else {}

    def orders(self) -> dict[str, Fields]:
        """Every order's stored fields."""
        return self._look()[1]

    def level(self, sku: str) -> dict[str, int]:
        """The counters of a SKU."""
        data = self.redis.data
        return {name: int(data.get(key, NOTHING).get(sku, 0)) for name, key in LEVELS}

    def deadline(self, order: str) -> float | None:
        """When an order's hold ends (ms); None when it has none."""
        return self.zset("holds").get(order)

    def units_at(self, order: str) -> str:
        """Where an order's units are counted."""
        return self.hash("units").get(order, "none").partition(" ")[0]

    def places(self) -> dict[str, tuple[str, dict[str, int]]]:
        """Where each order's units are counted, and how many of which."""
        return read(self.hash("units"), _places)

    def allotments(self) -> dict[str, dict[str, int]]:
        """How many units of which are set aside for each payment link."""
        return read(self.hash("units"), _allotments)

    def links(self) -> dict[str, Fields]:
        """Every payment link's stored fields."""
        return self._look()[2]

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

    def more_at_stripe(self, sku: str) -> bool:
        """Whether Stripe keeps more of a SKU than the books; both numbers only ever grow."""
        there, here = self.stripe.catalogue[f"test_{sku}"]["metadata"], self.level(sku)
        return any(int(there[name]) > here[name] for name in KEPT_TWICE)

    def captured(self) -> dict[str, Any]:
        """Charges that moved money, by PaymentIntent."""
        return {i: charge for i, charge in self.stripe.charges.items() if charge["captured"]}

    def order_of(self, intent: Mapping[str, Any]) -> str:
        """The order that a PaymentIntent is for."""
        named = {"payment_intent": intent["id"], "metadata": intent["metadata"]}
        return self.stripe.order_paid(named)

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

    def _look(self) -> tuple[Any, dict[str, Fields], dict[str, Fields]]:
        """Orders and links; looked for anew when a key was written, or ended by itself."""
        data = self.redis.data
        moment = (self.redis.changes, len(data))
        if self._found[0] != moment:
            keys = [key for key in data if key.startswith((ORDER, LINK))]
            orders = {k[len(ORDER) :]: data[k] for k in keys if k.startswith(ORDER)}
            stored = {order: fields for order, fields in orders.items() if "state" in fields}
            links = {k[len(LINK) :]: data[k] for k in keys if k.startswith(LINK)}
            self._found = (moment, stored, links)
        return self._found

    def _own(self, intent: Mapping[str, Any]) -> Session:
        status = OWN_STATUS.get(intent["status"], "complete")
        own = {"status": status, "payment_intent": intent["id"], "expires_at": float("inf")}
        none = {"payment_link": None, "client_reference_id": None}
        return {**intent, **own, **none}


def at_counter(fields: Fields) -> bool:
    """Whether an order was sold, or is to be, for money that goes from hand to hand."""
    return fields.get("form") in COUNTER


def noted_back(fields: Fields) -> Counter[str]:
    """What an order knows to have gone back, by PaymentIntent."""
    return read(fields, _noted_back)


def named(fields: Fields, kind: str) -> Mapping[str, str]:
    """The fields of a kind (``payment``, ``voided``, …), by what they are about."""
    return read(fields, _kinds).get(kind, NOTHING)


def _kinds(fields: Fields) -> Mapping[str, Mapping[str, str]]:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, text in fields.items():
        kind, colon, about = name.partition(":")
        if colon:
            found[kind][about] = text
    return found


def _noted_back(fields: Fields) -> Counter[str]:
    back: Counter[str] = Counter()
    for text in named(fields, "refund").values():
        refund = parsed(text)
        if refund["status"] not in GONE:
            back[refund["payment_intent"]] += refund["amount"]
    return back


def _places(units: Fields) -> dict[str, tuple[str, dict[str, int]]]:
    return {order: read_units(text) for order, text in units.items() if ":" not in order}


def _allotments(units: Fields) -> dict[str, dict[str, int]]:
    return {
        name[5:]: read_units(text)[1] for name, text in units.items() if name.startswith("link:")
    }
