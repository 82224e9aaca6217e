"""Mistakes in coming back after Redis was restarted."""

from typing import Any

from storefront.services import restoring
from tests.simulation.bugs.bug import Bug


def forget(*_lost: Any) -> bool:
    return False


BUGS = (
    Bug(
        "takes holds at once after a restart",
        lua=(("hold_stock", "if door ~= 'open' then", "if false then"),),
    ),
    Bug(
        "counts what came in once more when a rebuild is run again",
        lua=(("recount_stock", "ask.stocked - units(STOCKED, ask.sku)", "ask.stocked"),),
    ),
    Bug("forgets the orders that were lost", swaps=((restoring, "restore", forget),)),
)
