"""Sessions that were opened through payment links: each that is completed becomes an order.

Every visit of a link opens a session at Stripe, and most come to nothing: an order is made only when
one is completed, and its id follows from the session's. From then on it is an order like any other.
"""

import logging
from collections.abc import Iterable

from storefront.domain import lost
from storefront.domain.errors import StripeUnreachable
from storefront.domain.lost import Unreadable
from storefront.domain.orders import Line, Order
from storefront.domain.payment_links import LinkState, PaymentLink
from storefront.domain.payments import Payment, Verdict, verdict
from storefront.services import restoring, sessions, settlement
from storefront.services.shop import Shop
from storefront.storage.answers import Settled

ASK_MS = 10_000
"""Stripe is asked about an order so soon, should the process that made it have died before it
settled it."""
MOST_AT_ONCE = 100
"""Sessions that are ended in one go: a job must be over before its lease is."""

log = logging.getLogger(__name__)


def arrive(shop: Shop, payment: Payment, *, in_turn: bool = False) -> Order | None:
    """The order of a link's session, made if it was completed and has none yet.

    None for a session that was not completed, for one that does not say what was bought, and, unless it
    is ``in_turn`` (as in ``settlement.apply``), for one of a link that may be lost.
    """
    order = shop.store.orders.get(payment.order)
    if order is not None or payment.session_status != "complete":
        return order
    link = shop.store.links.get(payment.link)
    line = link.line if link else _line(shop, payment)
    if line is None:
        return None
    word = shop.store.scripts.take_unit(
        payment.order,
        line,
        link=payment.link,
        session=payment.session,
        currency=link.currency if link else payment.currency,
        expires_at=payment.expires_at,
        email=payment.email,
        ask_ms=ASK_MS,
        in_turn=in_turn,
    )
    log.info(
        "order %s: %s, through link %s",
        payment.order,
        word,
        payment.link,
        extra={"order": payment.order},
    )
    return shop.store.orders.get(payment.order)


def settle(shop: Shop, payment: Payment, *, in_turn: bool = False) -> Settled:
    """Make the order of a link's session if it was completed, and settle it.

    ``in_turn`` as in ``settlement.apply``.
    """
    order = arrive(shop, payment, in_turn=in_turn)
    if order is None:
        return Settled.OPEN if payment.session_status != "complete" else Settled.UNKNOWN_ORDER
    return settlement.apply(shop, order, payment, in_turn=in_turn)


def catch_up(shop: Shop, link: PaymentLink) -> None:
    """Settle every completed session of a link that no webhook told of. Raises StripeError."""
    for payment in _unknown(shop, shop.stripe.link_sessions(link.stripe, "complete")):
        settle(shop, payment)


def end_open(shop: Shop, stripe_link: str) -> bool:
    """End the open sessions of a link that is switched off, and settle those that were quicker.

    False when there are more than can be ended in one go. Raises StripeError, for one that is being
    paid at this moment too: nothing may go back before Stripe has said how that ended.
    """
    busy = ""
    for ended, payment in enumerate(shop.stripe.link_sessions(stripe_link, "open")):
        if ended == MOST_AT_ONCE:
            return False
        if not end(shop, payment):
            busy = payment.session
    if busy:
        raise StripeUnreachable(f"{busy} could not be ended yet")
    return True


def end(shop: Shop, payment: Payment) -> bool:
    """End an open session of a link; False while a payment is being made in it.

    Raises StripeError.
    """
    found = sessions.ended(shop, payment.session)
    if verdict(found) is Verdict.OPEN:
        return False
    settle(shop, found)
    return True


def walk(shop: Shop, payment: Payment) -> str:
    """What reconciling does with a session that has no order: the number that it counts for.

    One that can still be paid is ended when its link sells no more; one of a link that is being
    closed is ended by that.
    """
    stands = verdict(payment)
    if stands is Verdict.OPEN:
        link = shop.store.links.get(payment.link)
        if link is not None and link.state is not LinkState.CLOSED:
            return "known"
        return "ended" if end(shop, payment) else "known"
    if payment.session_status != "complete":
        return "known"
    outcome = settle(shop, payment, in_turn=True)
    return "unknown" if outcome is Settled.UNKNOWN_ORDER else "settled"


def _unknown(shop: Shop, found: Iterable[Payment]) -> list[Payment]:
    """Those without an order here, the oldest first."""
    by_order = {payment.order: payment for payment in found}
    known = {order.id for order in shop.store.orders.each(list(by_order))}
    return [payment for order, payment in reversed(by_order.items()) if order not in known]


def _line(shop: Shop, payment: Payment) -> Line | None:
    """What a session bought whose link is not here, as its metadata says."""
    try:
        lines = lost.read([payment], restoring.describing(shop)).lines
    except Unreadable as why:
        log.error("a person must look at session %s: %s", payment.session, why)  # noqa: TRY400 - the reason says it all
        return None
    return lines[0] if len(lines) == 1 else None
