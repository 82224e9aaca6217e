"""Sales at the counter: the operator takes cash or a card, and gives money back by hand.

How often is decided apart, so that towns without a counter stay what they were.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from storefront.domain.errors import BadInput, StripeError
from storefront.domain.orders import COUNTER, GOODS, Form, State
from storefront.services import counter, giving_back, links
from storefront.services.counter import NotSold, Sale
from storefront.services.giving_back import PLACES, Wish
from storefront.storage.answers import Planned
from tests.simulation.acts import Act, check_answer
from tests.simulation.tasks import Task
from tests.simulation.truth import Broken, Wished
from tests.simulation.values import parsed
from tests.simulation.view import Fields, at_counter, named, noted_back

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

Units = Mapping[str, int]
WAYS = sorted(COUNTER)
HALF_DONE = ("settle_payment", "hand_over", "record_refund")
"""Scripts before which another has changed something."""
UNFINISHED = frozenset({State.PENDING, State.RELEASED})


class Counter:
    """The operator at the counter, whose forms are sent once, twice, or again much later."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        random = Random(f"counter {sim.seed}")
        has = sim.plan.counter
        self._sells = random.choice((1, 2, 4)) if has else 0
        self._repeats = random.choice((0, 1, 3, 5)) if has else 0
        self._cuts = random.choice((0, 1, 2)) if has else 0
        """How often the process ends that is just selling, or noting what is given back."""
        self._returns = random.choice((0, 1, 2, 3)) if has else 0
        self._twice = random.choice((0.0, 0.2, 0.5))
        self._hasty = random.choice((0.05, 1.0))
        """How soon a sale that was broken off is finished."""
        self._ways: dict[str, Form] = {}
        """How each form says that the money came."""

    def acts(self) -> Iterator[Act]:
        if self._sells:
            yield 0.6, self._sell
        if self._repeats and self._ways:
            yield self._haste(), self._send_again
        if self._cuts and (between := self._at_work(*HALF_DONE)):
            yield 4.0, partial(self._cut, between)
        if self._returns and (kept := self._kept()):
            yield 1.0, partial(self._give_back, kept)

    @property
    def waits(self) -> bool:
        """Whether the operator may still do something once time has passed."""
        return bool(self._sells) or bool(self._repeats and self._unfinished())

    def finish(self) -> None:
        """Long after, every form is sent once more."""
        for key in sorted(self._ways):
            self._sim.trouble("a form of the counter is sent long after")
            self._send(key, self._sim.truth.at_counter[key][0])

    def _sell(self) -> None:
        """Somebody stands there and pays."""
        self._sells -= 1
        key = f"form-0000{len(self._ways)}"
        self._ways[key] = self._sim.random.choice(WAYS)
        self._sim.trouble("sold at the counter")
        self._send(key, self._some())

    def _send_again(self) -> None:
        """An old form is sent once more: by the back button, or because nobody saw what it said."""
        random = self._sim.random
        self._repeats -= 1
        key = random.choice(sorted(self._unfinished() or self._ways))
        asked = self._sim.truth.at_counter[key][0] if random.random() < 0.7 else self._some()
        self._sim.trouble("a form of the counter is sent again")
        self._send(key, asked)

    def _some(self) -> dict[str, int]:
        """What somebody wants: mostly of what is there."""
        random, view = self._sim.random, self._sim.promises.view
        skus = sorted(self._sim.plan.stock)
        there = [sku for sku in skus if view.level(sku)["available"]]
        chosen = there if there and random.random() < 0.85 else skus
        number = random.choice((1, 1, min(2, len(chosen))))
        return {sku: random.choice((1, 1, 2)) for sku in sorted(random.sample(chosen, number))}

    def _send(self, key: str, wanted: Units) -> None:
        sim, way = self._sim, self._ways[key]
        sim.truth.at_counter[key].append(dict(wanted))

        def run() -> Sale | str:
            try:
                return counter.sell(sim.shop, wanted=wanted, form=way, key=key, who="operator")
            except NotSold as late:
                return str(late)

        for _ in range(2 if sim.random.random() < self._twice else 1):
            name = f"counter sells {wanted} for {way} ({key})"
            sim.request(name, run, partial(self._sold, key))

    def _sold(self, key: str, task: Task) -> None:
        """What the operator was told is true: that it is sold, or comes too late."""
        self._answered(task)
        view, truth = self._sim.promises.view, self._sim.truth
        if isinstance(late := task.result, str):
            self._sim.trouble("a form of the counter comes too late")
            if view.units_at(late) == "held" and not truth.lossy:
                raise Broken("I8", f"{key} could be finished, and was told that it is too late")
        if not isinstance(task.result, Sale):
            return
        order = task.result.order.id
        if truth.sold_at_counter.setdefault(key, order) != order:
            raise Broken("double click", f"{key} sold {truth.sold_at_counter[key]} and {order}")
        fields = view.orders().get(order)
        if truth.lossy or fields is None:
            return
        if not named(fields, "payment"):
            raise Broken("I4", f"{key} was told that it sold {order}, which is {fields['state']}")
        if not _handed_over(fields):
            raise Broken("handed over", f"{key} sold {order}, and its hand-over is not noted")

    def _answered(self, task: Task) -> None:
        if isinstance(task.error, StripeError):
            raise Broken("counter", f"{task.name} asks Stripe: {task.error!r}")
        check_answer(task)

    def _haste(self) -> float:
        """How likely a form is sent again now."""
        states = set(self._unfinished().values())
        return 2.0 if State.RELEASED in states else self._hasty if states else 0.3

    def _unfinished(self) -> dict[str, str]:
        """Forms whose sale was broken off between the scripts, and whether that is over by now."""
        if self._at_work():
            return {}
        orders, settings = self._sim.promises.view.orders(), self._sim.shop.settings
        made = {key: links.order_id(settings, "counter", key) for key in sorted(self._ways)}
        stands = {key: orders[order]["state"] for key, order in made.items() if order in orders}
        return {key: state for key, state in stands.items() if state in UNFINISHED}

    def _at_work(self, *calls: str) -> list[str]:
        """Processes that sell or give back just now, and stand before one of these calls."""
        tasks = [task for task in self._sim.tasks if task.name.startswith("counter ")]
        stand = [task for task in tasks if task.call and task.call[1] in calls]
        return sorted({task.process for task in (stand if calls else tasks)})

    def _cut(self, processes: list[str]) -> None:
        self._cuts -= 1
        self._sim.trouble("a process of the counter ends")
        self._sim.crash(self._sim.random.choice(processes))

    def _kept(self) -> list[str]:
        """Sales of which something can still be given back."""
        orders = self._sim.promises.view.orders().items()
        return [order for order, f in orders if at_counter(f) and f["state"] in GOODS]

    def _give_back(self, orders: list[str]) -> None:
        """The operator gives some or all of the money back, and says what becomes of the units."""
        sim, random = self._sim, self._sim.random
        self._returns -= 1
        order_id = random.choice(orders)
        key = f"back-0000{len(sim.truth.wishes)}"
        to, kind = random.choice(PLACES), random.choice(("units", "units", "money", "all"))
        part = random.random()

        def run() -> object:
            order = sim.shop.store.orders.get(order_id)
            if order is None:
                return None
            units: dict[str, int] = {}
            for sku, number in order.unrefunded.items():
                if kind == "units" and not units:
                    units = {sku: 1 + int(part * number)}
            amount = 1 + int(part * order.amount / 3) if kind == "money" else None
            try:
                seen = giving_back.preview(order, Wish(units, amount, kind == "all", to))
            except BadInput:
                return None
            wished = Wished(order_id, seen.payment, seen.amount, dict(seen.units), seen.to)
            if sim.truth.wishes.setdefault(key, wished) != wished:
                return None  # the page would show another preview: a new form
            answer = giving_back.send_back(
                sim.shop, order, seen, reason=key, key=key, who="operator"
            )
            if answer is Planned.PLANNED:
                sim.truth.taken.add(key)
            return answer

        sim.trouble("money is given back at the counter")
        for _ in range(2 if random.random() < self._twice else 1):
            name = f"counter gives {kind} of {order_id} back, units {to} ({key})"
            sim.request(name, run, self._answered)


def _handed_over(fields: Fields) -> bool:
    """Whether the customer has all that was sold, should nothing of it go back."""
    if fields["state"] not in GOODS or noted_back(fields) or named(fields, "plan"):
        return True
    lines, handed = parsed(fields["lines"]), named(fields, "handed")
    return all(int(handed.get(one["sku"], 0)) == one["quantity"] for one in lines)
