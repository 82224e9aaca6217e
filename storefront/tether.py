"""Holds the companions' process from gunicorn's: it lives for as long as we do, and no longer.

Pipes instead of pids: it ends when its stdin ends, whatever ended us; and its stdout ends when it
dies. gunicorn's master reaps every child itself, so ``subprocess`` would be told nothing.
"""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

LOOK_SECONDS = 2


class CompanionsFailed(Exception):
    """The companions did not start. The text says why, in one sentence."""


class Tether:
    """The companions' process, once ``start`` was called, until ``stop`` is."""

    def __init__(self) -> None:
        self._pipes: tuple[int, int] | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Starts it and waits until all its processes are ready. Raises CompanionsFailed."""
        its_stdin, stdin = os.pipe()
        stdout, its_stdout = os.pipe()
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "storefront.companions"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, its_stdin, 0),
                (os.POSIX_SPAWN_DUP2, its_stdout, 1),
            ],
        )
        os.close(its_stdin)
        os.close(its_stdout)
        self._pipes = (stdin, stdout)
        said = b""
        while not said.endswith(b"\n") and (more := os.read(stdout, 4096)):
            said += more
        if said != b"ready\n":
            self._end()
            text = said.decode(errors="replace").strip().removeprefix("failed: ")
            raise CompanionsFailed(text or "The companions' process died.")
        os.set_blocking(stdout, False)

    @property
    def dead(self) -> bool:
        """Whether it should run and does not."""
        if self._pipes is None:
            return True
        try:
            return not os.read(self._pipes[1], 4096)
        except BlockingIOError:
            return False

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
            os.close(pipe)
        self._pipes = None

    def _end(self) -> None:
        if self._pipes is None:
            return
        stdin, stdout = self._pipes
        self._pipes = None
        with suppress(BrokenPipeError):
            # Said, and not only closed: gevent closes a pipe some time later.
            os.write(stdin, b"stop\n")
        os.close(stdin)
        os.set_blocking(stdout, True)
        while os.read(stdout, 4096):
            pass
        os.close(stdout)
