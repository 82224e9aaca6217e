"""After Redis was restarted, open the shop only when its books are known to be whole.

A restart may have lost what was acknowledged last, and a server that took another's place never had
it. So no new hold is taken on a server on which the books were not looked through: the sessions of the
last hold window are walked first, and what was lost is restored.
"""

import logging
import random

from storefront.domain.door import WHY, Door
from storefront.domain.errors import ShopClosed, StripeError
from storefront.services.audit import audit
from storefront.services.reconciliation import JOB, Reconciled, reconcile
from storefront.services.sessions import CLOCKS_SECONDS, SESSION_SECONDS
from storefront.services.shop import Shop
from storefront.storage.answers import Opened

LEASE_MS = 30_000
"""Longer than any one step: a call to Stripe ends within 17 s. Whoever works on it renews this."""
AGAIN_MS = 60_000
"""A second look comes after so long: a session can be on its way to Stripe while Redis goes away."""
LONGEST_MS = 30_000
"""Stripe is asked again at least so often, so that the shop opens soon after it is back."""
BOOKS = ("I1 ", "I2 ", "I3 ", "I11 ")
"""The invariants without which no unit may be held: those of the stock."""

log = logging.getLogger(__name__)


class BooksBroken(Exception):
    """The books contradict themselves, so the shop stays closed. The text says where."""


def stands(shop: Shop) -> Door:
    """How the shop's door stands, for one round trip."""
    door, _ = shop.store.scripts.read_door()
    return door


def recover(shop: Shop, since: int | None = None) -> Reconciled:
    """Reconcile, restore what was lost, and open the shop if its books are whole.

    ``since`` (seconds) goes further back than the last hold window. Safe to repeat and to run beside
    everything else, on an open shop too. Raises StripeError and BooksBroken, and the shop stays closed;
    ShopClosed when the books were lost altogether, or Redis was restarted once more meanwhile.
    """
    door, run = shop.store.scripts.read_door()
    if door in {Door.EMPTY, Door.REBUILD}:
        raise ShopClosed(door)
    start = earliest(shop)
    done = reconcile(
        shop, start if since is None else min(start, since), step=lambda: _keep(shop, door)
    )
    if door is not Door.OPEN:
        check_books(shop)
        open_up(shop, run)
    return done


def recover_when_closed(shop: Shop) -> None:
    """What a worker does about a restarted Redis: one of them opens the shop as soon as it can.

    Nothing is raised but the store's errors; after a failure it is tried again, later and later.
    """
    if not shop.store.door.lease(LEASE_MS):
        return
    try:
        log.warning("Redis was restarted: no new holds until the books are compared with Stripe")
        recover(shop)
    except (StripeError, BooksBroken, ShopClosed) as error:
        failures = shop.store.door.count_failure()
        delay = min(LONGEST_MS, 500 * 2 ** min(failures, 20))
        jittered = int(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
        shop.store.door.keep_lease(jittered)
        log.error("the shop stays closed, again in %d ms: %s", jittered, error)  # noqa: TRY400 - planned for
        return
    shop.store.door.end_lease()


def earliest(shop: Shop) -> int:
    """From when on sessions must be walked, in seconds.

    What came after the last entry of the server before may be lost, and every session that could be
    paid then was made within a hold window before it.
    """
    now = shop.store.now()
    last = next(iter(shop.store.ledger.latest(1)), None)
    # Asked after that: of an entry that came in between, this knows by now.
    began = shop.store.door.loss_began()
    return window_start(shop, min(now, last.at if last else now, now if began is None else began))


def window_start(shop: Shop, at: int) -> int:
    """When the oldest session was made that a shopper could pay at a time (ms), in seconds."""
    settings = shop.settings
    longest = settings.hold_seconds + settings.hold_extend_seconds + settings.hold_grace_seconds
    window = max(SESSION_SECONDS, longest)
    return at // 1000 - window - CLOCKS_SECONDS


def check_books(shop: Shop) -> None:
    """Return when the books of the stock agree with each other. Raises BooksBroken."""
    wrong = [c for c in audit(shop, False) if not c.ok and c.name.startswith(BOOKS)]
    if wrong:
        raise BooksBroken("; ".join(f"{check.name}: {check.detail}" for check in wrong))


def open_up(shop: Shop, run: str, *, rebuilt: bool = False) -> None:
    """Open the shop whose books were found whole on the server with this run id.

    Raises ShopClosed when that server runs no more.
    """
    opened = shop.store.scripts.open_shop(run=run, rebuilt=rebuilt)
    if opened is not Opened.OPENED:
        raise ShopClosed(Door(opened))
    again = shop.store.now() + AGAIN_MS
    if rebuilt:  # with all else the list of what is due was lost
        shop.store.due.schedule(JOB, again)
    else:
        shop.store.due.hasten(JOB, again)
    log.warning("the books are whole: the shop is open")


def explain(door: Door) -> str:
    """What an operator must know of the door; empty while it is open."""
    return WHY.get(door, "")


def _keep(shop: Shop, door: Door) -> None:
    if door is Door.RESTARTED:
        shop.store.door.keep_lease(LEASE_MS)
