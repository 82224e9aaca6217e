"""The story of one order: what happened to it, in the order of time, with every id that is known."""

from collections.abc import Iterator
from dataclasses import dataclass

from storefront.domain import counter
from storefront.domain.orders import Handover, Order, State
from storefront.services import links
from storefront.services.shop import Shop

STATES = {
    State.OFFERED: "Offered to the next in line, its units held",
    State.PENDING: "Its units were held",
    State.OPEN: "The payment could be made",
    State.PROCESSING: "The shopper was done, the money on its way",
    State.AUTHORIZED: "The bank agreed to pay",
    State.PAID: "Paid, its units sold",
    State.FULFILLED: "Every unit is with the customer",
    State.RELEASED: "The hold ended unpaid",
    State.REFUND_DUE: "The money is to go back",
    State.REFUNDED: "The money went back",
    State.VOID_DUE: "The authorisation is to be cancelled",
    State.VOIDED: "The authorisation ended without money",
    State.REVIEW: "A person was asked to look",
}
"""What it means to come into a state."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened."""

    at: int
    """Milliseconds."""
    what: str
    id: str = ""
    link: str = ""
    """To Stripe's dashboard; empty when it has no page of this."""
    who: str = ""


def of(shop: Shop, order: Order) -> list[Moment]:
    """Everything that the order keeps of itself, the oldest first.

    Of a state that it was in more than once, the last time.
    """
    told = [
        *_states(shop, order),
        *(
            Moment(at, "Stripe told of it", event, links.event(shop.settings, event))
            for event, at in order.events.items()
        ),
        *_refunds(shop, order),
        *(
            Moment(at, _mail(kind), kind.partition(":")[2])
            for kind, at in order.notices.items()
            if kind == "review" or not order.at_counter  # nobody gave an address there
        ),
        *(moment for one in order.handovers for moment in _handover(one)),
        *(Moment(note.at, f"Note: {note.text}", who=note.who) for note in order.notes),
    ]
    return sorted(told, key=lambda moment: moment.at)


def _states(shop: Shop, order: Order) -> Iterator[Moment]:
    if State.PENDING not in order.times and State.OFFERED not in order.times:
        yield Moment(order.created, "Begun")
    for name, at in order.times.items():
        state = State(name)
        what, known, link = STATES[state], "", ""
        if order.at_counter and state is State.PAID:
            what = f"Paid {counter.WORDS[order.form]} at the counter, its units sold"
        if state is State.OPEN:
            known = order.session
        if state in {State.PAID, State.AUTHORIZED}:
            known = order.payment_intent
            link = links.payment(shop.settings, known)
        if state is order.state and order.reason:
            what += f" ({order.reason.replace('_', ' ')})"
        yield Moment(at, what, known, link)


def _refunds(shop: Shop, order: Order) -> Iterator[Moment]:
    how = counter.WORDS.get(order.form)
    for plan in order.plans:
        if plan.at:
            link = links.payment(shop.settings, plan.payment_intent)
            what = f"Given back {how}" if how else "Refund wanted"
            yield Moment(plan.at, f"{what}: {plan.reason}", plan.refund, link, plan.who)


def _mail(kind: str) -> str:
    return f"Mail: {kind.partition(':')[0].replace('-', ' ')}"


def _handover(one: Handover) -> Iterator[Moment]:
    units = ", ".join(f"{number} × {sku}" for sku, number in one.units.items())
    yield Moment(
        one.at, f"{'Handed to the post' if one.sent else 'Handed over'}: {units}", who=one.who
    )
    if one.undone:
        yield Moment(one.undone, f"Taken back: {units}", who=one.who)
