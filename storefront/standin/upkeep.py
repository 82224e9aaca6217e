"""What happens at Stripe by itself: sessions end, delayed payments settle, old records go."""

import logging

from . import events, payments, sessions
from .account import Account

logger = logging.getLogger(__name__)


def sweep(account: Account) -> None:
    """Does everything that is due by now; runs before each request and in the background."""
    while account.state.due(account.clock.time(), limit=1):
        with account.transaction():
            for obj in account.state.due(account.clock.time()):
                if obj["object"] == "checkout.session":
                    sessions.end(account, obj)
                else:
                    payments.come_due(account, obj)
        account.deliveries.wake.set()


def forget_old(account: Account) -> None:
    """Removes answers of idempotency keys after a day and events after thirty."""
    now = account.clock.now()
    with account.transaction():
        account.answers.forget(now)
        account.state.forget("event", now - events.KEPT_SECONDS)
        account.deliveries.forget()
