"""From wanting to paying: hold everything or nothing, then open the payment.

A shopper is never blocked by his own hold: the same basket resumes its payment, another one ends the
old hold first. A double click is one order, because the order's id comes from the form's token.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storefront import languages
from storefront.domain import orders as rules
from storefront.domain.door import LOST
from storefront.domain.errors import (
    BadInput,
    NotEnoughStock,
    NotOpenYet,
    OverLimit,
    ShopClosed,
    StripeError,
    StripeKeyMismatch,
    StripeRefused,
    StripeSpent,
    StripeUnreachable,
    TooManyHolds,
    UnknownSku,
)
from storefront.domain.money import most
from storefront.domain.orders import Line, Order, Reason, State
from storefront.domain.payments import Payment
from storefront.domain.terms import Terms
from storefront.services import links, pricing, recovery, sessions, settlement
from storefront.services.shop import Shop
from storefront.services.terms import offered
from storefront.storage.answers import Attached, Held, HoldAnswer, Limits, Renewed, Settled, Wanted

ASK_MS = 30_000
"""A creation ends within 17 s; an order without payment page after this long was left by its web
process, and the worker looks after it."""
MOST_LINES = 50
"""Different SKUs in one order; Stripe takes 100 line items."""
ROUNDS = 8
"""How often a checkout may clear the way (end an old hold, settle overdue ones) and try again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """Where a checkout led: the order, and the address to send the shopper to."""

    order: Order
    url: str


def begin(
    shop: Shop, *, visitor: str, address: str, form_token: str, wanted: Mapping[str, int]
) -> Started:
    """Hold what is wanted (units by SKU) for the visitor and open its payment.

    ``address`` stands for the client's network address. Raises the refusals of ``domain.errors``,
    with nothing held; StripeError when the payment page could not be prepared: nothing is charged,
    and what was held goes back as soon as Stripe confirms that nothing can be paid.
    """
    lines, terms = _priced(shop, wanted)
    basket = rules.basket_of(wanted)
    form_token = form_token or secrets.token_urlsafe(16)
    if started := _resume_one(shop, _live_of(shop, visitor), basket):
        return started
    attempt = 1
    cleared: set[str] = set()
    for _ in range(ROUNDS):
        order_id = links.order_id(shop.settings, visitor, form_token, basket, str(attempt))
        answer = _hold(shop, order_id, lines, terms, basket, visitor, address)
        match answer.word:
            case Held.HELD:
                log.info("order %s: held", order_id, extra={"order": order_id})
                return open_payment(shop, _known(shop, order_id), first=True)
            case Held.ALREADY:
                if started := resume(shop, _known(shop, order_id)):
                    return started
                attempt += 1  # that one ended unpaid; the shopper wants it again
            case Held.VISITOR_LIMIT:
                old = _known(shop, answer.order)
                if old.basket == basket and (started := resume(shop, old)):
                    return started
                _end(shop, old)
            case Held.SHORT:
                own = _live_of(shop, visitor)
                if started := _resume_one(shop, own, basket):
                    return started  # another click has taken the units in between
                _make_room(shop, answer, own, cleared)
            case Held.ADDRESS_LIMIT:
                raise TooManyHolds(answer.number)
            case Held.NOT_OPEN:
                raise NotOpenYet(answer.sku, answer.number)
            case Held.OVER_LIMIT:
                raise OverLimit(answer.sku, answer.number)
            case Held.UNKNOWN_SKU:
                raise UnknownSku(answer.sku)
            case Held.CLOSED:
                raise ShopClosed(answer.door)
    raise TooManyHolds(retry_after=5)


def open_payment(shop: Shop, order: Order, *, first: bool = False) -> Started:
    """Make the payment page of a pending order, or find the one that was made. Raises StripeError.

    ``first``: nobody has asked Stripe for it before, so any clear no means that nothing was made.
    """
    if order.undecided:
        return Started(order, links.payment_page(shop.settings, order.id))
    ours = first
    for _ in range(3):
        try:
            payment = _session(shop, order)
        except StripeUnreachable:
            # Unknown is not failed: the hold stays until the worker has Stripe's word. A second
            # click leaves that to the first, whose answer may be on its way.
            if ours:
                shop.store.due.schedule(f"ask:{order.id}", shop.store.now())
            raise
        except StripeRefused as refused:
            nothing = first or sessions.made_nothing(order, refused)
            if nothing and _without_prices(shop, order, refused):
                order = _known(shop, order.id)
                continue  # and ``first`` stays what it was: nobody has asked under this number
            if nothing:
                shop.store.scripts.release_hold(
                    order.id,
                    session="",
                    version=order.session_version,
                    reason=Reason.REFUSED,
                )
            else:
                shop.store.due.schedule(f"ask:{order.id}", shop.store.now())
            log.warning("order %s: stripe refused: %s", order.id, refused)
            raise
        if payment is None:  # the key is spent and made nothing: go on under the next number
            shop.store.scripts.renew_session(
                order.id,
                version=order.session_version,
                session_seconds=sessions.SESSION_SECONDS,
            )
            order = _known(shop, order.id)
            first = False
            continue
        attached = shop.store.scripts.attach_session(
            order.id, session=payment.session, url=payment.url
        )
        order = _known(shop, order.id)
        if attached is not Attached.TOO_LATE and payment.session_status != "open":
            settlement.apply(shop, order, payment)
            order = _known(shop, order.id)
        if order.state is State.OPEN and not order.ending:
            return Started(order, order.url)
        if order.state not in {State.PENDING, State.OPEN, State.RELEASED}:
            return Started(order, links.order(shop.settings, order.id))
        break
    if ours and order.state is State.PENDING:
        shop.store.due.schedule(f"ask:{order.id}", shop.store.now())
    raise StripeUnreachable("the payment page could not be prepared in time")


def _without_prices(shop: Shop, order: Order, refused: StripeRefused) -> bool:
    """Whether to ask once more, with the amounts in place of Prices: one may have been archived.

    The number under which that is asked is stored first. Another process that was quicker has asked
    already, so then the refusal counts.
    """
    if not sessions.names_prices(order) or refused.status in {401, 403}:
        return False
    log.warning("order %s: stripe refused its Prices: %s", order.id, refused)
    pricing.forget(shop, order.id)
    renewed = shop.store.scripts.renew_session(
        order.id, version=order.session_version, session_seconds=sessions.SESSION_SECONDS
    )
    return renewed is Renewed.RENEWED


def _session(shop: Shop, order: Order) -> Payment | None:
    """The order's session, made or found; None when this version of the key made none."""
    if not sessions.creatable(shop, order):
        return sessions.look_up_late(shop, order)
    try:
        return sessions.make(shop, order)
    except (StripeSpent, StripeKeyMismatch):
        return sessions.look_up(shop, order)


def resume(shop: Shop, order: Order) -> Started | None:
    """Lead back to an order's payment, or to its page when it is paid; None when it is over."""
    if order.state is State.PENDING:
        return open_payment(shop, order)
    if order.state is State.OPEN:
        try:
            if order.ending or order.deadline <= shop.store.now():
                settlement.end(shop, order, Reason(order.ending or Reason.EXPIRED))
            else:
                settlement.ask(shop, order)
        except StripeError:
            if order.ending:
                raise  # whoever is ending it may be done at any moment: nobody is led to it
            log.warning("order %s: resumed unasked", order.id, extra={"order": order.id})
        order = _known(shop, order.id)
    if order.state is State.OPEN:
        return Started(order, order.url)
    if order.state is State.RELEASED:
        return None
    return Started(order, links.order(shop.settings, order.id))


def _live_of(shop: Shop, visitor: str) -> list[Order]:
    return shop.store.orders.get_many(shop.store.orders.live_of(visitor))


def _resume_one(shop: Shop, live: Sequence[Order], basket: str) -> Started | None:
    """Lead back to the one of the visitor's running orders that has the same basket."""
    for order in live:
        if order.basket == basket and (started := resume(shop, order)):
            return started
    return None


def _end(shop: Shop, old: Order) -> None:
    """End the visitor's older hold, so that it never stands in his own way."""
    outcome = settlement.end(shop, old, Reason.REPLACED)
    if outcome is Settled.OPEN:
        raise StripeUnreachable("the older payment could not be ended")


def _make_room(shop: Shop, answer: HoldAnswer, live: Sequence[Order], cleared: set[str]) -> None:
    """Free what is short: the visitor's own holds on it, then those past their deadline.

    Each is tried once, with Stripe's word; when none is left, the refusal is raised. Raises
    StripeError when his own hold is what cannot be ended: then nothing is short.
    """
    short = {shortage.sku for shortage in answer.shortages}
    own = [order.id for order in live if short & {line.sku for line in order.lines}]
    todo = [order for order in (*own, *answer.overdue) if order not in cleared]
    if not todo:
        raise NotEnoughStock(answer.shortages)
    for order_id in todo:
        cleared.add(order_id)
        reason = Reason.REPLACED if order_id in own else Reason.EXPIRED
        try:
            settlement.end(shop, _known(shop, order_id), reason)
        except StripeError as error:
            log.warning("order %s: not ended: %s", order_id, error, extra={"order": order_id})
            if order_id in own:
                raise


def _hold(
    shop: Shop,
    order_id: str,
    lines: Sequence[Wanted],
    terms: Terms,
    basket: str,
    visitor: str,
    address: str,
) -> HoldAnswer:
    settings = shop.settings
    return shop.store.scripts.hold_stock(
        order_id,
        lines,
        basket=basket,
        form=settings.checkout_ui,
        currency=settings.shop_currency,
        amount=rules.total(wanted.line for wanted in lines),
        terms=terms,
        visitor=visitor,
        address=address,
        limits=Limits(settings.holds_per_visitor, settings.holds_per_ip),
        hold_ms=settings.hold_seconds * 1000,
        grace_ms=settings.hold_grace_seconds * 1000,
        session_seconds=sessions.SESSION_SECONDS,
        ask_ms=ASK_MS,
        language=languages.current(),
    )


def _priced(shop: Shop, wanted: Mapping[str, int]) -> tuple[list[Wanted], Terms]:
    """The lines with today's prices and limits, from the catalogue and never from the form.

    And what may come on top of them.
    """
    if not wanted:
        raise BadInput("Choose something first: nothing was selected.")
    if len(wanted) > MOST_LINES:
        raise BadInput("One order can have at most %(most)s different things.", most=MOST_LINES)
    catalogue, prices = shop.store.catalogue.priced(list(wanted))
    currency = shop.settings.shop_currency
    lines = []
    can_be_sent = True
    for sku, quantity in sorted(wanted.items()):
        found = catalogue.by_sku(sku)
        if found is None:
            if (door := recovery.stands(shop)) in LOST:
                raise ShopClosed(door)
            raise UnknownSku(sku)
        product, variant = found
        limit = product.max_per_order or shop.settings.max_per_order
        if quantity < 1:
            raise BadInput("Choose a quantity of 1 or more.")
        if quantity > limit:
            raise OverLimit(sku, limit)
        price = prices.get(sku)
        line = Line(
            sku=sku,
            quantity=quantity,
            unit_amount=variant.price,
            name=product.name_of(variant),
            slug=product.slug,
            image=product.image,
            price=price.id if price and price.stands_for(variant.price, currency) else "",
        )
        lines.append(Wanted(line, limit, product.opens_at or 0))
        can_be_sent = can_be_sent and product.delivery
    goods = rules.total(line.line for line in lines)
    terms = offered(shop.settings, goods=goods, can_be_sent=can_be_sent)
    if goods + max((rate.amount for rate in terms.rates), default=0) > most(
        shop.settings.shop_currency
    ):
        raise BadInput("This is more money than one payment can be: choose fewer units.")
    return lines, terms


def _known(shop: Shop, order_id: str) -> Order:
    order = shop.store.orders.get(order_id)
    if order is None:  # only when Redis lost what it had acknowledged
        raise StripeUnreachable(f"order {order_id} is gone")
    return order
