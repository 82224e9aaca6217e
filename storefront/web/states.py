"""What an order's page says about it, in words that are true at that moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from storefront.domain.orders import Form, Order, Reason, State
from storefront.languages import _, mark

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

    def said(self) -> "Told":
        """The same in the current language."""
        charged = _(self.charged) if self.charged else ""
        return replace(self, title=_(self.title), text=_(self.text), charged=charged)


NOT_CHARGED = mark("You were not charged.")
NEVER_TAKEN = mark("No money is taken: your bank lets the reserved amount go.")

RELEASED: Mapping[str | None, tuple[str, str]] = {
    Reason.EXPIRED: (
        mark("The time ran out"),
        mark("The payment was not finished in time, so the units went back on the shelf."),
    ),
    Reason.CANCELLED: (
        mark("Given back"),
        mark("You gave the units back, and they are on the shelf again."),
    ),
    Reason.DECLINED: (
        mark("The payment did not go through"),
        mark("Your bank or card did not pay, so the units went back on the shelf."),
    ),
    Reason.REPLACED: (
        mark("Replaced by another basket"),
        mark(
            "You began to pay for another basket, so the units of this one went back on the shelf."
        ),
    ),
    Reason.SOLD_OUT: (
        mark("Sold out"),
        mark("Your order arrived after your hold had ended, and by then the last units were sold."),
    ),
    Reason.REFUSED: (
        mark("The payment page did not open"),
        mark("The payment could not be opened, so the units went back on the shelf."),
    ),
}

MONEY_BACK = {
    Reason.SOLD_OUT: (
        mark(
            "The payment arrived after your hold had ended, or through a link that was sold out, and "
            "by then the last units were sold."
        )
    ),
    Reason.DUPLICATE: mark("This order was paid twice."),
    Reason.LAPSED: (
        mark(
            "Your bank had agreed to pay and did not pay in the end, so the units went back on the "
            "shelf."
        )
    ),
}


PLAIN = {
    State.OFFERED: Told(
        "waiting", "clock", mark("Set aside for you"), mark("It is your turn in the waitlist.")
    ),
    State.PENDING: Told(
        "waiting",
        "clock",
        mark("The payment is being prepared"),
        mark("Your units are held. This page goes on by itself as soon as you can pay."),
    ),
    State.OPEN: Told(
        "waiting",
        "clock",
        mark("Held for you"),
        mark("Nobody else can buy these units while the clock runs. They are yours once paid."),
    ),
    State.PROCESSING: Told(
        "waiting",
        "clock",
        mark("Your payment is on its way"),
        mark(
            "Your bank is sending the money, which can take several days. Your units are kept for you "
            "meanwhile, and you do not need to pay again: this page, and a mail, will say when the "
            "money is here."
        ),
        mark("Your bank has been asked for the money; it has not arrived here yet."),
    ),
    State.AUTHORIZED: Told(
        "good",
        "check",
        mark("It is yours"),
        mark("Your bank has agreed to pay, and the amount is being collected."),
    ),
    State.PAID: Told(
        "good",
        "check",
        mark("Paid. It is yours"),
        mark("Thank you. A mail confirms it; keep this page's address as your ticket."),
    ),
    State.FULFILLED: Told(
        "good", "check", mark("Handed over"), mark("Your order has left our hands. Enjoy it.")
    ),
    State.REVIEW: Told(
        "bad",
        "alert",
        mark("A person is looking at it"),
        mark(
            "Something about this payment does not add up, so it is not left to a machine. "
            "You need not do anything; we will write to you."
        ),
    ),
}
"""States whose words are always the same."""

TO_CHOOSE = Told(
    "waiting",
    "clock",
    mark("Held for you"),
    mark(
        "Nobody else can buy these units while the clock runs. Say how they are to reach you, then pay."
    ),
)

SOLD_OUT = Told(
    "waiting",
    "clock",
    mark("The last unit was gone"),
    mark(
        "Others were quicker through the same link. If your payment goes through, you get a unit if "
        "one is left by then, and all of your money back if not."
    ),
)
"""Of a payment through a link that came when nothing of it was left: it is settled next."""

TIME_IS_UP = Told(
    "waiting",
    "clock",
    mark("The time is up"),
    mark(
        "We are checking with Stripe whether a payment is on its way. If none is, the units go back "
        "on the shelf and you are not charged."
    ),
)


def tell(order: Order, now: int) -> Told:
    """The words for ``order`` at ``now`` (milliseconds), in the current language."""
    return _tell(order, now).said()


def _tell(order: Order, now: int) -> Told:
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
            return Told(
                "bad", "alert", mark("Your money goes back"), _why_back(order), _full(order)
            )
        case State.REFUNDED:
            return Told("neutral", "refresh", mark("Refunded"), _why_back(order), _refunded(order))
        case State.VOID_DUE:
            title = mark("The payment is being cancelled")
            return Told("bad", "alert", title, _why_back(order), NEVER_TAKEN)
        case State.VOIDED:
            title = mark("The payment was cancelled")
            return Told("neutral", "refresh", title, _why_back(order), NEVER_TAKEN)
    return PLAIN[order.state]


def refund_words(status: str) -> str:
    """What Stripe's word for a refund means to the customer."""
    match status:
        case "succeeded":
            return _("sent back")
        case "pending" | "requires_action":
            return _("on its way")
        case "failed" | "canceled":
            return _("did not arrive: we will write to you")
    return _("being looked at")


def _reason(order: Order) -> Reason | None:
    return next((reason for reason in Reason if reason == order.reason), None)


def _why_back(order: Order) -> str:
    reason = _reason(order)
    known = MONEY_BACK.get(reason) if reason else None
    return known or mark("This order was undone, and no goods are due for it.")


def _full(order: Order) -> str:
    paid = len(order.payments) or 1
    if paid == 1:
        return mark("The full amount goes back to you.")
    return mark("Every payment goes back to you.")


def _refunded(order: Order) -> str:
    if order.refunds and all(r.status == "succeeded" for r in order.refunds):
        return mark("The money was sent back; banks take a few days to show it.")
    return mark("The money is on its way back; banks take a few days to show it.")


def no_longer(order: Order, extend_seconds: int) -> str:
    """Why a hold that runs is offered no more time."""
    if order.extended:
        return _(
            "You have had more time for this once already. Unless you pay within it, nothing is "
            "charged."
        )
    if order.form is Form.HOSTED and extend_seconds:
        return _(
            "This time cannot be made longer: Stripe's payment page closes when it ends. Unless you "
            "pay within it, nothing is charged."
        )
    return _("This time cannot be made longer. Unless you pay within it, nothing is charged.")
