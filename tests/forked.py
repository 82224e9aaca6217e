"""Servers that begin in a moment: forked from a process that has read their modules already.

Beginning from nothing, each of them spends half a second of a core on that, and a test run begins some
hundreds. What is forked is a process of its own, with its own environment, log, exit code and death.
Programs that people start are started as people start them in tests/test_companions.py,
tests/test_cli.py and tests/standin/test_process.py.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATCHED = frozenset({"gunicorn", "storefront.standin"})
"""Programs that wait for the network by gevent; ``flask`` does not."""


class Process:
    """A forked program, with as much of ``subprocess.Popen`` as the tests use."""

    def __init__(self, mother: "Mother", command: Sequence[str], pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._mother = mother
        self._command = list(command)
        self._end = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """The exit code, negative when a signal ended it; None while it runs."""
        with self._mother.lock:
            if self.returncode is None:
                self.returncode = self._mother.ask({"ended": self.pid})
                if self.returncode is not None:
                    os.close(self._end)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when it has ended; TimeoutExpired after so many seconds."""
        if (code := self.poll()) is not None:
            return code
        waiting = select.poll()
        waiting.register(self._end, select.POLLIN)
        if not waiting.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired(self._command, timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Nothing once it has ended: until it was asked for, no other process gets its pid."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Mother:
    """The process that servers are forked from, one with gevent's patches and one without."""

    def __init__(self, *, patched: bool) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.lock = threading.RLock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", "patched" if patched else "plain"],
            env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._close)

    def ask(self, question: Mapping[str, Any]) -> Any:
        """Its answer."""
        with self.lock:
            print(json.dumps(question), file=self._process.stdin, flush=True)
            return json.loads(self._process.stdout.readline())  # type: ignore[union-attr]

    def _close(self) -> None:
        """Ends it, and none of those that were forked from it."""
        self._process.communicate()


mother = cache(Mother)


def start(command: Sequence[str], env: Mapping[str, str], log: Path) -> Process:
    """``python -m PROGRAM …`` in the repository's folder; all that it prints goes to the end of a file."""
    python, dash_m, program, *arguments = command
    assert (python, dash_m) == (sys.executable, "-m")
    birth = {"program": program, "arguments": arguments, "env": dict(env), "log": str(log)}
    forked_by = mother(patched=program in PATCHED)
    return Process(forked_by, command, forked_by.ask(birth))


# The mother's side.

fork, waitpid = os.fork, os.waitpid
"""Before gevent puts its own in their place, which look after children in a way of their own."""


def serve() -> dict[str, Any]:
    """Answers until the tests end; in a child, what it was born to be."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, who end everything
    while line := sys.stdin.readline():
        asked: dict[str, Any] = json.loads(line)
        if "ended" in asked:
            pid, status = waitpid(asked["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = fork()
            if not answer:
                return asked
        print(json.dumps(answer), flush=True)
    sys.exit()


def become(program: str, arguments: Sequence[str], env: Mapping[str, str], log: str) -> None:
    """Be this program, as if Python had begun with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, written, written)):
        os.dup2(file, number)
    os.close(written)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


def read_modules() -> None:
    """All that the programs need, templates and routes included; nothing is opened or begun."""
    import stripe  # noqa: F401

    from storefront.app import create_app
    from storefront.settings import load_settings
    from tests import once

    once.build_once()
    nowhere = Path(tempfile.gettempdir()) / "nothing-is-written-here"
    app = create_app(
        load_settings({"SECRET_KEY": "of nobody", "REDIS_URL": "redis://nobody"}, nowhere)
    )
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)


def main() -> None:
    patched = sys.argv[1] == "patched"
    if patched:
        from gevent import monkey, reinit

        monkey.patch_all()
        from gunicorn.workers import ggevent  # noqa: F401

        from storefront.standin import server  # noqa: F401
    read_modules()
    gc.freeze()  # or looking for garbage would copy every page of it
    asked = serve()
    if patched:
        reinit()
    become(**asked)


if __name__ == "__main__":
    main()
