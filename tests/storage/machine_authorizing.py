"""The state machine's moves with money that is only authorised."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from storefront.storage.answers import Limits
from tests.storage.choices import (
    HOUR,
    PRICE,
    any_or_none,
    emails,
    events,
    first,
    needs_order,
    orders,
    payment_of,
    session_of,
    times,
)

ends = st.sampled_from([0, 0, 1_900_000_000, 1_900_000_500])
"""When an authorisation runs out (seconds); 0: Stripe did not say."""


class Authorizing:
    """Cards are authorised, captured and let go again, for orders in any state."""

    model: Any
    _ask: Any
    _hold: Any
    _order: Any

    @needs_order
    @rule(
        which=orders,
        number=first,
        session=any_or_none,
        amount=st.sampled_from([PRICE, 2 * PRICE]),
        capture_before=ends,
        email=emails,
        repeats=times,
        event=events,
    )
    def authorize_payment(
        self, which: int, number: int, session: int, repeats: int, event: str, **ask: Any
    ) -> None:
        order = self._order(which)
        self._ask(
            "authorize_payment",
            order,
            repeats,
            event,
            payment_intent=payment_of(order, number),
            session=session_of(order, session),
            **ask,
        )

    @needs_order
    @rule(which=orders, number=first, reason=st.just("lapsed"), repeats=times, event=events)
    def void_payment(self, which: int, number: int, reason: str, repeats: int, event: str) -> None:
        order = self._order(which)
        payment = payment_of(order, number)
        self._ask("void_payment", order, repeats, event, payment_intent=payment, reason=reason)

    @needs_order
    @rule(which=orders, to=st.sampled_from(["available", "written_off"]), repeats=times)
    def cancel_authorized(self, which: int, to: str, repeats: int) -> None:
        order = self._order(which)
        self._ask("cancel_authorized", order, repeats, to=to, reason="wrong size", who="admin")

    @needs_order
    @rule(which=orders, gone=st.booleans(), ending=st.sampled_from(["void", "capture", "none"]))
    def authorize_too_late(self, which: int, gone: bool, ending: str) -> None:
        """As ``pay_too_late``, with a card that is only authorised."""
        order = self._order(which)
        release = {"session": "", "version": 1, "reason": "expired", "who": "admin"}
        self._ask("release_hold", order, **release)
        for sku in self.model.orders[order].lines if gone else ():
            if free := self.model.levels[sku]["available"]:
                self._hold({sku: free}, free, 0, "", "", Limits(0, 0), HOUR, HOUR, 1)
        self._authorize(order, 1)
        self._end(order, 1, ending)

    @needs_order
    @rule(
        which=orders,
        first_ends=st.sampled_from(["void", "capture", "cancel", "none"]),
        second_ends=st.sampled_from(["void", "capture", "refund", "none"]),
        paid=st.booleans(),
    )
    def authorize_twice(self, which: int, first_ends: str, second_ends: str, paid: bool) -> None:
        """Two cards for one order, the second perhaps charged at once; and what becomes of each."""
        order = self._order(which)
        self._authorize(order, 1)
        if paid:
            self._end(order, 2, "capture")
        else:
            self._authorize(order, 2)
        self._end(order, 1, first_ends)
        self._end(order, 2, second_ends)

    def _authorize(self, order: str, number: int) -> None:
        payment, session = payment_of(order, number), session_of(order, number)
        paid = {"amount": 2 * PRICE, "capture_before": 0, "email": ""}
        self._ask("authorize_payment", order, payment_intent=payment, session=session, **paid)

    def _end(self, order: str, number: int, how: str) -> None:
        payment, session = payment_of(order, number), session_of(order, number)
        if how == "void":
            self._ask("void_payment", order, payment_intent=payment, reason="lapsed")
        elif how in {"capture", "refund"}:
            paid = {"session": session, "amount": 2 * PRICE, "email": ""}
            self._ask("settle_payment", order, payment_intent=payment, **paid)
        elif how == "cancel":
            self._ask("cancel_authorized", order, to="available", reason="wrong", who="admin")
        if how == "refund":
            back = {"amount": 2 * PRICE, "status": "succeeded", "reason": "duplicate"}
            back |= {"refund": f"re_{order}_{number}_1", "again_ms": HOUR}
            self._ask("record_refund", order, payment_intent=payment, **back)
