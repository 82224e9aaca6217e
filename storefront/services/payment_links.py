"""Payment links: an address (and a QR code) at Stripe that sells out of an allotment of its own.

Units leave ``available`` before Stripe is asked for the link, and the link is limited to as many
completed sessions, so it cannot oversell. They go back only on Stripe's word: the link is switched
off first, its open sessions are ended, those that were quicker are settled, and then what is left is
on sale again.
"""

import logging
from typing import Any

from storefront.domain import payment_links as rules
from storefront.domain.door import Door
from storefront.domain.errors import (
    BadInput,
    NotEnoughStock,
    ShopClosed,
    Shortage,
    StripeError,
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
    UnknownSku,
)
from storefront.domain.payment_links import LinkFact, LinkState, PaymentLink
from storefront.services import link_sessions, links
from storefront.services.shop import Shop
from storefront.storage.answers import LinkAttached, LinkClosed, LinkEnded, LinkOpened

MOST = 1_000_000
"""Units of one link; more is a slip of the finger."""
ASK_MS = 30_000
"""A creation ends within 17 s; a link that is not there after so long is looked after by the worker."""
LOOK_MS = 60_000
"""So often Stripe is asked about each link that sells, should no webhook tell."""
KEY_MS = 23 * 3600_000
"""Stripe keeps an idempotency key for 24 hours at least."""
ROUNDS = 20
"""How often closing a link goes on at once, each time with as many sessions as one go can end."""
CLOSED = "closed"
"""Ended by the operator."""
AT_STRIPE = "switched off at Stripe"
REFUSED = "refused"

log = logging.getLogger(__name__)


def create(shop: Shop, *, sku: str, units: int, key: str, who: str) -> PaymentLink:
    """Set units of a SKU aside and have Stripe make a link that sells them, once for each ``key``.

    Raises UnknownSku, NotEnoughStock, BadInput and ShopClosed, with nothing changed; StripeRefused when
    Stripe does not take it: then the units went back. Other StripeErrors leave the link to the worker,
    which makes it as soon as Stripe answers.
    """
    if not 1 <= units <= MOST:
        raise BadInput(f"Set aside 1 to {MOST} units.")
    found = shop.store.catalogue.current().by_sku(sku)
    if found is None:
        raise UnknownSku(sku)
    product, variant = found
    link = PaymentLink(
        id=links.order_id(shop.settings, "payment-link", key),
        sku=sku,
        units=units,
        left=units,
        state=LinkState.MAKING,
        unit_amount=variant.price,
        currency=shop.settings.shop_currency,
        created=0,
        name=product.name_of(variant),
        slug=product.slug,
        image=product.image,
        capture=shop.settings.capture_method,
    )
    word, about = shop.store.scripts.open_link(link, who=who, ask_ms=ASK_MS)
    match word:
        case LinkOpened.UNKNOWN_SKU:
            raise UnknownSku(sku)
        case LinkOpened.NOT_ENOUGH:
            raise NotEnoughStock((Shortage(sku, units, int(about), 0, None),))
        case LinkOpened.CLOSED:
            raise ShopClosed(shop.store.scripts.read_door()[0])
    log.info("link %s: %s, %d of %s, by %s", link.id, word, units, sku, who)
    link = _known(shop, link.id)
    if link.state is LinkState.MAKING:
        _make(shop, link, first=word is LinkOpened.OPENED)
    return _known(shop, link.id)


def close(shop: Shop, link_id: str, who: str) -> PaymentLink | None:
    """End a link and give back what is left of its units; None for one that is not known.

    Raises StripeError while Stripe has not confirmed that nobody can pay through it: the link sells no
    more as soon as Stripe hears of it, and its units stay set aside until then. A worker goes on.
    """
    if shop.store.scripts.end_link(link_id, why=CLOSED, who=who) is LinkEnded.UNKNOWN_LINK:
        return None
    for _ in range(ROUNDS):
        if close_when_due(shop, link_id) is None:
            return _known(shop, link_id)
    raise StripeUnreachable("more sessions of it are open than could be ended at once")


def listing(shop: Shop) -> list[PaymentLink]:
    """Every link there ever was, the newest first."""
    return shop.store.links.all()


def find(shop: Shop, link_id: str) -> PaymentLink | None:
    """One link."""
    return shop.store.links.get(link_id)


def as_json(link: PaymentLink) -> dict[str, Any]:
    """The link as ``flask shop links --json`` tells it."""
    return {
        "id": link.id,
        "url": link.url or None,
        "sku": link.sku,
        "units": link.units,
        "left": link.left,
        "active": link.active,
        "state": link.state,
        "sold": link.sold,
        "returned": link.returned,
    }


def thank(shop: Shop, session: str) -> str | None:
    """The order of a session that was paid through a link, as its shopper comes back; None for others.

    Stripe is asked when no webhook has told of it yet. Raises StripeError.
    """
    order_id = rules.order_of(session)
    if shop.store.orders.get(order_id) is not None:
        return order_id
    try:
        payment = shop.stripe.session(session)
    except StripeRefused as refused:
        if refused.status == 404:
            return None
        raise
    if payment.shop != shop.settings.shop_id or not payment.link:
        return None
    door, _ = shop.store.scripts.read_door()
    if door is not Door.OPEN and find(shop, payment.link) is None:
        raise ShopClosed(door)  # it may be lost for now
    link_sessions.settle(shop, payment)
    return order_id if shop.store.orders.get(order_id) is not None else None


def look_when_due(shop: Shop, link_id: str) -> int | None:
    """The due job ``link``: see that the link is made, and that all it sold is known.

    It comes again for as long as the link sells, so that nothing waits on a webhook. Raises
    StripeError.
    """
    link = shop.store.links.get(link_id)
    if link is None:
        return None
    if link.state is LinkState.MAKING:
        _make(shop, link)
        return LOOK_MS
    if link.state is not LinkState.OPEN:
        return None
    fact = shop.stripe.payment_link(link.stripe)
    if fact.count != link.units - link.left:
        link_sessions.catch_up(shop, link)
    if not fact.active:
        shop.store.scripts.end_link(link.id, why=AT_STRIPE, who="")
        return None
    return LOOK_MS


def close_when_due(shop: Shop, link_id: str) -> int | None:
    """The due job ``unlink``: end the link at Stripe, then give back what is left of its units.

    One that was closed before and is active at Stripe again is ended there again. Answers 0 when
    there is more to end. Raises StripeError, and everything stays set aside.
    """
    link = shop.store.links.get(link_id)
    if link is None:
        return None
    _, run = shop.store.scripts.read_door()
    if not link.stripe:
        _make(shop, link)  # it may have been made: only Stripe knows
        link = _known(shop, link_id)
    if link.stripe:
        shop.stripe.deactivate_payment_link(link.stripe)
        if not link_sessions.end_open(shop, link.stripe):
            return 0
        link_sessions.catch_up(shop, link)
    word = shop.store.scripts.close_link(link_id, why=CLOSED, stripe=link.stripe, run=run)
    log.info("link %s: %s", link_id, word)
    if word is LinkClosed.RESTARTED:
        raise StripeUnreachable(f"Redis was restarted while link {link_id} was being closed")
    if word is LinkClosed.OTHER:  # it was made meanwhile, and is to be ended first
        return 0
    return None


def told(shop: Shop, fact: LinkFact) -> str:
    """What an event says of a link: one that was switched by hand at Stripe is ended here too."""
    link = shop.store.links.get(fact.link)
    if link is None or fact.id != link.stripe:
        return "unknown_link"
    if not fact.active and link.state is LinkState.OPEN:
        why = "sold_out" if fact.limit and fact.count >= fact.limit else AT_STRIPE
        return shop.store.scripts.end_link(link.id, why=why, who="")
    if fact.active and link.state is LinkState.CLOSED:
        shop.store.due.schedule(f"unlink:{link.id}", shop.store.now())
        return "asking"
    return "known"


def of_this_shop(shop: Shop, *, active: bool = True) -> list[LinkFact]:
    """The links of this shop that sell at Stripe, or those that do not. Raises StripeError."""
    return [f for f in shop.stripe.payment_links(active=active) if f.shop == shop.settings.shop_id]


def end_twin(shop: Shop, fact: LinkFact) -> None:
    """End a Payment Link beside its link's own; the next walk comes back to one that cannot be now."""
    try:
        shop.stripe.deactivate_payment_link(fact.id)
        link_sessions.end_open(shop, fact.id)
    except StripeError as error:
        log.warning("payment link %s could not be ended yet: %s", fact.id, error)


def key(link: PaymentLink) -> str:
    """The idempotency key of the link's creation."""
    return f"link:{link.id}:{link.version}"


def params(shop: Shop, link: PaymentLink) -> dict[str, Any]:
    """What Stripe gets to make a link."""
    metadata = {"shop": shop.settings.shop_id, "link": link.id, "sku": link.sku}
    shown = f"{shop.settings.public_url}/paid/{{CHECKOUT_SESSION_ID}}"
    manual = {"capture_method": "manual"} if link.capture == "manual" else {}
    return {
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": link.currency,
                    "unit_amount": link.unit_amount,
                    "product_data": {"name": link.name, "metadata": {"sku": link.sku}},
                },
            }
        ],
        "restrictions": {"completed_sessions": {"limit": link.units}},
        "inactive_message": (
            "This link sells no more: everything that was set aside for it is sold, or it was "
            f"closed. Look what is left at {shop.settings.public_url}"
        )[:500],
        "after_completion": {"type": "redirect", "redirect": {"url": shown}},
        "metadata": metadata
        | {"units": str(link.units), "lines": f"{link.sku}=1@{link.unit_amount}"},
        "payment_intent_data": {"metadata": metadata, **manual},
        # A session takes other names for this; a link still has the old one.
        **({} if shop.settings.delayed_methods else {"payment_method_types": ["card"]}),
    }


def _make(shop: Shop, link: PaymentLink, *, first: bool = False) -> None:
    """Make the link at Stripe, or find the one that was made. Raises StripeError.

    When Stripe clearly has none and will have none, its units go back. ``first``: nobody has asked for
    it before, so any clear no means that nothing was made.
    """
    _, run = shop.store.scripts.read_door()
    refused: StripeRefused | None = None
    fact: LinkFact | None = None
    try:
        if shop.store.now() - link.created < KEY_MS:
            fact = shop.stripe.create_payment_link(params(shop, link), key(link))
    except StripeRefused as no:
        if not first and (link.version > 1 or no.status in {401, 403}):
            raise
        refused = no
    except (StripeSpent, StripeKeyMismatch) as spent:
        fact = _look_up(shop, link)
        if fact is None:
            # This key will never say more, so the next number is stored before it is used.
            shop.store.scripts.number_link(link.id)
            raise StripeUnreachable(f"link {link.id} goes on under another key") from spent
    else:
        fact = fact or _look_up(shop, link)
    if fact is None:
        shop.store.scripts.end_link(link.id, why=REFUSED, who="")
        shop.store.scripts.close_link(link.id, why=REFUSED, stripe="", run=run)
        log.warning("link %s was not made: %s", link.id, refused or "no answer for a day")
        if first and refused:
            raise refused
        return
    word = shop.store.scripts.attach_link(link.id, stripe=fact.id, url=fact.url)
    if word is LinkAttached.OTHER:
        end_twin(shop, fact)


def _look_up(shop: Shop, link: PaymentLink) -> LinkFact | None:
    """The link in Stripe's lists: it may have sold all, or been switched off, before it was known."""
    found = (fact for active in (True, False) for fact in of_this_shop(shop, active=active))
    return next((fact for fact in found if fact.link == link.id), None)


def _known(shop: Shop, link_id: str) -> PaymentLink:
    link = shop.store.links.get(link_id)
    if link is None:  # only when Redis lost what it had acknowledged
        raise StripeUnreachable(f"link {link_id} is gone")
    return link
