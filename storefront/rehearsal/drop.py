"""Plays a drop from the first shopper to the last refund, and says whether all adds up."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storefront.domain.orders import State
from storefront.domain.products import Catalogue, Level
from storefront.rehearsal.crowd import Told, Ware, shop_all
from storefront.rehearsal.processes import CannotRehearse, on_stage, shop_id_for
from storefront.services import forgetting, mirroring, reconciliation
from storefront.settings import Settings
from storefront.storage.clearing import clear, left
from storefront.storage.connection import connect
from storefront.storage.store import Store, open_store

MOST_SHOPPERS = 5000
HOLD_SECONDS = 10
"""Of the rehearsal's shop, so that who leaves is not waited for half an hour."""
ALWAYS_DUE = frozenset({reconciliation.JOB, mirroring.JOB, forgetting.JOB})
LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class Played:
    """How it went."""

    told: Told
    levels: Sequence[Level]
    orders: Mapping[State, int]
    sold: int
    """Units that are customers'."""
    refunded: int
    """Payments that went back in full."""
    rested: bool
    """Whether nothing was held or due at the end."""
    checks: Sequence[Mapping[str, Any]]
    """Those of ``flask shop audit --stripe``."""
    seconds: float
    keys: int
    """That were deleted afterwards."""
    forgotten: int
    """That are still there all the same."""

    @property
    def adds_up(self) -> bool:
        """``stocked = available + held + sold + written off``, for each SKU."""
        return all(
            level.stocked == level.available + level.held + level.sold + level.written_off
            for level in self.levels
        )

    @property
    def audited(self) -> bool:
        """Whether no check of the audit failed."""
        return bool(self.checks) and all(check["ok"] for check in self.checks)

    @property
    def well(self) -> bool:
        """Whether all of it went as it must."""
        clean = not self.told.wrong and not self.forgotten
        return self.adds_up and self.audited and self.rested and clean


def play(
    settings: Settings,
    redis_url: str,
    *,
    shoppers: int,
    seconds: int,
    seed: int,
    progress: Callable[[str, int, int], None],
) -> Played:
    """Play a drop with the goods and the stock of this shop; its own books are only read.

    ``progress`` is told what is done, how far and of how much. Raises CannotRehearse.
    """
    began = time.monotonic()
    shop_id = shop_id_for(settings.shop_id)
    with connect(redis_url) as client, tempfile.TemporaryDirectory(prefix="rehearsal-") as name:
        store = open_store(client, shop_id)
        try:
            copied = _copy(open_store(client, settings.shop_id), store)
            with on_stage(settings, redis_url, Path(name), shop_id, HOLD_SECONDS) as stage:
                until = began + seconds
                told = shop_all(
                    stage.url,
                    copied,
                    shoppers,
                    seed=seed,
                    until=until,
                    progress=lambda done: progress("shoppers", done, shoppers),
                )
                rested = _rest(store, until, progress)
                checks = json.loads(stage.command("audit", "--stripe"))["checks"]
            levels, orders = store.stock.levels(), store.orders.counts()
            sent_back = Counter(
                order.state for order in store.orders.walk() if order.payments and order.refunded
            )
        finally:
            keys = clear(client, shop_id)
        return Played(
            told=told,
            levels=levels,
            orders={state: number for state, number in orders.items() if number},
            sold=sum(level.sold for level in levels),
            refunded=sent_back.total(),
            rested=rested,
            checks=checks,
            seconds=time.monotonic() - began,
            keys=keys,
            forgotten=len(left(client, shop_id)),
        )


def _copy(real: Store, store: Store) -> list[Ware]:
    """The goods on the shelf, on sale at once, with as many units as there are to sell."""
    catalogue = Catalogue(real.catalogue.read().published)
    units = {level.sku: level.available + level.held for level in real.stock.levels()}
    wares = [
        Ware(product.slug, variant.sku, units.get(variant.sku, 0))
        for product in catalogue.products
        for variant in product.variants
    ]
    if not any(ware.units for ware in wares):
        raise CannotRehearse("Nothing is on the shelf and in stock, so there is nothing to play.")
    rows = {
        product.slug: json.dumps(replace(product, opens_at=None).to_json())
        for product in catalogue.products
    }
    stock = {ware.sku: ware.units for ware in wares}
    store.scripts.publish_catalogue(rows, stock, version="rehearsal", who="rehearsal")
    return [ware for ware in wares if ware.units]


def _rest(store: Store, until: float, progress: Callable[[str, int, int], None]) -> bool:
    """Waits until nothing is held or due; False when that takes too long."""
    most = 0
    while True:
        due = [job for job in store.due.jobs() if job.name not in ALWAYS_DUE]
        open_still = len(due) + len(store.orders.holding())
        most = max(most, open_still)
        progress("settled", most - open_still, most)
        if not open_still or time.monotonic() > until:
            return not open_still
        time.sleep(LOOK_SECONDS)
