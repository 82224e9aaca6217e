"""One Stripe account: its state, its clock, and what a request or a person changes in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import identifiers
from .clock import Clock
from .deliveries import Deliveries, Fate
from .errors import no_such
from .events import new_event
from .idempotency import Answers
from .state import Json, State

LINK_LIMITS = ("kept", "overrun")


@dataclass(frozen=True)
class Cause:
    """The API request that causes a change; both None when Stripe itself or a person does."""

    id: str | None = None
    idempotency_key: str | None = None


class Account:
    """What every handler works on."""

    def __init__(self, state: State, clock: Clock, public_url: str) -> None:
        self.state = state
        self.clock = clock
        self.public_url = public_url
        self.deliveries = Deliveries(state)
        self.answers = Answers(state)
        self.cause = Cause()
        self.told: list[tuple[Json, Fate]] = []

    @contextmanager
    def transaction(self, cause: Cause | None = None) -> Iterator[None]:
        """Stores what happens inside as one, and with it the events that tell of it."""
        self.cause = cause or Cause()
        self.told = []
        with self.state.transaction():
            yield
            self.deliveries.schedule(self.told, self.clock.time())

    def put(self, obj: Json) -> Json:
        """Stores an object, new or changed, and gives it back."""
        self.state.put(obj)
        return obj

    def get(self, kind: str, id: str, param: str | None = None) -> Json:  # noqa: A002
        """The object; StripeError when there is none (`param` names where the id stood)."""
        obj = self.state.get(kind, id)
        if obj is None:
            raise no_such(kind, id, param)
        return obj

    def new(self, prefix: str, kind: str, fields: Json) -> Json:
        """A new object with an id of its own, not stored yet."""
        return {
            "id": identifiers.new_id(prefix),
            "object": kind,
            "created": self.clock.now(),
            "livemode": False,
            **fields,
        }

    def tell(self, type: str, obj: Json, fate: Fate | None = None) -> None:  # noqa: A002
        """Stores an event that shows the object as it is now, and has it sent.

        `fate` says what becomes of its delivery; without one it is the account's usual fate.
        """
        fate = fate or self.usual_fate
        for _ in range(2 if fate.mode == "doubled" else 1):
            event = new_event(
                type, obj, self.clock.now(), self.cause.id, self.cause.idempotency_key
            )
            self.put(event)
            self.told.append((event, fate))

    @property
    def usual_fate(self) -> Fate:
        """What becomes of webhooks of which nothing else was said; set under /_standin/webhooks."""
        return Fate(**self.state.setting("fate", {}))

    @property
    def refunds_start(self) -> str:
        """The status in which a new refund starts: ``succeeded`` or ``pending``."""
        return str(self.state.setting("refunds_start", "succeeded"))

    @property
    def tax_status(self) -> str:
        """Whether the account can work out tax: ``active``, or ``pending`` until it is set up."""
        return str(self.state.setting("tax_status", "active"))

    @property
    def link_limit(self) -> str:
        """What becomes of sessions still open when their payment link reaches its limit.

        ``kept``: none of them can be paid any more, as Stripe documents. ``overrun``: each can.
        """
        return str(self.state.setting("link_limit", "kept"))
