"""The promise at a glance: units, money, what is due, and what only a person can mend.

All of it is from one moment; orders are read in chunks, each with what was due when it was read. The
work is bounded: of a shop with more orders than ``NEWEST``, only those are looked at; of the others
only what they have that is sold, which is added up in pieces.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from storefront.domain.orders import AWAITING, GOODS, Order, State
from storefront.domain.products import Level
from storefront.services import audit, comparison, holds, links, mirroring
from storefront.services.checks import Check
from storefront.services.shop import Shop
from storefront.storage.snapshot import Snapshot

NEWEST = 1000
"""Orders, and entries of the ledger, that are looked at. ``flask shop audit`` looks at all."""
MOST_ROWS = 50
"""Rows of one kind that a person is shown."""
LATE_MS = 60_000
"""A job that is due for so long is late: no worker runs, or Stripe is silent."""
FAILING_TRIES = 3
"""A job that was taken so often without success is worth a word."""


@dataclass
class Money:
    """Where the money of one currency is, in minor units. Together it is what was paid."""

    paid: int = 0
    for_goods: int = 0
    """Paid and not sent back, for orders whose goods are the customer's."""
    back: int = 0
    """Sent back: Stripe says that it has succeeded."""
    on_its_way: int = 0
    """Taken by Stripe to be sent back."""
    owed: int = 0
    """To be sent back, and on the list of what is due."""
    in_review: int = 0
    """A person looks at it."""
    authorized: int = 0
    """Not paid yet: banks have agreed to pay it, and it is captured next or let go."""
    orders: int = 0
    """Orders whose goods are the customer's."""
    units: int = 0
    """Their units."""
    unexplained: list[str] = field(default_factory=list)
    """Orders with money and neither goods nor a way back for it: there must be none."""

    @property
    def adds_up(self) -> bool:
        """Whether every minor unit that was paid is accounted for."""
        explained = self.for_goods + self.back + self.on_its_way + self.owed + self.in_review
        return self.paid == explained and not self.unexplained


@dataclass(frozen=True, slots=True)
class Kind:
    """The jobs of one kind on the list of what is due."""

    name: str
    jobs: int
    late: int
    """Those that are due for longer than LATE_MS."""
    latest_ms: int
    """How late the oldest is; 0 when none is due yet."""
    tries: int
    """The most often that one of them was taken without success."""


@dataclass(frozen=True, slots=True)
class Oldest:
    """The hold whose deadline is the earliest."""

    order: str
    state: str
    deadline: int
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class Task:
    """An order that only a person can bring further."""

    order: Order
    token: str
    """Of its page, which asks Stripe how it stands."""
    at_stripe: tuple[str, ...]
    """Its payments' pages in Stripe's dashboard; none when Stripe is not Stripe's own."""
    failed_refunds: tuple[str, ...]
    releasable: bool
    """Whether its units can be given back by hand."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """How far Stripe knows what came in and was written off."""

    skus: int
    waiting: int
    """SKUs whose numbers are on their way."""
    late: Mapping[str, int]
    """SKUs whose numbers Stripe did not take, with the tries."""


@dataclass(frozen=True, slots=True)
class Integrity:
    """Everything that the operator sees of the promise, as of ``now`` (ms)."""

    now: int
    checks: list[Check]
    with_stripe: bool
    levels: list[Level]
    money: Mapping[str, Money]
    """By currency."""
    looked_at: int
    orders: int
    holds: int
    oldest: Oldest | None
    due: list[Kind]
    mirror: Mirror
    overdue: list[Task]
    reviews: list[Task]
    more_reviews: int
    """Reviews that are not among the rows."""
    redis: list[str]
    """What Redis may lose, a sentence each."""
    reconciled: int | None
    """When Stripe was walked through last (ms)."""

    @property
    def broken(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if not check.ok]

    @property
    def late(self) -> int:
        """How late the oldest job is (ms), when that is too late; else 0."""
        worst = max((kind.latest_ms for kind in self.due), default=0)
        return worst if worst > LATE_MS else 0


def look(shop: Shop, *, with_stripe: bool = False) -> Integrity:
    """The shop's promise as it stands.

    With ``with_stripe`` Stripe is asked too, and every order and every entry of the ledger is read;
    raises StripeError when Stripe cannot be asked.
    """
    newest = None if with_stripe else NEWEST
    few = newest is None or shop.store.orders.number() <= newest
    snapshot = shop.store.snapshot(None if few else newest)
    sold = None if few else shop.store.sold()
    money: dict[str, Money] = {shop.settings.shop_currency: Money()}

    def add(order: Order, due: set[str]) -> None:
        _add(money.setdefault(order.currency, Money()), order, due)

    checks = audit.check(shop, snapshot, newest=newest, sold=sold, look=add)
    if with_stripe:
        checks += comparison.compare(shop)
    reviews = [order for order, state in snapshot.states.items() if state == State.REVIEW]
    return Integrity(
        now=snapshot.now,
        checks=checks,
        with_stripe=with_stripe,
        levels=list(snapshot.levels.values()),
        money=money,
        looked_at=min(newest or snapshot.total, len(snapshot.orders)),
        orders=snapshot.total,
        holds=len(snapshot.holds),
        oldest=_oldest(snapshot),
        due=_kinds(snapshot),
        mirror=_mirror(snapshot),
        overdue=[_task(shop, order) for order in holds.overdue(shop)[:MOST_ROWS]],
        reviews=[
            _task(shop, order)
            for order in shop.store.orders.get_many(reviews[:MOST_ROWS])
            if order.state is State.REVIEW
        ],
        more_reviews=max(0, len(reviews) - MOST_ROWS),
        redis=[*shop.store.durability(strict=True), *shop.store.remarks()],
        reconciled=shop.store.reconciled(),
    )


def _add(money: Money, order: Order, due: set[str]) -> None:
    if order.state in GOODS:
        money.orders += 1
        money.units += sum(order.own.values())
    money.authorized += sum(order.authorizations.values())
    for payment, paid in order.payments.items():
        done = sum(
            r.amount
            for r in order.refunds
            if r.payment_intent == payment and r.status == "succeeded"
        )
        taken = order.sent_back(payment)
        money.paid += paid
        money.back += done
        money.on_its_way += taken - done
        left = paid - taken
        if order.state is State.REVIEW:
            money.in_review += left
        elif payment in order.refund_reasons and f"refund:{order.id}:{payment}" in due:
            money.owed += left
        elif order.state in GOODS and payment not in order.refund_reasons:
            money.for_goods += left
        elif left:
            money.unexplained.append(order.id)


def _oldest(snapshot: Snapshot) -> Oldest | None:
    running = {o: at for o, at in snapshot.holds.items() if snapshot.states.get(o) in AWAITING}
    found = min((running or snapshot.holds).items(), key=lambda hold: hold[1], default=None)
    return Oldest(found[0], snapshot.states.get(found[0], ""), found[1]) if found else None


def _kinds(snapshot: Snapshot) -> list[Kind]:
    jobs: dict[str, list[str]] = {}
    for job in snapshot.due:
        jobs.setdefault(job.partition(":")[0], []).append(job)
    found = []
    for kind, names in sorted(jobs.items()):
        lateness = [snapshot.now - snapshot.due[name] for name in names]
        found.append(
            Kind(
                kind,
                jobs=len(names),
                late=sum(late > LATE_MS for late in lateness),
                latest_ms=max(0, *lateness),
                tries=max(snapshot.tries.get(name, 0) for name in names),
            )
        )
    return found


def _mirror(snapshot: Snapshot) -> Mirror:
    kinds = Counter(job.partition(":")[0] for job in snapshot.due)
    return Mirror(len(snapshot.levels), kinds["mirror"], mirroring.late(snapshot))


def _task(shop: Shop, order: Order) -> Task:
    return Task(
        order,
        token=links.token(shop.settings, order.id),
        at_stripe=tuple(filter(None, (links.payment(shop.settings, p) for p in order.payments))),
        failed_refunds=tuple(r.id for r in order.refunds if r.status in {"failed", "canceled"}),
        releasable=order.state is not State.REVIEW or holds.releasable(order),
    )
