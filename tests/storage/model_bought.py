"""One order that was paid, in plain Python: what was handed over, wanted back, sent back and said of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class PlanModel:
    """A refund that the operator wants."""

    payment: str
    amount: int
    units: Mapping[str, int]
    to: str
    handed: Mapping[str, int]
    refund: str = ""
    given_up: bool = False

    @property
    def waits(self) -> bool:
        return not self.refund and not self.given_up


@dataclass
class BoughtModel:
    """One order that was paid, by ``paid_by``."""

    lines: Mapping[str, int]
    paid_by: str
    payments: dict[str, int]
    state: str = "paid"
    at: str = "sold"
    whole: set[str] = field(default_factory=set)
    """Payments that are to go back whole."""
    refunds: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    """By id: the payment, minor units, status."""
    plans: dict[str, PlanModel] = field(default_factory=dict)
    gone: Counter[str] = field(default_factory=Counter)
    handed: Counter[str] = field(default_factory=Counter)
    scans: dict[str, tuple[Mapping[str, int], bool]] = field(default_factory=dict)
    """By form: what it handed over, and whether that was taken back."""
    fulfilled: bool = False
    """Whether it ever was, and that was not taken back."""
    disputes: dict[str, str] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    numbers: Counter[str] = field(default_factory=Counter)
    email: str = "ada@example.com"
    erased: bool = False

    def own(self) -> dict[str, int]:
        """Units that did not go back by a refund of some."""
        left = {sku: units - self.gone[sku] for sku, units in self.lines.items()}
        return {sku: units for sku, units in left.items() if units > 0}

    def all_handed(self, own: Mapping[str, int]) -> bool:
        return bool(own) and all(self.handed[sku] >= units for sku, units in own.items())

    def owed(self) -> dict[str, int]:
        """What of each payment has not gone back."""
        left = dict(self.payments)
        for payment, amount, status in self.refunds.values():
            left[payment] -= 0 if status in {"failed", "canceled"} else amount
        return left

    def wanted(self, payment: str) -> int:
        """What of a payment the operator still wants sent."""
        return sum(p.amount for p in self.plans.values() if p.waits and p.payment == payment)

    def give_up_plans(self) -> None:
        for plan in self.plans.values():
            plan.given_up = plan.given_up or not plan.refund
