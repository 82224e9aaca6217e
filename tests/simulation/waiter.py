"""Shoppers who wait in line for what is gone: they join, confirm, leave, take what is offered, or do not."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from storefront.domain.orders import State
from storefront.services import links, waitlist
from storefront.services.checkout import Started
from tests.simulation.acts import Act, check_answer
from tests.simulation.shopper import Shopper
from tests.simulation.tasks import Task
from tests.simulation.truth import Broken
from tests.simulation.values import parsed

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

Row = dict[str, Any]
"""A place as it is stored."""


class Waiter:
    """A shopper in the waitlist; what they take they pay for, or not, as anything else."""

    def __init__(self, sim: "Simulation", shopper: Shopper) -> None:
        random = sim.random
        self._sim, self._shopper = sim, shopper
        self._email = f"{shopper.name}@example.com"
        self._joins = random.choice((1, 1, 2, 3))
        self._confirms = random.random() < 0.85
        self._takes = random.random() < 0.75
        self._leaves = random.choice((0, 0, 1))
        self._twice = random.choice((0.0, 0.0, 0.4))
        self._ids: dict[str, str] = {}
        """The shopper's place in line for each SKU."""

    def acts(self) -> Iterator[Act]:
        if self._joins:
            yield 2.0 if self._gone() else 0.1, self._join
        places = self._places()
        if self._confirms and (some := [i for i, row in places if row["state"] == "unconfirmed"]):
            yield 2.0, partial(self._act, "confirms", some)
        if self._leaves and (some := [i for i, row in places if row["state"] != "left"]):
            yield 0.3, partial(self._act, "leaves", some)
        if self._takes and (some := [i for i, row in places if self._offers(row)]):
            yield 4.0, partial(self._take, some)

    @property
    def waits(self) -> bool:
        """Whether the shopper may still do something once time has passed."""
        states = {row["state"] for _, row in self._places()}
        return bool(self._joins) or (self._confirms and "unconfirmed" in states)

    def _gone(self) -> list[str]:
        """What is sold out or held."""
        view = self._sim.promises.view
        return [sku for sku in sorted(self._sim.plan.stock) if not view.level(sku)["available"]]

    def _places(self) -> list[tuple[str, Row]]:
        """The places that the shopper's mails lead to."""
        rows = self._sim.promises.view.hash("places")
        ids = self._ids.values()
        return [(place, parsed(rows[place])) for place in ids if place in rows]

    def _offers(self, row: Row) -> list[str]:
        """Orders that the place can take."""
        view = self._sim.promises.view
        made = row["orders"][: int(row["offered"])]
        return [one for one in made if view.hash(f"order:{one}").get("state") == State.OFFERED]

    def _join(self) -> None:
        sim, random = self._sim, self._sim.random
        self._joins -= 1
        sku = random.choice(self._gone() or sorted(sim.plan.stock))
        self._ids[sku] = links.place_ids(sim.shop.settings, sku, self._email)[0]
        quantity = random.choice((1, 1, 1, 2))
        sim.trouble("a shopper joins the line")

        def run() -> None:
            waitlist.join(sim.shop, sku=sku, email=self._email, quantity=quantity)

        for _ in range(2 if random.random() < self._twice else 1):
            sim.request(f"{self._shopper.name} joins the line for {quantity} of {sku}", run)

    def _act(self, what: str, places: list[str]) -> None:
        sim = self._sim
        place = sim.random.choice(places)
        if what == "confirms":
            sim.truth.confirmed.add(place)
        else:
            self._leaves -= 1
        sim.trouble(f"a shopper {what}")

        def run() -> None:
            found = waitlist.find(sim.shop, links.place_token(sim.shop.settings, place))
            if found:
                act = waitlist.confirm if what == "confirms" else waitlist.leave
                act(sim.shop, found.place)

        sim.request(f"{self._shopper.name} {what} {place}", run)

    def _take(self, places: list[str]) -> None:
        sim = self._sim
        place = sim.random.choice(places)
        sim.trouble("an offer is taken")

        def run() -> Started | None:
            found = waitlist.find(sim.shop, links.place_token(sim.shop.settings, place))
            return waitlist.take(sim.shop, found) if found else None

        for _ in range(2 if sim.random.random() < self._twice else 1):
            sim.request(f"{self._shopper.name} takes what {place} is offered", run, self._taken)

    def _taken(self, task: Task) -> None:
        check_answer(task)
        if not isinstance(task.result, Started):
            return
        order = task.result.order
        if order.place not in self._ids.values():
            raise Broken("privacy", f"{self._shopper.name} was sent to an order of {order.place}")
        if order.undecided:
            self._shopper.ask(order.id)
        if order.session and task.result.url == order.url:
            self._shopper.show(order.session)
