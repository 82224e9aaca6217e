"""Any run of calls to the scripts answers and leaves what a simple model of a shop says."""

import os

import pytest
import redis

from tests.storage.machine import Storage
from tests.storage.mistakes import MISTAKES
from tests.storage.walks import find_mistake, walk_afresh, walk_as_always

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 40)
"""Of 40 calls and more each, for one Redis and kind of seed."""
MOST_RUNS = 500
"""In which a mistake must be found."""

# How long a run takes says nothing: only the number of runs counts, on however slow a machine.
pytestmark = pytest.mark.timeout(1200)


def test_the_same_runs_as_always_leave_what_the_model_says() -> None:
    """Those in which the mistakes are looked for: without one, nothing is found in them."""
    walk_as_always(Storage, RUNS)


def test_fresh_runs_leave_what_the_model_says(
    quick_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    walk_afresh(Storage, quick_client, RUNS, capsys)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_script_with_a_mistake_is_found_out(mistake: tuple[str, str, str]) -> None:
    find_mistake(Storage, mistake, MOST_RUNS)
