"""Mistakes with what the operator sends back: too often, to the wrong place, or not at all."""

from typing import Any

from storefront.domain.orders import Order
from storefront.services import refunds, restoring
from tests.simulation.bugs.bug import CALM, Bug


def nothing(*_: Any) -> None:
    return None


def paid_less_known(order: Order, payment: str) -> int:
    return order.payments.get(payment, 0) - order.sent_back(payment)


def none_gone(*_: Any) -> dict[str, int]:
    return {}


BUGS = (
    Bug(
        "puts on sale what the operator wrote off",
        lua=(("record_refund", "rest, at, plan.to, plan", "rest, at, 'available', plan"),),
    ),
    Bug(
        "does not count what the operator wanted before",
        lua=(("plan_refund", "owed[payment] - (wanted[payment] or 0)", "owed[payment]"),),
        swaps=((Order, "money_left", paid_less_known),),
        town=CALM,
    ),
    Bug(
        "sends back once for every click",
        lua=(
            (
                "plan_refund",
                "if plans[ask.plan] then return answer('already') end",
                "if plans[ask.plan] then ask.plan = ask.plan .. '-again' end",
            ),
        ),
        town=CALM,
    ),
    Bug(
        "counts units as sold that went back",
        lua=(
            (
                "record_refund",
                "if #rest > 0 then redis.call('HSET', UNITS",
                "if #rest > 9 then redis.call('HSET', UNITS",
            ),
        ),
        town=CALM,
    ),
    Bug(
        "forgets the other wishes when one was carried out",
        lua=(("record_refund", "if wanted[ask.payment_intent] or (", "if false or ("),),
        town=CALM,
    ),
    Bug(
        "does not know its own refund again",
        swaps=((refunds.plans_at_stripe, "read", nothing),),
    ),
    Bug(
        "forgets in a rebuild which units went back",
        swaps=((restoring, "gone", none_gone),),
        town=CALM,
    ),
)
