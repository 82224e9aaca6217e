"""Who works for the shop: the operator by hand, and the workers by themselves."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from storefront.services import holds, reconciliation, restocking, work
from tests.simulation.acts import Act, check_answer
from tests.simulation.tasks import Task

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


class Operator:
    """Restocks, refunds in Stripe's dashboard, releases what is overdue."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._restocks = sim.random.choice((0, 1, 2))
        self._refunds = sim.random.choice((0, 1, 2))
        self._disputes = sim.random.choice((0, 0, 0, 1))
        self._releases = sim.random.choice((0, 1, 3))
        self._walks = sim.random.choice((0, 1, 3)) if sim.plan.reconciling else 0

    def acts(self) -> Iterator[Act]:
        if self._restocks:
            yield 0.3, self._restock
        if self._walks and self._sim.plan.workers:
            yield 0.3, self._walk
        if self._refunds and self._kept():
            yield 0.3, self._refund
        if self._disputes and self._kept():
            yield 0.1, self._dispute
        if self._releases and (late := self._overdue()):
            away = self._sim.stripe_away_until > self._sim.now()
            yield 8.0 if away else 2.0, lambda: self._release(self._sim.random.choice(late))

    def _restock(self) -> None:
        random = self._sim.random
        self._restocks -= 1
        sku = random.choice(sorted(self._sim.plan.stock))
        delta = random.choice((1, 2, -1))
        key = f"restock-{self._restocks}"
        self._sim.truth.restocks[key] = (sku, delta)

        def run() -> Any:
            return restocking.restock(
                self._sim.shop, sku=sku, delta=delta, reason="counted", who="operator", key=key
            )

        self._sim.trouble("the operator restocks")
        for _ in range(random.choice((1, 2))):
            self._sim.request(f"operator restocks {delta:+d} {sku} ({key})", run)

    def _walk(self) -> None:
        self._walks -= 1
        self._sim.request("operator reconciles", lambda: reconciliation.reconcile(self._sim.shop))

    def _kept(self) -> list[str]:
        charges = self._sim.town.stripe.charges.items()
        return [i for i, c in charges if c["amount_refunded"] < c["amount"] and not c["disputed"]]

    def _refund(self) -> None:
        sim = self._sim
        self._refunds -= 1
        intent = sim.random.choice(self._kept())
        charge = sim.town.stripe.charges[intent]
        left = charge["amount"] - charge["amount_refunded"]
        amount = sim.random.choice((left, max(1, left // 3)))
        status = (
            sim.random.choice(("succeeded", "pending")) if sim.plan.slow_refunds else "succeeded"
        )
        sim.tell("operator", f"refunds {amount} of {intent} in the dashboard: {status}")
        sim.trouble(f"the operator refunds {'all' if amount == left else 'a part'}")
        sim.truth.back_by_hand[intent] += amount
        sim.town.stripe.refund_by_hand(intent, amount, status=status)

    def _dispute(self) -> None:
        sim = self._sim
        self._disputes -= 1
        intent = sim.random.choice(self._kept())
        sim.trouble("a payment is disputed")
        sim.tell("buyer's bank", f"disputes {intent}")
        sim.truth.for_a_person.add(sim.town.stripe.charges[intent]["metadata"]["order"])
        sim.town.stripe.dispute(intent)

    def _overdue(self) -> list[str]:
        grace = self._sim.shop.settings.hold_grace_seconds * 1000
        until = self._sim.now() - grace
        held = self._sim.promises.view.zset("holds").items()
        return [order for order, deadline in held if deadline <= until]

    def _release(self, order: str) -> None:
        self._releases -= 1
        self._sim.truth.by_hand.add(order)
        self._sim.trouble("the operator releases")
        self._sim.request(
            f"operator releases {order}",
            lambda: holds.release_by_hand(self._sim.shop, order, "operator"),
        )


class Worker:
    """One worker's thread: a job at a time."""

    def __init__(self, sim: "Simulation", name: str) -> None:
        self._sim, self._name = sim, name

    def acts(self) -> Iterator[Act]:
        busy = any(task.process == self._name for task in self._sim.tasks)
        if not busy and self._sim.due_at() <= self._sim.now():
            yield 1.5, self._work

    def _work(self) -> None:
        run = lambda: work.run_due(self._sim.shop, 1)  # noqa: E731
        self._sim.begin(Task(f"{self._name} works", self._name, run), check_answer)
