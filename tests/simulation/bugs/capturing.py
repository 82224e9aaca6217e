"""Mistakes with money that is only authorised, and with the shop's own payment page."""

import itertools
from contextlib import suppress
from dataclasses import replace
from typing import Any

from storefront.domain.errors import StripeRefused
from storefront.domain.events import Event
from storefront.domain.orders import Order, Reason, State
from storefront.domain.payments import Payment, Verdict, verdict
from storefront.services import captures, events, orders, sessions, settlement, work
from storefront.services.shop import Shop
from storefront.storage.answers import Settled
from storefront.storage.scripts import Scripts
from tests.simulation.bugs.bug import SPENT, Bug

numbers = itertools.count()
real_apply = settlement.apply
real_ended = sessions.ended
real_payable = orders.payable
real_payment = events._payment


def capture_first(shop: Shop, order: Order, payment: Payment, **rest: Any) -> Settled:
    if verdict(payment) is Verdict.AUTHORIZED:
        key = f"capture:{payment.payment_intent}"
        with suppress(StripeRefused):
            done = shop.stripe.capture(payment.payment_intent, key)
            payment = replace(payment, intent_status=done.intent_status)
    return real_apply(shop, order, payment, **rest)


def capture_what_is_void(shop: Shop, order_id: str, payment_intent: str) -> None:
    order = shop.store.orders.get(order_id)
    if order is not None and payment_intent in order.authorizations:
        facts = shop.stripe.capture(payment_intent, f"capture:{payment_intent}")
        settlement.apply(shop, order, facts)


def believe_in_the_capture(shop: Shop, order_id: str, payment_intent: str) -> int | None:
    order = shop.store.orders.get(order_id)
    if order is None or payment_intent not in order.authorizations:
        return None
    with suppress(StripeRefused):  # "it must have been captured before"
        shop.stripe.capture(payment_intent, f"capture:{payment_intent}")
    shop.store.scripts.settle_payment(
        order_id,
        payment_intent=payment_intent,
        session="",
        amount=order.authorizations[payment_intent],
        email="",
        event="",
    )
    return None


def settle_leaving_it_open(shop: Shop, order: Order, facts: Payment) -> None:
    if facts.intent_status == "requires_payment_method":
        shop.store.scripts.void_payment(
            order.id, payment_intent=facts.payment_intent, reason=Reason.LAPSED
        )
    else:
        settlement.apply(shop, order, facts)


def believe_an_old_event(shop: Shop, event: Event, payment: Payment) -> str:
    order = shop.store.orders.get(payment.order) if payment.order else None
    old = payment.intent_status == "requires_payment_method"
    if order is not None and old and payment.payment_intent in order.authorizations:
        return shop.store.scripts.void_payment(
            order.id,
            payment_intent=payment.payment_intent,
            reason=Reason.LAPSED,
            event=event.id,
        )
    return real_payment(shop, event, payment)


def cancel_unread(shop: Shop, session: str) -> Payment:
    if not session.startswith(sessions.INTENT):
        return real_ended(shop, session)
    try:
        return shop.stripe.cancel_intent(session)
    except StripeRefused:
        return sessions.read(shop, session)


def end_in_our_books_only(shop: Shop, session: str) -> Payment:
    if not session.startswith(sessions.INTENT):
        return real_ended(shop, session)
    found = sessions.read(shop, session)
    if verdict(found) is Verdict.OPEN:
        return replace(found, session_status="expired", intent_status="canceled")
    return found


def pay_anew(shop: Shop, order: Order) -> tuple[Order, Payment | None]:
    if order.state is not State.OPEN or not order.session.startswith(sessions.INTENT):
        return real_payable(shop, order)
    key = f"{sessions.key(order)}:{next(numbers)}"
    return order, shop.stripe.create_intent(sessions.intent_params(shop, order), key)


def unnumbered(_self: Any, _order: str, _payment: str) -> int:
    return 0


BUGS = (
    Bug("captures before the goods are committed", swaps=((settlement, "apply", capture_first),)),
    Bug(
        "captures what is to be cancelled",
        swaps=((work, "WORK", work.WORK | {"void": capture_what_is_void}),),
    ),
    Bug(
        "takes a refused capture for money",
        swaps=((work, "WORK", work.WORK | {"capture": believe_in_the_capture}),),
    ),
    Bug(
        "forgets the void",
        lua=(("authorize_payment", "'sold_out')\n  schedule(void, now)", "'sold_out')"),),
    ),
    Bug(
        "keeps a second authorisation",
        lua=(("authorize_payment", "'duplicate')\n  schedule(void, now)", "'duplicate')"),),
    ),
    Bug(
        "gives goods for a late authorisation without looking at the stock",
        lua=(
            (
                "authorize_payment",
                "not (fields[6] and all_in(AVAILABLE, lines) or all_free(lines))",
                "false",
            ),
        ),
    ),
    Bug(
        "authorises and never captures",
        lua=(
            (
                "authorize_payment",
                "schedule('capture:' .. ask.order .. ':' .. ask.payment_intent, now)",
                "",
            ),
        ),
    ),
    Bug(
        "cancels an authorisation without a mail",
        lua=(
            (
                "void_payment",
                "schedule('mail:voided:' .. ask.order .. ':' .. ask.payment_intent, now)",
                "",
            ),
        ),
    ),
    Bug(
        "keeps the goods of an authorisation that ran out",
        lua=(("void_payment", "if at ~= 'none' then move_order(", "if false then move_order("),),
    ),
    Bug(
        "captures with a spent key for ever",
        swaps=((Scripts, "number_capture", unnumbered),),
        town={**SPENT, "capture": "manual"},
    ),
    Bug(
        "undoes an authorisation when an old event says that it is not paid",
        swaps=((events, "_payment", believe_an_old_event),),
    ),
    Bug(
        "leaves a PaymentIntent open that a bank backed out of",
        swaps=((captures, "_settle", settle_leaving_it_open),),
        town={
            "capture": "manual",
            "unwilling": 0.3,
            "ui": "elements",
            "stripe": 0.0,
            "crash": 0.0,
            "steps": 160,
        },
    ),
    Bug(
        "cancels the PaymentIntent of who was authorised in time",
        swaps=((sessions, "ended", cancel_unread),),
    ),
    Bug(
        "releases without cancelling the PaymentIntent",
        swaps=((sessions, "ended", end_in_our_books_only),),
    ),
    Bug(
        "makes a second PaymentIntent when its page is opened again",
        swaps=((orders, "payable", pay_anew),),
    ),
)
