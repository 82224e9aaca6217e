"""Any run of tries, codes and phones leaves of the operator's account what a simple model says."""

import os

import pytest
import redis

from tests.storage.machine_account import Entering
from tests.storage.walks import find_mistake, walk_afresh, walk_as_always

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 15)
"""Of 40 calls and more each, for one Redis."""
MOST_RUNS = 2000
"""In which a mistake must be found."""

pytestmark = pytest.mark.timeout(1200)

MISTAKES = {
    "a code is used again": (
        "use_code",
        "if tonumber(ARGV[2]) <= tonumber(",
        "if tonumber(ARGV[2]) < tonumber(",
    ),
    "a code of another phone is used up": (
        "use_code",
        "if redis.call('HGET', KEYS[1], 'secret') ~= ARGV[1] then return 'changed' end",
        "",
    ),
    "a phone that was not shown is taken": (
        "confirm_codes",
        "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'gone' end",
        "",
    ),
    "recovery codes of before still open": ("confirm_codes", "redis.call('DEL', KEYS[3])", ""),
    "who was in before stays in": ("confirm_codes", ", 'generation', ARGV[3]", ""),
    "the code that confirmed a phone opens once more": (
        "confirm_codes",
        "'step', ARGV[2]",
        "'step', 0",
    ),
    "a phone that was set up is shown again": ("confirm_codes", "redis.call('DEL', KEYS[2])", ""),
    "the wait grows for ever": (
        "count_try",
        "math.min(first * 2 ^ (tries - free), longest)",
        "first * 2 ^ (tries - free)",
    ),
    "who has to wait is counted, and waits longer": (
        "count_try",
        "return math.ceil(tried + wait - now)",
        "redis.call('HSET', KEYS[1], 'tries', tries + 1)\n return math.ceil(tried + wait - now)",
    ),
    "a calm time forgets nothing": ("count_try", "or now - tried > calm", ""),
    "a clock that was put back locks the operator out": ("count_try", "tried > now or", ""),
}
"""What goes wrong: the script, the words in it, and the words put in their place."""


def test_the_same_runs_as_always_leave_what_the_model_says() -> None:
    walk_as_always(Entering, 2 * RUNS)


def test_fresh_runs_leave_what_the_model_says(
    quick_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    walk_afresh(Entering, quick_client, RUNS, capsys)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_script_with_a_mistake_is_found_out(mistake: tuple[str, str, str]) -> None:
    find_mistake(Entering, mistake, MOST_RUNS)
