"""Redis goes away and comes back: with everything, or without what it was told last."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from storefront.domain.errors import ShopClosed
from storefront.services import recovery, work
from tests.simulation.acts import Act
from tests.simulation.truth import Broken

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

LATELY_MS = 2000
"""A server that writes its file every second can lose what it was told in so long."""
LONG_MS = 3600_000
"""One that only writes a snapshot now and then loses much more; the shop must come back all the same."""
MOST_TRIES = 50


class Restarts:
    """When Redis ends, and how the shop comes back."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._left = sim.plan.restarts
        self.losses = 0
        """How often something was lost."""
        if sim.plan.lossy and sim.plan.restarts:
            sim.town.redis.remembers = True

    def acts(self) -> Iterator[Act]:
        if self._left:
            # Most often when there is much to lose.
            yield 0.3 if self._sim.promises.view.orders() else 0.02, self._restart
        if self._is_closed() and not self._sim.plan.workers and self._sim.plan.operator:
            yield 0.3, self._reconcile

    def finish(self) -> None:
        """At the end a worker or the operator opens the shop."""
        if not self._is_closed():
            return
        by_hand = self._sim.random.random() < 0.5
        for _ in range(MOST_TRIES):
            if by_hand:
                recovery.recover(self._sim.shop)
            else:
                work.run_due(self._sim.shop, 1)
            self._sim.promises.check()
            if not self._is_closed():
                return
            self._sim.pass_on(recovery.LEASE_MS)
        raise Broken("closed", "the shop does not open again")

    def _restart(self) -> None:
        sim, redis = self._sim, self._sim.town.redis
        self._left -= 1
        view = sim.promises.view
        before = view.places()
        since = sim.random.choice((LATELY_MS, LONG_MS))
        most = redis.lately(since) if sim.plan.lossy else 0
        lost = redis.restart(sim.random.randint(1, most) if most else 0)
        sim.trouble("Redis is restarted" + (" and loses what came last" if lost else ""))
        sim.tell("Redis", f"is restarted, {lost} changes are lost")
        self.losses += bool(lost)
        sim.truth.revived |= view.places().keys() - before.keys()
        sim.promises.restarted(lossy=bool(lost))
        sim.cut_off()

    def _is_closed(self) -> bool:
        redis = self._sim.town.redis
        door = redis.data.get("{test}:door", {})
        return bool(door.get("run") != redis.run_id)

    def _reconcile(self) -> None:
        before = self._left

        def run() -> object:
            try:
                return recovery.recover(self._sim.shop)
            except (ShopClosed, recovery.BooksBroken) as closed:
                if self._left == before:
                    raise
                return closed  # Redis was restarted once more meanwhile

        self._sim.trouble("the operator opens the shop")
        self._sim.request("operator reconciles after the restart", run)
