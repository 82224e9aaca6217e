"""What the operator is told about an order that needs them."""

from storefront.domain.orders import REFUND_TAKEN, Order, State
from storefront.domain.payments import Payment, mismatch
from storefront.services import links
from storefront.services.notice_parts import Button, Heading, Notice, Words, paragraphs, steps
from storefront.services.shop import Shop
from storefront.settings import Settings


def review(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """Tells the operator why an order needs them; None once it does not any more."""
    if order.state is not State.REVIEW:
        return None
    words = Words(shop.settings, order)
    facts = []
    foreign = order.reason.startswith("paid in ")  # as domain.payments.mismatch writes it
    for payment, paid in order.payments.items():
        amount = f"{paid} of the currency's smallest unit" if foreign else words.money(paid)
        facts.append(("Payment", f"{amount}, {payment}"))
    facts += [("Refund", f"{words.money(r.amount)}, {r.status}, {r.id}") for r in order.refunds]
    facts += [
        ("Dispute", f"{words.money(d.amount)} of {d.payment_intent}, {d.status}, {d.id}")
        for d in order.disputes
    ]
    facts += [
        ("Customer", order.email or "address not known yet"),
        ("Its page", links.order(shop.settings, order.id)),
    ]
    where = {
        "held": "Its units stay held, so that nobody else can buy them until you have decided.",
        "sold": "Its units stay counted as sold until you have decided.",
    }.get(order.units, "It has no units: none are held or sold for it.")
    to_do = [f"Look at the payment at Stripe: {at}" for at in _at_stripe(shop.settings, order)]
    if order.disputes:
        to_do.append(
            "Answer the dispute at Stripe before its deadline: a disputed payment cannot be refunded. "
            "Once it is won, move the order out of review on its page in the admin."
        )
    if any(r.status not in REFUND_TAKEN for r in order.refunds):
        to_do.append(
            "A refund failed, so its money is with you again: send it to the customer in another "
            "way."
        )
    elif order.disputes:
        pass
    elif not order.payments:
        to_do.append(
            "The shop knows of no payment that was taken. Is there one at Stripe? Cancel or refund "
            "it there."
        )
    else:
        to_do.append(
            "Is the money to go back? Refund it from the order's page in the admin, or in full in "
            "Stripe's dashboard: the shop tells the customer."
        )
    to_do.append(
        "Write to the customer. The order's page says only that a person is looking at it."
    )
    return Notice(
        subject=f"Please look at order {order.id}",
        title="An order needs you",
        parts=(
            *paragraphs(f"Why: {_needs(words)}.", where),
            *steps("What to do", to_do),
            Button("Open the order", links.admin_order(shop.settings, order.id)),
            words.facts(*facts),
            Heading("What the order is for"),
            words.lines(),
        ),
    )


def _needs(words: Words) -> str:
    """Why an order is before a person; amounts that differ are written out."""
    order = words.order
    for paid in order.payments.values():
        payment = Payment(amount=paid, currency=order.currency)
        if mismatch(payment, order.amount, order.currency) == order.reason:
            held = words.money(order.amount)
            return f"{words.money(paid)} was paid, but the order was held for {held}"
    return " ".join(order.reason.split()).rstrip(".")


def _at_stripe(settings: Settings, order: Order) -> list[str]:
    """Where the operator finds the order's payments: pages of Stripe's dashboard, or their ids."""
    payments = list(order.payments) or [order.payment_intent or order.session]
    return [links.payment(settings, payment) or payment for payment in payments if payment]
