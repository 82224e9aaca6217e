"""A shop, its Stripe and its shoppers, in one process on one clock that the test moves."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis
import time_machine

from storefront.domain.orders import Order
from storefront.services import checkout, events, work
from storefront.services.audit import audit
from storefront.services.checkout import Started
from storefront.services.shop import Shop
from tests.fakes.stripe import FakeStripe
from tests.promises import always, at_rest
from tests.simulation.memory import Memory

MOST_JOBS = 5000
"""More than any test's shop can have to do, so that a job that never ends is found."""


class Crash(BaseException):
    """The process ends here."""


def ends() -> None:
    """The process ends."""
    raise Crash


@dataclass
class Fuse:
    """Something happens at the n-th call that the process makes outside."""

    at: int
    """The call at which it happens."""
    happens: Callable[[], object] = ends
    """It may raise, and what it calls itself is not counted."""
    only: str = ""
    """``redis`` or ``stripe``: count calls to it alone."""
    after: bool = False
    """Whether it happens once the call is made, before its answer is read."""
    calls: list[str] = field(default_factory=list)
    """Those it counted."""
    _busy: bool = False

    @property
    def reached(self) -> bool:
        """Whether there was such a call."""
        return len(self.calls) >= self.at

    def call(self, name: str, run: Callable[[], Any]) -> Any:
        """Make a call that may be the one."""
        if self._busy or not name.startswith(self.only):
            return run()
        self.calls.append(name)
        if len(self.calls) != self.at:
            return run()
        answer = run() if self.after else None
        self._busy = True
        try:
            self.happens()
        finally:
            self._busy = False
        return answer if self.after else run()


class Line:
    """Lets every call to Redis and Stripe pass through a fuse, while one is put in."""

    def __init__(self, client: Memory | redis.Redis, stripe: FakeStripe) -> None:
        self.fuse: Fuse | None = None
        get, post = stripe.wire.get, stripe.wire.post
        if isinstance(client, Memory):
            client.line = self._redis
        else:
            self._join(client)
        stripe.wire.get = lambda name, run: self._stripe(  # type: ignore[method-assign]
            name, lambda: get(name, run)
        )
        stripe.wire.post = lambda name, *a: self._stripe(  # type: ignore[method-assign]
            name, lambda: post(name, *a)
        )

    def _join(self, client: redis.Redis) -> None:
        command, pipeline = client.execute_command, client.pipeline

        def pipe(**options: Any) -> Any:
            made = pipeline(**options)
            execute = made.execute
            made.execute = lambda *a, **o: self._redis("pipeline", lambda: execute(*a, **o))
            return made

        client.execute_command = lambda *a, **o: self._redis(  # type: ignore[method-assign]
            str(a[0]), lambda: command(*a, **o)
        )
        client.pipeline = pipe  # type: ignore[method-assign]

    def _redis(self, name: str, run: Callable[[], Any]) -> Any:
        return self.fuse.call(f"redis {name}", run) if self.fuse else run()

    def _stripe(self, name: str, run: Callable[[], Any]) -> Any:
        return self.fuse.call(f"stripe {name}", run) if self.fuse else run()


@dataclass
class Town:
    """What a test of the services acts on."""

    shop: Shop
    stripe: FakeStripe
    clock: time_machine.Traveller
    line: Line
    falsified: bool = False
    """Whether the test wrote something wrong into the books on purpose."""

    def begin(
        self,
        wanted: Mapping[str, int] | None = None,
        *,
        visitor: str = "ada",
        token: str = "form-1",
        address: str = "192.0.2.1",
    ) -> Started:
        """A visitor sends a form; one poster unless told otherwise."""
        return checkout.begin(
            self.shop,
            visitor=visitor,
            address=address,
            form_token=token,
            wanted=wanted or {"poster": 1},
        )

    def order(self, order: str | Order | Started) -> Order:
        """The order as it stands now."""
        if isinstance(order, Started):
            order = order.order
        found = self.shop.store.orders.get(order if isinstance(order, str) else order.id)
        assert found is not None
        return found

    def orders(self) -> list[Order]:
        """Every order, the oldest first."""
        return list(self.shop.store.orders.walk())

    def find(self, state: str) -> Order:
        """The only order in a state."""
        [order] = [order for order in self.orders() if order.state == state]
        return order

    def failing(self, *, with_stripe: bool = False) -> dict[str, str]:
        """The audit's checks that fail, with what they say."""
        return {c.name: c.detail for c in audit(self.shop, with_stripe) if not c.ok}

    def level(self, sku: str = "poster") -> tuple[int, int, int]:
        """Available, held and sold."""
        [level] = [one for one in self.shop.store.stock.levels() if one.sku == sku]
        return (level.available, level.held, level.sold)

    def due(self) -> set[str]:
        """Names of all jobs."""
        return {job.name for job in self.shop.store.due.jobs()}

    def receive(self, event: Mapping[str, Any]) -> str:
        """Stripe delivers one event."""
        return events.receive(self.shop, *self.stripe.signed(event))

    def deliver(self, *kinds: str) -> list[str]:
        """Stripe delivers what is new, or only those kinds of it; answers the outcomes."""
        return [
            self.receive(event)
            for event in self.stripe.new_events()
            if not kinds or event["type"] in kinds
        ]

    def lose_events(self) -> None:
        """What Stripe has to tell never arrives."""
        self.stripe.new_events()

    def work(self) -> int:
        """A worker does what is due now, until nothing is; answers how many jobs that was."""
        done = 0
        while taken := work.run_due(self.shop, 10):
            done += taken
            assert done < MOST_JOBS, f"never ends: {self.due()}"
        return done

    def pass_time(self, seconds: float) -> None:
        """Time passes with the worker at work whenever something is due."""
        until = self.shop.store.now() + int(seconds * 1000)
        self.work()
        for _ in range(MOST_JOBS):
            jobs = self.shop.store.due.jobs()
            if not jobs or jobs[0].at > until:
                break
            self.skip_to(jobs[0].at)
            self.work()
        else:
            raise AssertionError(f"never at rest: {self.due()}")
        self.skip_to(until)
        self.work()

    def skip_to(self, at: int) -> None:
        """It is then (ms), with nothing done on the way."""
        self.clock.shift(max(0, at - self.shop.store.now()) / 1000)

    def skip(self, seconds: float) -> None:
        """Time passes with no worker at work."""
        self.clock.shift(seconds)

    def check(self) -> None:
        """Everything that is true at every moment is true now."""
        if found := always(self.shop, self.stripe):
            raise AssertionError("\n".join(found))

    def rest(self, days: float = 1) -> None:
        """Time passes until nothing is due any more, and then everything must be in order."""
        self.pass_time(days * 24 * 3600)
        self.lose_events()
        if found := at_rest(self.shop, self.stripe):
            raise AssertionError("\n".join(found))

    def mails(self, kind: str = "") -> list[str]:
        """The kind of each mail that was sent, or the ids of the orders that got one kind."""
        found = []
        for path in sorted((self.shop.settings.instance / "mail").glob("**/*.eml")):
            head = dict(
                line.split(": ", 1)
                for line in path.read_text().split("\n\n")[0].splitlines()
                if ": " in line
            )
            if not kind:
                found.append(head["X-Shop-Mail"])
            elif head["X-Shop-Mail"] == kind:
                found.append(head["X-Shop-Order"])
        return found

    @contextmanager
    def fused(self, fuse: Fuse) -> Iterator[Fuse]:
        """Every call outside passes through a fuse in this block."""
        self.line.fuse = fuse
        try:
            yield fuse
        finally:
            self.line.fuse = None
