"""Bring an order to what Stripe says is true.

Webhook, return page and worker all come here, at the same time if it so happens: the scripts let one
of them win and tell the others so. Stripe's word is always asked for before stock goes back.
"""

import logging

from storefront.domain import lost
from storefront.domain.errors import StripeError, StripeUnreachable
from storefront.domain.orders import AWAITING, HOLDING, Form, Order, Reason, State
from storefront.domain.payments import Payment, Verdict, lacks_parts, mismatch, verdict
from storefront.domain.terms import Way, way_of
from storefront.services import sessions
from storefront.services.shop import Shop
from storefront.storage.answers import Attached, Settled
from storefront.storage.charging import Charged, Told

LONGEST_ASK_MS = 3600_000
"""Stripe is asked at least so often about a payment that is on its way for hours or days."""
SHORTEST_ASK_MS = 10_000

log = logging.getLogger(__name__)


def apply(
    shop: Shop,
    order: Order,
    payment: Payment,
    *,
    reason: Reason = Reason.EXPIRED,
    in_turn: bool = False,
    event: str = "",
) -> Settled:
    """Do what the facts about one of the order's payments ask for, once, whoever brings them.

    ``reason`` is why a hold is released, should the facts say that nothing can be paid any more.
    ``in_turn``: whoever paid in time was settled before. Who did not waits for that while the books
    are not known to be whole, because the units that are free may be those of an order that was lost.
    """
    scripts = shop.store.scripts
    order = recall(shop, order, payment)
    authorized = payment.payment_intent in order.authorizations
    paid_with = payment.paid_with
    match verdict(payment):
        case Verdict.PAID:
            if wrong := _wrong(order, payment):
                outcome = scripts.review_order(
                    order.id,
                    reason=wrong,
                    payment_intent=paid_with,
                    amount=payment.amount,
                    email=payment.email,
                    event=event,
                )
            else:
                outcome = scripts.settle_payment(
                    order.id,
                    payment_intent=paid_with,
                    session=payment.session,
                    amount=payment.amount,
                    parts=_charged(order, payment),
                    email=payment.email,
                    in_turn=in_turn,
                    event=event,
                )
        case Verdict.AUTHORIZED:
            if wrong := _wrong(order, payment):
                outcome = scripts.review_order(order.id, reason=wrong, event=event)
            else:
                outcome = scripts.authorize_payment(
                    order.id,
                    payment_intent=payment.payment_intent,
                    session=payment.session,
                    amount=payment.amount,
                    parts=_charged(order, payment),
                    capture_before=payment.capture_before,
                    email=payment.email,
                    in_turn=in_turn,
                    event=event,
                )
        # Only "canceled" is for ever: an old event may still tell of what was before.
        case _ if authorized and payment.intent_status == "canceled":
            outcome = scripts.void_payment(
                order.id,
                payment_intent=payment.payment_intent,
                reason=Reason.LAPSED,
                event=event,
            )
        case Verdict.PROCESSING:
            outcome = scripts.mark_processing(
                order.id,
                session=payment.session,
                payment_intent=payment.payment_intent,
                email=payment.email,
                ask_ms=_patience(shop, order),
                event=event,
            )
        # What became of an intent alone ends no session: the order's may be another.
        case Verdict.EXPIRED | Verdict.DECLINED as ended if payment.session:
            outcome = scripts.release_hold(
                order.id,
                session=payment.session,
                version=order.session_version,
                reason=Reason.DECLINED if ended is Verdict.DECLINED else reason,
                event=event,
            )
        case _:
            outcome = Settled.OPEN
    if outcome is not Settled.OPEN:
        log.info("order %s: %s", order.id, outcome, extra={"order": order.id})
    return outcome


def recall(shop: Shop, order: Order, payment: Payment) -> Order:
    """The order as its payment was made for it, where Redis was restarted and has lost that.

    A payment is made only after an offer was taken, and on our own page after the way was chosen; it
    says by which terms, and which way.
    """
    taken_unheard = order.place and order.terms.plain  # its session may be noted again since
    if (order.session_version and not taken_unheard) or not lost.names_terms(payment):
        return order
    try:
        terms = lost.read_terms(payment) if order.terms.plain else order.terms
    except lost.Unreadable:
        return order
    own = payment.metadata.get("form") == Form.ELEMENTS
    rate = terms.rate(payment.metadata.get("way", "")) if own else None
    if own and rate is None:
        return order
    parts = None
    if rate:
        to = payment.recipient if rate.way is Way.DELIVERY else None
        parts = Charged(order.goods + rate.amount, rate.amount, way=rate.way, recipient=to)
    form = Form.ELEMENTS if own else Form.HOSTED
    told = Told(terms.to_json(), form) if order.terms.plain else Told()
    shop.store.scripts.choose_way(order.id, parts, ask_ms=SHORTEST_ASK_MS, told=told)
    return shop.store.orders.get(order.id) or order


def needs_session(order: Order, payment: Payment) -> bool:
    """Whether a PaymentIntent alone was told, which does not say what its amount is made of.

    One that is known here already was compared before.
    """
    return _compared(order, payment) is None and lacks_parts(payment, order.terms)


def _compared(order: Order, payment: Payment) -> int | None:
    """What a payment of this order came to (minor units) when it was looked at in its parts.

    An event may still tell of its PaymentIntent, as it was before or is by now.
    """
    for known in (order.authorizations, order.payments, order.voided):
        if payment.payment_intent in known:
            return known[payment.payment_intent]
    return None


def _wrong(order: Order, payment: Payment) -> str:
    """Why a payment must not buy the order, or an empty text."""
    agreed = _compared(order, payment)
    if agreed is not None and payment.parts is None and payment.currency == order.currency:
        differs = f"paid {payment.amount} {order.currency}, agreed to {agreed} {order.currency}"
        return "" if payment.amount == agreed else differs
    return mismatch(payment, order.goods, order.currency, order.terms, order.way)


def _charged(order: Order, payment: Payment) -> Charged | None:
    """What the amount is made of; None where the order knows that already."""
    parts = payment.parts
    if parts is None or order.terms.plain:
        return None
    way = way_of(order.terms, parts)
    return Charged(
        total=payment.amount,
        shipping=parts.shipping,
        tax=parts.tax,
        discount=parts.discount,
        way=way or "",
        recipient=payment.recipient if way is Way.DELIVERY else None,
    )


def ask(shop: Shop, order: Order) -> Settled:
    """Ask Stripe how the order's payment stands, and settle it. Raises StripeError."""
    if not order.session:
        return Settled.OPEN
    return apply(shop, order, sessions.read(shop, order.session))


def end(shop: Shop, order: Order, reason: Reason) -> Settled:
    """End the order's payment at Stripe; give the units back when Stripe has confirmed it.

    A payment that was quicker is settled instead. Raises StripeError when Stripe did not answer
    clearly: then everything stays as it is.
    """
    if order.state not in HOLDING:
        return Settled.KEPT
    # One with a session was taken, and Redis has lost that.
    if order.state is State.OFFERED and not order.session:
        return withdraw(shop, order, reason)
    if not order.session:
        found = sessions.find(shop, order)
        if found is None:
            outcome = shop.store.scripts.release_hold(
                order.id, session="", version=order.session_version, reason=reason
            )
            log.info("order %s: %s", order.id, outcome, extra={"order": order.id})
            if outcome is Settled.KEPT and _unsettled(shop, order):
                raise StripeUnreachable(f"what Stripe was asked for {order.id} may be lost for now")
            return outcome
        attached = shop.store.scripts.attach_session(
            order.id, session=found.session, url=found.url, ending=reason
        )
        if attached is Attached.TOO_LATE:
            return Settled.KEPT
        order = shop.store.orders.get(order.id) or order
        if reason is Reason.EXPIRED and not order.ending and shop.store.now() < order.deadline:
            return Settled.OPEN  # its shopper came back, was quicker, and is on the way to pay
    if reason is not Reason.EXPIRED:
        shop.store.scripts.note_ending(order.id, reason)
    try:
        payment = sessions.ended(shop, order.session)
    except StripeError:
        if order.ending or reason is not Reason.EXPIRED:
            shop.store.scripts.note_ending(order.id, "")
        raise
    return apply(shop, order, payment, reason=reason)


def _unsettled(shop: Shop, order: Order) -> bool:
    """Whether an order that was just looked at is still to be ended."""
    now = shop.store.orders.get(order.id)
    return now is not None and now.state is State.PENDING


def withdraw(shop: Shop, order: Order, reason: Reason, who: str = "") -> Settled:
    """End an offer: its unit goes to the next in line.

    Stripe is not asked, because nobody ever told it of the order: an offer that is taken becomes
    another version of it first, and then the script keeps the units, as it does while the books are
    not known to be whole.
    """
    outcome = shop.store.scripts.release_hold(
        order.id, session="", version=0, reason=reason, who=who
    )
    log.info("order %s: offer %s", order.id, outcome, extra={"order": order.id})
    return outcome


def ask_when_due(shop: Shop, order_id: str, payment_intent: str = "") -> int | None:
    """The due job ``ask``: look after an order that no webhook and no shopper brought further.

    Or after one of its payments, of which only the PaymentIntent was told.

    A pending order never showed its shopper a payment page, so its hold ends. Answers in how many
    milliseconds to ask again, or None when there is nothing left to ask.
    """
    order = shop.store.orders.get(order_id)
    if order is None:
        return None
    if payment_intent:
        if not order.at_counter:  # of that nobody but the till knows
            apply(shop, order, sessions.paid_by(shop, order, payment_intent))
        return None
    if order.state is State.PENDING:
        outcome = end(shop, order, Reason.EXPIRED)
    else:
        outcome = ask(shop, order)
        if order.form is Form.ELEMENTS and (order.state, outcome) == (
            State.PROCESSING,
            Settled.OPEN,
        ):
            # A payment that failed on its way leaves its PaymentIntent open for another try.
            outcome = end(shop, order, Reason.DECLINED)
    order = shop.store.orders.get(order_id) or order
    if order.state is State.PENDING:
        raise StripeUnreachable(f"the session of {order_id} is not settled: {outcome}")
    # Money can be on its way for an order that was released by hand, too.
    coming = order.state is State.RELEASED and outcome is Settled.KEPT
    return _patience(shop, order) if order.state is State.PROCESSING or coming else None


def end_when_due(shop: Shop, order_id: str) -> int | None:
    """The due job ``expire``: at a hold's deadline, end its payment and settle what is true."""
    order = shop.store.orders.get(order_id)
    if order is None or order.state not in HOLDING or order.state is State.PROCESSING:
        return None
    outcome = end(shop, order, Reason.EXPIRED)
    order = shop.store.orders.get(order_id) or order
    if order.state in AWAITING | {State.OFFERED}:
        raise StripeUnreachable(f"the session of {order_id} is not settled: {outcome}")
    return None


def end_stray(shop: Shop, order_id: str, session: str) -> int | None:
    """The due job ``stray``: end a session that its order went on without."""
    order = shop.store.orders.get(order_id)
    payment = sessions.ended(shop, session)
    stands = verdict(payment)
    if stands is Verdict.OPEN:  # a payment is being made in it at this moment
        raise StripeUnreachable(f"{session} could not be ended yet")
    if order is not None and stands is not Verdict.EXPIRED:
        apply(shop, order, payment)
    if stands is not Verdict.PROCESSING:
        return None
    return _patience(shop, order) if order else LONGEST_ASK_MS


def look_when_due(shop: Shop, order_id: str) -> None:
    """The due job ``look``: end each session that Stripe made under another number of its order.

    Whoever asked for it may never have heard the answer, so nobody can name it. Raises StripeError.
    """
    order = shop.store.orders.get(order_id)
    if order is None or not order.session:
        return
    for payment in sessions.of_order(shop, order):
        own = order.state in HOLDING and payment.session == order.session
        if verdict(payment) is Verdict.OPEN and not own:
            end_stray(shop, order_id, payment.session)


def _patience(shop: Shop, order: Order) -> int:
    """In how many milliseconds to ask about money on its way, should no webhook tell of it.

    First at the hold's deadline, by which most know, and then less and less often.
    """
    late = shop.store.now() - order.deadline
    return -late if late < 0 else min(max(late, SHORTEST_ASK_MS), LONGEST_ASK_MS)
