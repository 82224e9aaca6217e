"""What mails about orders say: what is true at the moment one is written, in plain words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from babel.dates import format_date, format_time
from babel.numbers import format_currency

from storefront.domain.money import to_decimal
from storefront.domain.orders import GOODS, MONEY_BACK, REFUND_TAKEN, Order, Reason, Refund, State
from storefront.domain.payments import Payment, mismatch
from storefront.services import links
from storefront.services.shop import Shop
from storefront.settings import Settings

PAGE = "The order's page says at any time how it stands."
ANSWER = "Is anything not as it should be? Answer this mail."


@dataclass(frozen=True, slots=True)
class Notice:
    """What one mail says. Its text and its HTML are both made from this and the order's lines."""

    subject: str
    title: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    """What happens next, or what to do."""
    link: str
    """Where the mail's button leads."""


@dataclass(frozen=True, slots=True)
class Words:
    """An order's numbers and times as its shop writes them."""

    settings: Settings
    order: Order

    def money(self, amount: int) -> str:
        """``amount`` minor units of the order's currency, written out."""
        code = self.order.currency
        locale = self.settings.shop_locale
        return format_currency(to_decimal(amount, code), code.upper(), locale=locale)

    def begun(self) -> str:
        """When the order was begun, with the zone."""
        moment = datetime.fromtimestamp(self.order.created / 1000, UTC)
        locale = self.settings.shop_locale
        day, time = format_date(moment, "long", locale), format_time(moment, "short", locale=locale)
        return f"{day}, {time} UTC".replace("\u202f", "\u00a0")  # a space that all fonts have

    def lines(self) -> list[dict[str, Any]]:
        """The order's lines with their prices written out."""
        return [
            {
                # A line's end in a name would break the text form.
                "name": " ".join((line.name or line.sku).split()),
                "quantity": line.quantity,
                "each": self.money(line.unit_amount),
                "total": self.money(line.unit_amount * line.quantity),
            }
            for line in self.order.lines
        ]


def confirmed(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """That the payment arrived and whose the goods are; None once the money goes back instead.

    For every refund there is a mail of its own, so nobody is left without word.
    """
    words = Words(shop.settings, order)
    total = words.money(order.amount)
    title, subject = "It is yours", f"Order {order.id} is yours"
    steps = [
        "Keep this mail and the order number: they show that the units are yours.",
        f"{PAGE} Whoever has its link can open it, so share it with care.",
        ANSWER,
    ]
    match order.state:
        case State.PAID:
            text = f"Thank you. Your payment of {total} has arrived, and these units are yours."
        case State.AUTHORIZED:
            text = (
                f"Thank you. Your bank has agreed to pay {total}, and these units are yours. The "
                "amount is being collected."
            )
        case State.FULFILLED:
            text = (
                f"Thank you. Your payment of {total} has arrived, and your order has left our "
                "hands."
            )
        case State.REVIEW:
            title = "We have your payment"
            subject = f"We have your payment for order {order.id}"
            text = (
                "Your payment for this order has arrived. Something about it does not add up, so "
                "a person looks at it before anything else happens."
            )
            steps = ["You need not do anything: we will write to you.", PAGE]
        case _:
            return None
    facts = [("Order", order.id), ("Begun", words.begun())]
    if order.refunded:
        facts.append(("Refunded so far", words.money(order.refunded)))
    link = links.order(shop.settings, order.id)
    return Notice(subject, title, (text,), tuple(facts), tuple(steps), link)


def refunded(shop: Shop, order: Order, refund_id: str) -> Notice | None:
    """That money goes back, how much of it and why; None for a refund that did not come about."""
    refund = next((r for r in order.refunds if r.id == refund_id), None)
    if refund is None or refund.status not in REFUND_TAKEN:
        return None
    words = Words(shop.settings, order)
    amount = words.money(refund.amount)
    match refund.status:
        case "succeeded":
            status = "sent back"
            how = f"The refund of {amount} was sent back to what you paid with."
            steps = ["Banks need up to ten working days to show it."]
        case "requires_action":
            status = "waiting for your bank details"
            how = f"The refund of {amount} is prepared."
            steps = ["Stripe, who handles our payments, asks you by mail where to send it."]
        case _:
            status = "on its way"
            how = (
                f"The refund of {amount} is on its way: Stripe, who handles our payments, has "
                "taken it, but has not finished it yet."
            )
            steps = [
                "Once it is finished, banks need up to ten working days to show it.",
                "Should it fail, we will write to you.",
            ]
    steps += [PAGE, ANSWER]
    paragraphs = (_why(refund), f"{how} {_share(words, refund)}".strip(), _goods(order))
    return Notice(
        subject=f"Refund of {amount} for order {order.id}",
        title=f"Refund of {amount}",
        paragraphs=tuple(text for text in paragraphs if text),
        facts=(
            ("Refund", f"{amount}, {status}"),
            ("Refund number", refund.id),
            ("Order", order.id),
            ("Begun", words.begun()),
        ),
        steps=tuple(steps),
        link=links.order(shop.settings, order.id),
    )


def voided(shop: Shop, order: Order, payment: str) -> Notice | None:
    """That a payment was cancelled before any money moved, and why."""
    if payment not in order.voided:
        return None
    words = Words(shop.settings, order)
    amount = words.money(order.voided[payment])
    match order.void_reasons.get(payment):
        case Reason.SOLD_OUT:
            why = (
                "Your payment arrived after the time we held the units for you, and by then the "
                "last ones were sold. We are sorry: we cannot give you the goods."
            )
        case Reason.DUPLICATE:
            why = "This order was paid twice, so one of the payments was cancelled."
        case Reason.CANCELLED:
            why = "This order was cancelled."
        case _:
            why = (
                f"Your bank had agreed to pay {amount} and did not pay it in the end, so we cannot "
                "give you the goods."
            )
    how = (
        f"No money was taken: the {amount} that your bank had set aside for us is free again, so "
        "there is nothing to refund."
    )
    paragraphs = (why, how, _goods(order))
    return Notice(
        subject=f"Payment for order {order.id} cancelled: nothing was taken",
        title="Your payment was cancelled",
        paragraphs=tuple(text for text in paragraphs if text),
        facts=(
            ("Cancelled", amount),
            ("Order", order.id),
            ("Begun", words.begun()),
        ),
        steps=("Some banks show the amount as reserved for a few days more.", PAGE, ANSWER),
        link=links.order(shop.settings, order.id),
    )


def _why(refund: Refund) -> str:
    match refund.reason:
        case Reason.SOLD_OUT:
            return (
                "Your payment arrived after the time we held the units for you, and by then the "
                "last ones were sold. We are sorry: we cannot give you the goods, so you get your "
                "money back."
            )
        case Reason.DUPLICATE:
            return "This order was paid twice, so you get one of the payments back."
        case Reason.CANCELLED:
            return "This order was cancelled, so you get your money back."
    return "We have made you a refund for this order."


def _share(words: Words, refund: Refund) -> str:
    """How much of its payment a refund is."""
    order = words.order
    paid = order.payments.get(refund.payment_intent, 0)
    same = (r for r in order.refunds if r.payment_intent == refund.payment_intent)
    back = sum(r.amount for r in same if r.status in REFUND_TAKEN)
    payment = "that payment" if len(order.payments) > 1 else "your payment"
    if not paid:
        return ""
    if refund.amount >= paid:
        return f"It is the full amount of {payment}."
    if back >= paid:
        whole = words.money(paid)
        return f"Together with our other refunds of it, {payment} of {whole} goes back in full."
    return f"It is a part of {payment} of {words.money(paid)}."


def _goods(order: Order) -> str:
    if order.state in GOODS:
        return "Your order stands: the goods are yours."
    if order.state in MONEY_BACK:
        return "No goods are due for this order any more."
    if order.state is State.REVIEW:
        return "A person is looking at this order, and we will write to you about the rest of it."
    return ""


def review(shop: Shop, order: Order, _about: str = "") -> Notice | None:
    """Tells the operator why an order needs them; None once it does not any more."""
    if order.state is not State.REVIEW:
        return None
    words = Words(shop.settings, order)
    facts = [("Order", order.id), ("Begun", words.begun())]
    foreign = order.reason.startswith("paid in ")  # as domain.payments.mismatch writes it
    for payment, paid in order.payments.items():
        amount = f"{paid} of the currency's smallest unit" if foreign else words.money(paid)
        facts.append(("Payment", f"{amount}, {payment}"))
    facts += [("Refund", f"{words.money(r.amount)}, {r.status}, {r.id}") for r in order.refunds]
    facts += [
        ("Customer", order.email or "address not known yet"),
        ("Its page", links.order(shop.settings, order.id)),
    ]
    where = {
        "held": "Its units stay held, so that nobody else can buy them until you have decided.",
        "sold": "Its units stay counted as sold until you have decided.",
    }.get(order.units, "It has no units: none are held or sold for it.")
    steps = [f"Look at the payment at Stripe: {at}" for at in _at_stripe(shop.settings, order)]
    if any(r.status not in REFUND_TAKEN for r in order.refunds):
        steps.append(
            "A refund failed, so its money is with you again: send it to the customer in another "
            "way."
        )
    elif not order.payments:
        steps.append(
            "The shop knows of no payment that was taken. Is there one at Stripe? Cancel or refund "
            "it there."
        )
    else:
        steps.append(
            "Is the money to go back? Refund it in full in Stripe's dashboard: the shop hears of "
            "it, tells the customer, and puts the units back on sale."
        )
    steps.append(
        "Write to the customer. The order's page says only that a person is looking at it."
    )
    return Notice(
        subject=f"Please look at order {order.id}",
        title="An order needs you",
        paragraphs=(f"Why: {_needs(words)}.", where),
        facts=tuple(facts),
        steps=tuple(steps),
        link=f"{shop.settings.public_url}/admin/",
    )


KINDS: dict[str, Callable[[Shop, Order, str], Notice | None]] = {
    "confirmed": confirmed,
    "refunded": refunded,
    "voided": voided,
    "review": review,
}


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
