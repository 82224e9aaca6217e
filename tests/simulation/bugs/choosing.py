"""Mistakes about how goods reach who pays on the shop's own page."""

from typing import Any

from storefront.domain.orders import Order
from storefront.services import sessions
from tests.simulation.bugs.bug import Bug


def without_address(_order: Order) -> dict[str, Any]:
    return {}


BUGS = (
    Bug(
        "lets another tab change how it is sent",
        lua=(
            (
                "choose_way",
                "if order[2] ~= '0' and not untold then return answer('already') end",
                "",
            ),
        ),
    ),
    Bug(
        "asks for the goods' price alone, however they are sent",
        lua=(
            (
                "choose_way",
                "keep_parts()\nif order[2] == '0' then",
                (
                    "if ask.parts then ask.parts.total = ask.parts.total - ask.parts.shipping end\n"
                    "keep_parts()\nif order[2] == '0' then"
                ),
            ),
        ),
    ),
    Bug(
        "does not tell Stripe whom it is sent to", swaps=((sessions, "_shipping", without_address),)
    ),
)
