"""Any run of calls to the scripts answers and leaves what a simple model of a shop says."""

import os
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

import fakeredis
import hypothesis
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from storefront.storage.asking import WITH_BOOKS
from tests.harness import start_redis
from tests.simulation import town
from tests.simulation.memory import Memory
from tests.storage.machine import Mutate, Storage
from tests.storage.mistakes import MISTAKES

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 40)
"""Of 40 calls and more each, for one Redis and kind of seed."""
SEED = 1
"""Of the runs that are the same each time; most mistakes are found in the first twenty of them."""
MOST_RUNS = 500
"""In which a mistake must be found."""

# How long a run takes says nothing: only the number of runs counts, on however slow a machine.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(params=["fakeredis", "real"])
def quick_client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """An empty Redis: once fakeredis with real Lua, once a real server that writes nothing down."""
    if request.param == "fakeredis":
        with fake() as client:
            yield client
        return
    with start_redis(appendonly="no") as server, server.client() as client:
        yield client


def fake() -> fakeredis.FakeRedis:
    """Redis within this process."""
    server = fakeredis.FakeServer(version=(7, 0))
    return fakeredis.FakeRedis(server=server, decode_responses=True)


# Not Phase.explain: tracing every line would make it ten times slower.
PHASES = (Phase.generate, Phase.shrink)


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


class Clock(town.Clock):
    """Moves when it is told to."""

    def tick(self) -> None:
        self.ms += 1


def machine(redis_client: redis.Redis | Memory, **more: Any) -> type[Storage]:
    """The machine over this Redis; ``mutate`` and ``tick`` as there."""
    tools = {name: staticmethod(tool) for name, tool in more.items()}
    return type("Machine", (Storage,), {"client": redis_client, **tools})


def standing_still(mutate: Mutate | None = None) -> type[Storage]:
    """The machine on a clock that moves a millisecond for each call, the same in every run."""
    clock = Clock()
    tools = {"mutate": mutate} if mutate else {}
    return machine(Memory(clock.now), tick=clock.tick, **tools)


def run(found: type[Storage], seed: int, runs: int, phases: Iterable[Phase] = PHASES) -> None:
    seeded = hypothesis.seed(seed)(found)
    run_state_machine_as_test(seeded, settings=limits(runs, phases))


def test_the_same_runs_as_always_leave_what_the_model_says() -> None:
    """Those in which the mistakes are looked for: without one, nothing is found in them."""
    run(standing_still(), SEED, RUNS)


def test_fresh_runs_leave_what_the_model_says(
    quick_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("STATE_MACHINE_SEED") or secrets.randbits(32))
    with capsys.disabled():
        print(f"\nSTATE_MACHINE_SEED={seed}")
    run(machine(quick_client), seed, RUNS)


@pytest.mark.parametrize(("script", "words", "others"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_script_with_a_mistake_is_found_out(script: str, words: str, others: str) -> None:
    changed = 0

    def mutate(name: str, text: str) -> str:
        nonlocal changed
        if name != script and not (script == "books" and name in WITH_BOOKS):
            return text
        assert text.count(words) == 1
        changed += 1
        return text.replace(words, others)

    storage = standing_still(mutate)
    with pytest.raises((AssertionError, redis.ResponseError)):
        run(storage, SEED, MOST_RUNS, phases=[Phase.generate])
    assert changed
