"""One mail of every kind about made-up orders, for who works on their texts."""

from dataclasses import replace

from storefront.domain.money import parse_amount
from storefront.domain.orders import Line, Order, Reason, Refund, State, total
from storefront.domain.waitlist import Place, PlaceState
from storefront.services import notice_texts, orders_text, review_text, waitlist_texts
from storefront.services.notice_parts import Notice
from storefront.services.shop import Shop

ORDER = "a2b3c4d5e6f7a2b3"
PLACE = "b2c3d4e5f6a7b2c3"
MINUTE_MS = 60_000


def samples(shop: Shop) -> dict[str, Notice]:
    """Mails by name: their kind, then what is special about them. It reads and changes no order."""
    paid = _paid(shop)
    payment = paid.payment_intent
    late = replace(
        paid,
        state=State.REFUNDED,
        refunds=(Refund("re_sample", paid.amount, "succeeded", payment, Reason.SOLD_OUT),),
    )
    part = replace(paid, refunds=(Refund("re_sample", paid.amount // 2, "pending", payment),))
    cancelled = replace(
        paid,
        state=State.VOIDED,
        payments={},
        voided={payment: paid.amount},
        void_reasons={payment: Reason.SOLD_OUT},
    )
    disputed = replace(paid, state=State.REVIEW, reason="the buyer's bank disputes the payment")
    offered = replace(paid, state=State.OFFERED, lines=paid.lines[1:], payments={}, place=PLACE)
    missed = replace(offered, state=State.RELEASED, reason=Reason.EXPIRED)
    found = {
        "confirmed": notice_texts.confirmed(shop, paid),
        "confirmed-in-review": notice_texts.confirmed(shop, disputed),
        "processing": notice_texts.processing(shop, replace(paid, state=State.PROCESSING)),
        "declined": notice_texts.declined(
            shop, replace(paid, state=State.RELEASED, reason=Reason.DECLINED, payments={})
        ),
        "sent": notice_texts.sent(shop, replace(paid, state=State.FULFILLED)),
        "refunded": notice_texts.refunded(shop, late, "re_sample"),
        "refunded-in-part": notice_texts.refunded(shop, part, "re_sample"),
        "voided": notice_texts.voided(shop, cancelled, payment),
        "waitlist": waitlist_texts.joined(shop, _place(shop)),
        "offer": waitlist_texts.offer(shop, offered),
        "offer-missed": waitlist_texts.offer_missed(shop, missed),
        "orders": orders_text.listing(shop.settings, [paid, late, cancelled]),
        "review": review_text.review(shop, disputed),
    }
    return {name: notice for name, notice in found.items() if notice}


def _paid(shop: Shop) -> Order:
    currency, now = shop.settings.shop_currency, shop.store.now()
    lines = (
        Line("poster-red", 2, parse_amount("25", currency), "Opening night poster (Red)", "poster"),
        Line("record", 1, parse_amount("28", currency), "The record", "record"),
    )
    return Order(
        id=ORDER,
        state=State.PAID,
        created=now - 5 * MINUTE_MS,
        currency=currency,
        amount=total(lines),
        lines=lines,
        deadline=now,
        expires_at=now // 1000,
        session_version=1,
        payment_intent="pi_sample",
        payments={"pi_sample": total(lines)},
        email="ada@example.org",
        units="sold",
        updated=now,
    )


def _place(shop: Shop) -> Place:
    now = shop.store.now()
    return Place(
        id=PLACE,
        sku="record",
        state=PlaceState.UNCONFIRMED,
        number="1",
        orders=(ORDER,),
        offered=0,
        joined=now,
        mailed=now,
        confirmed=0,
        email="ada@example.org",
    )
