"""Promises about stock: I1 to I3, I5, I11, what open pages show, and what Stripe keeps of it."""

import json
from collections import Counter
from collections.abc import Mapping

from storefront.domain.orders import GOODS, State
from storefront.storage.stock import COUNTERS
from tests.simulation.truth import Broken, Truth
from tests.simulation.view import KEPT_TWICE, PREFIX, Fields, View


class StockPromises:
    """Checks the counters against orders, the ledger, what is shown, and what was brought."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth
        self._replayed: dict[str, Counter[str]] = {}
        self._entries = 0
        self._messages = 0
        self._shown: dict[str, dict[str, int]] = {}
        """What open pages show of each SKU."""

    def restarted(self, *, lossy: bool) -> None:
        self._shown.clear()  # open pages are told everything anew when they connect again
        if lossy:
            self._replayed.clear()
            self._entries = 0

    def check(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken."""
        self._counters(orders)
        self._ledger()
        self._told()

    def rest(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken when units are still held, or Stripe's copy is another."""
        for sku, number in self._view.hash("stock:held").items():
            reviewed = sum(
                units.get(sku, 0)
                for order, (at, units) in self._view.places().items()
                if at == "held" and orders[order]["state"] == State.REVIEW
            )
            if int(number) != reviewed:
                raise Broken("I7", f"{number} of {sku} are still held")
        for sku in self._view.hash("stock:stocked"):
            self._mirrored(sku)

    def _counters(self, orders: Mapping[str, Fields]) -> None:
        sums: dict[str, Counter[str]] = {"held": Counter(), "sold": Counter()}
        holding = set()
        for order, (at, units) in self._view.places().items():
            sums[at].update(units)
            if at == "held":
                holding.add(order)
        for units in self._view.allotments().values():
            sums["held"].update(units)
        if holding != set(holds := self._view.zset("holds")):
            raise Broken("I3", f"holds are {sorted(holds)}, not {sorted(holding)}")
        brought = self._brought()
        for sku, expected in brought.items():
            level = self._view.level(sku)
            if min(level.values()) < 0:
                raise Broken("I1", f"{sku}: {level}")
            parts = level["available"] + level["held"] + level["sold"] + level["written_off"]
            if level["stocked"] != parts:
                raise Broken("I2", f"{sku}: {level}")
            if level["stocked"] != expected:
                raise Broken("I2", f"{sku}: {expected} were brought: {level}")
            for at in ("held", "sold"):
                if level[at] != sums[at][sku]:
                    raise Broken(
                        "I3", f"{sku}: {level}, but orders and links have {sums[at][sku]} {at}"
                    )
        goods: Counter[str] = Counter()
        for order, (_, units) in self._view.places().items():
            if order in orders and orders[order]["state"] in GOODS:
                goods.update(units)
        for sku, number in goods.items():
            if number > brought[sku]:
                raise Broken("I5", f"{number} of {sku} sold, {brought[sku]} brought")

    def _brought(self) -> dict[str, int]:
        """What the operator brought, each key counted once and only when it was taken."""
        found = dict(self._truth.opening)
        for key, (sku, delta) in self._truth.restocks.items():
            if delta > 0 and f"{PREFIX}restock:{key}" in self._view.redis.data:
                found[sku] += delta
        return found

    def _ledger(self) -> None:
        entries = self._view.redis.data.get(PREFIX + "ledger", [])
        closed = self._view.hash("door").get("run") != self._view.redis.run_id
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
            for name, stored in self._view.level(sku).items():
                if stored != level[name]:
                    raise Broken("I11", f"{sku}: {name} is {stored}, the ledger says {level[name]}")

    def _told(self) -> None:
        """Open pages show what is there."""
        published = self._view.redis.published
        for _, message in published[self._messages :]:
            self._shown.update(json.loads(message))
        self._messages = len(published)
        for sku, shown in self._shown.items():
            for name, units in shown.items():
                if (found := int(self._view.hash(f"stock:{name}").get(sku, 0))) != units:
                    raise Broken("promise 5", f"{sku}: {units} {name} are shown, not {found}")

    def _mirrored(self, sku: str) -> None:
        """What only Redis knows of a SKU is at Stripe, too."""
        product = self._view.stripe.catalogue.get(f"test_{sku}", {"metadata": None})
        ours = {name: str(self._view.level(sku)[name]) for name in KEPT_TWICE}
        theirs = product["metadata"] and {
            name: product["metadata"].get(name) for name in KEPT_TWICE
        }
        if self._truth.lossy and theirs:
            # A restock that Redis lost: Stripe keeps it, until a person has counted.
            theirs = {name: str(min(int(theirs[name]), int(ours[name]))) for name in KEPT_TWICE}
        if ours != theirs:
            raise Broken("mirror", f"{sku} is {ours} here, {theirs} at Stripe")
