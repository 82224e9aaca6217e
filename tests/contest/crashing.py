"""The shop, but its process dies at a planned call, as by kill -9; for gunicorn and the worker.

The file that ``CRASH_PLAN`` names says at which, such as ``after create_session``, and may name a pid,
as in ``before settle_payment of 4711``, that dies there instead. It is used up by the death, so that the process that comes
next lives.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storefront import worker
from storefront.app import create_app
from storefront.clients.mail import Mailer
from storefront.clients.stripe_api import Stripe
from storefront.services import recovery, work
from storefront.storage.scripts import Scripts

CALLS: list[tuple[type, str]] = [
    (Scripts, "hold_stock"),
    (Stripe, "create_session"),
    (Scripts, "attach_session"),
    (Scripts, "settle_payment"),
    (Stripe, "expire_session"),
    (Scripts, "release_hold"),
    (Stripe, "create_refund"),
    (Scripts, "record_refund"),
    (Mailer, "send"),
]
PLAN = Path(os.environ["CRASH_PLAN"])
LEASE_MS = 3000
"""For what a dying worker had in hand: short, or each test would wait a minute for it."""
TROUBLE_SECONDS = 0.2
"""Until a worker looks again for a Redis that went away."""


def pass_by(place: str) -> None:
    """Dies, or kills, if the plan says here; of several processes the first to come."""
    try:
        planned, _, victim = PLAN.read_text().partition(" of ")
        if planned != place:
            return
        process = os.pidfd_open(int(victim or os.getpid()))  # this one, and no later one of its pid
        PLAN.unlink()
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return


def deadly(call: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The call, with a place to die before it and one after its effect."""

    def made(*arguments: Any, **options: Any) -> Any:
        pass_by(f"before {name}")
        answer = call(*arguments, **options)
        pass_by(f"after {name}")
        return answer

    return made


for owner, name in CALLS:
    setattr(owner, name, deadly(getattr(owner, name), name))
work.LEASE_MS = recovery.LEASE_MS = LEASE_MS
worker.TROUBLE_SECONDS = TROUBLE_SECONDS
app = create_app()
