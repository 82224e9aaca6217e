"""What an order's page says about it, in words that are true at that moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from storefront.domain.orders import Order, Reason, State

UNDECIDED = frozenset(
    {
        State.OFFERED,
        State.PENDING,
        State.OPEN,
        State.PROCESSING,
        State.AUTHORIZED,
        State.REFUND_DUE,
        State.VOID_DUE,
    }
)
"""States that pass by themselves: the page looks again for as long as they last."""


@dataclass(frozen=True, slots=True)
class Told:
    """The status block of an order's page."""

    kind: str
    """``waiting``, ``good``, ``bad`` or ``neutral``: how the block looks."""
    icon: str
    title: str
    text: str
    charged: str = ""
    """What happened to the money, where that is the first thing one asks."""


NOT_CHARGED = "You were not charged."
NEVER_TAKEN = "No money is taken: your bank lets the reserved amount go."

RELEASED: Mapping[str | None, tuple[str, str]] = {
    Reason.EXPIRED: (
        "The time ran out",
        "The payment was not finished in time, so the units went back on the shelf.",
    ),
    Reason.CANCELLED: ("Given back", "You gave the units back, and they are on the shelf again."),
    Reason.DECLINED: (
        "The payment did not go through",
        "Your bank or card did not pay, so the units went back on the shelf.",
    ),
    Reason.REPLACED: (
        "Replaced by another basket",
        "You began to pay for another basket, so the units of this one went back on the shelf.",
    ),
    Reason.SOLD_OUT: (
        "Sold out",
        "Your order arrived after your hold had ended, and by then the last units were sold.",
    ),
    Reason.REFUSED: (
        "The payment page did not open",
        "The payment could not be opened, so the units went back on the shelf.",
    ),
}

MONEY_BACK = {
    Reason.SOLD_OUT: (
        "The payment arrived after your hold had ended, or through a link that was sold out, and by "
        "then the last units were sold."
    ),
    Reason.DUPLICATE: "This order was paid twice.",
    Reason.LAPSED: (
        "Your bank had agreed to pay and did not pay in the end, so the units went back on the "
        "shelf."
    ),
}


PLAIN = {
    State.OFFERED: Told(
        "waiting", "clock", "Set aside for you", "It is your turn in the waitlist."
    ),
    State.PENDING: Told(
        "waiting",
        "clock",
        "The payment is being prepared",
        "Your units are held. This page goes on by itself as soon as you can pay.",
    ),
    State.OPEN: Told(
        "waiting",
        "clock",
        "Held for you",
        "Nobody else can buy these units while the clock runs. They are yours once paid.",
    ),
    State.PROCESSING: Told(
        "waiting",
        "clock",
        "Your payment is on its way",
        "Your bank is sending the money, which can take several days. Your units are kept for you "
        "meanwhile, and you do not need to pay again: this page, and a mail, will say when the "
        "money is here.",
        "Your bank has been asked for the money; it has not arrived here yet.",
    ),
    State.AUTHORIZED: Told(
        "good",
        "check",
        "It is yours",
        "Your bank has agreed to pay, and the amount is being collected.",
    ),
    State.PAID: Told(
        "good",
        "check",
        "Paid. It is yours",
        "Thank you. A mail confirms it; keep this page's address as your ticket.",
    ),
    State.FULFILLED: Told(
        "good", "check", "Handed over", "Your order has left our hands. Enjoy it."
    ),
    State.REVIEW: Told(
        "bad",
        "alert",
        "A person is looking at it",
        "Something about this payment does not add up, so it is not left to a machine. "
        "You need not do anything; we will write to you.",
    ),
}
"""States whose words are always the same."""

TO_CHOOSE = Told(
    "waiting",
    "clock",
    "Held for you",
    "Nobody else can buy these units while the clock runs. Say how they are to reach you, then pay.",
)

SOLD_OUT = Told(
    "waiting",
    "clock",
    "The last unit was gone",
    "Others were quicker through the same link. If your payment goes through, you get a unit if "
    "one is left by then, and all of your money back if not.",
)
"""Of a payment through a link that came when nothing of it was left: it is settled next."""

TIME_IS_UP = Told(
    "waiting",
    "clock",
    "The time is up",
    "We are checking with Stripe whether a payment is on its way. If none is, the units go back "
    "on the shelf and you are not charged.",
)


def tell(order: Order, now: int) -> Told:
    """The words for ``order`` at ``now`` (milliseconds)."""
    match order.state:
        case State.OPEN if now >= order.deadline:
            return TIME_IS_UP
        case State.PENDING if order.undecided:
            return TIME_IS_UP if now >= order.deadline else TO_CHOOSE
        case State.RELEASED:
            if order.reason == Reason.SOLD_OUT:
                return SOLD_OUT
            title, text = RELEASED.get(_reason(order), RELEASED[Reason.EXPIRED])
            return Told("neutral", "refresh", title, text, NOT_CHARGED)
        case State.REFUND_DUE:
            return Told("bad", "alert", "Your money goes back", _why_back(order), _full(order))
        case State.REFUNDED:
            return Told("neutral", "refresh", "Refunded", _why_back(order), _refunded(order))
        case State.VOID_DUE:
            title = "The payment is being cancelled"
            return Told("bad", "alert", title, _why_back(order), NEVER_TAKEN)
        case State.VOIDED:
            title = "The payment was cancelled"
            return Told("neutral", "refresh", title, _why_back(order), NEVER_TAKEN)
    return PLAIN[order.state]


def refund_words(status: str) -> str:
    """What Stripe's word for a refund means to the customer."""
    match status:
        case "succeeded":
            return "sent back"
        case "pending" | "requires_action":
            return "on its way"
        case "failed" | "canceled":
            return "did not arrive: we will write to you"
    return "being looked at"


def _reason(order: Order) -> Reason | None:
    return next((reason for reason in Reason if reason == order.reason), None)


def _why_back(order: Order) -> str:
    reason = _reason(order)
    known = MONEY_BACK.get(reason) if reason else None
    return known or "This order was undone, and no goods are due for it."


def _full(order: Order) -> str:
    paid = len(order.payments) or 1
    return "The full amount goes back to you." if paid == 1 else "Every payment goes back to you."


def _refunded(order: Order) -> str:
    if order.refunds and all(r.status == "succeeded" for r in order.refunds):
        return "The money was sent back; banks take a few days to show it."
    return "The money is on its way back; banks take a few days to show it."
