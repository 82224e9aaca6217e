"""Promises about money: I4 and I10, and that whoever it concerns is told (I12)."""

from collections.abc import Mapping
from typing import Any

from storefront.domain.orders import GOODS, HOLDING, State
from tests.simulation import extras
from tests.simulation.truth import HAND_REFUND, LOST_REFUND, SOLD_OUT_REFUND, Broken, Truth
from tests.simulation.values import parsed
from tests.simulation.view import GONE, Fields, View, at_counter, named, noted_back

TAKEN = frozenset({"requires_capture", "succeeded"})
"""PaymentIntents of which the shop has, or may take, the money."""


class MoneyPromises:
    """Checks what orders say of money against what Stripe took and sent back."""

    def __init__(self, view: View, truth: Truth) -> None:
        self._view, self._truth = view, truth

    def check(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken."""
        for order, fields in orders.items():
            if not at_counter(fields):  # of which CounterPromises tell
                self._payments(order, fields)
        self._outside(orders)
        for intent, charge in self._view.stripe.charges.items():
            if (back := self._view.back(intent)) > charge["amount"]:
                raise Broken("I10", f"{back} of {charge['amount']} went back for {intent}")

    def rest(self, orders: Mapping[str, Fields]) -> None:
        """Raises Broken when an order's money is not where its state says, or nobody was told."""
        for order, fields in orders.items():
            if not at_counter(fields):
                self._ended(order, fields)

    def _payments(self, order: str, fields: Fields) -> None:
        stripe = self._view.stripe
        kept, owed, back = 0, 0, noted_back(fields)
        for payment, amount in named(fields, "payment").items():
            if amount == "0" and extras.free(stripe, order, payment):
                kept += f"refund_reason:{payment}" not in fields
                continue
            charge = stripe.charges.get(payment)
            if not charge or stripe.order_paid(charge) != order:
                raise Broken("I10", f"{order} was never paid with {payment}")
            if not charge["captured"]:
                raise Broken("I10", f"{order} counts {payment}, which is only authorised")
            if charge["amount"] != int(amount):
                raise Broken("I10", f"{order}: {amount} here, {charge['amount']} there")
            owed += max(0, charge["amount"] - back[payment])
            whole = back[payment] >= charge["amount"]
            kept += f"refund_reason:{payment}" not in fields and not whole
        for refund, text in named(fields, "refund").items():
            found = stripe.all_refunds.get(refund)
            if not found or found["amount"] != parsed(text)["amount"]:
                raise Broken("I10", f"{order} has a refund that Stripe has not: {text}")
        kept += self._agreed(order, fields)
        extras.check(stripe, order, fields)
        if fields["state"] in GOODS and kept != 1:
            raise Broken("I4", f"{order} is {fields['state']} and keeps {kept} payments")
        if fields["state"] == State.RELEASED and owed:
            raise Broken("I4", f"{order} is released and {owed} of what was paid is not back")

    def _agreed(self, order: str, fields: Fields) -> int:
        """How many authorisations the order means to capture."""
        wanted = 0
        for payment, amount in named(fields, "authorized").items():
            intent = self._view.stripe.intents.get(payment)
            if (
                not intent
                or self._view.order_of(intent) != order
                or intent["amount"] != int(amount)
            ):
                raise Broken("I10", f"{order} was never authorised with {payment}")
            wanted += f"void_reason:{payment}" not in fields
        for payment in named(fields, "voided"):
            if extras.free(self._view.stripe, order, payment):
                continue
            if (status := self._view.stripe.intents[payment]["status"]) in TAKEN:
                raise Broken("I4", f"{order} has {payment} noted as cancelled, it is {status}")
        if fields["state"] == State.AUTHORIZED and not wanted:
            raise Broken("I4", f"{order} has its goods, and no money is to be captured")
        return wanted

    def _outside(self, orders: Mapping[str, Fields]) -> None:
        """What became of authorisations: money is taken for goods only, and let go for nothing else."""
        truth, stripe = self._truth, self._view.stripe
        for payment, intent in stripe.intents.items():
            if intent["capture_method"] != "manual":
                continue
            order = self._view.order_of(intent)
            if intent["status"] != "succeeded" or payment in truth.captured_by_hand:
                continue
            fields = orders.get(order)
            if truth.lossy or fields is None or order in truth.called_off:
                continue  # until the books are whole again, or what was under way has gone back
            ended = fields["state"] in {State.REVIEW, State.REFUNDED}
            # The operator may take all units back for a part of the money.
            ended |= any(wish.order == order for wish in truth.wishes.values())
            if not ended and self._view.units_at(order) != "sold":
                raise Broken("promise 2", f"{payment} was captured without goods for {order}")
        for fields in orders.values():
            for payment, reason in named(fields, "void_reason").items():
                authorised = payment in stripe.intents  # and no session that cost nothing
                if authorised and reason == "sold_out" and f"voided:{payment}" in fields:
                    truth.voids.add(payment)
        for refund in stripe.all_refunds.values():
            if refund["metadata"].get("reason") == "sold_out":
                self._sold_out(refund)

    def _sold_out(self, refund: Mapping[str, Any]) -> None:
        """Money went back because nothing was left, which authorising first rules out."""
        payment, truth = refund["payment_intent"], self._truth
        kind = SOLD_OUT_REFUND
        if payment in truth.captured_by_hand:
            kind = HAND_REFUND
        elif truth.units_lost or (truth.lossy and refund["metadata"]["order"] in truth.called_off):
            kind = LOST_REFUND
        truth.refunds[refund["id"]] = kind
        manual = self._view.stripe.intents[payment]["capture_method"] == "manual"
        if manual and kind == SOLD_OUT_REFUND:
            raise Broken("no refund", f"{payment} was captured though nothing was left")

    def _ended(self, order: str, fields: Fields) -> None:
        state, truth = fields["state"], self._truth
        if state in HOLDING | {State.REFUND_DUE, State.VOID_DUE, State.AUTHORIZED}:
            raise Broken("I4", f"{order} is still {state}")
        stripe = self._view.stripe
        charges = {i: c for i, c in self._view.captured().items() if stripe.order_paid(c) == order}
        paid = {i for i in named(fields, "payment") if not extras.free(stripe, order, i)}
        if paid != set(charges):
            raise Broken("I10", f"{order} knows payments {paid}, Stripe {sorted(charges)}")
        if state == State.REVIEW:
            if order not in truth.for_a_person:
                raise Broken("I4", f"{order} is in review for nothing: {fields['reason']}")
            return
        if agreed := self._left_agreed(order):
            raise Broken("I4", f"{agreed} of {order} are neither captured nor cancelled")
        kept = {i: c["amount"] - self._view.back(i) for i, c in charges.items()}
        owed = [amount for amount in kept.values() if amount]
        if state in GOODS and extras.free(stripe, order, fields["paid_by"]):
            if owed:
                raise Broken("I4", f"{order} is {state} for nothing, Stripe kept {kept}")
        elif state in GOODS:
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

    def _left_agreed(self, order: str) -> list[str]:
        return [
            payment
            for payment, intent in self._view.stripe.intents.items()
            if intent["status"] == "requires_capture" and self._view.order_of(intent) == order
        ]

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
        if mails.count("voided", order) < len(voided := named(fields, "voided")):
            raise Broken("I12", f"{order} had {sorted(voided)} cancelled, and not all were told")
