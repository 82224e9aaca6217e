"""Every script whose reply is lost is asked again, and what it does is there once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from storefront.storage.connection import connect
from tests.books import broken, dump
from tests.harness import RedisServer
from tests.races.acts import SCRIPTS, Act, stocked
from tests.races.conftest import Figure
from tests.races.lanes import Lane, Tally, on_shelf, open_lanes, traces
from tests.races.proxy import REPLIES, Fault
from tests.races.sizes import LOST
from tests.storage.steps import Book

LANES = 16


@pytest.fixture(scope="module")
def lanes(server: RedisServer) -> Iterator[list[Lane]]:
    with open_lanes(server.url, LANES) as lanes:
        yield lanes


def lose(server: RedisServer, lanes: list[Lane], acts: list[Act]) -> tuple[Tally, list[str]]:
    """Lose replies in all lanes; answers what came of it, and every case that left other traces
    than one that was asked once, undisturbed.
    """
    with connect(server.url) as client, ThreadPoolExecutor(LANES) as threads:
        client.flushall()
        expected = {}
        for number, act in enumerate(acts):
            case = f"c99x{number:04d}z"
            book = on_shelf(client, f"undisturbed{number}")
            act.prepare(book, case)
            assert act.ask(book, case) == act.first
            expected[act] = case
        total = Tally()
        for tally in threads.map(lambda lane: lane.run(acts, -(-LOST // LANES)), lanes):
            total.cases |= tally.cases
            total.lost += tally.lost
            total.wrong += tally.wrong
        found = traces(dump(client))
        different = [
            f"{case}: {found[case] - found[expected[act]]} too much, "
            f"{found[expected[act]] - found[case]} too little"
            for case, act in total.cases.items()
            if found[case] != found[expected[act]]
        ]
        for lane in lanes:
            total.wrong += broken(lane.near.store)
    return total, different


def told(lost: Counter[Fault]) -> str:
    return ", ".join(f"{lost[fault]} {fault}" for fault in Fault)


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_is_asked_again_is_done_once(
    server: RedisServer, lanes: list[Lane], figure: Figure, script: str
) -> None:
    tally, different = lose(server, lanes, SCRIPTS[script])
    assert tally.wrong == []
    assert different == []
    replies = sum(tally.lost[fault] for fault in REPLIES)
    assert replies >= LOST
    assert all(tally.lost[fault] >= LOST // 8 for fault in REPLIES)
    figure(f"lost replies, {script}: {replies} ({told(tally.lost)}), each effect there once")


def test_a_job_whose_claim_was_lost_is_due_again_when_its_lease_is_over(
    server: RedisServer, lanes: list[Lane]
) -> None:
    tally, _ = lose(server, lanes, SCRIPTS["claim"])
    again: Counter[str] = Counter()
    for lane in lanes:
        store = lane.near.store
        leases = store._client.zrange(store.keys.name("due"), 0, -1)
        store._client.zadd(store.keys.name("due"), dict.fromkeys(leases, 1))
        jobs = store.scripts.claim_due(limit=1000, lease_ms=1)
        assert {job.tries for job in jobs} == {2}
        again.update(job.name for job in jobs)
    assert again == {f"ask:{case}": 1 for case in tally.cases}


def take_one(book: Book, case: str) -> object:
    """A script like any beginner's: it does not know whether it was asked before."""
    client, keys = book.store._client, book.store.keys
    take = client.register_script("redis.call('HINCRBY', KEYS[1], ARGV[1], -1) return 'taken'")
    return take([keys.name("stock:available")], [f"sku-{case}"])


def test_a_script_that_only_counts_down_does_it_twice(
    server: RedisServer, lanes: list[Lane], figure: Figure
) -> None:
    """The control: the proxy loses replies after the effect, and a second effect is noticed.

    Hardly a case misses it: one whose fault was used up by an attempt before it that came late.
    """
    tally, different = lose(server, lanes, [Act(stocked, take_one, "taken", "taken")])
    assert len(different) > len(tally.cases) // 2
    figure(f"lost replies, control that counts: {len(different)} of {len(tally.cases)} done twice")
