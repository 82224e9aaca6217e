"""The shop, but for one call at which its web process dies, once; for gunicorn in the tests.

``CRASH`` says where (``after create_session``), ``CRASH_FLAG`` names a file that says that it was.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from storefront.app import create_app
from storefront.clients.stripe_api import Stripe
from storefront.storage.scripts import Scripts

OWNERS = {
    "hold_stock": Scripts,
    "create_session": Stripe,
    "attach_session": Scripts,
    "settle_payment": Scripts,
}


def die_once() -> None:
    """As a kill -9 would, the first time."""
    try:
        os.close(os.open(os.environ["CRASH_FLAG"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(call: Callable[..., Any], when: str) -> Callable[..., Any]:
    """The call, with death before it or after its effect."""

    def made(*arguments: Any, **options: Any) -> Any:
        if when == "before":
            die_once()
        answer = call(*arguments, **options)
        if when == "after":
            die_once()
        return answer

    return made


moment, step = os.environ["CRASH"].split()
setattr(OWNERS[step], step, deadly(getattr(OWNERS[step], step), moment))
app = create_app()
