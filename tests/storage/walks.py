"""Random walks of a machine over a Redis, as Hypothesis chooses them."""

import os
import secrets
from collections.abc import Iterable
from typing import Any

import hypothesis
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from storefront.storage.asking import BOOKS, WITH_BOOKS
from tests.simulation import town
from tests.simulation.memory import Memory
from tests.storage.walker import Walker

SEED = 1
"""Of the runs that are the same each time."""
# Not Phase.explain: tracing every line would make it ten times slower.
PHASES = (Phase.generate, Phase.shrink)

Kind = type[Walker]
"""A machine, to be given a ``client``, and if wanted ``mutate`` and ``tick``."""


class Clock(town.Clock):
    """Moves when it is told to."""

    def tick(self) -> None:
        self.ms += 1


def limits(examples: int, phases: Iterable[Phase] = PHASES) -> settings:
    """How long Hypothesis looks."""
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=tuple(phases),
        suppress_health_check=list(HealthCheck),
    )


def walk(
    kind: Kind,
    client: redis.Redis | Memory,
    seed: int,
    runs: int,
    phases: Iterable[Phase] = PHASES,
    **tools: Any,
) -> None:
    """So many runs over this Redis; raises what they find."""
    still = {name: staticmethod(tool) for name, tool in tools.items()}
    found = type("Machine", (kind,), {"client": client, **still})
    run_state_machine_as_test(hypothesis.seed(seed)(found), settings=limits(runs, phases))


def walk_as_always(kind: Kind, runs: int, phases: Iterable[Phase] = PHASES, **tools: Any) -> None:
    """On a clock that moves a millisecond for each call, the same in every run."""
    clock = Clock()
    walk(kind, Memory(clock.now), SEED, runs, phases, tick=clock.tick, **tools)


def walk_afresh(
    kind: Kind, client: redis.Redis, runs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a seed that nobody has run before, or ``STATE_MACHINE_SEED``; it is printed."""
    seed = int(os.environ.get("STATE_MACHINE_SEED") or secrets.randbits(32))
    with capsys.disabled():
        print(f"\nSTATE_MACHINE_SEED={seed}")
    walk(kind, client, seed, runs)


def find_mistake(kind: Kind, mistake: tuple[str, str, str], runs: int) -> None:
    """Fails when a mistake (script, words in it, others in their place) is not found in so many runs."""
    script, words, others = mistake
    changed = 0

    def mutate(name: str, text: str) -> str:
        nonlocal changed
        if name != script and not (script in BOOKS and name in WITH_BOOKS):
            return text
        assert text.count(words) == 1
        changed += 1
        return text.replace(words, others)

    with pytest.raises((AssertionError, redis.ResponseError)):
        walk_as_always(kind, runs, [Phase.generate], mutate=mutate)
    assert changed
