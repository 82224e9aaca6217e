"""Mistakes about what comes on top of the goods: delivery, tax and promotion codes."""

from typing import Any

from storefront.domain.orders import Order
from storefront.domain.payments import Payment
from storefront.services import refunds, settlement, work
from storefront.services.shop import Shop
from storefront.storage.charging import Charged
from tests.simulation.bugs.bug import Bug


def only_the_total(payment: Payment, goods: int, currency: str, *_: Any) -> str:
    if (payment.amount, payment.currency) == (goods, currency):
        return ""
    return f"paid {payment.amount} {payment.currency}, held for {goods} {currency}"


def refund_the_goods(shop: Shop, order_id: str, payment_intent: str) -> int | None:
    order = shop.store.orders.get(order_id)
    if order is None or payment_intent not in order.refund_reasons:
        return refunds.send_back_when_due(shop, order_id, payment_intent)
    if order.refunds or not order.shipping:
        return refunds.send_back_when_due(shop, order_id, payment_intent)
    made = shop.stripe.create_refund(
        payment_intent,
        amount=order.payments[payment_intent] - order.shipping,
        metadata={"order": order.id, "shop": shop.settings.shop_id},
        key=f"refund:{payment_intent}",
    )
    refunds.record(shop, order, made)
    return None


def without_the_tax(order: Order, payment: Payment) -> Charged | None:
    found = RIGHT(order, payment)
    if found is None:
        return None
    return Charged(found.total, found.shipping, 0, found.discount, found.way, found.recipient)


RIGHT = settlement._charged

BUGS = (
    Bug("compares only the total", swaps=((settlement, "mismatch", only_the_total),)),
    Bug(
        "forgets the delivery in the refund",
        lua=(
            (
                "record_refund",
                "schedule(job, now) -- more is to go back, and this was only a part",
                "redis.call('ZREM', DUE, job)",
            ),
        ),
        swaps=((work, "WORK", work.WORK | {"refund": refund_the_goods}),),
    ),
    Bug(
        "settles on a PaymentIntent alone",
        swaps=((settlement, "needs_session", lambda *_: False),),
    ),
    Bug("keeps a sale without its tax", swaps=((settlement, "_charged", without_the_tax),)),
)
