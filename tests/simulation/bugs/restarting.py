"""Mistakes in coming back after Redis was restarted."""

from typing import Any

from storefront.services import reconciliation, recovery, restoring
from storefront.services.shop import Shop
from tests.simulation.bugs.bug import Bug

real_open_up = recovery.open_up


def forget(*_lost: Any) -> bool:
    return False


def open_unread(shop: Shop, _since: int | None = None) -> None:
    """Open the shop on books that nobody has compared with anything."""
    _, run = shop.store.scripts.read_door()
    real_open_up(shop, run)


BUGS = (
    Bug(
        "takes holds at once after a restart",
        lua=(("hold_stock", "if door ~= 'open' then", "if false then"),),
    ),
    Bug("opens unread books after a restart", swaps=((recovery, "recover", open_unread),)),
    Bug("forgets the orders that were lost", swaps=((restoring, "restore", forget),)),
    Bug(
        "holds open payments again before it gives back what is over",
        swaps=(
            (reconciliation, "_over", reconciliation._still_open),
            (reconciliation, "_still_open", reconciliation._over),
        ),
    ),
)
