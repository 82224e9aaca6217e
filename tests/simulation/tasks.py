"""Requests and jobs that run by turns: each stops before every call that it makes outside."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import redis
from greenlet import getcurrent, greenlet


class Crash(BaseException):
    """The process ends here."""


class Fate(StrEnum):
    """What becomes of one call."""

    DONE = "done"
    CRASH_BEFORE = "crash_before"
    """The process ends before the call goes out."""
    CRASH_AFTER = "crash_after"
    """The process ends when the call has had its effect."""
    LOST_REQUEST = "lost_request"
    LOST_REPLY = "lost_reply"
    RESET = "reset"
    """It had its effect, and then the connection was closed."""


class Task:
    """One request, one webhook, or one pass of a worker: a thread of its process."""

    def __init__(self, name: str, process: str, run: Callable[[], Any]) -> None:
        self.name = name
        self.process = process
        self.call: tuple[str, str] | None = None
        """Where it stands: what is called (``redis``, ``stripe``, ``mail``), and how."""
        self.dead = False
        self.result: Any = None
        self.error: BaseException | None = None
        self._run = run
        self._greenlet = greenlet(self._main)

    @property
    def over(self) -> bool:
        return bool(self._greenlet.dead)

    def resume(self, fate: Fate) -> None:
        """Let it run, its call with this fate, until its next call or its end."""
        self._greenlet.parent = getcurrent()
        self._greenlet.switch(fate)

    def pause(self, where: str, name: str) -> Fate:
        """Called inside the task: wait for its turn."""
        if self.dead:
            raise Crash
        self.call = (where, name)
        fate: Fate = self._greenlet.parent.switch()  # type: ignore[union-attr]
        return fate

    def _main(self, _fate: Fate) -> None:
        try:
            self.result = self._run()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at
            self.error = error
        self.call = None


class Line:
    """Every call of every task passes here; what happens between tasks does so directly."""

    def __init__(self) -> None:
        self.running: Task | None = None
        self.heard: Callable[[Task | None, str, str, Fate, Any], None] | None = None
        """Told of each call and its answer, for the story."""

    def through(self, where: str, name: str, run: Callable[[], Any]) -> Any:
        """Make a call of the running task when its turn has come."""
        task = self.running
        if task is None:
            return self._directly(where, name, run) if self.heard else run()
        fate = task.pause(where, name)
        if fate is Fate.CRASH_BEFORE:
            task.dead = True
            raise Crash
        if fate is Fate.LOST_REQUEST:
            self._tell(task, where, name, fate, "")
            raise redis.ConnectionError("planned: it did not arrive")
        try:
            answer = run()
        except Exception as error:
            self._tell(task, where, name, fate, error)
            raise
        self._tell(task, where, name, fate, answer)
        if fate is Fate.CRASH_AFTER:
            task.dead = True
            raise Crash
        if fate is Fate.LOST_REPLY:
            raise redis.TimeoutError("planned: the answer was lost")
        if fate is Fate.RESET:
            raise redis.ConnectionError("planned: the connection was reset")
        return answer

    def step(self, task: Task, fate: Fate) -> None:
        """The task's turn."""
        self.running = task
        try:
            task.resume(fate)
        finally:
            self.running = None

    def _directly(self, where: str, name: str, run: Callable[[], Any]) -> Any:
        try:
            answer = run()
        except Exception as error:
            self._tell(None, where, name, Fate.DONE, error)
            raise
        self._tell(None, where, name, Fate.DONE, answer)
        return answer

    def _tell(self, task: Task | None, where: str, name: str, fate: Fate, answer: Any) -> None:
        if self.heard:
            self.heard(task, where, name, fate, answer)
