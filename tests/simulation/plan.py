"""What a seed decides beforehand: how big the town is, and what may go wrong in it.

Each seed switches most troubles off and lets the rest come often: a run in which everything goes
wrong at once rarely gets far enough to find anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.fakes.faults import Fault
from tests.simulation import extras

UNCLEAR = (
    Fault.LOST_REQUEST,
    Fault.LOST_REPLY,
    Fault.RESET_BEFORE,
    Fault.RESET_AFTER,
    Fault.LATE,
    Fault.BUSY,
    Fault.LIMITED,
    Fault.UNSAVED,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.SPENT_BEFORE,
    Fault.SPENT_AFTER,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One town. Figures between 0 and 1 are how likely something is, each time it could happen."""

    workers: int
    webs: int
    reconciling: bool
    """Whether workers walk through Stripe's sessions every hour."""
    stock: dict[str, int]
    shoppers: int
    hold_seconds: int
    per_visitor: int
    per_address: int
    steps: int
    crash: float
    """A process ends at a call."""
    redis: float
    """A command does not reach Redis, or its answer is lost."""
    stripe: float
    """A call to Stripe goes wrong."""
    faults: tuple[Fault, ...]
    mail: float
    """A mail cannot go out just now."""
    stall: float
    """Time jumps while requests are on their way, as in a process that was paused."""
    lost: float
    """A webhook never comes."""
    late: float
    """A webhook comes after minutes, hours or days."""
    repeated: float
    """A webhook comes twice, or as two events of one fact."""
    outages: bool
    """Whether the shop cannot reach Stripe for minutes or hours, while shoppers can."""
    twins: bool
    """Whether an order may get a second session that the shop does not know."""
    operator: bool
    """Whether someone restocks, refunds and releases by hand."""
    delayed: bool
    """Whether shoppers use methods whose money comes after days."""
    slow_refunds: bool
    """Whether refunds are pending at first, and may fail."""
    restarts: int
    """How often Redis is restarted."""
    lossy: bool
    """Whether a restart loses what came last."""
    silent_end: bool
    """Whether what was not delivered when the shoppers left never is."""
    capture: str
    """``automatic``, or ``manual``: the money is taken once the goods are committed."""
    ui: str
    """``hosted``: Stripe's page; ``elements``: the shop's own."""
    unwilling: float
    """A bank will not pay what it has agreed to."""
    waiting: bool
    """Whether shoppers wait in line for what is gone."""
    offer_seconds: int
    extras: bool
    """Whether deliveries, tax and promotion codes change what is charged on Stripe's page."""
    sends: bool
    """Whether the shop's own page asks first how the goods are to reach the shopper."""
    counter: bool
    """Whether goods are sold at the counter, too."""


SCARCE: Mapping[str, Any] = {
    "shoppers": 4,
    "hold_seconds": 60,
    "outages": True,
    "operator": True,
    "steps": 160,
}
"""One of each thing, many who want it, and holds that end by hand while Stripe is away: so that some
pay for what others have by then."""
AT_COUNTER = 1 / 6
"""So many towns have a counter."""
Fixed = Mapping[str, Any]
"""Parts of the plan that are the same for every seed, by name."""


def draw(random: Random, fixed: Fixed | None = None) -> Plan:
    """A town from a seed, some of it fixed."""

    def at_times(chance: float, *often: float) -> float:
        return random.choice(often) if random.random() < chance else 0.0

    skus = random.choice((("a",), ("a",), ("a", "b"), ("a", "b", "c")))
    plan = Plan(
        workers=random.choice((0, 0, 1, 2)),
        webs=random.choice((1, 2, 3)),
        reconciling=random.random() < 0.5,
        stock={sku: random.choice((1, 1, 2, 3, 5)) for sku in skus},
        shoppers=random.choice((2, 2, 3, 4)),
        hold_seconds=random.choice((60, 600, 1920)),
        per_visitor=random.choice((1, 1, 2)),
        per_address=random.choice((20, 20, 20, 20, 1, 2)),
        steps=random.choice((60, 90, 120, 160)),
        crash=at_times(0.35, 0.01, 0.04),
        redis=at_times(0.4, 0.03, 0.1),
        stripe=at_times(0.6, 0.1, 0.3, 0.5),
        faults=UNCLEAR if random.random() < 0.5 else (random.choice(UNCLEAR),),
        mail=at_times(0.2, 0.3),
        stall=at_times(0.3, 0.02, 0.1),
        lost=random.choice((0.0, 0.0, 0.3, 1.0)),
        late=random.choice((0.0, 0.2, 0.6)),
        repeated=random.choice((0.0, 0.2)),
        outages=random.random() < 0.3,
        twins=random.random() < 0.25,
        operator=random.random() < 0.5,
        delayed=random.random() < 0.4,
        slow_refunds=random.random() < 0.25,
        restarts=random.choice((1, 1, 2)) if random.random() < 0.25 else 0,
        lossy=random.random() < 0.7,
        silent_end=random.random() < 0.5,
        capture=random.choice(("automatic", "manual")),
        ui=random.choice(("hosted", "hosted", "elements")),
        unwilling=at_times(0.3, 0.3),
        waiting=random.random() < 0.5,
        offer_seconds=random.choice((60, 7200)),
        extras=extras.drawn(random),
        sends=extras.drawn(random, "sends"),
        counter=extras.drawn(random, "counter", AT_COUNTER),
    )
    if random.random() < 0.15:
        plan = replace(plan, **SCARCE, stock=dict.fromkeys(skus, 1))
    return replace(plan, **fixed) if fixed else plan
