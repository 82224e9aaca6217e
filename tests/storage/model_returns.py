"""What may become of goods that were paid, in plain Python: money and units that go back, some or all.

It knows nothing of keys, Lua or Redis. A method is called as the script of the same name is, and says what
the answer must be.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.storage.model_bought import BoughtModel, PlanModel

RANK = {"succeeded": 2, "canceled": 3, "failed": 3}
OVER = {"won": 2, "lost": 2, "warning_closed": 2, "prevented": 2}
IN_FAVOUR = {"won", "warning_closed", "prevented"}


@dataclass
class ReturnsModel:
    """A shop's paid orders, its shelf, and what is due."""

    orders: dict[str, BoughtModel] = field(default_factory=dict)
    levels: dict[str, Counter[str]] = field(default_factory=dict)
    due: set[str] = field(default_factory=set)

    def review(self, order: str) -> None:
        """A person looks at it; what was wanted before must be wanted anew."""
        one = self.orders[order]
        one.give_up_plans()
        one.state = "review"

    def send_out(
        self,
        one: BoughtModel,
        some: Mapping[str, int],
        rest: Mapping[str, int],
        to: str,
        seen: Mapping[str, int],
    ) -> None:
        """Units leave an order; what its customer got since the operator looked is written off."""
        for sku, units in some.items():
            taken = max(0, one.handed[sku] - rest.get(sku, 0))
            late = min(taken, max(0, one.handed[sku] - seen.get(sku, 0)))
            one.handed[sku] -= taken
            self.levels[sku]["sold"] -= units
            self.levels[sku][to] += units - late
            self.levels[sku]["written_off"] += late
            if late or to == "written_off":
                self.due.add(f"mirror:{sku}")

    # The scripts.

    def settle_payment(self, order: str, *, payment: str, amount: int, email: str) -> str:
        one = self.orders[order]
        one.email = one.email if one.erased else email
        if payment in one.payments:
            return "already"
        one.payments[payment] = amount
        one.whole.add(payment)
        self.due.add(f"refund:{order}:{payment}")
        return "duplicate"

    def plan_refund(self, order: str, key: str, plan: PlanModel) -> tuple[Any, ...]:
        one = self.orders.get(order)
        if one is None:
            return ("unknown_order",)
        if key in one.plans:
            return ("already",)
        open_ = one.state in {"paid", "fulfilled", "review"}
        if not open_ or plan.payment not in one.payments or plan.payment in one.whole:
            return ("not_paid",)
        left = one.owed()[plan.payment] - one.wanted(plan.payment)
        if plan.amount > left:
            return "too_much", left
        free = Counter({sku: units if one.at == "sold" else 0 for sku, units in one.lines.items()})
        for other in one.plans.values():
            for sku, units in other.units.items() if not other.given_up else ():
                free[sku] = max(0, free[sku] - units)
        for sku, units in sorted(plan.units.items()):
            if units > free[sku]:
                return "too_many", sku, free[sku]
        one.plans[key] = plan
        self.due.add(f"refund:{order}:{plan.payment}")
        return ("planned",)

    def record_refund(
        self, order: str, refund: str, payment: str, amount: int, status: str, **ask: Any
    ) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        if payment not in one.payments:
            return "unpaid"
        was, before = one.refunds.get(refund), one.state
        if was and RANK.get(was[2], 1) >= RANK.get(status, 1):
            return "already"
        one.refunds[refund] = (payment, amount, status)
        lines, plan = self._carry_out(one, refund, **ask)
        job = f"refund:{order}:{payment}"
        if status in {"failed", "canceled"}:
            self.due.discard(job)
            if before != "review":
                self.due.add(f"mail:review:{order}")
            self.review(order)
            return "failed"
        if not was:
            self.due.add(f"mail:refunded:{order}:{refund}")
        owed = one.owed()
        if owed[payment] <= 0 and one.wanted(payment):
            one.give_up_plans()
        more = one.wanted(payment) or (payment in one.whole and owed[payment] > 0)
        if status == "succeeded" and not more:
            self.due.discard(job)
        else:
            self.due.add(job)
        if owed[one.paid_by] > 0 or before == "refunded":
            return "recorded"
        if one.at != "none":
            to = plan.to if plan else "available"
            to = "written_off" if to == "sold" else to
            self.send_out(one, lines, {}, to, plan.handed if plan else {})
            one.at = "none"
        if before == "review" and any(left > 0 for left in owed.values()):
            return "recorded"
        one.state = "refunded"
        return "refunded"

    def _carry_out(
        self, one: BoughtModel, refund: str, key: str, plan: PlanModel | None
    ) -> tuple[dict[str, int], PlanModel | None]:
        """Its units go where the operator said, with the first word of it; answers what is left."""
        lines = one.own()
        if plan is None:
            return lines, None
        plan = one.plans.get(key) or replace(plan, handed={})
        if plan.refund not in {"", refund}:
            return lines, None
        if plan.refund:
            return lines, plan
        plan.refund, plan.given_up = refund, False
        one.plans[key] = plan
        some = {
            s: min(plan.units.get(s, 0), n) if one.at == "sold" else 0 for s, n in lines.items()
        }
        some = {sku: units for sku, units in some.items() if units}
        if plan.to == "sold" or not some:
            return lines, plan
        rest = {s: n - some.get(s, 0) for s, n in lines.items() if n > some.get(s, 0)}
        one.gone.update(some)
        self.send_out(one, some, rest, plan.to, plan.handed)
        one.at = one.at if rest else "none"
        if one.all_handed(rest) and one.state == "paid":
            one.state, one.fulfilled = "fulfilled", True
        return rest, plan

    def hand_over(self, order: str, key: str, units: Mapping[str, int]) -> tuple[Any, ...]:
        one = self.orders.get(order)
        if one is None:
            return ("unknown_order",)
        if key in one.scans:
            return ("taken_back" if one.scans[key][1] else "handed_over",)
        if one.state == "fulfilled":
            return ("already",)
        if one.state != "paid":
            return ("not_paid",)
        own = one.own()
        if one.all_handed(own):
            return ("already",)
        if 0 < one.wanted(one.paid_by) >= one.owed()[one.paid_by]:
            return ("wanted_back",)
        free = {sku: number - one.handed[sku] for sku, number in own.items()}
        for plan in one.plans.values():
            for sku, number in plan.units.items() if plan.waits and plan.to != "sold" else ():
                free[sku] = free.get(sku, 0) - number
        left = {sku: free[sku] for sku in own if free[sku] > 0}
        if not left:
            return ("wanted_back",)
        for sku, number in sorted(units.items()):
            if number > max(0, free.get(sku, 0)):
                return "too_many", sku, max(0, free.get(sku, 0))
        one.handed.update(units or left)
        one.scans[key] = (units or left, False)
        if one.all_handed(own):
            one.state, one.fulfilled = "fulfilled", True
        return ("handed_over",)

    def take_back(self, order: str, key: str, *, late: bool) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        if key not in one.scans:
            return "not_handed"
        units, undone = one.scans[key]
        if undone:
            return "already"
        if late or one.state not in {"paid", "fulfilled"}:
            return "too_late"
        if any(one.handed[sku] < number for sku, number in units.items()):
            return "too_late"
        one.handed.subtract(units)
        one.scans[key] = (units, True)
        one.state, one.fulfilled = "paid", False
        return "taken_back"

    def review_order(self, order: str, *, payment: str, amount: int) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        if payment in one.payments:
            return "already"
        if not payment and one.state == "review":
            one.give_up_plans()
            return "already"
        if payment:
            one.payments[payment] = amount
        self.review(order)
        self.due.add(f"mail:review:{order}")
        return "review"

    def record_dispute(self, order: str, dispute: str, status: str) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        was = one.disputes.get(dispute)
        if was and OVER.get(was, 1) >= OVER.get(status, 1):
            return "already"
        one.disputes[dispute] = status
        if was or status in IN_FAVOUR:
            return "recorded"
        self.review(order)
        self.due.add(f"mail:review:{order}")
        return "review"

    def end_review(self, order: str) -> tuple[str, str]:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order", ""
        if one.state != "review":
            return "kept", one.state
        if any((payment == one.paid_by) == (left <= 0) for payment, left in one.owed().items()):
            return "undecided", "money"
        if one.at != ("sold" if one.own() else "none"):
            return "undecided", "units"
        if any(status not in IN_FAVOUR for status in one.disputes.values()):
            return "undecided", "dispute"
        one.state = "fulfilled" if one.fulfilled else "paid"
        self.due.discard(f"mail:review:{order}")
        self.due.add(f"mail:confirmed:{order}")
        return "resumed", one.state

    def note_order(self, order: str, key: str) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        if key in one.notes:
            return "already"
        one.notes.add(key)
        return "noted"

    def forget_customer(self, order: str) -> str:
        one = self.orders.get(order)
        if one is None:
            return "unknown_order"
        if one.erased:
            return "already"
        if one.state == "review":
            return "underway"
        if any(f":{order}:" in f"{job}:" for job in self.due):
            return "owed"
        one.email, one.erased = "", True
        return "forgotten"
