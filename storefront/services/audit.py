"""Check the promise on what the shop has written, at any moment of a busy day.

What is on its way is no failure: every script leaves the books in agreement, so one transaction that
reads them must find them so. The numbers I1 to I12 are those of ``docs/never-oversell.md``.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from storefront.domain.orders import GOODS, HOLDING, Order, State
from storefront.domain.payments import Payment, Verdict, verdict
from storefront.services.holds import LATE_MS
from storefront.services.shop import Shop
from storefront.storage.snapshot import Snapshot
from storefront.storage.stock import COUNTERS

SHOWN = 5
"""So many faults of one kind are named; the rest are counted."""
WINDOW_SECONDS = 3 * 24 * 3600
"""How far back Stripe's sessions are compared: as long as Stripe repeats its webhooks."""
SETTLING_SECONDS = 120
"""What happened at Stripe so recently may still be on its way here."""


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: whether it holds, and in a sentence what was found."""

    name: str
    ok: bool
    detail: str


@dataclass
class _Faults:
    """What was found against one invariant."""

    name: str
    fine: str
    found: list[str] = field(default_factory=list)

    def check(self) -> Check:
        if not self.found:
            return Check(self.name, True, self.fine)
        more = f" and {len(self.found) - SHOWN} more" if len(self.found) > SHOWN else ""
        return Check(self.name, False, "; ".join(self.found[:SHOWN]) + more)


def audit(shop: Shop, with_stripe: bool) -> list[Check]:
    """Every invariant that can be checked from Redis, and with ``with_stripe`` against Stripe too.

    Raises StripeError when Stripe cannot be asked.
    """
    snapshot = shop.store.snapshot()
    checks = [
        _counters(snapshot),
        _equation(snapshot),
        _sums(snapshot),
        _holds(snapshot),
        _overdue(shop, snapshot),
        _ledger(shop, snapshot),
        *_orders(shop, list(snapshot.states)),
    ]
    if with_stripe:
        checks += _stripe(shop)
    return checks


def _counters(snapshot: Snapshot) -> Check:
    faults = _Faults("I1 counters", "no counter is below 0")
    for sku, level in snapshot.levels.items():
        faults.found += [
            f"{sku}: {name} is {getattr(level, name)}"
            for name in COUNTERS
            if getattr(level, name) < 0
        ]
    return faults.check()


def _equation(snapshot: Snapshot) -> Check:
    faults = _Faults("I2 equation", "stocked = available + held + sold + written off, for each SKU")
    for sku, level in snapshot.levels.items():
        found = level.available + level.held + level.sold + level.written_off
        if found != level.stocked:
            faults.found.append(f"{sku}: {found} units, {level.stocked} stocked")
    return faults.check()


def _sums(snapshot: Snapshot) -> Check:
    faults = _Faults("I3 sums", "held and sold are what the orders have")
    sums: dict[str, Counter[str]] = {"held": Counter(), "sold": Counter()}
    for at, basket in snapshot.units.values():
        sums[at].update(basket)
    for sku, level in snapshot.levels.items():
        for at in ("held", "sold"):
            if getattr(level, at) != sums[at][sku]:
                faults.found.append(
                    f"{sku}: {at} is {getattr(level, at)}, orders have {sums[at][sku]}"
                )
    return faults.check()


def _holds(snapshot: Snapshot) -> Check:
    faults = _Faults("I3 holds", "the list of holds is exactly the orders that hold")
    holding = {order for order, (at, _) in snapshot.units.items() if at == "held"}
    for order in sorted(holding ^ set(snapshot.holds)):
        which = (
            "holds units but is not listed" if order in holding else "is listed but holds nothing"
        )
        faults.found.append(f"order {order} {which}")
    return faults.check()


def _overdue(shop: Shop, snapshot: Snapshot) -> Check:
    faults = _Faults("I7 deadlines", "no hold outlived its deadline and grace")
    latest = snapshot.now - shop.settings.hold_grace_seconds * 1000 - LATE_MS
    ends = {State.OFFERED, State.PENDING, State.OPEN}
    for order, deadline in snapshot.holds.items():
        if deadline < latest and snapshot.states.get(order) in ends:
            late = (snapshot.now - deadline) // 1000
            faults.found.append(f"order {order} should have ended {late} s ago")
    return faults.check()


def _ledger(shop: Shop, snapshot: Snapshot) -> Check:
    faults = _Faults("I11 ledger", "replaying the ledger gives the counters")
    counts: dict[str, Counter[str]] = {name: Counter() for name in COUNTERS}
    entries = shop.store.ledger.walk(snapshot.last_entry) if snapshot.last_entry else iter(())
    for entry in entries:
        if entry.origin:
            counts[entry.origin][entry.sku] -= entry.quantity
        else:
            counts["stocked"][entry.sku] += entry.quantity
        counts[entry.target][entry.sku] += entry.quantity
        replayed = tuple(counts[name][entry.sku] for name in COUNTERS)
        if replayed != tuple(getattr(entry, name) for name in COUNTERS):
            faults.found.append(f"{entry.sku}: entry {entry.id} says other counters than replayed")
    for sku, level in snapshot.levels.items():
        faults.found += [
            f"{sku}: {name} is {getattr(level, name)}, the ledger says {counts[name][sku]}"
            for name in COUNTERS
            if counts[name][sku] != getattr(level, name)
        ]
    return faults.check()


def _orders(shop: Shop, ids: list[str]) -> Iterator[Check]:
    """What each order must agree with itself and with what is due, read at one moment in chunks."""
    rules = (
        (_Faults("I3 places", "each order's units are where its state says"), _place),
        (_Faults("I4 money", "each payment has goods, a refund, or one that is due"), _money),
        (_Faults("I10 refunds", "no more was refunded than paid"), _refunded),
        (_Faults("I12 notices", "each notice is sent or due"), _notices),
        (_Faults("due", "every order that waits for something is on the list"), _waiting),
    )
    for orders, due in shop.store.orders.examine(ids):
        for faults, rule in rules:
            for order in orders:
                faults.found += [f"order {order.id} {fault}" for fault in rule(order, due)]
    return (faults.check() for faults, _ in rules)


def _place(order: Order, _due: set[str]) -> Iterator[str]:
    allowed = {"held", "sold", "none"} if order.state is State.REVIEW else {"none"}
    if order.state in HOLDING:
        allowed = {"held"}
    if order.state in GOODS:
        allowed = {"sold"}
    if order.units not in allowed:
        yield f"is {order.state}, its units are {order.units}"


def _money(order: Order, due: set[str]) -> Iterator[str]:
    kept = 0
    for payment, amount in order.payments.items():
        back = sum(r.amount for r in order.refunds if r.payment_intent == payment and r.amount > 0)
        if back >= amount or f"refund:{order.id}:{payment}" in due:
            continue
        kept += 1
    if order.state is State.REVIEW:
        return
    if order.state in GOODS - {State.AUTHORIZED} and kept != 1:
        yield f"is {order.state} with {kept} payments kept"
    if order.state not in GOODS and kept:
        yield f"is {order.state} and keeps {kept} payments"


def _refunded(order: Order, _due: set[str]) -> Iterator[str]:
    if order.refunded > sum(order.payments.values()):
        yield f"was paid {sum(order.payments.values())} and refunded {order.refunded}"


def _notices(order: Order, due: set[str]) -> Iterator[str]:
    wanted = [f"refunded:{r.id}" for r in order.refunds if r.status in {"pending", "succeeded"}]
    if order.state in {State.PAID, State.FULFILLED}:
        wanted.append("confirmed")
    for kind in wanted:
        what, _, refund = kind.partition(":")
        job = f"mail:{what}:{order.id}" + (f":{refund}" if refund else "")
        if kind not in order.notices and job not in due:
            yield f"owes its mail {what}"


def _waiting(order: Order, due: set[str]) -> Iterator[str]:
    needed: dict[State, Callable[[], bool]] = {
        State.PENDING: lambda: bool({f"ask:{order.id}", f"expire:{order.id}"} & due),
        State.OPEN: lambda: f"expire:{order.id}" in due,
        State.PROCESSING: lambda: f"ask:{order.id}" in due,
        State.REFUND_DUE: lambda: any(f"refund:{order.id}:{p}" in due for p in order.payments),
    }
    if order.state in needed and not needed[order.state]():
        yield f"is {order.state} and nothing is due for it"


def _stripe(shop: Shop) -> list[Check]:
    """Compare with Stripe's sessions of the last three days."""
    goods = _Faults("stripe: goods", "every paid session ended in goods or a refund")
    single = _Faults("stripe: sessions", "I6: no order has two sessions that can be or were paid")
    amounts = _Faults("stripe: amounts", "I10: money on the orders equals money at Stripe")
    now = shop.store.now() // 1000
    due = {job.name for job in shop.store.due.jobs()}
    live: Counter[str] = Counter()
    for payment in shop.stripe.sessions_between(now - WINDOW_SECONDS, now + SETTLING_SECONDS):
        if payment.shop != shop.settings.shop_id:
            continue
        stands = verdict(payment)
        order = shop.store.orders.get(payment.order)
        if order is None:
            if stands is not Verdict.EXPIRED:
                goods.found.append(f"session {payment.session} has no order")
            continue
        live[order.id] += _payable(order, payment, due, now)
        if stands is Verdict.PAID:
            _compare(shop, order, payment, now, goods, amounts)
    single.found += [f"order {order} has {number}" for order, number in live.items() if number > 1]
    return [goods.check(), single.check(), amounts.check()]


def _payable(order: Order, payment: Payment, due: set[str], now: int) -> bool:
    """Whether a session brought money that stays, or still can, and nobody is about to end it."""
    stands = verdict(payment)
    if stands is Verdict.PAID:
        return payment.payment_intent in order.payments.keys() - order.refund_reasons.keys()
    if stands not in {Verdict.OPEN, Verdict.PROCESSING}:
        return False
    young = now - payment.created < SETTLING_SECONDS
    ending = f"stray:{order.id}:{payment.session}" in due
    return payment.session == order.session or not (young or ending)


def _compare(
    shop: Shop, order: Order, payment: Payment, now: int, goods: _Faults, amounts: _Faults
) -> None:
    """Hold one paid session against its order."""
    paid = order.payments.get(payment.payment_intent)
    if paid is None:
        if not _on_its_way(order, now):
            goods.found.append(
                f"session {payment.session} is paid, order {order.id} is {order.state}"
            )
        return
    if paid != payment.amount:
        amounts.found.append(f"order {order.id}: {paid} here, {payment.amount} at Stripe")
    ours = sum(r.amount for r in order.refunds if r.payment_intent == payment.payment_intent)
    back = payment.payment_intent in order.refund_reasons or order.refunds
    theirs = sum(r.amount for r in shop.stripe.refunds(payment.payment_intent)) if back else 0
    if ours != theirs and not _on_its_way(order, now):
        amounts.found.append(f"order {order.id}: {ours} refunded here, {theirs} at Stripe")


def _on_its_way(order: Order, now: int) -> bool:
    """Whether the shop is still bound to ask Stripe about the order by itself."""
    return order.state in HOLDING or now - order.updated // 1000 < SETTLING_SECONDS
