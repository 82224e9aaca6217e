"""The worker goes on whatever happens to one job or to Redis, and ends after the job in hand."""

import logging
import threading
from collections.abc import Callable, Iterator

import pytest
import redis

from storefront import worker as working
from storefront.worker import Worker
from tests.harness import wait_until


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(working, "TROUBLE_SECONDS", 0.01)


@pytest.fixture
def run() -> Iterator[Callable[..., Worker]]:
    """Starts a worker in a thread; at the end it is stopped, and must have ended."""
    started = []

    def start(run_due: Callable[[int], int], threads: int = 2) -> Worker:
        worker = Worker(run_due, threads)
        thread = threading.Thread(target=worker.run)
        started.append((worker, thread))
        thread.start()
        return worker

    yield start
    for worker, thread in started:
        worker.stop()
        thread.join(20)
        assert not thread.is_alive()


def test_it_asks_for_one_job_at_a_time_on_every_thread(run: Callable[..., Worker]):
    asked, names = [], set()

    def run_due(limit: int) -> int:
        asked.append(limit)
        names.add(threading.current_thread().name)
        return 0

    run(run_due, threads=3)
    wait_until(lambda: len(names) == 3, "every thread has asked")
    assert set(asked) == {1}


def test_it_does_job_after_job_without_a_pause_while_there_are_some(
    run: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(working, "POLL_SECONDS", 3600)
    left = [1] * 50

    def run_due(_: int) -> int:
        try:
            return left.pop()
        except IndexError:
            return 0

    run(run_due)
    wait_until(lambda: not left, "all fifty are done")


def test_a_job_that_fails_does_not_end_the_loop(
    run: Callable[..., Worker], caplog: pytest.LogCaptureFixture
):
    calls = []

    def run_due(_: int) -> int:
        calls.append(1)
        raise RuntimeError("one job is broken")

    run(run_due, threads=1)
    wait_until(lambda: len(calls) > 3, "it tries on")
    failures = [record for record in caplog.records if record.getMessage() == "a job failed"]
    assert failures[0].exc_info


def test_redis_away_is_said_once_and_waited_for(
    run: Callable[..., Worker], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    calls = []

    def run_due(_: int) -> int:
        calls.append(1)
        if len(calls) < 20:
            raise redis.ConnectionError("refused")
        return 0

    run(run_due, threads=1)
    wait_until(lambda: len(calls) > 30, "it goes on when Redis is back")
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "Redis is away" in line]) == 1
    assert len([line for line in lines if "Redis is back" in line]) == 1


def test_a_stop_waits_for_the_job_in_hand_and_takes_no_other():
    began, may_end, done = threading.Event(), threading.Event(), []

    def run_due(_: int) -> int:
        began.set()
        assert may_end.wait(20)
        done.append(1)
        return 1

    worker = Worker(run_due, threads=1)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert began.wait(20)
    worker.stop()
    assert thread.is_alive(), "the job in hand is still being done"
    may_end.set()
    thread.join(20)
    assert not thread.is_alive()
    assert done == [1]
