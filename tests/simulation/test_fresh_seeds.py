"""Whatever goes wrong at once, no promise is broken by seeds that nobody has run before."""

import random
from collections.abc import Callable

import pytest

from tests.simulation.runs import FRESH, SEEDS, run

Say = Callable[[str, object], None]
NUMBER = 250
"""So few, because about one in twenty thousand found a fault so far (see docs/never-oversell.md): a test run
must not fail by chance. ``make simulate`` and ``make soak`` run thousands."""


@pytest.mark.timeout(120 + SEEDS)
def test_no_promise_is_broken_by_seeds_that_nobody_has_run_before(
    record_property: Say,
) -> None:
    first = random.SystemRandom().randrange(SEEDS, FRESH)
    record_property("told", f"simulation: fresh seeds from {first} on")
    report = run(range(first, first + NUMBER))
    assert not report.failures, report.told(first)
    assert report.seeds == NUMBER
