"""Keep a Price at Stripe for what each SKU costs, so that payment pages and Stripe's reports name it.

A Price's amount never changes: another price is another Price, and the old one is archived once no
running hold names it. Nothing waits for a Price: where none is known, a session names the amount.
"""

import logging
from collections.abc import Callable

from storefront.domain.errors import StripeKeyMismatch, StripeSpent, StripeUnreachable
from storefront.domain.orders import HOLDING, State
from storefront.domain.sold_at_stripe import KnownPrice, PriceFact
from storefront.services import mirroring, showing
from storefront.services.shop import Shop

ROUNDS = 5
"""So often in a row is a SKU looked at whose Price cannot be made; then the job comes again."""
SOONEST_MS, LATEST_MS = 10_000, 300_000
"""Bounds for the next look at an old Price that a running hold still names."""

log = logging.getLogger(__name__)


def keep_price(shop: Shop, sku: str, say: Callable[[str], None] = lambda _: None) -> int | None:
    """The due job ``price``: have one active Price at Stripe for what the SKU costs, and know it.

    It is found again among the product's prices by its metadata, so that there are never two. New holds
    name it before an older one is archived. ``say`` hears what was done. Answers None, or in how many
    milliseconds to come again because a running hold names an old Price. Raises StripeError.
    """
    own = mirroring.product_id(shop, sku)
    currency = shop.settings.shop_currency
    for _ in range(ROUNDS):
        entry = showing.entry(shop.store.catalogue.current(), sku)
        found = shop.stripe.product(own) if entry else None
        if (
            entry is None
            or found is None
            or not found.active
            or mirroring.foreign(shop, sku, found)
        ):
            if found is not None and not found.active:
                say("archived at Stripe, so payments name the amount")
            shop.store.prices.forget(sku)  # what is not for sale at Stripe cannot be named
            return None
        amount = entry[1].price
        ours = [price for price in shop.stripe.prices(own) if _ours(shop, sku, price)]
        fitting = [p for p in ours if p.once and (p.unit_amount, p.currency) == (amount, currency)]
        # Of twins the one that a hold may name already is kept, else the oldest.
        known = shop.store.prices.known().get(sku)
        kept = [p for p in fitting if known and p.id == known.id] or fitting[-1:]
        right = kept[0] if kept else _made(shop, sku, amount)
        if right is None:
            continue
        if not kept:
            say("price created")
        if found.default_price != right.id:
            key = f"product:{shop.settings.shop_id}:{sku}:{right.id}"
            shop.stripe.update_product(own, {"default_price": right.id}, key=key)
        shop.store.prices.note(sku, KnownPrice(right.id, amount, currency))
        return _archive(shop, [price for price in ours if price.id != right.id], say)
    raise StripeUnreachable(f"no Price for {sku} could be made")


def forget(shop: Shop, order_id: str) -> None:
    """Name the Prices of this order no more until they were looked at: Stripe has refused one."""
    order = shop.store.orders.get(order_id)
    known = shop.store.prices.known()
    for line in order.lines if order else ():
        if line.price and line.sku in known and known[line.sku].id == line.price:
            shop.store.prices.forget(line.sku)
            shop.store.due.schedule(f"price:{line.sku}", shop.store.now())


def _made(shop: Shop, sku: str, amount: int) -> PriceFact | None:
    """A new Price; None when this key will never make one, so that the next number is to be used."""
    settings = shop.settings
    number = shop.store.prices.number(sku)
    try:
        made = shop.stripe.create_price(
            mirroring.product_id(shop, sku),
            unit_amount=amount,
            currency=settings.shop_currency,
            metadata={"shop": settings.shop_id, "sku": sku},
            key=f"price:{settings.shop_id}:{sku}:{amount}{settings.shop_currency}:{number}",
        )
    except (StripeSpent, StripeKeyMismatch):
        made = None
    if made is None or not made.active:  # the price before the last one, come again
        shop.store.prices.next_number(sku)
        return None
    return made


def _archive(shop: Shop, old: list[PriceFact], say: Callable[[str], None]) -> int | None:
    """Archive old Prices, but for those that a running hold names."""
    if not old:
        return None
    now = shop.store.now()
    named: dict[str, int] = {}
    for order in shop.store.orders.each([order for order, _ in shop.store.orders.holding()]):
        if order.state in HOLDING - {State.PROCESSING}:
            named |= {line.price: order.deadline for line in order.lines if line.price}
    for price in old:
        if price.id not in named:
            shop.stripe.archive_price(price.id)
            say("old price archived")
    waits = [named[price.id] - now for price in old if price.id in named]
    if not waits:
        return None
    say("old price kept until the last hold that names it has ended")
    return min(max(*waits, SOONEST_MS), LATEST_MS)


def _ours(shop: Shop, sku: str, price: PriceFact) -> bool:
    metadata = price.metadata
    return (metadata.get("shop"), metadata.get("sku")) == (shop.settings.shop_id, sku)
