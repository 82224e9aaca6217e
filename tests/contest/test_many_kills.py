"""Web processes, workers and Redis die under load, again and again: the promise holds."""

import os

import pytest

from tests.contest.kills import PLACES, Toll, open_day, run_day, run_days
from tests.contest.regulars import FATES

KILLS = int(os.environ.get("KILLS") or 200)
STEPS = len(PLACES) // 2
"""So many different steps at least are come by when the deaths are as many as always."""

# Only deaths count, not how long they take.
pytestmark = pytest.mark.timeout(1800)


def test_no_death_breaks_a_promise() -> None:
    """Checked after each one, and against Stripe's books when all is at rest."""
    toll = Toll()
    run_days(KILLS, 1, toll, lambda _: None)
    print(toll)
    assert toll.violations == []
    assert toll.number >= KILLS
    assert toll.visits.keys() == FATES.keys()
    assert len({place.split(" ", 1)[1] for place in toll.kills if " " in place}) >= STEPS


def test_a_redis_that_writes_nothing_down_is_found_out() -> None:
    toll = Toll()
    with open_day(2, toll, redis={"appendonly": "no"}) as day:
        run_day(day, KILLS)
    assert any("the ledger ended with" in violation for violation in toll.violations), (
        toll.violations
    )


def test_a_worker_that_takes_jobs_off_the_list_too_early_is_found_out() -> None:
    toll = Toll()
    with open_day(3, toll, worker="tests.contest.hasty") as day:
        run_day(day, KILLS)
    forgotten = ("due: ", "I4 ", "I12 ")
    assert any(violation.startswith(forgotten) for violation in toll.violations), toll.violations
