"""How a call to Stripe can go wrong, and what Stripe remembers of it."""

from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from storefront.domain.errors import (
    StripeError,
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
)
from tests.fakes.objects import copied


class Fault(StrEnum):
    """One way for one call to go wrong."""

    LOST_REQUEST = "lost_request"
    """It never reached Stripe."""
    LOST_REPLY = "lost_reply"
    """Stripe did it; the answer was lost."""
    RESET_BEFORE = "reset_before"
    """The connection was closed before Stripe had read the request."""
    RESET_AFTER = "reset_after"
    """The connection was closed when Stripe had done it."""
    LATE = "late"
    """It reaches Stripe after the caller has given up: when ``arrive`` is called."""
    BUSY = "busy"
    """409: the same key is in flight, or the object is locked. Nothing is saved."""
    LIMITED = "limited"
    """429. Nothing is saved."""
    UNSAVED = "unsaved"
    """502 of a gateway in front: nothing was begun, so nothing is saved."""
    ERROR_BEFORE = "error_before"
    """500 before anything was done; saved under the key."""
    ERROR_AFTER = "error_after"
    """500 after it was done; saved under the key."""
    SPENT_BEFORE = "spent_before"
    """As ``ERROR_BEFORE``, and the library's own repeat was answered with the saved 500 already."""
    SPENT_AFTER = "spent_after"
    """As ``ERROR_AFTER``, and the library's own repeat was answered with the saved 500 already."""
    REFUSED = "refused"
    """400 before anything was done. Nothing is saved."""
    UNAUTHORIZED = "unauthorized"
    """401: the secret key is not accepted (any more)."""


UNBEGUN = frozenset(
    {Fault.LOST_REQUEST, Fault.RESET_BEFORE, Fault.UNSAVED, Fault.LIMITED, Fault.BUSY}
)
"""Stripe has not begun anything."""
UNHEARD = frozenset({Fault.LOST_REPLY, Fault.RESET_AFTER, Fault.LATE})
"""Stripe's answer does not arrive."""


class Invalid(StripeRefused):
    """The parameters are wrong: refused before anything began, so nothing is saved for the key."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What Stripe keeps for an idempotency key once a request under it was begun."""

    call: str
    params: Any
    answer: Any
    error: StripeError | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered, and whether it was a replay."""

    body: Any
    replayed: bool


class Wire:
    """The line to Stripe: faults, and the memory for idempotency keys.

    https://docs.stripe.com/api/idempotent_requests: status and body of the first request under a
    key are saved once it begins to execute, 500s included; a repeat with other parameters is an
    error; requests that fail validation, or come while one is in flight, are not saved.
    """

    def __init__(self) -> None:
        self.choose: Callable[[str], Fault | None] | None = None
        """Asked at every call that has no fault planned; the place for a seeded choice."""
        self.calls: list[tuple[str, str]] = []
        """Every call's name and key, those that failed included."""
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)
        self._saved: dict[str, Saved] = {}
        self._in_flight: dict[str, Callable[[], object]] = {}
        self._meanwhile: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {}

    def meanwhile(
        self,
        call: str,
        before: Callable[[], object] = lambda: None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        """What others do during the next such request: ``before`` Stripe has done it, when its key
        is in flight, and ``after``, when only the answer is on its way.
        """
        self._meanwhile[call] = (before, after)

    def plan(self, call: str, fault: Fault, times: int = 1) -> None:
        self._planned[call].extend([fault] * times)

    def clear(self) -> None:
        """Plan nothing any more."""
        self._planned.clear()

    def get(self, call: str, run: Callable[[], Any]) -> Any:
        """A request that only reads."""
        fault = self._fault(call, "")
        if fault in {Fault.REFUSED, Fault.UNAUTHORIZED}:
            raise _refused(fault)
        if fault is not None:
            raise StripeUnreachable(f"{call}: {fault}")
        return copied(run())

    def post(self, call: str, key: str, params: Any, run: Callable[[], Any]) -> Answer:
        """A request that changes something, under an idempotency key."""
        assert 0 < len(key) <= 255, "Stripe takes keys of at most 255 characters"
        params = copied(params)
        fault = self._fault(call, key)
        if fault is Fault.UNAUTHORIZED:
            raise _refused(fault)
        if fault in UNBEGUN or key in self._in_flight:
            raise StripeUnreachable(f"{call}: {fault or 'the key is in flight'}")
        saved = self._saved.get(key)
        if saved is not None:
            if (saved.call, saved.params) != (call, params):
                raise StripeKeyMismatch(f"{key} was used with other parameters")
            if fault in UNHEARD:
                raise StripeUnreachable(f"{call}: {fault}")
            if saved.error is not None:
                raise _said_again(saved.error)
            return Answer(copied(saved.answer), replayed=True)
        if fault is Fault.REFUSED:
            raise _refused(fault)
        if fault is Fault.LATE:
            self._in_flight[key] = lambda: self._execute(call, key, params, run)
            raise StripeUnreachable(f"{call}: {fault}")
        before, after = self._meanwhile.pop(call, (lambda: None, lambda: None))
        self._in_flight[key] = lambda: None
        before()
        self._in_flight.pop(key)
        if fault in {Fault.ERROR_BEFORE, Fault.SPENT_BEFORE}:
            error = StripeUnreachable(f"{call}: {fault}")
            self._saved[key] = Saved(call, params, None, error)
        else:
            self._execute(call, key, params, run)
            error = StripeUnreachable(f"{call}: {fault}")
            if fault in {Fault.ERROR_AFTER, Fault.SPENT_AFTER} and key in self._saved:
                self._saved[key] = Saved(call, params, None, error)
        after()
        if fault in {Fault.SPENT_BEFORE, Fault.SPENT_AFTER}:
            raise StripeSpent(f"{call}: {fault}")
        if fault is not None:
            raise error
        done = self._saved[key]
        if done.error is not None:
            raise done.error
        return Answer(copied(done.answer), replayed=False)

    def arrive(self) -> list[str]:
        """Every late request reaches Stripe now; answers the keys of what was on its way."""
        arrived, self._in_flight = self._in_flight, {}
        for execute in arrived.values():
            with suppress(Invalid):
                execute()
        return list(arrived)

    def _execute(self, call: str, key: str, params: Any, run: Callable[[], Any]) -> None:
        try:
            self._saved[key] = Saved(call, params, copied(run()))
        except Invalid:
            raise
        except StripeRefused as refused:
            self._saved[key] = Saved(call, params, None, refused)

    def _fault(self, call: str, key: str) -> Fault | None:
        self.calls.append((call, key))
        if self._planned[call]:
            return self._planned[call].popleft()
        return self.choose(call) if self.choose else None


def _refused(fault: Fault) -> StripeRefused:
    status = 401 if fault is Fault.UNAUTHORIZED else 400
    return StripeRefused(f"planned: {fault}", "planned", status)


def _said_again(error: StripeError) -> StripeError:
    if isinstance(error, StripeRefused):
        return StripeRefused(str(error), error.code, error.status, replayed=True)
    return StripeSpent(str(error))
