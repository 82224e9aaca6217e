"""The promises, checked after every step: on what Redis holds, against what Stripe did.

Each fault is named after the invariant of docs/never-oversell.md that it breaks. What is read here is
the memory itself, by no function of the shop, so that a mistake in a reader cannot hide one.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from storefront.domain.orders import AWAITING, GOODS, HOLDING, MONEY_BACK, State
from storefront.storage.snapshot import read_units
from storefront.storage.stock import COUNTERS
from tests.simulation.memory import Memory
from tests.simulation.sorted_set import SortedSet
from tests.simulation.town import Town
from tests.simulation.truth import Broken, Truth

PREFIX = "{test}:"
PLACES: dict[str, frozenset[str]] = {
    **dict.fromkeys(HOLDING, frozenset({"held"})),
    **dict.fromkeys(GOODS, frozenset({"sold"})),
    **dict.fromkeys(MONEY_BACK | {State.RELEASED}, frozenset({"none"})),
    State.REVIEW: frozenset({"held", "sold", "none"}),
}
GONE = frozenset({"failed", "canceled"})
LATE_MS = 120_000
Fields = Mapping[str, str]


class Promises:
    """Checks one town, and remembers what it has seen."""

    def __init__(self, town: Town, truth: Truth) -> None:
        self._town, self._truth = town, truth
        self._redis: Memory = town.redis
        self._changes = (-1, -1)
        self._replayed: dict[str, Counter[str]] = {}
        self._entries = 0
        self._messages = 0
        self._shown: dict[str, dict[str, int]] = {}
        """What open pages show of each SKU."""
        self._states: dict[str, str] = {}
        self._released: set[str] = set()

    def restarted(self, *, lossy: bool) -> None:
        """Redis was restarted: what was seen before may have been lost."""
        self._shown.clear()  # open pages are told everything anew when they connect again
        if lossy:
            self._truth.lossy = True
            self._states.clear()
            self._replayed.clear()
            self._entries = 0

    def check(self) -> None:
        """Raises Broken when something that is always true is not."""
        self._own_mistakes()
        changes = (self._redis.changes, len(self._town.stripe.events))
        if changes == self._changes:
            return
        self._changes = changes
        orders = self.orders()
        self._stock(orders)
        self._ledger()
        self._told()
        sessions = self._sessions()
        due = self._zset("due")
        limits: Counter[str] = Counter()
        alive: Counter[tuple[str, str]] = Counter()
        for order, fields in orders.items():
            self._order(order, fields, sessions.get(order, []))
            self._due(order, fields, sessions.get(order, []), due)
            if fields["state"] in AWAITING and fields["visitor"]:
                limits[f"visitor {fields['visitor']}"] += 1
                limits[f"address {fields.get('address')}"] += 1
            if fields["state"] == State.RELEASED:
                self._released.add(order)
            elif (
                fields["visitor"]
                and order not in self._released
                and fields["state"] in HOLDING | GOODS
            ):
                # One that was released and paid late lives beside what the form went on to.
                alive[fields["visitor"], fields["basket"]] += 1
        self._limits(limits)
        for who, number in alive.items():
            if number > len(self._truth.forms[who]):
                raise Broken("double click", f"{who} sent {self._truth.forms[who]}, has {number}")
        self._money(orders)

    def rest(self) -> None:
        """Raises Broken when something is not as it must be once nothing is due any more."""
        self._changes = (-1, -1)
        self.check()
        orders = self.orders()
        for order, fields in orders.items():
            self._ended(order, fields)
        for session in self._town.stripe.sessions.values():
            order = session["metadata"]["order"]
            if order not in orders:
                raise Broken("I4", f"{session['id']} has no order")
            # A person's word released an order whose session nobody had heard of, nor was shown.
            unheard = order in self._truth.by_hand and "session" not in orders[order]
            behind = unheard or session["id"] in self._truth.twins
            if session["status"] == "open" and not behind:
                raise Broken("I6", f"{session['id']} of {order} can still be paid")
        for sku, number in self._redis.data.get(PREFIX + "stock:held", {}).items():
            reviewed = sum(
                units.get(sku, 0)
                for order, (at, units) in self._places().items()
                if at == "held" and orders[order]["state"] == State.REVIEW
            )
            if int(number) != reviewed:
                raise Broken("I7", f"{number} of {sku} are still held")
        for sku in self._hash("stock:stocked"):
            self._mirrored(sku)

    def _mirrored(self, sku: str) -> None:
        """What only Redis knows of a SKU is at Stripe, too."""
        product = self._town.stripe.catalogue.get(f"test_{sku}", {"metadata": None})
        names = ("stocked", "written_off")
        ours = {name: str(self.level(sku)[name]) for name in names}
        theirs = product["metadata"] and {name: product["metadata"].get(name) for name in names}
        if self._truth.lossy and theirs:
            # A restock that Redis lost: Stripe keeps it, until a person has counted.
            theirs = {name: str(min(int(theirs[name]), int(ours[name]))) for name in names}
        if ours != theirs:
            raise Broken("mirror", f"{sku} is {ours} here, {theirs} at Stripe")

    def late(self, since: int) -> None:
        """Raises Broken when a hold stands long after a worker could have ended it.

        ``since`` (ms) is when everything worked again.
        """
        now = self._town.clock.ms
        for order, deadline in self._zset("holds").items():
            fields = self._hash(f"order:{order}")
            if fields["state"] in AWAITING and now > max(deadline, since) + LATE_MS:
                raise Broken("I7", f"{order} should have ended {int(now - deadline)} ms ago")

    def orders(self) -> dict[str, Fields]:
        """Every order's stored fields."""
        start = PREFIX + "order:"
        return {
            key[len(start) :]: value
            for key, value in self._redis.data.items()
            if key.startswith(start) and "state" in value
        }

    def level(self, sku: str) -> dict[str, int]:
        """The counters of a SKU."""
        return {name: int(self._hash(f"stock:{name}").get(sku, 0)) for name in COUNTERS}

    def deadline(self, order: str) -> float | None:
        """When an order's hold ends (ms); None when it has none."""
        return self._zset("holds").get(order)

    def units_at(self, order: str) -> str:
        """Where an order's units are counted."""
        return self._hash("units").get(order, "none").partition(" ")[0]

    def _own_mistakes(self) -> None:
        if self._redis.broken:
            raise Broken("a script failed", self._redis.broken[0])

    def _stock(self, orders: Mapping[str, Fields]) -> None:
        sums: dict[str, Counter[str]] = {"held": Counter(), "sold": Counter()}
        holding = set()
        for order, (at, units) in self._places().items():
            sums[at].update(units)
            if at == "held":
                holding.add(order)
        if holding != set(self._zset("holds")):
            raise Broken("I3", f"holds are {sorted(self._zset('holds'))}, not {sorted(holding)}")
        counters = {name: self._hash(f"stock:{name}") for name in COUNTERS}
        brought = self._brought()
        for sku, expected in brought.items():
            level = {name: int(counters[name].get(sku, 0)) for name in COUNTERS}
            if min(level.values()) < 0:
                raise Broken("I1", f"{sku}: {level}")
            parts = level["available"] + level["held"] + level["sold"] + level["written_off"]
            if level["stocked"] != parts:
                raise Broken("I2", f"{sku}: {level}")
            if level["stocked"] != expected:
                raise Broken("I2", f"{sku}: {expected} were brought: {level}")
            for at in ("held", "sold"):
                if level[at] != sums[at][sku]:
                    raise Broken("I3", f"{sku}: {level}, but orders have {sums[at][sku]} {at}")
        goods: Counter[str] = Counter()
        for fields in orders.values():
            if fields["state"] in GOODS:
                for line in json.loads(fields["lines"]):
                    goods[line["sku"]] += int(line["quantity"])
        for sku, number in goods.items():
            if number > brought[sku]:
                raise Broken("I5", f"{number} of {sku} sold, {brought[sku]} brought")

    def _brought(self) -> dict[str, int]:
        """What the operator brought, each key counted once and only when it was taken."""
        found = dict(self._truth.opening)
        for key, (sku, delta) in self._truth.restocks.items():
            if delta > 0 and f"{PREFIX}restock:{key}" in self._redis.data:
                found[sku] += delta
        return found

    def _ledger(self) -> None:
        entries = self._redis.data.get(PREFIX + "ledger", [])
        closed = self._hash("door").get("run") != self._redis.run_id
        for _, entry in entries[self._entries :]:
            if closed and self._entries and entry["what"] == "hold" and not entry["why"]:
                raise Broken("closed", f"{entry['order']} was held before the books were compared")
            level = self._replayed.setdefault(entry["sku"], Counter())
            quantity = int(entry["quantity"])
            if entry["origin"]:
                level[entry["origin"]] -= quantity
            else:
                level["stocked"] += quantity
            level[entry["target"]] += quantity
            if any(level[name] != int(entry[name]) for name in COUNTERS):
                raise Broken("I11", f"{entry} follows {dict(level)}")
        self._entries = len(entries)
        for sku, level in self._replayed.items():
            for name in COUNTERS:
                stored = int(self._hash(f"stock:{name}").get(sku, 0))
                if stored != level[name]:
                    raise Broken("I11", f"{sku}: {name} is {stored}, the ledger says {level[name]}")

    def _told(self) -> None:
        """Open pages show what is there."""
        for _, message in self._redis.published[self._messages :]:
            self._shown.update(json.loads(message))
        self._messages = len(self._redis.published)
        for sku, shown in self._shown.items():
            for name, units in shown.items():
                if (found := int(self._hash(f"stock:{name}").get(sku, 0))) != units:
                    raise Broken("promise 5", f"{sku}: {units} {name} are shown, not {found}")

    def _order(self, order: str, fields: Fields, sessions: list[dict[str, Any]]) -> None:
        state = fields["state"]
        at = self.units_at(order)
        if at not in PLACES[state]:
            raise Broken("I3", f"{order} is {state}, its units are {at}")
        was = self._states.get(order, state)
        self._states[order] = state
        if was in GOODS and state not in GOODS | {State.REVIEW, State.REFUNDED}:
            raise Broken("I8", f"{order} was {was} and is {state}")
        if was in MONEY_BACK and state not in MONEY_BACK | {State.REVIEW}:
            raise Broken("I4", f"{order} was {was} and is {state}")
        # An order that is restored is released for a moment, until its payment is settled.
        lost = state in {State.RELEASED, *MONEY_BACK} and "restored" not in fields
        if lost and order in self._truth.in_time and not self._excused(order, fields):
            raise Broken("I8", f"{order} was paid in time and is {state}")
        own = [session["id"] for session in sessions if session["id"] not in self._truth.twins]
        if fields["session_version"] == "1" and len(own) > 1 and not self._truth.lossy:
            raise Broken("I6", f"{order} has {own} under one key")
        known = {session["id"]: session for session in sessions}
        for session in json.loads(fields.get("sessions", "[]")):
            if session not in known:
                raise Broken("I6", f"{order} has {session}, which is not its own")
        # Where nothing is left for an order that was lost, its session is due to be ended.
        if (
            state == State.RELEASED
            and order not in self._truth.by_hand
            and "restored" not in fields
        ):
            noted = fields.get("session", "")
            for session in [noted] if noted else own:
                if self._payable(known[session]):
                    raise Broken("promise 3", f"{order} was released, {session} can be paid")

    def _payable(self, session: dict[str, Any]) -> bool:
        if session["status"] == "open":
            return bool(session["expires_at"] * 1000 > self._town.clock.ms)
        intent = self._town.stripe.intents.get(session["payment_intent"] or "")
        return bool(intent and intent["status"] == "processing")

    def _due(
        self,
        order: str,
        fields: Fields,
        sessions: list[dict[str, Any]],
        due: Mapping[str, float],
    ) -> None:
        for job in self._needed(order, fields):
            if job not in due:
                raise Broken("nothing due", f"{order} is {fields['state']}, {job} is not due")
        for session in sessions:
            # Only a person's word releases an order whose session may be open, and ends it soon.
            if fields["state"] == State.RELEASED and fields.get("session") == session["id"]:
                job = f"stray:{order}:{session['id']}"
                if session["status"] == "open" and self._payable(session) and job not in due:
                    raise Broken("nothing due", f"{order} is released, {job} is not due")

    def _needed(self, order: str, fields: Fields) -> Iterator[str]:
        state = fields["state"]
        if state in AWAITING:
            yield f"expire:{order}"
        if state in {State.PENDING, State.PROCESSING}:
            yield f"ask:{order}"
        if state in {State.PAID, State.FULFILLED} and "mail:confirmed" not in fields:
            yield f"mail:confirmed:{order}"
        back: Counter[str] = Counter()
        for name, value in fields.items():
            if name.startswith("refund:"):
                refund = json.loads(value)
                if refund["status"] not in GONE:
                    back[refund["payment_intent"]] += refund["amount"]
                if f"mail:refunded:{name[7:]}" not in fields and refund["status"] not in GONE:
                    yield f"mail:refunded:{order}:{name[7:]}"
        if state != State.REVIEW and order not in self._truth.for_a_person:
            for name in fields:
                if name.startswith("refund_reason:"):
                    payment = name[14:]
                    if back[payment] < int(fields[f"payment:{payment}"]):
                        yield f"refund:{order}:{payment}"

    def _limits(self, live: Counter[str]) -> None:
        plan = self._town.plan
        for who, number in live.items():
            most = plan.per_visitor if who.startswith("visitor") else plan.per_address
            if number > most:
                raise Broken("limits", f"{who} has {number} live holds of {most}")

    def _money(self, orders: Mapping[str, Fields]) -> None:
        stripe = self._town.stripe
        for order, fields in orders.items():
            kept, taken, back = 0, 0, self._noted_back(fields)
            for name, value in fields.items():
                if name.startswith("payment:"):
                    charge = stripe.charges.get(name[8:])
                    if not charge or charge["metadata"]["order"] != order:
                        raise Broken("I10", f"{order} was never paid with {name[8:]}")
                    if charge["amount"] != int(value):
                        raise Broken("I10", f"{order}: {value} here, {charge['amount']} there")
                    taken += charge["amount"]
                    whole = back[name[8:]] >= charge["amount"]
                    kept += f"refund_reason:{name[8:]}" not in fields and not whole
                elif name.startswith("refund:"):
                    refund = stripe.all_refunds.get(name[7:])
                    if not refund or refund["amount"] != json.loads(value)["amount"]:
                        raise Broken("I10", f"{order} has a refund that Stripe has not: {value}")
            if fields["state"] in GOODS and kept != 1:
                raise Broken("I4", f"{order} is {fields['state']} and keeps {kept} payments")
            if fields["state"] == State.RELEASED and taken:
                raise Broken("I4", f"{order} is released and was paid {taken}")
        for intent, charge in stripe.charges.items():
            back = self._back(intent)
            if back > charge["amount"]:
                raise Broken("I10", f"{back} of {charge['amount']} went back for {intent}")

    def _noted_back(self, fields: Fields) -> Counter[str]:
        """What the order knows to have gone back, by PaymentIntent."""
        back: Counter[str] = Counter()
        for name, value in fields.items():
            if name.startswith("refund:"):
                refund = json.loads(value)
                if refund["status"] not in GONE:
                    back[refund["payment_intent"]] += refund["amount"]
        return back

    def _back(self, intent: str) -> int:
        return sum(
            int(refund["amount"])
            for refund in self._town.stripe.all_refunds.values()
            if refund["payment_intent"] == intent and refund["status"] not in GONE
        )

    def _excused(self, order: str, fields: Fields) -> bool:
        """A person decided otherwise."""
        truth = self._truth
        if truth.lossy and (truth.restocks or truth.by_hand or truth.back_by_hand):
            return True  # the units that were sold may have been lost themselves
        theirs = any(f"payment:{intent}" in fields for intent in self._truth.back_by_hand)
        return theirs or order in self._truth.by_hand | self._truth.for_a_person

    def _ended(self, order: str, fields: Fields) -> None:
        state = fields["state"]
        stripe, truth = self._town.stripe, self._truth
        if state in HOLDING | {State.REFUND_DUE}:
            raise Broken("I4", f"{order} is still {state}")
        charges = {i: c for i, c in stripe.charges.items() if c["metadata"]["order"] == order}
        paid = {name[8:] for name in fields if name.startswith("payment:")}
        if paid != set(charges):
            raise Broken("I10", f"{order} knows payments {paid}, Stripe {sorted(charges)}")
        if state == State.REVIEW:
            if order not in truth.for_a_person:
                raise Broken("I4", f"{order} is in review for nothing: {fields['reason']}")
            return
        kept = {i: c["amount"] - self._back(i) for i, c in charges.items()}
        owed = [amount for amount in kept.values() if amount]
        if state in GOODS:
            own = fields["paid_by"]
            if kept[own] != charges[own]["amount"] - truth.back_by_hand[own] or len(owed) != 1:
                raise Broken("I4", f"{order} is {state}, Stripe kept {kept}")
        elif owed:
            raise Broken("I4", f"{order} is {state}, Stripe kept {kept}")
        if order in truth.in_time and state not in GOODS and not self._excused(order, fields):
            raise Broken("I8", f"{order} was paid in time and ended {state}")
        self._noticed(order, fields, charges)

    def _noticed(self, order: str, fields: Fields, charges: Mapping[str, Any]) -> None:
        """Every notice went out."""
        stripe, mails = self._town.stripe, self._town.postman
        if fields["state"] in GOODS and not mails.count("confirmed", order):
            raise Broken("I12", f"{order} is {fields['state']}, and nobody was told")
        refunds = [
            r
            for r in stripe.all_refunds.values()
            if r["payment_intent"] in charges and r["status"] not in GONE
        ]
        if mails.count("refunded", order) < len(refunds):
            raise Broken("I12", f"{order} has {len(refunds)} refunds, and not all were told")

    def _sessions(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for session in self._town.stripe.sessions.values():
            found.setdefault(session["metadata"]["order"], []).append(session)
        return found

    def _places(self) -> dict[str, tuple[str, dict[str, int]]]:
        return {order: read_units(text) for order, text in self._hash("units").items()}

    def _hash(self, name: str) -> Mapping[str, str]:
        found: Mapping[str, str] = self._redis.data.get(PREFIX + name, {})
        return found

    def _zset(self, name: str) -> Mapping[str, float]:
        found = self._redis.data.get(PREFIX + name)
        return found.scores if isinstance(found, SortedSet) else {}
