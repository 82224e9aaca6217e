"""Stripe's webhooks on their way."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storefront.services import events
from tests.fakes.account import order_named
from tests.simulation.acts import Act, check_answer
from tests.simulation.tasks import Task
from tests.simulation.truth import Broken

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

DAY_MS = 24 * 3600_000
TRIES = 3
"""How often Stripe sends an event again that was not answered with 2xx."""


@dataclass
class Delivery:
    """One event on its way to the webhook."""

    event: dict[str, Any]
    at: int
    tries: int = 0


class Post:
    """Stripe's webhooks: late, twice, in no order, or never."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._read = 0
        self._waiting: list[Delivery] = []
        self._old: list[dict[str, Any]] = []

    def collect(self) -> None:
        """Take what Stripe has to tell since the last time."""
        stripe, random, plan = self._sim.town.stripe, self._sim.random, self._sim.plan
        for event in stripe.events[self._read :]:
            self._old.append(event)
            copies = [event]
            if random.random() < plan.repeated:
                same = random.random() < 0.5
                self._sim.trouble("an event twice" if same else "two events for one fact")
                copies.append(event if same else stripe.twin(event))
            for copy in copies:
                if random.random() >= plan.lost:
                    self._waiting.append(Delivery(copy, self._sim.now() + self._delay()))
                else:
                    self._sim.trouble("an event never comes")
        self._read = len(stripe.events)

    def times(self) -> list[int]:
        return [delivery.at for delivery in self._waiting]

    def acts(self) -> Iterator[Act]:
        now = self._sim.now()
        if any(delivery.at <= now for delivery in self._waiting):
            yield 2.0, self._deliver_one

    def deliver_all(self, *, again: bool) -> None:
        """Everything that is on its way comes now; with ``again`` everything that ever was."""
        rows = list(self._old) if again else [delivery.event for delivery in self._waiting]
        self._waiting.clear()
        self._sim.random.shuffle(rows)
        for event in rows:
            self._sim.tell("webhook", f"{event['id']} {event['type']}")
            self._receive(event)
            self._stored(event)
            self._sim.promises.check()

    def _deliver_one(self) -> None:
        now = self._sim.now()
        ready = [delivery for delivery in self._waiting if delivery.at <= now]
        self._deliver(self._sim.random.choice(ready))

    def _delay(self) -> int:
        random = self._sim.random
        if random.random() < self._sim.plan.late:
            delay = random.choice((60_000, 3600_000, 30 * 3600_000, 3 * 24 * 3600_000))
            self._sim.trouble("an event days late" if delay > DAY_MS else "an event late")
            return delay
        return random.choice((0, 0, 0, 1000, 5000))

    def _deliver(self, delivery: Delivery) -> None:
        event = delivery.event
        if any(self._before(other.event, event) for other in self._waiting):
            self._sim.trouble("an event before an older one of its order")
        self._waiting.remove(delivery)

        losses = self._sim.restarts.losses

        def ended(task: Task) -> None:
            check_answer(task)
            if task.error is None:
                if losses == self._sim.restarts.losses:
                    self._stored(event)
            elif delivery.tries < TRIES:  # no 2xx: Stripe sends it again
                later = self._sim.random.choice((5000, 60_000, 3600_000))
                self._sim.trouble("an event again after no 2xx")
                self._waiting.append(Delivery(event, self._sim.now() + later, delivery.tries + 1))

        name = f"webhook {event['id']} {event['type']}"
        self._sim.request(name, lambda: self._receive(event), ended)

    def _before(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Whether the first is older, and about the same order."""
        orders = [event["data"]["object"]["metadata"].get("order") for event in (one, other)]
        number = [int(event["id"].rpartition("_")[2]) for event in (one, other)]
        return number[0] < number[1] and orders[0] == orders[1] is not None

    def _receive(self, event: dict[str, Any]) -> str:
        return events.receive(self._sim.shop, *self._sim.town.stripe.signed(event))

    def _stored(self, event: dict[str, Any]) -> None:
        """Stripe was told 200."""
        if f"{{test}}:seen:{event['id']}" not in self._sim.town.redis.data:
            raise Broken("I9", f"{event['id']} {event['type']} was acknowledged and is not noted")
        found = event["data"]["object"]
        kinds = ["payment"]
        if found["object"] == "payment_intent" and found["status"] == "succeeded":
            intent = found["id"]
        elif found["object"] == "payment_intent" and found["status"] == "requires_capture":
            intent, kinds = found["id"], ["authorized", "payment", "voided"]
        elif found["object"] == "checkout.session" and found["payment_status"] == "paid":
            intent = found["payment_intent"]
        else:
            return
        if found["object"] == "payment_intent" and "link" in found["metadata"]:
            return  # it does not say of which session it is: that has an event of its own
        named = found if found["object"] == "payment_intent" else None
        name = named["metadata"]["order"] if named else order_named(found)
        order = self._sim.promises.view.orders().get(name)
        if named and f"ask:{name}:{intent}" in self._sim.promises.view.zset("due"):
            return  # what its amount is made of is asked for, and that is stored
        gone = self._sim.town.stripe.intents[intent]["status"] == "canceled" if named else False
        if gone and "terms" in (order or {}):
            return  # by the time it was asked about, the bank had let it go
        if order is not None and not any(f"{kind}:{intent}" in order for kind in kinds):
            raise Broken("I9", f"{event['id']}: 200 for {intent}, which is not stored")
