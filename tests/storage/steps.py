"""Steps of an order's life at the storage, each with the usual values unless told otherwise."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from storefront.domain.orders import Line, Order, Plan, basket_of, total
from storefront.domain.products import Level, Product, Variant
from storefront.domain.terms import PLAIN, Terms
from storefront.domain.waitlist import Place
from storefront.storage.answers import (
    Attached,
    Chosen,
    Confirmed,
    HandAnswer,
    HoldAnswer,
    Job,
    Joined,
    Left,
    Limits,
    PlanAnswer,
    Recorded,
    Settled,
    TakeAnswer,
    TakenBack,
    Wanted,
)
from storefront.storage.charging import Charged, Told
from storefront.storage.store import Store
from tests.books import broken, dump

PRICE = 2500
HOLD_MS = 1_920_000
GRACE_MS = 300_000
ASK_MS = 30_000
AGAIN_MS = 3_600_000
VERSIONS = itertools.count(2)
"""Of catalogues: a reader keeps one until its version changes."""
LAPSE_MS = 172_800_000
LIMITS = Limits(visitor=0, address=0)


@dataclass
class Book:
    """A shop's storage in a test's hand."""

    store: Store

    def stock(self, **units: int) -> None:
        """Put SKUs on the shelf, each with its first units, of which Stripe is told."""
        self.store.scripts.publish_catalogue({}, units, version="v1", who="tests")
        told = [f"mirror:{sku}" for sku in units]
        self.store._client.zrem(self.store.keys.name("due"), *told)

    def shelve(self, **units: int) -> None:
        """The same, with a product for each, so that units can be offered."""
        products = [Product(sku, sku.title(), (Variant(sku, PRICE),)) for sku in units]
        rows = {product.slug: json.dumps(product.to_json()) for product in products}
        self.store.scripts.publish_catalogue(rows, units, version=f"v{next(VERSIONS)}", who="tests")
        told = [f"mirror:{sku}" for sku in units]
        self.store._client.zrem(self.store.keys.name("due"), *told)

    def join(
        self, place: str, sku: str = "poster", units: int = 1, *, renew: bool = False
    ) -> Joined:
        """Join the line; the offers of ``ada`` are the orders ``ada-1``, ``ada-2``, …"""
        turn = "again-" if renew else ""
        return self.store.scripts.join_line(
            place,
            sku=sku,
            email=f"{place}@example.com",
            orders=[f"{place}-{turn}{number + 1}" for number in range(units)],
            renew=renew,
            again_ms=AGAIN_MS,
            lapse_ms=LAPSE_MS,
        )

    def confirm(self, place: str) -> Confirmed:
        return self.store.scripts.confirm_place(place)

    def wait(self, *places: str, sku: str = "poster", units: int = 1) -> None:
        """Each joins and confirms, one after the other."""
        for place in places:
            self.join(place, sku, units)
            self.confirm(place)

    def leave(self, place: str, how: str = "left") -> Left:
        return self.store.scripts.leave_line(place, how)

    def take(self, order: str, *, hold_ms: int = HOLD_MS) -> TakeAnswer:
        return self.store.scripts.take_offer(
            order,
            form="hosted",
            hold_ms=hold_ms,
            grace_ms=GRACE_MS,
            session_seconds=1920,
            ask_ms=ASK_MS,
        )

    def place(self, place: str) -> Place:
        found = self.store.waitlist.get(place)
        assert found is not None
        return found

    def line(self, sku: str = "poster") -> list[str]:
        """Who waits, in order."""
        return [
            place.id
            for place in self.store.waitlist.all()
            if place.sku == sku and place.state == "waiting"
        ]

    def offered(self) -> list[str]:
        """Orders that are offered, in the order of their offers."""
        entries = self.store.ledger.walk()
        made = [entry.order for entry in entries if entry.what == "offer"]
        return [order for order in made if self.order(order).state == "offered"]

    def hold(
        self,
        order: str,
        units: Mapping[str, int],
        *,
        visitor: str = "",
        address: str = "",
        limits: Limits = LIMITS,
        most: int = 10,
        opens_at: int = 0,
        hold_ms: int = HOLD_MS,
        grace_ms: int = GRACE_MS,
        terms: Terms = PLAIN,
        form: str = "hosted",
    ) -> HoldAnswer:
        lines = [Line(sku, number, PRICE, name=sku.title()) for sku, number in units.items()]
        return self.store.scripts.hold_stock(
            order,
            [Wanted(line, most, opens_at) for line in lines],
            basket=basket_of(units),
            currency="usd",
            amount=total(lines),
            terms=terms,
            form=form,
            visitor=visitor or f"visitor-of-{order}",
            address=address or f"address-of-{order}",
            limits=limits,
            hold_ms=hold_ms,
            grace_ms=grace_ms,
            session_seconds=1920,
            ask_ms=ASK_MS,
        )

    def attach(self, order: str, session: str = "cs_1") -> Attached:
        return self.store.scripts.attach_session(
            order, session=session, url=f"https://pay.example/{session}"
        )

    def open(self, order: str, units: Mapping[str, int], session: str = "cs_1") -> None:
        """Hold, and note the session."""
        self.hold(order, units)
        self.attach(order, session)

    def settle(
        self,
        order: str,
        payment: str = "pi_1",
        *,
        session: str = "cs_1",
        amount: int = 2 * PRICE,
        parts: Charged | None = None,
        email: str = "ada@example.com",
        in_turn: bool = False,
        event: str = "",
    ) -> Settled:
        return self.store.scripts.settle_payment(
            order,
            payment_intent=payment,
            session=session,
            amount=amount,
            parts=parts,
            email=email,
            in_turn=in_turn,
            event=event,
        )

    def choose(self, order: str, parts: Charged | None, *, told: Told | None = None) -> Chosen:
        return self.store.scripts.choose_way(order, parts, ask_ms=ASK_MS, told=told)

    def authorize(
        self,
        order: str,
        payment: str = "pi_1",
        *,
        session: str = "cs_1",
        amount: int = 2 * PRICE,
        parts: Charged | None = None,
        in_turn: bool = False,
        event: str = "",
    ) -> Settled:
        return self.store.scripts.authorize_payment(
            order,
            payment_intent=payment,
            session=session,
            amount=amount,
            parts=parts,
            capture_before=1_900_000_000,
            email="ada@example.com",
            in_turn=in_turn,
            event=event,
        )

    def void(self, order: str, payment: str = "pi_1", event: str = "") -> Settled:
        return self.store.scripts.void_payment(
            order, payment_intent=payment, reason="lapsed", event=event
        )

    def hand_over(
        self,
        order: str = "o1",
        units: Mapping[str, int] | None = None,
        *,
        key: str = "scan-000001",
        sent: bool = False,
    ) -> HandAnswer:
        return self.store.scripts.hand_over(
            order, key=key, who="admin", units=units or {}, sent=sent
        )

    def take_back(self, order: str = "o1", *, key: str = "scan-000001") -> TakenBack:
        return self.store.scripts.take_back(order, key=key, who="admin")

    def process(self, order: str, session: str = "cs_1", event: str = "") -> Settled:
        return self.store.scripts.mark_processing(
            order,
            session=session,
            payment_intent="pi_1",
            email="ada@example.com",
            ask_ms=AGAIN_MS,
            event=event,
        )

    def release(
        self,
        order: str,
        session: str = "cs_1",
        *,
        version: int = 1,
        reason: str = "expired",
        who: str = "",
        event: str = "",
    ) -> Settled:
        return self.store.scripts.release_hold(
            order, session=session, version=version, reason=reason, who=who, event=event
        )

    def review(
        self, order: str, reason: str = "look at this", event: str = "", **changes: Any
    ) -> Settled:
        return self.store.scripts.review_order(order, reason=reason, event=event, **changes)

    def refund(
        self,
        order: str,
        refund: str = "re_1",
        payment: str = "pi_1",
        *,
        amount: int = 2 * PRICE,
        status: str = "succeeded",
        reason: str = "sold_out",
        plan: Plan | None = None,
        by_hand: bool = False,
        event: str = "",
    ) -> Recorded:
        return self.store.scripts.record_refund(
            order,
            refund=refund,
            payment_intent=payment,
            amount=amount,
            status=status,
            reason=reason,
            again_ms=AGAIN_MS,
            plan=plan,
            by_hand=by_hand,
            event=event,
        )

    def plan(
        self,
        units: Mapping[str, int] | None = None,
        *,
        amount: int = PRICE,
        to: str = "available",
        key: str = "form-000001",
        payment: str = "pi_1",
    ) -> Plan:
        """What an operator wants sent back."""
        return Plan(key, payment, amount, units or {}, to, reason="torn", who="admin")

    def want(self, plan: Plan, order: str = "o1") -> PlanAnswer:
        return self.store.scripts.plan_refund(order, plan)

    def claim(self, lease_ms: int = 60_000, limit: int = 100) -> dict[str, Job]:
        """The jobs that are due now, by name."""
        jobs = self.store.scripts.claim_due(limit=limit, lease_ms=lease_ms)
        return {job.name: job for job in jobs}

    def order(self, order: str) -> Order:
        found = self.store.orders.get(order)
        assert found is not None
        return found

    def level(self, sku: str) -> tuple[int, int, int, int, int]:
        """Available, held, sold, written off and stocked."""
        levels = {level.sku: level for level in self.store.stock.levels()}
        level = levels.get(sku, Level(sku))
        return (level.available, level.held, level.sold, level.written_off, level.stocked)

    def due(self) -> dict[str, int]:
        """When each job is due (ms)."""
        return {job.name: job.at for job in self.store.due.jobs()}

    def ledger(self) -> list[tuple[str, str, int, str, str]]:
        """Every change of stock: what, SKU, units, from, to."""
        return [(e.what, e.sku, e.quantity, e.origin, e.target) for e in self.store.ledger.walk()]

    def hold_ttl(self, order: str) -> int:
        """Milliseconds that the hold's key has left; -1 for ever, -2 gone."""
        return int(self.store._client.pttl(self.store.keys.hold(order)))

    def seen_ttl(self, event: str) -> int:
        """Seconds that the mark of an event has left; -2 when there is none."""
        return int(self.store._client.ttl(self.store.keys.seen(event)))

    def picture(self) -> dict[str, Any]:
        """Every key but the counters of ``/metrics``, which count refusals too."""
        return dump(self.store._client)

    def put(self, counter: str, sku: str, units: int) -> None:
        """Falsify a counter, as no script ever does."""
        self.store._client.hset(self.store.keys.name(f"stock:{counter}"), sku, units)

    def published(self, act: Callable[[], object]) -> list[str]:
        """What the open pages are told while something happens."""
        with self.store._client.pubsub(ignore_subscribe_messages=True) as messages:
            messages.subscribe(self.store.keys.name("live"))
            messages.get_message(timeout=1)
            act()
            found = []
            while message := messages.get_message(timeout=0.05):
                found.append(str(message["data"]))
            return found

    def check(self) -> None:
        """The books agree with each other."""
        assert broken(self.store) == []
