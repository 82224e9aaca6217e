"""One mail of every kind about made-up orders, for who works on their texts."""

from dataclasses import replace

from storefront.domain.money import parse_amount
from storefront.domain.orders import Line, Order, Reason, Refund, State, total
from storefront.services import notice_texts, orders_text, review_text
from storefront.services.notice_parts import Notice
from storefront.services.shop import Shop

ORDER = "a2b3c4d5e6f7a2b3"
MINUTE_MS = 60_000


def samples(shop: Shop) -> dict[str, Notice]:
    """Mails by name: their kind, and what is special about them. It reads and changes no order."""
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
    found = {
        "confirmed": notice_texts.confirmed(shop, paid),
        "confirmed-in-review": notice_texts.confirmed(shop, disputed),
        "processing": notice_texts.processing(shop, replace(paid, state=State.PROCESSING)),
        "sent": notice_texts.sent(shop, replace(paid, state=State.FULFILLED)),
        "refunded": notice_texts.refunded(shop, late, "re_sample"),
        "refunded-in-part": notice_texts.refunded(shop, part, "re_sample"),
        "voided": notice_texts.voided(shop, cancelled, payment),
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
