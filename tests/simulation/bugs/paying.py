"""Mistakes with money: settling, refunds and the mails about them."""

import itertools
from typing import Any

from storefront.services import refunds, work
from storefront.services.shop import Shop
from storefront.storage.scripts import Scripts
from tests.simulation.bugs.bug import SPENT, Bug

numbers = itertools.count()


def refund_unlisted(shop: Shop, order_id: str, payment_intent: str) -> None:
    order = shop.store.orders.get(order_id)
    if order is None or payment_intent not in order.refund_reasons:
        return
    made = shop.stripe.create_refund(
        payment_intent,
        amount=order.payments[payment_intent],
        metadata={"order": order.id, "shop": shop.settings.shop_id},
        key=f"refund:{next(numbers)}",
    )
    refunds.record(shop, order, made)


def lost(_self: Any, _order: str, _payment: str) -> int:
    return 0


BUGS = (
    Bug(
        "settles a payment twice",
        lua=(
            (
                "settle_payment",
                "if redis.call('HEXISTS', ORDER, payment) == 1 or",
                "if",
            ),
        ),
    ),
    Bug(
        "gives goods for a late payment without looking at the stock",
        lua=(
            (
                "settle_payment",
                "not (fields[7] and all_in(AVAILABLE, lines) or all_free(lines))",
                "false",
            ),
        ),
    ),
    Bug(
        "keeps a second payment",
        lua=(
            (
                "settle_payment",
                "send_back('duplicate')",
                "redis.call('HSET', ORDER, payment, int(ask.amount))",
            ),
        ),
    ),
    Bug(
        "sells without a mail",
        lua=(("settle_payment", "schedule('mail:confirmed:' .. ask.order, now)", ""),),
    ),
    Bug(
        "refunds without a mail",
        lua=(
            ("record_refund", "if not was and not told then schedule(", "if false then schedule("),
        ),
    ),
    Bug(
        "refunds without looking, each time with a new key",
        swaps=((work, "WORK", work.WORK | {"refund": refund_unlisted}),),
    ),
    Bug(
        "asks with a spent key for ever",
        swaps=((Scripts, "number_refund", lost),),
        town={**SPENT, "capture": "automatic"},
    ),
    Bug(
        "takes a part refunded for the whole",
        lua=(("record_refund", "own > 0 or", ""),),
    ),
    Bug(
        "forgets the whole refund once a part is noted",
        lua=(("record_refund", "owed[ask.payment_intent] > 0", "false"),),
    ),
)
