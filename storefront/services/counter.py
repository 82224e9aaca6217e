"""A sale at the counter: held, paid and handed over by the same scripts as any other.

The money goes from hand to hand. So nothing of it is asked of Stripe, and the books are its only
record.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from storefront.domain import counter
from storefront.domain import orders as rules
from storefront.domain.errors import BadInput, NotEnoughStock, NotOpenYet, ShopClosed, UnknownSku
from storefront.domain.orders import COUNTER, Form, Line, Order, State
from storefront.services import handing, links, refunds
from storefront.services.shop import Shop
from storefront.storage.answers import Held, HoldAnswer, Limits, Wanted

HOLD_MS = 120_000
"""A sale is over in a moment. One that was broken off can be finished so long by its form, sent again;
then its units go back on sale."""
NO_LIMIT = 1_000_000
HANDED = frozenset({State.PAID, State.FULFILLED})

log = logging.getLogger(__name__)


class NotSold(Exception):
    """This form's sale came to nothing, and cannot be finished any more: nothing was sold."""


@dataclass(frozen=True, slots=True)
class Sale:
    """What a form sold."""

    order: Order
    again: bool
    """It had sold that before, and sold nothing now."""


def priced(shop: Shop, wanted: Mapping[str, int]) -> list[Wanted]:
    """The lines at the prices of now, of what is on the shelf.

    Limits are for shoppers who cannot be seen; here none counts. What opens later opens here then,
    too. Raises BadInput for nothing, and UnknownSku.
    """
    catalogue = shop.store.catalogue.current()
    lines = []
    for sku, quantity in sorted(wanted.items()):
        found = catalogue.by_sku(sku)
        if found is None:
            raise UnknownSku(sku)
        product, variant = found
        line = Line(
            sku=sku,
            quantity=quantity,
            unit_amount=variant.price,
            name=product.name_of(variant),
            slug=product.slug,
            image=product.image,
        )
        lines.append(Wanted(line, NO_LIMIT, product.opens_at or 0))
    if not lines:
        raise BadInput("Say how many of what: nothing was chosen.")
    return lines


def sell(shop: Shop, *, wanted: Mapping[str, int], form: Form, key: str, who: str) -> Sale:
    """Sell these units (by SKU) for money that is in the till now, once for each ``key``.

    In the end all of them are with the customer. A form that is sent again goes on where it was broken
    off, and sells nothing twice, whatever it asks for by then. Raises BadInput, NotEnoughStock,
    NotOpenYet, UnknownSku and ShopClosed with nothing held; NotSold when it comes too late.
    """
    if form not in COUNTER:
        raise ValueError(f"{form} is no way to pay at the counter")
    order_id = links.order_id(shop.settings, "counter", key)
    order = shop.store.orders.get(order_id)
    again = order is not None and order.state is not State.PENDING
    if order is None:
        _hold(shop, order_id, priced(shop, wanted), form)
        order = _known(shop, order_id)
    if order.state is State.PENDING:
        shop.store.scripts.settle_payment(
            order.id,
            payment_intent=counter.payment_of(order),
            session="",
            amount=order.amount,
            email="",
        )
        order = _known(shop, order_id)
    if order.state is State.REFUND_DUE:  # its hold had just ended, and somebody else was quicker
        refunds.give_back_by_hand(shop, order, counter.payment_of(order))
    if not order.payments or order.refund_reasons:
        raise NotSold(order_id)
    if order.state is State.PAID and order.to_hand_over and not order.refunds:
        handing.hand_over(shop, order.id, key=f"sale-{order.id}", who=who)
        order = _known(shop, order_id)
    log.info("order %s: sold %s by %s", order.id, order.form, who, extra={"order": order.id})
    return Sale(order, again)


def _hold(shop: Shop, order_id: str, lines: list[Wanted], form: Form) -> HoldAnswer:
    answer = shop.store.scripts.hold_stock(
        order_id,
        lines,
        basket=rules.basket_of({wanted.line.sku: wanted.line.quantity for wanted in lines}),
        form=form,
        currency=shop.settings.shop_currency,
        amount=rules.total(wanted.line for wanted in lines),
        visitor="",
        address="",
        limits=Limits(0, 0),
        hold_ms=HOLD_MS,
        grace_ms=shop.settings.hold_grace_seconds * 1000,
        session_seconds=0,
        ask_ms=HOLD_MS,
    )
    match answer.word:
        case Held.HELD | Held.ALREADY:
            return answer
        case Held.SHORT:
            raise NotEnoughStock(answer.shortages)
        case Held.NOT_OPEN:
            raise NotOpenYet(answer.sku, answer.number)
        case Held.CLOSED:
            raise ShopClosed(answer.door)
        case _:
            raise UnknownSku(answer.sku)


def _known(shop: Shop, order_id: str) -> Order:
    order = shop.store.orders.get(order_id)
    if order is None:  # only when Redis lost what it had acknowledged
        raise NotSold(order_id)
    return order
