"""Promises about money: I4 and I10, and that whoever it concerns is told (I12)."""

import json
from collections.abc import Mapping

from storefront.domain.orders import GOODS, HOLDING, State
from tests.simulation.truth import Broken, Truth
from tests.simulation.view import GONE, Fields, View, named, noted_back


class MoneyPromises:
    """Checks what orders say of money against what Stripe took and sent back."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth

    def check(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken."""
        for order, fields in orders.items():
            self._payments(order, fields)
        for intent, charge in self._view.stripe.charges.items():
            if (back := self._view.back(intent)) > charge["amount"]:
                raise Broken("I10", f"{back} of {charge['amount']} went back for {intent}")

    def rest(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken when an order's money is not where its state says, or nobody was told."""
        for order, fields in orders.items():
            self._ended(order, fields)

    def _payments(self, order: str, fields: Fields) -> None:
        stripe = self._view.stripe
        kept, owed, back = 0, 0, noted_back(fields)
        for payment, amount in named(fields, "payment").items():
            charge = stripe.charges.get(payment)
            if not charge or stripe.order_paid(charge) != order:
                raise Broken("I10", f"{order} was never paid with {payment}")
            if charge["amount"] != int(amount):
                raise Broken("I10", f"{order}: {amount} here, {charge['amount']} there")
            owed += max(0, charge["amount"] - back[payment])
            whole = back[payment] >= charge["amount"]
            kept += f"refund_reason:{payment}" not in fields and not whole
        for refund, text in named(fields, "refund").items():
            found = stripe.all_refunds.get(refund)
            if not found or found["amount"] != json.loads(text)["amount"]:
                raise Broken("I10", f"{order} has a refund that Stripe has not: {text}")
        if fields["state"] in GOODS and kept != 1:
            raise Broken("I4", f"{order} is {fields['state']} and keeps {kept} payments")
        if fields["state"] == State.RELEASED and owed:
            raise Broken("I4", f"{order} is released and {owed} of what was paid is not back")

    def _ended(self, order: str, fields: Fields) -> None:
        state, truth = fields["state"], self._truth
        if state in HOLDING | {State.REFUND_DUE}:
            raise Broken("I4", f"{order} is still {state}")
        stripe = self._view.stripe
        charges = {i: c for i, c in stripe.charges.items() if stripe.order_paid(c) == order}
        paid = set(named(fields, "payment"))
        if paid != set(charges):
            raise Broken("I10", f"{order} knows payments {paid}, Stripe {sorted(charges)}")
        if state == State.REVIEW:
            if order not in truth.for_a_person:
                raise Broken("I4", f"{order} is in review for nothing: {fields['reason']}")
            return
        kept = {i: c["amount"] - self._view.back(i) for i, c in charges.items()}
        owed = [amount for amount in kept.values() if amount]
        if state in GOODS:
            own = fields["paid_by"]
            wished = sum(
                refund["amount"]
                for refund in self._view.stripe.all_refunds.values()
                if refund["payment_intent"] == own
                and refund["metadata"].get("plan")
                and refund["status"] not in GONE
            )
            back = truth.back_by_hand[own] + wished
            if kept[own] != charges[own]["amount"] - back or len(owed) != 1:
                raise Broken("I4", f"{order} is {state}, Stripe kept {kept}")
        elif owed:
            raise Broken("I4", f"{order} is {state}, Stripe kept {kept}")
        if order in truth.in_time and state not in GOODS and not truth.excuses(order, fields):
            raise Broken("I8", f"{order} was paid in time and ended {state}")
        self._noticed(order, fields, set(charges))

    def _noticed(self, order: str, fields: Fields, payments: set[str]) -> None:
        """Every notice went out."""
        mails = self._view.town.postman
        if fields["state"] in GOODS and not mails.count("confirmed", order):
            raise Broken("I12", f"{order} is {fields['state']}, and nobody was told")
        refunds = [
            r
            for r in self._view.stripe.all_refunds.values()
            if r["payment_intent"] in payments and r["status"] not in GONE
        ]
        if mails.count("refunded", order) < len(refunds):
            raise Broken("I12", f"{order} has {len(refunds)} refunds, and not all were told")
