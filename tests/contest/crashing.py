"""The shop, but its process dies at a planned call, as by kill -9; for gunicorn and the worker.

The file that ``CRASH_PLAN`` names says at which, such as ``after create_session``. It is used up by
the death, so that the process that comes next lives.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storefront.app import create_app
from storefront.clients.mail import Mailer
from storefront.clients.stripe_api import Stripe
from storefront.services import work
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


def pass_by(place: str) -> None:
    """Dies if the plan says here."""
    try:
        planned = PLAN.read_text()
    except FileNotFoundError:
        return
    if planned == place:
        PLAN.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


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
work.LEASE_MS = LEASE_MS
app = create_app()
