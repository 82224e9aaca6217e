"""What the storage's scripts mean, in plain Python: stock, orders and jobs of one shop.

It knows nothing of keys, Lua or Redis. A method is called as the script of the same name is, with the
span of time in which the script ran, and says what the answer must be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.storage import model_authorizing as authorizing

HOLDING = {"pending", "open", "processing"}
RANK = {"succeeded": 2, "canceled": 3, "failed": 3}
COUNTERS = ("available", "held", "sold", "written_off", "stocked")
MOST_OVERDUE = 10
UNDO_MS = 60_000
IMPOSSIBLE = "an error, and nothing is written"


@dataclass(frozen=True, slots=True)
class Span:
    """Something happened or happens between these times (ms), both included."""

    lo: int
    hi: int

    def __add__(self, ms: int) -> "Span":
        return Span(self.lo + ms, self.hi + ms)

    def earlier(self, other: "Span | None") -> "Span":
        """When the first of two happens."""
        return Span(min(self.lo, other.lo), min(self.hi, other.hi)) if other else self


@dataclass
class OrderModel:
    """One order."""

    lines: Mapping[str, int]
    visitor: str
    address: str
    created: int
    deadline: int
    state: str = "pending"
    reason: str = ""
    at: str = "held"
    version: int = 1
    session: str = ""
    sessions: list[str] = field(default_factory=list)
    ending: str = ""
    email: str = ""
    promised: bool = True
    """It counts for its visitor's limits, and others are told when its units may return."""
    hold: str = "timed"
    """Its key: ``timed`` has a TTL, ``kept`` has none, ``gone``."""
    paid_by: str = ""
    payments: dict[str, int] = field(default_factory=dict)
    refunds: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    """By id: the payment, minor units, status."""
    refund_reasons: dict[str, str] = field(default_factory=dict)
    authorizations: dict[str, int] = field(default_factory=dict)
    capture_before: dict[str, int] = field(default_factory=dict)
    void_reasons: dict[str, str] = field(default_factory=dict)
    voided: dict[str, int] = field(default_factory=dict)
    notices: set[str] = field(default_factory=set)
    handed_over: bool = False
    scans: dict[str, list[Span | None]] = field(default_factory=dict)
    """By form: when it handed the order over, and when that was taken back."""

    def note_session(self, session: str) -> bool:
        if not session or session in self.sessions:
            return False
        self.sessions.append(session)
        self.session = self.session or session
        return True


@dataclass(frozen=True)
class ShopModel:
    """The whole shop."""

    levels: dict[str, dict[str, int]] = field(default_factory=dict)
    orders: dict[str, OrderModel] = field(default_factory=dict)
    due: dict[str, Span] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    restocked: set[str] = field(default_factory=set)
    wishes: set[str] = field(default_factory=set)
    """Mail addresses whose orders were asked for."""
    ledger: list[tuple[str, str, int, str, str, str]] = field(default_factory=list)
    """What, SKU, units, from, to, order; whoever has read it clears it."""

    # What happens to stock and to the list.

    def move(
        self, now: Span, what: str, sku: str, units: int, origin: str, to: str, order: str = ""
    ) -> None:
        level = self.levels[sku]
        level[origin or "stocked"] += -units if origin else units
        level[to] += units
        if not origin or "written_off" in {origin, to}:
            self.schedule_anew(f"mirror:{sku}", now)
        self.ledger.append((what, sku, units, origin, to, order))

    def move_order(self, now: Span, what: str, order: str, to: str) -> None:
        one = self.orders[order]
        origin = one.at if one.at != "none" else "available"
        for sku, units in one.lines.items():
            self.move(now, what, sku, units, origin, to, order)
        one.at = to if to in {"held", "sold"} else "none"

    def schedule(self, job: str, at: Span) -> None:
        self.due[job] = at.earlier(self.due.get(job))

    def schedule_anew(self, job: str, at: Span) -> None:
        """A moment before it was due, so that no lease takes it off the list."""
        due = self.due.get(job)
        self.due[job] = at.earlier(due + -1) if due else at

    def unschedule(self, *jobs: str) -> None:
        for job in jobs:
            self.due.pop(job, None)

    def end_hold(self, order: str) -> None:
        self.orders[order].hold = "gone"
        self.orders[order].promised = False
        self.unschedule(f"ask:{order}", f"expire:{order}")

    def keep_for_a_person(self, order: str) -> None:
        one = self.orders[order]
        one.hold, one.promised = "kept" if one.hold != "gone" else "gone", False
        self.unschedule(f"ask:{order}", f"expire:{order}")

    def promised(self, **who: str) -> list[str]:
        """Orders whose holds end by themselves, of a visitor or an address, the oldest first."""
        found = [
            (one.created, order)
            for order, one in self.orders.items()
            if one.promised and all(getattr(one, kind) == name for kind, name in who.items())
        ]
        return [order for _, order in sorted(found)]

    # The scripts.

    authorize_payment = authorizing.authorize_payment
    take = authorizing.capture
    void_payment = authorizing.void_payment
    cancel_authorized = authorizing.cancel_authorized

    def hold_stock(self, now: Span, order: str, **ask: Any) -> Any:
        lines: Sequence[tuple[str, int, int, int]] = ask["wanted"]
        if order in self.orders:
            return ("already",)
        for sku, units, limit, opens_at in lines:
            if sku not in self.levels:
                return "unknown_sku", sku
            if units > limit:
                return "over_limit", sku, limit
            if opens_at > now.hi:
                return "not_open", sku, opens_at
        live = self.promised(visitor=ask["visitor"])
        if ask["visitor"] and 0 < ask["limits"].visitor <= len(live):
            return "visitor_limit", live[0]
        live = self.promised(address=ask["address"])
        if ask["address"] and 0 < ask["limits"].address <= len(live):
            return "address_limit", Span(
                *(
                    max(1, -((at - self.orders[live[0]].deadline) // 1000))
                    for at in (now.hi, now.lo)
                )
            )
        short = {s: n for s, n, *_ in lines if self.levels[s]["available"] < n}
        if short:
            return self._short(now, short)
        self.orders[order] = OrderModel(
            lines={sku: units for sku, units, *_ in lines},
            visitor=ask["visitor"],
            address=ask["address"],
            created=ask["created"],
            deadline=ask["created"] + ask["hold_ms"],
        )
        self.orders[order].at = "none"
        self.move_order(now, "hold", order, "held")
        self.schedule(f"ask:{order}", now + ask["ask_ms"])
        self.schedule(f"expire:{order}", now + ask["hold_ms"])
        return ("held",)

    def _short(self, now: Span, short: Mapping[str, int]) -> Any:
        holds = [(self.orders[order].deadline, order) for order in self.promised()]
        shortages = []
        for sku, wanted in short.items():
            level = self.levels[sku]
            returns = [until for until, order in holds if sku in self.orders[order].lines]
            shortages.append(
                (sku, wanted, level["available"], level["held"], min(returns, default=None))
            )
        overdue = {
            order
            for until, order in holds
            if until <= now.lo and short.keys() & self.orders[order].lines.keys()
        }
        return "short", shortages, overdue

    def attach_session(
        self, now: Span, order: str, *, session: str, ending: str = "", **_: Any
    ) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        if one.session == session:
            return "already"
        if one.state != "pending" or one.session:
            if one.note_session(session):
                self.schedule(f"stray:{order}:{session}", now)
            return "too_late"
        one.note_session(session)
        one.ending = ending or one.ending
        one.state = "open"
        self.unschedule(f"ask:{order}")
        if one.version > 1:
            self.schedule(f"look:{order}", now + 60_000)
        return "attached"

    def renew_session(self, now: Span, order: str, *, version: int, **_: Any) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        if one.state != "pending" or one.version != version:
            return "stale"
        one.version += 1
        return "renewed"

    def money_at_hand(self, order: str) -> bool:
        """Whether a person looks at money of the order that is here."""
        one = self.orders[order]
        paid = one.payments.items()
        return one.state == "review" and any(self.sent_back(order, p) < much for p, much in paid)

    def settle_payment(self, now: Span, order: str, **ask: Any) -> str:
        one, payment = self.orders.get(order), ask["payment_intent"]
        if one is None:
            return "unknown_order"
        if self.bought_another(order, payment):
            return "other_order"
        one.email = ask["email"] or one.email
        if payment in one.payments:
            return "already"
        captured = self.take(now, order, payment, ask["amount"])
        if captured == "captured":
            return captured
        before = one.session
        one.note_session(ask["session"])
        if captured:
            return captured
        second = one.paid_by or one.at == "sold" or self.money_at_hand(order)
        one.payments[payment] = ask["amount"]
        if second:
            one.refund_reasons[payment] = "duplicate"
            self.schedule(f"refund:{order}:{payment}", now)
            return "duplicate"
        one.paid_by = payment
        if before and ask["session"] not in {"", before}:
            self.schedule(f"stray:{order}:{before}", now)
        if one.at == "none" and not self.all_there(one):
            one.refund_reasons[payment] = "sold_out"
            self.schedule(f"refund:{order}:{payment}", now)
            one.state, one.reason = "refund_due", "sold_out"
            return "oversold"
        held = one.at == "held"
        if held:
            self.end_hold(order)
        self.move_order(now, "sell" if held else "retake", order, "sold")
        one.state, one.reason = "paid", ""
        if "mail:confirmed" not in one.notices:
            self.schedule(f"mail:confirmed:{order}", now)
        return "sold" if held else "retaken"

    def note_email(self, now: Span, order: str, *, email: str) -> str:
        if order not in self.orders:
            return "unknown_order"
        self.orders[order].email = email
        return "noted"

    def mail_orders(self, now: Span, email: str) -> str:
        address = email.lower()
        if address in self.wishes:
            return "again"
        self.wishes.add(address)
        theirs = [
            (o.created, name) for name, o in self.orders.items() if o.email.lower() == address
        ]
        if not theirs:
            return "none"
        self.schedule_anew(f"mail:orders:{max(theirs)[1]}", now)
        return "due"

    def mark_processing(self, now: Span, order: str, **ask: Any) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        one.email = ask["email"] or one.email
        if one.state in {"processing", "released"}:
            self.schedule(f"ask:{order}", now + ask["ask_ms"])
        if one.state == "processing":
            return "already"
        if one.state not in {"pending", "open"}:
            return "kept"
        self.schedule_anew(f"ask:{order}", now + ask["ask_ms"])
        one.note_session(ask["session"])
        one.hold, one.promised = "kept", False
        self.unschedule(f"expire:{order}")
        if "mail:processing" not in one.notices:
            self.schedule(f"mail:processing:{order}", now)
        one.state, one.reason = "processing", ""
        return "processing"

    def release_hold(self, now: Span, order: str, **ask: Any) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        by_hand = one.state == "review" and one.at == "held" and ask["who"] and not one.paid_by
        if one.state not in HOLDING and not by_hand:
            return "already" if one.state == "released" else "kept"
        other = one.session != ask["session"] or (not one.session and one.version != ask["version"])
        if other and not ask["who"]:
            return "other_session"
        self.end_hold(order)
        self.move_order(now, "release", order, "available")
        one.state, one.reason = "released", ask["reason"]
        if ask["who"] and one.session:
            self.schedule(f"stray:{order}:{one.session}", now)
        if one.reason == "expired" and one.ending:
            one.reason = one.ending
        if one.reason == "declined" and "mail:declined" not in one.notices:
            self.schedule(f"mail:declined:{order}", now)
        return "released"

    def review_order(self, now: Span, order: str, **ask: Any) -> str:
        one, payment = self.orders.get(order), ask["payment_intent"]
        if one is None:
            return "unknown_order"
        if payment in one.payments or (not payment and one.state == "review"):
            return "already"
        if self.bought_another(order, payment):
            return "other_order"
        if payment:
            one.authorizations.pop(payment, None)
            one.payments[payment] = ask["amount"]
            one.paid_by = one.paid_by or payment
        one.email = ask["email"] or one.email
        self.keep_for_a_person(order)
        one.state, one.reason = "review", ask["reason"]
        self.schedule(f"mail:review:{order}", now)
        return "review"

    def record_refund(self, now: Span, order: str, **ask: Any) -> str:
        one, refund, payment = self.orders.get(order), ask["refund"], ask["payment_intent"]
        status = ask["status"]
        if one is None:
            return "unknown_order"
        if payment not in one.payments:
            return "unpaid"
        known = one.refunds.get(refund)
        if known and RANK.get(known[2], 1) >= RANK.get(status, 1):
            return "already"
        one.refunds[refund] = (payment, ask["amount"], status)
        job = f"refund:{order}:{payment}"
        if status in {"failed", "canceled"}:
            self.unschedule(job)
            self.keep_for_a_person(order)
            if one.state != "review":
                self.schedule(f"mail:review:{order}", now)
            one.state, one.reason = "review", f"refund {refund} {status}"
            return "failed"
        if not known:
            self.schedule(f"mail:refunded:{order}:{refund}", now)
        if self.owes(order, payment):
            self.schedule(job, now)
        elif status == "succeeded":
            self.unschedule(job)
        elif not known:
            self.schedule_anew(job, now + ask["again_ms"])
        else:
            self.schedule(job, now + ask["again_ms"])
        if one.paid_by not in one.payments or one.state == "refunded":
            return "recorded"
        if self.sent_back(order, one.paid_by) < one.payments[one.paid_by]:
            return "recorded"
        if one.at == "held":
            self.end_hold(order)
        if one.at != "none":
            self.move_order(now, "return", order, "written_off" if one.handed_over else "available")
        if self.money_at_hand(order):
            return "recorded"
        one.state, one.reason = "refunded", ask["reason"]
        return "refunded"

    def hand_over(self, now: Span, order: str, key: str) -> str:
        one = self.orders[order]
        if key in one.scans:
            return "taken_back" if one.scans[key][1] else "handed_over"
        if one.state == "fulfilled":
            return "already"
        if one.state != "paid":
            return "not_paid"
        for sku, units in one.lines.items():
            self.move(now, "hand_over", sku, units, "sold", "sold", order)
        one.scans[key] = [now, None]
        one.state, one.reason, one.handed_over = "fulfilled", "", True
        return "handed_over"

    def take_back(self, now: Span, order: str, key: str) -> str:
        one = self.orders[order]
        if key not in one.scans:
            return "not_handed"
        at, undone = one.scans[key]
        if undone:
            return "already"
        if at is None or now.lo - at.hi >= UNDO_MS or one.state != "fulfilled":
            return "too_late"
        for sku, units in one.lines.items():
            self.move(now, "take_back", sku, units, "sold", "sold", order)
        one.scans[key] = [at, now]
        one.state, one.reason, one.handed_over = "paid", "", False
        return "taken_back"

    def bought_another(self, order: str, payment: str) -> bool:
        """Whether a payment is another order's."""
        return any(
            payment in {*one.payments, *one.authorizations, *one.voided}
            for name, one in self.orders.items()
            if name != order
        )

    def all_there(self, one: OrderModel) -> bool:
        """Whether every unit of an order is on the shelf."""
        return all(self.levels[sku]["available"] >= units for sku, units in one.lines.items())

    def sent_back(self, order: str, payment: str) -> int:
        """Minor units of a payment that went or are going back."""
        rows = self.orders[order].refunds.values()
        return sum(
            amount for of, amount, status in rows if of == payment and RANK.get(status, 1) < 3
        )

    def owes(self, order: str, payment: str) -> bool:
        """Whether some of a payment must still go back."""
        one = self.orders[order]
        return (
            payment in one.refund_reasons and self.sent_back(order, payment) < one.payments[payment]
        )

    def restock(self, now: Span, sku: str, *, delta: int, key: str, **_: Any) -> str:
        if key in self.restocked:
            return "already"
        if sku not in self.levels:
            return "unknown_sku"
        if self.levels[sku]["available"] + delta < 0:
            return "not_enough"
        self.restocked.add(key)
        if delta > 0:
            self.move(now, "restock", sku, delta, "", "available")
        else:
            self.move(now, "write_off", sku, -delta, "available", "written_off")
        return "done"

    def publish_catalogue(self, now: Span, stock: Mapping[str, int]) -> set[str]:
        fresh = stock.keys() - self.levels.keys()
        for sku in fresh:
            self.levels[sku] = dict.fromkeys(COUNTERS, 0)
            if stock[sku]:
                self.move(now, "restock", sku, stock[sku], "", "available")
            else:
                self.schedule(f"mirror:{sku}", now)
        return fresh

    # The list of what is due.

    def claim(self, now: Span, names: Sequence[str], lease: int, limit: int) -> str:
        """What is wrong with this choice of jobs, or nothing; they are leased from now on."""
        ready = {job for job, at in self.due.items() if at.hi <= now.lo}
        if not set(names) <= ready or len(names) != min(limit, len(ready)):
            return f"{names} of {ready} were taken"
        for left in ready - set(names):
            if any(self.due[left].hi < self.due[job].lo for job in names):
                return f"{left} is older than what was taken: {names}"
        for job in names:
            self.due[job] = Span(lease, lease)
            self.tries[job] = self.tries.get(job, 0) + 1
        return ""

    def finish(
        self, now: Span, job: str, lease: int, order: str, notice: str, delay_ms: int, fresh: bool
    ) -> str:
        """``delay_ms`` 0: it is done, and ``notice`` was sent."""
        done = delay_ms == 0
        if done and notice and order in self.orders and job in self.due:
            self.orders[order].notices.add(notice)
        if job not in self.due:
            self.tries.pop(job, None)
        if self.due.get(job) != Span(lease, lease):
            return "taken"
        if done or fresh:
            self.tries.pop(job, None)
        if done:
            del self.due[job]
            return "finished"
        self.due[job] = now + delay_ms
        return "later"
