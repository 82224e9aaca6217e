"""Any run of joining, leaving and passing by answers and leaves what a simple model of a line says."""

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from hypothesis import Phase, seed
from hypothesis.stateful import run_state_machine_as_test

from storefront.storage.asking import WITH_BOOKS
from tests.harness import start_redis
from tests.simulation.memory import Memory
from tests.storage.machine_line import InLine
from tests.storage.test_state_machine import Clock, fake, limits

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 15)
"""Of 40 calls and more each, for one Redis."""
SEED = 1
MOST_RUNS = 2000
"""In which a mistake must be found."""

pytestmark = pytest.mark.timeout(1200)

MISTAKES = {
    "who is in line joins again": ("join_line", "if stands then", "if false then"),
    "an unconfirmed place never lapses": (
        "join_line",
        "schedule('lapse:' .. ask.place, now + ask.lapse_ms)",
        "",
    ),
    "a place is confirmed again": (
        "confirm_place",
        "if place.state ~= 'unconfirmed' then return answer('already', place.state) end",
        "",
    ),
    "who leaves stays in line": ("leave_line", "end_place(ask.place, ask.how)", ""),
    "a place that counts lapses": (
        "leave_line",
        "if place.state ~= 'unconfirmed' then return answer('already', place.state) end",
        "",
    ),
    "an offer is taken again": (
        "take_offer",
        "if order[1] ~= 'offered' then return answer('already', order[1]) end",
        "",
    ),
    "freed units are offered to nobody": (
        "books",
        "for sku in pairs(changed) do pass_on(sku) end",
        "",
    ),
    "who was offered all stays in line": (
        "books",
        "redis.call('ZREM', WAITING, offer.member)",
        "",
    ),
    "an offer never ends": ("books", "schedule('expire:' .. offer.order, deadline)", ""),
    "nobody is told of an offer": ("books", "schedule('mail:offer:' .. offer.order, now)", ""),
    "who let an offer pass keeps the place": (
        "release_hold",
        "end_place(fields[8], how, ask.order)",
        "",
    ),
}
"""What goes wrong: the script, the words in it, and the words put in their place."""


def run(client: Any, number: int, runs: int, **more: Any) -> None:
    tools = {name: staticmethod(tool) for name, tool in more.items() if name != "phases"}
    found = type("Machine", (InLine,), {"client": client, **tools})
    phases = more.get("phases", (Phase.generate, Phase.shrink))
    run_state_machine_as_test(seed(number)(found), settings=limits(runs, phases))


def test_the_same_runs_as_always_leave_what_the_model_says() -> None:
    clock = Clock()
    run(Memory(clock.now), SEED, 2 * RUNS, tick=clock.tick)


@pytest.fixture(params=["fakeredis", "real"])
def client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """An empty Redis: once fakeredis with real Lua, once a real server that writes nothing down."""
    if request.param == "fakeredis":
        with fake() as client:
            yield client
        return
    with start_redis(appendonly="no") as server, server.client() as client:
        yield client


def test_fresh_runs_leave_what_the_model_says(
    client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = int(os.environ.get("STATE_MACHINE_SEED") or secrets.randbits(32))
    with capsys.disabled():
        print(f"\nSTATE_MACHINE_SEED={fresh}")
    run(client, fresh, RUNS)


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

    clock = Clock()
    with pytest.raises((AssertionError, redis.ResponseError)):
        run(
            Memory(clock.now),
            SEED,
            MOST_RUNS,
            tick=clock.tick,
            mutate=mutate,
            phases=[Phase.generate],
        )
    assert changed
