"""Refunds that the operator wants: some units, some money, or all of it; and who keeps the units.

The question what becomes of the units is answered with the wish itself and stored with it. They move
with Stripe's first word of the refund (``storage/lua/record_refund.lua``): what is on sale again was
paid back, and a shop that lost its books reads in the refund where its units went.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from storefront.domain.errors import BadInput
from storefront.domain.money import step
from storefront.domain.orders import Order, Plan, State
from storefront.services import refunds
from storefront.services.shop import Shop
from storefront.storage.answers import Planned, Settled

PLACES = ("available", "written_off", "sold")
"""What can become of the units: back on sale, written off, or they stay the customer's."""
REFUNDABLE = frozenset({State.PAID, State.FULFILLED, State.REVIEW})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator chose."""

    units: Mapping[str, int]
    """By SKU."""
    amount: int | None
    """Minor units; None: what the units cost."""
    whole: bool
    """Everything that is left: all units, all money."""
    to: str
    payment: str = ""
    """Empty: the one that bought the goods."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a wish would do if it were confirmed now."""

    payment: str
    amount: int
    units: Mapping[str, int]
    to: str
    ends: bool
    """It takes the last money of the payment that bought the goods, so the order ends with it."""
    void: bool
    """Nothing was taken yet: the payment is cancelled instead."""
    others: Mapping[str, int]
    """Units by SKU that go the same way because the order ends."""
    handed: Mapping[str, int]
    """Units by SKU that are with the customer. What is handed over after this was seen is written
    off, wherever the others go."""


def payments(order: Order) -> list[str]:
    """Payments of which the operator can send something back, the one for the goods first."""
    if order.state not in REFUNDABLE:
        return []
    found = [
        payment
        for payment in order.payments
        if payment not in order.refund_reasons and order.money_left(payment) > 0
    ]
    return sorted(found, key=lambda payment: payment != order.payment_intent)


def preview(order: Order, wish: Wish) -> Preview:
    """What a wish would do to the order as it stands. Raises BadInput with a sentence."""
    if wish.to not in PLACES:
        raise BadInput("Say what becomes of the units.")
    if order.state is State.AUTHORIZED:
        return _void(order, wish)
    possible = payments(order)
    payment = wish.payment or next(iter(possible), "")
    if payment not in possible:
        raise BadInput("There is no money of this order to send back any more.")
    left = order.money_left(payment)
    units = order.unrefunded if wish.whole else dict(wish.units)
    if payment != order.payment_intent and units:
        raise BadInput("The units were bought with the other payment.")
    for sku, number in units.items():
        if number > order.unrefunded.get(sku, 0):
            raise BadInput(f"{sku}: no more than {order.unrefunded.get(sku, 0)} can go back.")
    amount = left if wish.whole else wish.amount
    if amount is None:
        amount = min(left, _price(order, units))
    if amount < 1:
        raise BadInput("Choose units, or say how much goes back.")
    if amount > left:
        raise BadInput("That is more than is left of the payment.")
    if not order.at_counter and amount != left and amount % step(order.currency):
        raise BadInput(f"Stripe sends {order.currency} back in steps of {step(order.currency)}.")
    nothing_waits = not order.waiting(payment)
    ends = payment == order.payment_intent and amount == left and nothing_waits
    others = {
        sku: number - (units.get(sku, 0) if wish.to != "sold" else 0)
        for sku, number in order.own.items()
    }
    return Preview(
        payment,
        amount,
        units,
        wish.to,
        ends=ends,
        void=False,
        others={sku: number for sku, number in others.items() if number and ends},
        handed={sku: number for sku, number in order.handed.items() if number},
    )


def send_back(
    shop: Shop, order: Order, seen: Preview, *, reason: str, key: str, who: str
) -> Planned | Settled:
    """Do what was confirmed, once for each key; the worker asks Stripe for it.

    Whatever changed since it was seen is checked by the script that stores it.
    """
    if seen.void:
        outcome = shop.store.scripts.cancel_authorized(order.id, to=seen.to, reason=reason, who=who)
        log.info("order %s: %s by %s", order.id, outcome, who, extra={"order": order.id})
        return outcome
    plan = Plan(
        key,
        seen.payment,
        seen.amount,
        seen.units,
        seen.to,
        reason=reason,
        who=who,
        handed=seen.handed,
    )
    answer = shop.store.scripts.plan_refund(order.id, plan)
    if order.at_counter:  # no one else will carry it out; should this be lost, the worker notes it
        now = shop.store.orders.get(order.id) or order
        refunds.give_back_by_hand(shop, now, seen.payment)
    log.info("order %s: refund %s by %s", order.id, answer.word, who, extra={"order": order.id})
    return answer.word


def _void(order: Order, wish: Wish) -> Preview:
    if not wish.whole:
        raise BadInput(
            "The bank has only agreed to pay, and nothing was taken yet. Wait until the money is "
            "collected to send a part back, or cancel the whole order now."
        )
    if wish.to == "sold":
        raise BadInput("Nothing is paid for these units: put them back on sale, or write them off.")
    amount = order.authorizations.get(order.payment_intent, 0)
    return Preview(
        order.payment_intent,
        amount,
        order.own,
        wish.to,
        ends=True,
        void=True,
        others={},
        handed={},
    )


def _price(order: Order, units: Mapping[str, int]) -> int:
    """What was paid for these units: their share of the discount is off, that of tax is on top.

    Nothing of what was paid for the delivery. Rounded down.
    """
    goods = sum(line.unit_amount * units.get(line.sku, 0) for line in order.lines)
    paid = order.goods - order.discount
    if order.tax and not order.tax_included and paid + order.shipping:
        paid += order.tax * paid // (paid + order.shipping)
    return goods * paid // order.goods if order.goods else 0
