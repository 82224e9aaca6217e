"""Check the promise on what the shop has written, at any moment of a busy day.

What is on its way is no failure: every script leaves the books in agreement, so one transaction that
reads them must find them so. The numbers I1 to I12 are those of ``docs/never-oversell.md``.
"""

from collections import Counter

from storefront.domain.orders import GOODS, State
from storefront.domain.products import Level
from storefront.services import (
    comparison,
    ledger_checks,
    line_checks,
    link_checks,
    mirroring,
    order_checks,
)
from storefront.services.checks import Check, Faults
from storefront.services.holds import LATE_MS
from storefront.services.shop import Shop
from storefront.storage.snapshot import Snapshot
from storefront.storage.sold import Sold
from storefront.storage.stock import COUNTERS


def audit(shop: Shop, with_stripe: bool, *, newest: int | None = None) -> list[Check]:
    """Every invariant that can be checked from Redis, and with ``with_stripe`` against Stripe too.

    ``newest`` bounds the work: only so many of the latest orders, and of the ledger's last entries,
    are read. Raises StripeError when Stripe cannot be asked.
    """
    checks = check(shop, shop.store.snapshot(), newest=newest)
    return [*checks, *comparison.compare(shop)] if with_stripe else checks


def check(
    shop: Shop,
    snapshot: Snapshot,
    *,
    newest: int | None = None,
    sold: Sold | None = None,
    look: order_checks.Look = lambda *_: None,
) -> list[Check]:
    """The half of the audit that asks Redis alone, on books that were read already.

    ``look`` is shown every order that is examined. ``sold`` is what is sold, of a moment of its own,
    for a snapshot that is not whole.
    """
    return [
        _counters(snapshot),
        _equation(snapshot),
        _sums(snapshot, sold),
        _holds(snapshot),
        _lists(snapshot),
        _goods(snapshot),
        _overdue(shop, snapshot),
        ledger_checks.replay(shop, snapshot, newest),
        *order_checks.examine(shop, snapshot, newest, look),
        *line_checks.check(shop, snapshot),
        link_checks.examine(shop, snapshot),
        _mirror(snapshot),
    ]


def _counters(snapshot: Snapshot) -> Check:
    faults = Faults("I1 counters", "no counter is below 0")
    for sku, level in snapshot.levels.items():
        faults.found += [
            f"{sku}: {name} is {getattr(level, name)}"
            for name in COUNTERS
            if getattr(level, name) < 0
        ]
    return faults.check()


def _equation(snapshot: Snapshot) -> Check:
    faults = Faults("I2 equation", "stocked = available + held + sold + written off, for each SKU")
    for sku, level in snapshot.levels.items():
        if level.parts != level.stocked:
            faults.found.append(f"{sku}: {level.parts} units, {level.stocked} stocked")
    return faults.check()


def _sums(snapshot: Snapshot, sold: Sold | None) -> Check:
    fine = "held and sold are what the orders and the payment links have"
    if not snapshot.whole and sold is None:
        fine = (
            "held is what the orders and the payment links have; what is sold was not added up here"
        )
    faults = Faults("I3 sums", fine)
    sums: dict[str, Counter[str]] = {"held": Counter(), "sold": Counter()}
    for at, basket in snapshot.units.values():
        sums[at].update(basket)
    for basket in snapshot.allotments.values():
        sums["held"].update(basket)
    for sku in sorted(snapshot.levels.keys() | sums["held"].keys() | sums["sold"].keys()):
        for at in ("held", "sold") if snapshot.whole else ("held",):
            counted = getattr(snapshot.levels.get(sku, Level(sku)), at)
            if counted != sums[at][sku]:
                faults.found.append(
                    f"{sku}: {at} is {counted}, orders and links have {sums[at][sku]}"
                )
    if sold is not None:
        for sku in sorted(sold.counted.keys() | sold.summed.keys()):
            counted, summed = sold.counted.get(sku, 0), sold.summed.get(sku, 0)
            if counted != summed:
                faults.found.append(f"{sku}: sold is {counted}, orders have {summed}")
    return faults.check()


def _holds(snapshot: Snapshot) -> Check:
    faults = Faults("I3 holds", "the list of holds is exactly the orders that hold")
    holding = {order for order, (at, _) in snapshot.units.items() if at == "held"}
    for order in sorted(holding ^ set(snapshot.holds)):
        which = (
            "holds units but is not listed" if order in holding else "is listed but holds nothing"
        )
        faults.found.append(f"order {order} {which}")
    return faults.check()


def _lists(snapshot: Snapshot) -> Check:
    faults = Faults("I3 lists", "the orders, their states and their units are of the same orders")
    if not snapshot.whole:
        if snapshot.listed != snapshot.total:
            faults.found.append(f"{snapshot.total} orders, and {snapshot.listed} states of orders")
        return faults.check()
    orders = set(snapshot.orders)
    for order in sorted(orders ^ snapshot.states.keys()):
        faults.found.append(f"order {order} is {'in no' if order in orders else 'only in a'} state")
    for order in sorted(snapshot.units.keys() - orders):
        faults.found.append(f"order {order} has units, and does not exist")
    return faults.check()


def _goods(snapshot: Snapshot) -> Check:
    faults = Faults("I5 goods", "no more was given than came in")
    given: Counter[str] = Counter()
    for order, (at, basket) in snapshot.units.items():
        # What is settled for good has no state in a snapshot that is not whole.
        if at == "sold" and snapshot.states.get(order, State.PAID) in GOODS:
            given.update(basket)
    for sku, number in given.items():
        stocked = snapshot.levels[sku].stocked if sku in snapshot.levels else 0
        if number > stocked:
            faults.found.append(f"{sku}: {number} given, {stocked} stocked")
    return faults.check()


def _overdue(shop: Shop, snapshot: Snapshot) -> Check:
    faults = Faults("I7 deadlines", "no hold outlived its deadline and grace")
    latest = snapshot.now - shop.settings.hold_grace_seconds * 1000 - LATE_MS
    ends = {State.OFFERED, State.PENDING, State.OPEN}
    for order, deadline in snapshot.holds.items():
        if deadline < latest and snapshot.states.get(order) in ends:
            late = (snapshot.now - deadline) // 1000
            faults.found.append(f"order {order} should have ended {late} s ago")
    return faults.check()


def _mirror(snapshot: Snapshot) -> Check:
    faults = Faults("mirror", "Stripe has taken what came in and was written off, or soon will")
    for sku, tries in mirroring.late(snapshot).items():
        faults.found.append(f"{sku}: Stripe has not taken its numbers in {tries} tries")
    return faults.check()
