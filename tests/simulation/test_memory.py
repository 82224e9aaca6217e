"""The Redis in memory answers as fakeredis does, over whole runs of the shop."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

import fakeredis
import pytest
import time_machine

from storefront.storage.store import open_store
from tests.books import dump
from tests.simulation.hash import Hash, read
from tests.simulation.memory import Memory, Pipeline
from tests.simulation.plan import draw
from tests.simulation.runs import quietly
from tests.simulation.simulation import Simulation
from tests.simulation.sorted_set import SortedSet
from tests.simulation.town import OPENING, Ground
from tests.simulation.truth import Broken

SEEDS = [seed for seed in range(17) if seed % 16 != 5 and not draw(Random(seed)).restarts]
"""Not those in which the shop checks itself at every change of the books: a client of fakeredis does not
know which command was one. Seeds that four divides do so at their end."""


class Behind:
    """A client of fakeredis behind the same line, with its data in the shape of the memory's."""

    def __init__(self, ground: Ground) -> None:
        self._client = fakeredis.FakeRedis(
            server=fakeredis.FakeServer(version=(7, 0)), decode_responses=True
        )
        self._ground = ground
        self.broken: list[str] = []
        self.published: list[tuple[str, str]] = []
        self.run_id = ""
        """As fakeredis tells none; so it is never restarted here."""
        self.changes = 0
        """How many commands there were, reading ones included."""
        self._read: tuple[int, Mapping[str, Any]] = (-1, {})

    @property
    def data(self) -> Mapping[str, Any]:
        if self._read[0] != self.changes:
            kept = dump(self._client)
            self._read = (self.changes, {key: shaped(value) for key, (value, _) in kept.items()})
        return self._read[1]

    def flushall(self) -> None:
        self.changes += 1
        self._client.flushall()

    empty = flushall

    def through(self, name: str, run: Callable[[], Any]) -> Any:
        """A command on the line."""

        def counted() -> Any:
            self.changes += 1
            return run()

        return self._ground.line.through("redis", name, counted)

    def pipeline(self, transaction: bool = True) -> Pipeline:
        return Pipeline(self)  # type: ignore[arg-type]

    def pipelined(self, queue: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> list[Any]:
        def run() -> list[Any]:
            pipe = self._client.pipeline(transaction=True)
            for name, args, options in queue:
                getattr(pipe, name)(*args, **options)
            return pipe.execute()

        names = "+".join(dict.fromkeys(name for name, _, _ in queue))
        return self.through(names, run)  # type: ignore[no-any-return]

    def register_script(self, text: str) -> "Through":
        return Through(self, self._client.register_script(text))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        run = getattr(self._client, name)
        return lambda *a, **o: self.through(name, lambda: run(*a, **o))


def shaped(value: Any) -> Any:
    """A value as the memory has it."""
    if not isinstance(value, list) or not value or isinstance(value[0][1], dict):
        return value
    found = SortedSet()
    for member, score in value:
        found.add(member, score)
    return found


class Through:
    """A script of fakeredis behind the line."""

    def __init__(self, behind: Behind, script: Any) -> None:
        self._behind, self._script = behind, script
        self.name = ""
        self.script = script.script

    def __call__(self, keys: Any, args: Any) -> Any:
        return self._behind.through(self.name, lambda: self._script(keys, args))


class MovedClock:
    """Moves the time of the whole process, by which fakeredis goes."""

    def __init__(self, traveller: Any) -> None:
        self._traveller = traveller
        self._ms = OPENING

    @property
    def ms(self) -> int:
        return self._ms

    @ms.setter
    def ms(self, ms: int) -> None:
        self._ms = ms
        self._traveller.move_to(datetime.fromtimestamp(ms / 1000, UTC))

    def now(self) -> int:
        return self._ms


@contextmanager
def on_fakeredis() -> Iterator[Ground]:
    """The same ground with fakeredis under it."""
    start = datetime.fromtimestamp(OPENING / 1000, UTC)
    with time_machine.travel(start, tick=False) as traveller:
        ground = Ground()
        ground.clock = MovedClock(traveller)  # type: ignore[assignment]
        ground.redis = Behind(ground)  # type: ignore[assignment]
        ground.store = open_store(ground.redis, "test")  # type: ignore[arg-type]
        for name, script in ground.store.scripts._scripts.items():
            script.name = name  # type: ignore[attr-defined]
        yield ground


def told(ground: Ground, seed: int) -> tuple[list[str], dict[str, Any]]:
    """Each call and answer of a seed, and all that is stored at its end with when it expires."""
    simulation = Simulation(ground, seed, story=True)
    try:
        simulation.run()
    except Broken as broken:
        pytest.fail(str(broken))
    assert simulation.story
    ground.line.heard = None
    client: Any = ground.redis
    client = Shown(client) if isinstance(client, Memory) else client._client
    return simulation.story.lines, dump(client)


class Shown:
    """The memory as ``dump`` reads a Redis."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def type(self, key: str) -> str:
        names = {str: "string", Hash: "hash", SortedSet: "zset", list: "stream"}
        return names[type(self._memory.data[key])]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_is_the_same_run_on_fakeredis(seed: int) -> None:
    """Every script and every reader is answered alike, and leaves the same keys and expiries."""
    with quietly():
        lines, kept = told(Ground(), seed)
        with on_fakeredis() as ground:
            other_lines, other_kept = told(ground, seed)
    assert lines == other_lines
    assert kept == other_kept


@pytest.fixture
def memory() -> Memory:
    """A Redis that remembers what it kept before, one change in each of five seconds."""
    times = iter(range(1000, 10**6, 1000))
    memory = Memory(lambda: next(times))
    memory.remembers = True
    for number in range(1, 6):
        memory.hset("h", "number", number)
        memory.zadd("z", {f"at {number}": number})
    return memory


def test_a_clean_restart_keeps_everything_and_has_another_run_id(memory: Memory) -> None:
    before = memory.run_id
    assert memory.restart() == 0
    assert memory.run_id != before
    assert (memory.hget("h", "number"), len(memory.zrange("z", 0, -1))) == ("5", 5)


@pytest.mark.parametrize(("lost", "number", "members"), [(1, "5", 4), (2, "4", 4), (3, "4", 3)])
def test_a_lossy_restart_loses_the_last_changes_and_no_other(
    memory: Memory, lost: int, number: str, members: int
) -> None:
    assert memory.restart(lost) == lost
    assert (memory.hget("h", "number"), len(memory.zrange("z", 0, -1))) == (number, members)


def test_what_was_not_remembered_cannot_be_lost(memory: Memory) -> None:
    assert memory.restart(1000) == 10
    assert memory.restart(1000) == 0
    assert memory.exists("h") == 0


def test_a_script_learns_which_run_it_is_in(memory: Memory) -> None:
    text = "return string.match(redis.pcall('INFO', 'server'), 'run_id:(%x+)')"
    script = memory.register_script(text)
    assert script([], []) is None
    memory.restart()
    first = script([], [])
    assert first == memory.run_id != ""
    memory.restart()
    assert script([], []) == memory.run_id != first


def test_what_was_read_out_of_a_hash_is_read_anew_once_it_is_written() -> None:
    memory = Memory(lambda: OPENING)
    memory.hset("order", mapping={"payment:pi_1": "10", "gone": "1"})
    fields = memory.data["order"]
    assert read(fields, dict) == {"payment:pi_1": "10", "gone": "1"}
    earlier = fields.copy()
    assert read(earlier, dict) is read(fields, dict)
    memory.hset("order", "payment:pi_1", "20")
    memory.hdel("order", "gone")
    memory.hincrby("order", "times", 2)
    assert read(fields, dict) == {"payment:pi_1": "20", "times": "2"}
    assert read(earlier, dict) == {"payment:pi_1": "10", "gone": "1"}
