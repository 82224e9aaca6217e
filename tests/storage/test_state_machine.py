"""Any run of calls to the scripts answers and leaves what a simple model of a shop says."""

import os
import secrets
from collections.abc import Iterator
from typing import Any

import fakeredis
import hypothesis
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from storefront.storage.scripts import WITH_BOOKS
from tests.harness import start_redis
from tests.storage.machine import Mutate, Storage

RUNS = int(os.environ.get("STATE_MACHINE_RUNS") or 60)
"""Of 40 calls and more each, for one Redis and kind of seed."""


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


def limits(examples: int, **more: Any) -> settings:
    """How long Hypothesis looks."""
    # Not Phase.explain: tracing every line would make it ten times slower.
    usual = {"phases": (Phase.generate, Phase.shrink), "stateful_step_count": 40}
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        **usual | more,
    )


def machine(redis_client: redis.Redis, mutate: Mutate | None = None) -> type[Storage]:
    """The machine over this Redis, with scripts whose texts were changed."""
    return type("Machine", (Storage,), {"client": redis_client, "mutate": staticmethod(mutate)})


def test_the_same_runs_as_always_leave_what_the_model_says(quick_client: redis.Redis) -> None:
    run_state_machine_as_test(machine(quick_client), settings=limits(RUNS, derandomize=True))


def test_fresh_runs_leave_what_the_model_says(
    quick_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("STATE_MACHINE_SEED") or secrets.randbits(32))
    with capsys.disabled():
        print(f"\nSTATE_MACHINE_SEED={seed}")
    fresh = hypothesis.seed(seed)(machine(quick_client))
    run_state_machine_as_test(fresh, settings=limits(RUNS))


MUTANTS = {
    "a payment is settled again": (
        "settle_payment",
        "if redis.call('HEXISTS', ORDER, payment) == 1 then",
        "if false then",
    ),
    "a late payer gets units that are gone": (
        "settle_payment",
        "if at == 'none' and not all_in(AVAILABLE, lines) then",
        "if false then",
    ),
    "a second payment is kept": (
        "settle_payment",
        "schedule(refund, now)\n  return answer('duplicate', state)",
        "return answer('duplicate', state)",
    ),
    "the session that was paid elsewhere stays open": (
        "settle_payment",
        "schedule('stray:' .. ask.order .. ':' .. fields[5], now)",
        "",
    ),
    "one unit is enough for a line of three": (
        "hold_stock",
        "if units(AVAILABLE, line.sku) < line.quantity then",
        "if units(AVAILABLE, line.sku) < 1 then",
    ),
    "a visitor has one hold too many": (
        "hold_stock",
        "redis.call('ZLEXCOUNT', index, from, to) < limit",
        "redis.call('ZLEXCOUNT', index, from, to) <= limit",
    ),
    "a hold has no deadline on the list": (
        "hold_stock",
        "schedule('expire:' .. ask.order, deadline)",
        "",
    ),
    "another session's end releases the hold": (
        "release_hold",
        "if ask.who == '' and session ~= ask.session then",
        "if false then",
    ),
    "an old key's word releases the hold": (
        "release_hold",
        "tonumber(fields[5]) ~= ask.version",
        "false",
    ),
    "an expired session undoes a sale": (
        "release_hold",
        "if not holding then return answer('kept', state) end",
        "",
    ),
    "a hold that ended stays on the list of holds": (
        "books",
        "redis.call('ZREM', HOLDS, ask.order)",
        "",
    ),
    "new units are not counted as stocked": (
        "books",
        "if from == '' then redis.call('HINCRBY', STOCKED, sku, int(quantity)) end",
        "",
    ),
    "a job that was put off is done no sooner than that": (
        "books",
        "if not due or tonumber(due) > at then",
        "if not due then",
    ),
    "a second session is forgotten": (
        "attach_session",
        "if note_session(ask.session) then schedule(",
        "if note_session(ask.session) then string.format(",
    ),
    "two processes renew one key": (
        "renew_session",
        "if order[1] ~= 'pending' or tonumber(order[2]) ~= ask.version then",
        "if order[1] ~= 'pending' then",
    ),
    "a hold whose money is on its way ends by itself": (
        "mark_processing",
        "redis.call('ZREM', DUE, 'expire:' .. ask.order)",
        "",
    ),
    "a refund's older word undoes a newer one": (
        "record_refund",
        "if was and rank(was.status) >= rank(ask.status) then",
        "if was and was.status == ask.status then",
    ),
    "a part of the money back ends the order": (
        "record_refund",
        "(back[fields[4]] or 0) < paid",
        "(back[fields[4]] or 0) <= 0",
    ),
    "the rest of a refund is forgotten": (
        "record_refund",
        "if fields[7] and (back[ask.payment_intent] or 0) < tonumber(fields[6]) then",
        "if false then",
    ),
    "a paid order in review keeps its place in the queue": (
        "review_order",
        "keep_for_a_person(cjson.decode(fields[2]))",
        "",
    ),
    "sold units are taken off the shelf": (
        "restock",
        "if units(AVAILABLE, ask.sku) + ask.delta < 0 then",
        "if units(STOCKED, ask.sku) + ask.delta < 0 then",
    ),
    "a form that was sent twice counts twice": (
        "restock",
        "if redis.call('EXISTS', SEEN) == 1 then return answer('already') end",
        "",
    ),
    "a second import counts the first stock again": (
        "publish_catalogue",
        "if redis.call('HEXISTS', STOCKED, sku) == 0 then",
        "if true then",
    ),
    "a taken job stays due": (
        "claim_due",
        "redis.call('ZADD', KEYS[1], lease, jobs[i])",
        "",
    ),
    "a job that is due again is taken off the list": (
        "finish_due",
        "if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 'taken' end",
        "if not score then return 'taken' end",
    ),
}
"""What goes wrong: the script, the words in it, and the words put in their place."""


@pytest.mark.parametrize(("script", "words", "others"), MUTANTS.values(), ids=MUTANTS.keys())
def test_a_script_with_a_mistake_is_found_out(script: str, words: str, others: str) -> None:
    changed = 0

    def mutate(name: str, text: str) -> str:
        nonlocal changed
        if name != script and not (script == "books" and name in WITH_BOOKS):
            return text
        assert text.count(words) == 1
        changed += 1
        return text.replace(words, others)

    first = limits(200, derandomize=True, phases=[Phase.generate])
    with fake() as client, pytest.raises((AssertionError, redis.ResponseError)):
        run_state_machine_as_test(machine(client, mutate), settings=first)
    assert changed
