"""Payment links that a restarted Redis has lost, and what it says of others than Stripe does.

Part of the walk through Stripe (``reconciliation``): first what sells no more there is ended here, and
once everyone who paid has the goods, the units of lost links are set aside again.
"""

import logging
from collections.abc import Iterable

from storefront.domain import payment_links as rules
from storefront.domain.errors import StripeError
from storefront.domain.payment_links import LinkFact, LinkState, PaymentLink
from storefront.services import payment_links
from storefront.services.shop import Shop

log = logging.getLogger(__name__)


def end_inactive(shop: Shop, facts: Iterable[LinkFact]) -> None:
    """End links that sell here and do not at Stripe any more, so that their units go back first.

    ``facts`` are those that sold there when they were read. Raises StripeError.
    """
    active = {fact.id for fact in facts}
    for link in payment_links.listing(shop):
        ended = link.state is LinkState.CLOSED or not link.stripe or link.stripe in active
        if ended or shop.stripe.payment_link(link.stripe).active:
            continue
        shop.store.scripts.end_link(link.id, why=payment_links.AT_STRIPE, who="")
        try:
            while payment_links.close_when_due(shop, link.id) is not None:
                continue
        except StripeError as error:  # it is due, so it will be as soon as that can be
            log.warning("link %s: not closed yet: %s", link.id, error)


def restore(shop: Shop, facts: Iterable[LinkFact]) -> int:
    """Bring back links that sell at Stripe and are not here; answers how many.

    Their metadata says what they were made for, and Stripe counts what they sold. One that is not its
    link's own (a copy made by hand, a twin of a creation that was thought lost) is switched off.
    """
    restored = 0
    for fact in facts:
        if fact.shop != shop.settings.shop_id or not fact.link:
            continue
        known = shop.store.links.get(fact.link)
        if known is None:
            link = _from_stripe(shop, fact)
            if link is None:
                log.error("a person must look at payment link %s", fact.id)
                continue
            word = shop.store.scripts.restore_link(link)
            log.warning("link %s was lost: %s", link.id, word)
            restored += 1
        elif known.state is LinkState.CLOSED and known.stripe == fact.id:
            shop.store.due.schedule(f"unlink:{known.id}", shop.store.now())
        elif known.stripe and known.stripe != fact.id:
            payment_links.end_twin(shop, fact)
    return restored


def _from_stripe(shop: Shop, fact: LinkFact) -> PaymentLink | None:
    """The link as Stripe's metadata tells it; None when that does not say what it sells."""
    sku, _, price = fact.metadata.get("lines", "").partition("=1@")
    numbers = (price, fact.metadata.get("units", ""))
    if not sku or not fact.limit or not all(n.isascii() and n.isdecimal() for n in numbers):
        return None
    if not rules.NAME.fullmatch(fact.link) or shop.store.stock.level(sku) is None:
        return None
    found = shop.store.catalogue.current().by_sku(sku)
    product, variant = found or (None, None)
    units = max(fact.limit, fact.count)
    return PaymentLink(
        id=fact.link,
        sku=sku,
        units=units,
        left=units - fact.count,
        state=LinkState.OPEN,
        unit_amount=int(price),
        currency=shop.settings.shop_currency,
        created=0,
        name=product.name_of(variant) if product and variant else sku,
        slug=product.slug if product else "",
        image=product.image if product else "",
        stripe=fact.id,
        url=fact.url,
    )
