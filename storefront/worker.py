"""The loop over what is due. Any number may run: a job is claimed by one of them at a time."""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from storefront.services import work
from storefront.services.shop import Shop
from storefront.storage.connection import UNREACHABLE

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""How long an idle thread waits before it looks again."""
TROUBLE_SECONDS = 2.0
"""How long a thread waits after a failure."""
THREADS = 8


class Worker:
    """Does what is due on several threads until it is told to stop."""

    def __init__(self, run_due: Callable[[int], int], threads: int = THREADS) -> None:
        """``run_due`` does at most so many due jobs and says how many it did."""
        self._run_due = run_due
        self._threads = threads
        self._stop = threading.Event()
        self._trouble = threading.Event()

    def stop(self) -> None:
        """Let each thread end after the job in hand."""
        self._stop.set()

    def run(self) -> None:
        """Works until ``stop`` is called; returns when the last job in hand is done."""
        threads = [
            threading.Thread(target=self._loop, name=f"worker-{number}")
            for number in range(1, self._threads + 1)
        ]
        for thread in threads:
            thread.start()
        log.info("worker started with %d threads", self._threads)
        for thread in threads:
            thread.join()
        log.info("worker stopped")

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                # One at a time, so that a stop waits for one job and not for a list of them.
                done = self._run_due(1)
            except UNREACHABLE as error:
                self._report(error)
                self._stop.wait(TROUBLE_SECONDS)
                continue
            except Exception:
                # Whatever one job ran into, the next one must be done.
                log.exception("a job failed")
                self._stop.wait(TROUBLE_SECONDS)
                continue
            if self._trouble.is_set():
                self._trouble.clear()
                log.info("Redis is back, work goes on")
            if not done:
                self._stop.wait(POLL_SECONDS)

    def _report(self, error: Exception) -> None:
        """One line when Redis goes away, not one for each thread and try."""
        if not self._trouble.is_set():
            self._trouble.set()
            log.warning("Redis is away, work waits: %s", error)


def run(shop: Shop, threads: int = THREADS) -> None:
    """Does the shop's due work until SIGTERM or SIGINT, then ends after the jobs in hand."""
    with suppress(*UNREACHABLE):  # then another worker's start, or the next one, does it
        work.begin(shop)
    worker = Worker(lambda limit: work.run_due(shop, limit), threads)

    def end(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    worker.run()
