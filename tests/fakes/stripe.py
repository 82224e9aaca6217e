"""Stripe in the test's own process, with the methods of ``clients.stripe_api.Stripe``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from storefront.clients.stripe_api import Stripe
from storefront.clients.stripe_connection import HARMLESS_KEYS
from storefront.domain.balance import Entry, from_entry
from storefront.domain.errors import StripeRefused, StripeSpent
from storefront.domain.payments import (
    DisputeFact,
    Payment,
    RefundFact,
    from_dispute,
    from_intent,
    from_refund,
    from_session,
)
from tests.fakes import objects
from tests.fakes.account import wall_clock
from tests.fakes.faults import Fault, Wire
from tests.fakes.links import PaymentLinks
from tests.fakes.products import Products
from tests.fakes.setup import Setup

FEE = 105
"""Minor units that a charge costs the shop."""


class FakeStripe(Products, PaymentLinks, Setup):
    """A Stripe account as the shop's client sees it, and the world behind it.

    Plan what goes wrong with ``fault`` (the next calls) or ``wire.choose`` (asked at every call). Let
    shoppers act with ``pay``, ``decline``, ``pay_later``, …; take what Stripe would send to the
    webhook with ``new_events``, and sign it with ``signed``.
    """

    def __init__(
        self,
        *,
        now: Callable[[], int] = wall_clock,
        webhook_secrets: tuple[str, ...] = ("whsec_x",),
        livemode: bool = False,
    ) -> None:
        """``now`` answers milliseconds since 1970."""
        super().__init__(now, webhook_secrets, livemode)
        Setup.__init__(self)
        self.wire = Wire()
        self.catalogue = {}
        self.all_prices = {}
        self.not_taken: set[str] = set()
        """Ids of events that no endpoint has taken."""

    # What the shop calls: the methods of clients.stripe_api.Stripe.

    event = Stripe.event

    @property
    def clock(self) -> float | None:
        """Seconds since 1970 by Stripe's ``Date`` header, as of the last answer."""
        return self.now() // 1000 if self.wire.calls else None

    def create_session(self, params: Mapping[str, Any], key: str) -> Payment:
        """As the real one: a replay is answered with what the session is now."""
        made = self.wire.post(
            "create_session", key, dict(params), lambda: self._open_session(params)
        )
        if made.replayed:
            return self.session(made.body["id"])
        return from_session(made.body)

    def session(self, session_id: str) -> Payment:
        return from_session(self.wire.get("session", lambda: self._expanded(session_id)))

    def expire_session(self, session_id: str) -> Payment:
        """As the real one: spent keys are passed over, and the last key is a new one."""
        for name in (*range(1, HARMLESS_KEYS), f"fresh-{len(self.wire.calls)}"):
            key = f"session:{session_id}:expire:{name}"
            try:
                ended = self.wire.post(
                    "expire_session", key, session_id, lambda: self._expire(session_id)
                )
            except (StripeSpent, StripeRefused) as said:
                if isinstance(said, StripeRefused) and not said.replayed:
                    raise
                continue
            return from_session(ended.body)
        raise StripeSpent(f"ending {session_id} was answered with saved answers only")

    def sessions_between(self, earliest: int, latest: int) -> Iterator[Payment]:
        """Every session created in this time (seconds, both included), the newest first."""
        found = self.wire.get(
            "sessions_between",
            lambda: [
                self._expanded(session["id"])
                for session in reversed(self.sessions.values())
                if earliest <= session["created"] <= latest
            ],
        )
        yield from map(from_session, found)

    def session_of(self, payment_intent: str) -> Payment | None:
        found = self.wire.get(
            "session_of",
            lambda: [
                self._expanded(session["id"])
                for session in self.sessions.values()
                if session["payment_intent"] == payment_intent
            ],
        )
        return next(map(from_session, found), None)

    def told_of_end(self, session_id: str, since: int) -> bool:
        return any(
            event["type"] == "checkout.session.expired"
            and event["created"] >= since
            and event["data"]["object"]["id"] == session_id
            for event in self.wire.get("told_of_end", lambda: self.events)
        )

    def intent(self, payment_intent: str) -> Payment:
        return from_intent(self.wire.get("intent", lambda: self._with_charge(payment_intent)))

    def create_intent(self, params: Mapping[str, Any], key: str) -> Payment:
        """As the real one: a replay is answered with what the PaymentIntent is now."""
        made = self.wire.post("create_intent", key, dict(params), lambda: self._open_intent(params))
        if made.replayed:
            return self.intent(made.body["id"])
        return from_intent(made.body)

    def intents_between(self, earliest: int, latest: int) -> Iterator[Payment]:
        """Every PaymentIntent created in this time (seconds, both included), the newest first."""
        found = self.wire.get(
            "intents_between",
            lambda: [
                intent
                for intent in reversed(self.intents.values())
                if earliest <= intent["created"] <= latest
            ],
        )
        yield from map(from_intent, found)

    def capture(self, payment_intent: str, key: str) -> Payment:
        made = self.wire.post("capture", key, payment_intent, lambda: self._capture(payment_intent))
        return from_intent(made.body)

    def cancel_intent(self, payment_intent: str) -> Payment:
        """As the real one: spent keys are passed over, and the last key is a new one."""
        for name in (*range(1, HARMLESS_KEYS), f"fresh-{len(self.wire.calls)}"):
            key = f"void:{payment_intent}:{name}"
            try:
                made = self.wire.post(
                    "cancel_intent", key, payment_intent, lambda: self._cancel(payment_intent)
                )
            except (StripeSpent, StripeRefused) as said:
                if isinstance(said, StripeRefused) and not said.replayed:
                    raise
                continue
            return from_intent(made.body)
        raise StripeSpent(f"cancelling {payment_intent} was answered with saved answers only")

    def refunds(self, payment_intent: str) -> list[RefundFact]:
        found = self.wire.get(
            "refunds",
            lambda: [
                refund
                for refund in reversed(self.all_refunds.values())
                if refund["payment_intent"] == payment_intent
            ],
        )
        return [from_refund(refund) for refund in found]

    def refunds_between(self, earliest: int, latest: int) -> Iterator[RefundFact]:
        """Every refund made in this time (seconds, both included), the newest first."""
        found = self.wire.get(
            "refunds_between",
            lambda: [
                refund
                for refund in reversed(self.all_refunds.values())
                if earliest <= refund["created"] <= latest
            ],
        )
        yield from map(from_refund, found)

    def entries_between(
        self, earliest: int, latest: int, *, after: str, most: int
    ) -> Iterator[Entry]:
        """What captured charges and refunds moved in this time (seconds), the newest first."""
        found = self.wire.get(
            "entries_between",
            lambda: [
                *(
                    objects.balance_entry(
                        f"txn_{charge['id']}", charge, charge["amount_captured"], fee=FEE
                    )
                    for charge in self.charges.values()
                    if charge["captured"]
                ),
                *(
                    objects.balance_entry(
                        f"txn_{refund['id']}", refund, -refund["amount"], kind="refund"
                    )
                    for refund in self.all_refunds.values()
                ),
            ],
        )
        within = (entry for entry in found if earliest <= entry["created"] <= latest)
        listed = sorted(within, key=lambda entry: -entry["created"])
        first = [entry["id"] for entry in listed].index(after) + 1 if after else 0
        yield from map(from_entry, listed[first : first + most])

    def create_refund(
        self, payment_intent: str, *, amount: int, metadata: Mapping[str, str], key: str
    ) -> RefundFact:
        params = {"payment_intent": payment_intent, "amount": amount, "metadata": dict(metadata)}
        made = self.wire.post(
            "create_refund", key, params, lambda: self._refund(payment_intent, amount, metadata)
        )
        return from_refund(made.body)

    def disputes_between(self, earliest: int, latest: int) -> Iterator[DisputeFact]:
        """Every dispute that was opened in this time (seconds), as it was then, the newest first."""
        found = self.wire.get(
            "disputes_between",
            lambda: [
                event["data"]["object"]
                for event in reversed(self.events)
                if event["type"] == "charge.dispute.created"
                and earliest <= event["created"] <= latest
            ],
        )
        yield from map(from_dispute, found)

    def read_dispute(self, dispute_id: str) -> DisputeFact:
        """As the real one."""
        return from_dispute(
            self.wire.get("read_dispute", lambda: self._known(self.disputes, dispute_id))
        )

    def undelivered(self, types: Sequence[str]) -> Iterator[str]:
        """What the events were about that are noted in ``not_taken``."""
        found = self.wire.get(
            "undelivered",
            lambda: [
                event["data"]["object"]["id"]
                for event in reversed(self.events)
                if event["type"] in types and event["id"] in self.not_taken
            ],
        )
        yield from found

    # What goes wrong.

    def fault(self, call: str, kind: Fault, times: int = 1) -> None:
        """The next ``times`` calls of this method go wrong so."""
        self.wire.plan(call, kind, times)

    def down(self) -> None:
        """Stripe cannot be reached, until ``up``."""
        self.wire.choose = lambda _call: Fault.LOST_REQUEST

    def up(self) -> None:
        """Nothing goes wrong any more."""
        self.wire.choose = None
        self.wire.clear()
