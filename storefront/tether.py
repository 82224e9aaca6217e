"""Holds the companions' process from gunicorn's: it lives for as long as we do, and no longer.

Pipes instead of pids: it ends when its stdin ends, whatever ended us; and its stdout ends when it
dies. gunicorn's master reaps every child itself, so ``subprocess`` would be told nothing.
"""

import os
import sys
import threading
from collections.abc import Callable
from io import FileIO

LOOK_SECONDS = 2


class CompanionsFailed(Exception):
    """The companions did not start. The text says why, in one sentence."""


class Tether:
    """The companions' process, once ``start`` was called, until ``stop`` is."""

    def __init__(self) -> None:
        self._pipes: tuple[FileIO, FileIO] | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Starts it and waits until all its processes are ready. Raises CompanionsFailed."""
        its_stdin, stdin = _pipe()
        stdout, its_stdout = _pipe()
        with its_stdin, its_stdout:
            os.posix_spawn(
                sys.executable,
                [sys.executable, "-m", "storefront.companions"],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, its_stdin.fileno(), 0),
                    (os.POSIX_SPAWN_DUP2, its_stdout.fileno(), 1),
                ],
            )
        self._pipes = (stdin, stdout)
        said = b""
        while not said.endswith(b"\n") and (more := stdout.read(4096)):
            said += more
        if said != b"ready\n":
            self._end()
            text = said.decode(errors="replace").strip().removeprefix("failed: ")
            raise CompanionsFailed(text or "The companions' process died.")
        os.set_blocking(stdout.fileno(), False)

    @property
    def dead(self) -> bool:
        """Whether it should run and does not."""
        # A pipe that would block gives None, and one whose other end is gone an empty answer.
        return self._pipes is None or self._pipes[1].read(4096) == b""

    def keep(self, report: Callable[[str], object]) -> None:
        """Starts it again whenever it dies, until ``stop``; for a thread or greenlet of its own."""
        owner = os.getpid()
        # A fork under gevent takes the greenlet along; there it has nothing to do.
        while not self._ended.wait(LOOK_SECONDS) and os.getpid() == owner:
            if self.dead:
                report("The companions' process died; it is started again.")
                self._end()
                try:
                    self.start()
                except CompanionsFailed as failure:
                    report(str(failure))

    def stop(self) -> None:
        """Ends it, and returns when all its processes have ended."""
        self._ended.set()
        self._end()

    def let_go(self) -> None:
        """Leaves it to the process that started it; for a fork of that one."""
        self._ended.set()
        for pipe in self._pipes or ():
            pipe.close()
        self._pipes = None

    def _end(self) -> None:
        if self._pipes is None:
            return
        stdin, stdout = self._pipes
        self._pipes = None
        with stdout:
            stdin.close()
            os.set_blocking(stdout.fileno(), True)
            while stdout.read(4096):
                pass


def _pipe() -> tuple[FileIO, FileIO]:
    """Reading and writing end. Files, because gevent's ``os.close`` closes a pipe later."""
    reading, writing = os.pipe()
    return FileIO(reading, "r"), FileIO(writing, "w")
