"""Whatever goes wrong at once, no promise is broken; and a seed is a run that can be had again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.runs import replay, run, spread
from tests.simulation.town import Ground

SEEDS = int(os.environ.get("SEEDS", "500"))
PROCESSES = 2
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(60 + SEEDS)
def test_no_promise_is_broken_by_any_seed() -> None:
    """The same seeds each time; `make simulate` and `make soak` look at new ones too."""
    report = spread(iter(range(SEEDS)), PROCESSES)
    print(report)
    assert not report.failures, "\n\n".join(failure.story for failure in report.failures[:3])
    assert report.seeds == SEEDS
    assert report.steps > 50 * SEEDS


def test_a_seed_is_the_same_run_in_every_process() -> None:
    """To the last call and answer, whatever ran before it and however Python hashes."""
    seeds = (3, 11, 98)
    run(range(5))
    ground = Ground()
    for seed in seeds:
        told = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", str(seed)],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        assert replay(ground, seed) + "\n" == told
