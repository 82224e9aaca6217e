"""Any run of calls to the scripts answers and leaves what a simple model of a shop says."""

import os
import secrets
from typing import Any

import hypothesis
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.storage.machine import Mutate, Storage


def limits(examples: int, **more: Any) -> settings:
    """How long Hypothesis looks."""
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        # Not Phase.explain: tracing every line would make it ten times slower.
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        **more,
    )


def machine(redis_client: redis.Redis, mutate: Mutate | None = None) -> type[Storage]:
    """The machine over this Redis, with scripts whose texts were changed."""
    return type("Machine", (Storage,), {"client": redis_client, "mutate": staticmethod(mutate)})


def test_the_same_runs_as_always_leave_what_the_model_says(redis_client: redis.Redis) -> None:
    run_state_machine_as_test(machine(redis_client), settings=limits(60, derandomize=True))


def test_fresh_runs_leave_what_the_model_says(
    redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("STATE_MACHINE_SEED") or secrets.randbits(32))
    with capsys.disabled():
        print(f"\nSTATE_MACHINE_SEED={seed}")
    fresh = hypothesis.seed(seed)(machine(redis_client))
    run_state_machine_as_test(fresh, settings=limits(60))
