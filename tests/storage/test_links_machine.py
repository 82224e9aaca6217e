"""Any run of sales through links and beside them answers and leaves what a simple model says."""

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from hypothesis import Phase, seed
from hypothesis.stateful import run_state_machine_as_test

from tests.harness import start_redis
from tests.simulation.memory import Memory
from tests.storage.machine_links import LinkSales
from tests.storage.test_state_machine import Clock, fake, limits

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 15)
"""Of 40 calls and more each, for one Redis."""
SEED = 1
MOST_RUNS = 2000
"""In which a mistake must be found."""

pytestmark = pytest.mark.timeout(1200)

MISTAKES = {
    "a link takes units that are not there": (
        "open_link",
        "if free < ask.units then",
        "if false then",
    ),
    "a link that was asked for twice takes twice": (
        "open_link",
        "if redis.call('HEXISTS', LINK, 'state') == 1 then",
        "if false then",
    ),
    "nobody looks after a link": (
        "open_link",
        "schedule('link:' .. ask.link, now + ask.ask_ms)",
        "",
    ),
    "a second Payment Link takes the first one's place": (
        "attach_link",
        "if link[2] then return answer('other', link[2]) end",
        "",
    ),
    "a link that was ended meanwhile sells": (
        "attach_link",
        "if link[1] == 'making' then",
        "if true then",
    ),
    "a link sells one unit too many": ("take_unit", "if left < 0 then", "if left < -1 then"),
    "a sale of a link is made twice": (
        "take_unit",
        "if redis.call('HEXISTS', ORDER, 'state') == 1 then",
        "if false then",
    ),
    "a link that is sold out stays open": (
        "take_unit",
        "if left == 0 and link[3] == 'open' then",
        "if false then",
    ),
    "a link is ended again": (
        "end_link",
        "if state == 'closing' or state == 'closed' then",
        "if state == 'closing' then",
    ),
    "Stripe is never told that a link ends": (
        "end_link",
        "schedule('unlink:' .. ask.link, now)",
        "",
    ),
    "what is left of a link stays with it": (
        "close_link",
        "'state', 'closed', 'left', '0',",
        "'state', 'closed',",
    ),
    "the word of before a restart ends a link": (
        "close_link",
        "if this_run() ~= ask.run then",
        "if false then",
    ),
    "the word that Stripe has none ends one that it made": (
        "close_link",
        "if (link[6] or '') ~= ask.stripe then",
        "if false then",
    ),
    "a link that ended is looked after": (
        "close_link",
        "redis.call('ZREM', DUE, 'link:' .. ask.link, 'unlink:' .. ask.link)",
        "",
    ),
    "a hold is extended again and again": (
        "extend_hold",
        "if order[3] then return answer('already', order[2]) end",
        "",
    ),
    "a hold is extended before its payment page is there": (
        "extend_hold",
        "if order[1] ~= 'open' or",
        "if",
    ),
    "more time shortens a hold": (
        "extend_hold",
        "if ask.until_ms <= tonumber(order[2]) then",
        "if false then",
    ),
    "the list of holds has the old deadline": (
        "extend_hold",
        "redis.call('ZADD', HOLDS, deadline, ask.order)",
        "",
    ),
}
"""What goes wrong: the script, the words in it, and the words put in their place."""


def run(client: Any, number: int, runs: int, **more: Any) -> None:
    tools = {name: staticmethod(tool) for name, tool in more.items() if name != "phases"}
    found = type("Machine", (LinkSales,), {"client": client, **tools})
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
        if name != script:
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
