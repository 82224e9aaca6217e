"""Who works for the shop: the operator by hand, and the workers by themselves."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from storefront.domain.errors import BadInput
from storefront.domain.orders import State
from storefront.services import giving_back, holds, reconciliation, restocking, work
from storefront.services.giving_back import PLACES, Wish
from storefront.storage.answers import Planned
from tests.simulation.acts import Act, check_answer
from tests.simulation.tasks import Task
from tests.simulation.truth import Wished

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


class Operator:
    """Restocks, refunds here and in Stripe's dashboard, releases what is overdue."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._restocks = sim.random.choice((0, 1, 2))
        self._write_offs = sim.random.choice((0, 1, 2))
        """How often they write off what they have just taken back from a shopper who may still pay."""
        self._refunds = sim.random.choice((0, 1, 2))
        self._wishes = sim.random.choice((0, 1, 2, 3))
        self._hands = sim.random.choice((0, 0, 1, 2))
        """How often they decide about an authorised payment in Stripe's dashboard."""
        self._disputes = sim.random.choice((0, 0, 0, 1))
        self._releases = sim.random.choice((0, 1, 3))
        self._walks = sim.random.choice((0, 1, 3)) if sim.plan.reconciling else 0

    def acts(self) -> Iterator[Act]:
        if self._restocks:
            yield 0.3, self._restock
        if self._write_offs and self._sim.given_away():
            yield 4.0, self._write_off
        if self._walks and self._sim.plan.workers:
            yield 0.3, self._walk
        if self._refunds and self._kept():
            yield 0.3, self._refund
        if self._wishes and self._kept():
            yield 2.0, self._wish
        if self._hands and (agreed := self._sim.promises.view.agreed()):
            yield 0.3, lambda: self._decide(self._sim.random.choice(agreed))
        if self._hands and (named := self._authorized()):
            yield 0.3, lambda: self._call_off(self._sim.random.choice(named))
        if self._disputes and self._kept():
            yield 0.1, self._dispute
        if self._releases and (late := self._overdue()):
            away = self._sim.stripe_away_until > self._sim.now()
            yield 8.0 if away else 2.0, lambda: self._release(self._sim.random.choice(late))

    def _restock(self) -> None:
        random = self._sim.random
        self._restocks -= 1
        sku = random.choice(sorted(self._sim.plan.stock))
        self._bring(sku, random.choice((1, 2, -1)), f"restock-{self._restocks}")

    def _write_off(self) -> None:
        self._write_offs -= 1
        view = self._sim.promises.view
        there = [sku for sku in self._sim.plan.stock if view.level(sku)["available"]]
        for sku in there:
            self._bring(sku, -view.level(sku)["available"], f"write-off-{self._write_offs}-{sku}")

    def _bring(self, sku: str, delta: int, key: str) -> None:
        self._sim.truth.restocks[key] = (sku, delta)

        def run() -> Any:
            return restocking.restock(
                self._sim.shop, sku=sku, delta=delta, reason="counted", who="operator", key=key
            )

        self._sim.trouble("the operator restocks")
        for _ in range(self._sim.random.choice((1, 2))):
            self._sim.request(f"operator restocks {delta:+d} {sku} ({key})", run)

    def _walk(self) -> None:
        self._walks -= 1
        self._sim.request("operator reconciles", lambda: reconciliation.reconcile(self._sim.shop))

    def _kept(self) -> list[str]:
        charges = self._sim.promises.view.captured().items()
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
        if left - amount < self._waiting(intent):  # what was wanted here does not fit any more
            sim.truth.for_a_person.add(sim.town.stripe.order_paid(charge))
        sim.town.stripe.refund_by_hand(intent, amount, status=status)

    def _waiting(self, intent: str) -> int:
        """Minor units that the operator asked the shop for, and of which Stripe has no refund."""
        sim = self._sim
        made = {r["metadata"].get("plan") for r in sim.town.stripe.all_refunds.values()}
        wishes = sim.truth.wishes.items()
        return sum(w.amount for key, w in wishes if w.intent == intent and key not in made)

    def _wish(self) -> None:
        """The operator sends some or all back from the order's page, and is asked about the units."""
        sim = self._sim
        self._wishes -= 1
        intent = sim.random.choice(self._kept())
        charge = sim.town.stripe.charges[intent]
        order_id = sim.town.stripe.order_paid(charge)
        key = f"wish-0000{len(sim.truth.wishes)}"
        to, kind = (
            sim.random.choice(PLACES),
            sim.random.choice(("units", "units for less", "units for less", "money", "all")),
        )
        chance = sim.random.random()
        sends = sim.random.choice((1, 1, 2))

        def run() -> Any:
            order = sim.shop.store.orders.get(order_id)
            if order is None or intent not in order.payments:
                return None
            units: dict[str, int] = {}
            for sku, number in order.unrefunded.items():
                if kind.startswith("units") and not units:
                    units = {sku: 1 + int(chance * number)}
            less = 1 + int(chance * charge["amount"] / 3)
            amount = less if kind in {"money", "units for less"} else None
            try:
                seen = giving_back.preview(order, Wish(units, amount, kind == "all", to, intent))
            except BadInput:
                return None
            wished = Wished(order_id, intent, seen.amount, dict(seen.units), seen.to)
            if sim.truth.wishes.setdefault(key, wished) != wished:
                return None  # the page would show another preview: a new form
            left = charge["amount"] - charge["amount_refunded"]
            by_hand = sim.truth.back_by_hand.get(intent) and left < self._waiting(intent)
            if by_hand or charge["disputed"]:  # of which the shop may not have heard
                sim.truth.for_a_person.add(order_id)
            if order.state is State.AUTHORIZED:  # it was captured, and the shop has not heard
                sim.truth.called_off.add(order_id)
            answer = giving_back.send_back(
                sim.shop, order, seen, reason=key, key=key, who="operator"
            )
            if answer is Planned.PLANNED:
                sim.truth.taken.add(key)
            return answer

        sim.trouble(f"the operator sends {kind} back, units {to}")
        for _ in range(sends):
            sim.request(f"operator sends {kind} of {order_id} back ({key})", run)

    def _authorized(self) -> list[str]:
        orders = self._sim.promises.view.orders().items()
        return [order for order, fields in orders if fields["state"] == State.AUTHORIZED]

    def _call_off(self, order_id: str) -> None:
        """The operator cancels an authorised order from its page."""
        sim = self._sim
        self._hands -= 1
        to = sim.random.choice(("available", "written_off"))

        def run() -> Any:
            order = sim.shop.store.orders.get(order_id)
            if order is None or order.state is not State.AUTHORIZED:
                return None
            wish = Wish({}, None, True, to, order.payment_intent)
            seen = giving_back.preview(order, wish)
            sim.truth.called_off.add(order_id)
            return giving_back.send_back(
                sim.shop, order, seen, reason="called off", key=f"off-{order_id}", who="operator"
            )

        sim.trouble("the operator calls an authorised order off")
        sim.request(f"operator calls {order_id} off", run)

    def _decide(self, intent: str) -> None:
        sim = self._sim
        self._hands -= 1
        if sim.random.random() < 0.5:
            sim.trouble("the operator captures")
            sim.tell("operator", f"captures {intent} in the dashboard")
            sim.truth.captured_by_hand.add(intent)
            sim.town.stripe.capture_by_hand(intent)
        else:
            sim.trouble("the operator cancels an authorisation")
            sim.tell("operator", f"cancels {intent} in the dashboard")
            sim.truth.let_go.add(sim.promises.view.order_of(sim.town.stripe.intents[intent]))
            sim.town.stripe.cancel_by_hand(intent)

    def _dispute(self) -> None:
        sim = self._sim
        self._disputes -= 1
        intent = sim.random.choice(self._kept())
        sim.trouble("a payment is disputed")
        sim.tell("buyer's bank", f"disputes {intent}")
        sim.truth.for_a_person.add(sim.town.stripe.order_paid(sim.town.stripe.charges[intent]))
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
