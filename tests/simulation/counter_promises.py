"""Promises about the counter: a form sells once, money goes back when a person gave it, Stripe is not asked."""

from collections.abc import Mapping

from storefront.domain.orders import GOODS, MONEY_BACK, Reason, State
from tests.simulation.town import PRICES
from tests.simulation.truth import Broken, Truth
from tests.simulation.values import parsed
from tests.simulation.view import Fields, View, at_counter, named, noted_back

HELD_MS = 120_000
"""So long a sale that was broken off can be finished by its form."""
STANDS = GOODS | MONEY_BACK | {State.PENDING, State.RELEASED}
OVER = frozenset({State.PAID, State.FULFILLED, State.REFUNDED, State.RELEASED})
REST = "rest"
"""What a refund is called that no one asked for: of a sale whose units were gone when it was finished."""


def wish_of(refund: str) -> str:
    """The form that asked for what was given back by hand."""
    return refund.rpartition("_back_")[2]


class CounterPromises:
    """Checks what was sold at the counter against the forms that were sent, and what Stripe was asked."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth
        self._calls = 0

    def check(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken."""
        ours = {order: fields for order, fields in orders.items() if at_counter(fields)}
        if not ours:
            return
        if len(ours) > (sent := len(self._truth.at_counter)):
            raise Broken("double click", f"{sent} forms of the counter made {sorted(ours)}")
        for order, fields in ours.items():
            self._sale(order, fields)
            self._given_back(order, fields)
        self._unasked(ours)

    def rest(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken when a sale is neither over nor undone."""
        for order, fields in orders.items():
            if at_counter(fields) and fields["state"] not in OVER:
                raise Broken("I4", f"{order} is still {fields['state']}")

    def _sale(self, order: str, fields: Fields) -> None:
        """It is what a form asked for, at the shelf's price, paid once."""
        state, amount = fields["state"], int(fields["amount"])
        if state not in STANDS:
            raise Broken("counter", f"{order} is {state}")
        lines = {one["sku"]: int(one["quantity"]) for one in parsed(fields["lines"])}
        if all(lines not in asked for asked in self._truth.at_counter.values()):
            raise Broken("counter", f"{order} has {lines}, which no form asked for")
        if amount != sum(PRICES[sku] * number for sku, number in lines.items()):
            raise Broken("I10", f"{order}: {amount} for {lines}")
        if int(fields["deadline"]) != int(fields["created"]) + HELD_MS:
            raise Broken("I7", f"{order} is held until {fields['deadline']}")
        paid = dict(named(fields, "payment"))
        if paid and paid != {f"{fields['form']}_{order}": str(amount)}:
            raise Broken("I10", f"{order} of {amount} was paid {paid}")
        back = sum(noted_back(fields).values())
        kept = bool(paid) and back < amount and not named(fields, "refund_reason")
        if kept != (state in GOODS):
            raise Broken("I4", f"{order} is {state}, was paid {paid}, {back} went back")
        if back > amount:
            raise Broken("I10", f"{back} of {amount} went back for {order}")
        if state == State.RELEASED and paid:
            raise Broken("I4", f"{order} is released and was paid")

    def _given_back(self, order: str, fields: Fields) -> None:
        """Each once, as the operator gave it."""
        for refund, text in named(fields, "refund").items():
            amount, wish = parsed(text)["amount"], self._truth.wishes.get(wish_of(refund))
            if wish_of(refund) == REST:
                gone = Reason.SOLD_OUT in named(fields, "refund_reason").values()
                if not gone or amount != int(fields["amount"]):
                    raise Broken("I4", f"{refund} of {amount} went back for nothing")
            elif not wish or (wish.order, wish.amount) != (order, amount):
                raise Broken("I4", f"{refund} of {amount} went back, wanted was {wish}")

    def _unasked(self, ours: Mapping[str, Fields]) -> None:
        """Nothing at Stripe is about such an order."""
        calls = self._view.stripe.wire.calls
        for call, key in calls[self._calls :]:
            if any(order in key for order in ours):
                raise Broken("counter", f"Stripe was asked: {call} {key}")
        self._calls = len(calls)
