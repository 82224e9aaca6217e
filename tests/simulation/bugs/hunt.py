"""Look for a mistake, seed after seed, and write down what was found how soon."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tests.simulation.bugs import (
    capturing,
    charging,
    choosing,
    ending,
    giving_back,
    holding,
    linking,
    paying,
    restarting,
    selling,
    waiting,
    working,
)
from tests.simulation.bugs.bug import Bug, ground_with
from tests.simulation.runs import attempt, quietly

GROUPS = {
    "holding": holding.BUGS,
    "ending": ending.BUGS,
    "paying": paying.BUGS,
    "charging": charging.BUGS,
    "choosing": choosing.BUGS,
    "giving back": giving_back.BUGS,
    "linking": linking.BUGS,
    "capturing": capturing.BUGS,
    "working": working.BUGS,
    "restarting": restarting.BUGS,
    "waiting": waiting.BUGS,
    "selling": selling.BUGS,
}
MOST_SEEDS = 3000
"""A mistake that hides longer counts as not found."""
CATCHES = 4
"""So often is each found for the table."""


@dataclass(frozen=True, slots=True)
class Catch:
    """A mistake that was found."""

    seeds: int
    """So many were run, this one included."""
    promise: str


def hunt(bug: Bug, most: int = MOST_SEEDS) -> Iterator[Catch]:
    """Each seed from 0 on that finds the mistake; the same ones every time."""
    with quietly(), ground_with(bug) as ground:
        for seed in range(most):
            _, broken = attempt(ground, seed, bug.town)
            if broken:
                yield Catch(seed + 1, broken.promise)


def row(number: int) -> tuple[str, bool]:
    """The row in docs/never-oversell.md of the mistake with this number among all; whether it was found."""
    bug = [bug for group in GROUPS.values() for bug in group][number]
    found = list(islice(hunt(bug), CATCHES))
    if not found:
        return f"| {bug.name} | not found in {MOST_SEEDS} seeds | |", False
    promises = ", ".join(sorted({catch.promise for catch in found}))
    often = max(1, round(found[-1].seeds / len(found)))
    return f"| {bug.name} | {promises} | {often} |", True
