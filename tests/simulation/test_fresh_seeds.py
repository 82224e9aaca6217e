"""Whatever goes wrong at once, no promise is broken by seeds that nobody has run before."""

import random
from collections.abc import Callable

import pytest

from tests.simulation.runs import FRESH, SEEDS, run

Say = Callable[[str, object], None]
NUMBER = SEEDS // 2


@pytest.mark.timeout(120 + SEEDS)
def test_no_promise_is_broken_by_seeds_that_nobody_has_run_before(
    record_property: Say,
) -> None:
    first = random.SystemRandom().randrange(SEEDS, FRESH)
    record_property("told", f"simulation: fresh seeds from {first} on")
    report = run(range(first, first + NUMBER))
    assert not report.failures, report.told(first)
    assert report.seeds == NUMBER
