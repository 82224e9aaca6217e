"""Stripe, in the few calls that a shop needs.

This and ``stripe_connection`` are the only importers of ``stripe``. Every answer is a fact from
``domain``; every failure is one of the four that ``stripe_connection`` names.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import stripe

from storefront.clients.stripe_account import Account
from storefront.clients.stripe_balance import Balance
from storefront.clients.stripe_catalogue import Catalogue
from storefront.clients.stripe_connection import each, harmless_keys, plain
from storefront.clients.stripe_links import Links
from storefront.domain.errors import SignatureInvalid, StripeRefused, StripeSpent
from storefront.domain.fields import identity, part
from storefront.domain.payments import (
    DisputeFact,
    Payment,
    RefundFact,
    from_dispute,
    from_intent,
    from_refund,
    from_session,
)


class Stripe(Catalogue, Links, Balance, Account):
    """A shop's account at Stripe. Safe to share between threads and greenlets."""

    def create_session(self, params: Mapping[str, Any], key: str) -> Payment:
        """Make a Checkout Session, or get the one that this key made before.

        While another request under this key is being worked on, as after a double click, its answer
        is waited for, 7 s at most.
        """
        create = self._client.v1.checkout.sessions.create
        payment, replayed = self._made("session_create", create, params, key, from_session)
        return self.session(payment.session) if replayed else payment

    def session(self, session_id: str) -> Payment:
        """What a session and its PaymentIntent are now."""
        with self._call("session_retrieve"):
            found = self._client.v1.checkout.sessions.retrieve(
                session_id, {"expand": ["payment_intent.latest_charge"]}
            )
            return from_session(plain(found))

    def expire_session(self, session_id: str) -> Payment:
        """End an open session, so that nothing can be paid with it any more.

        Raises StripeRefused when it is not open: it is paid, being paid, or ended already; and
        StripeSpent when each key only replays a saved error: reading the session tells what it is.
        """
        return self._ended(
            "session_expire",
            f"session:{session_id}:expire",
            lambda options: self._client.v1.checkout.sessions.expire(
                session_id, {"expand": ["payment_intent.latest_charge"]}, options
            ),
            from_session,
        )

    def sessions_between(self, earliest: int, latest: int) -> Iterator[Payment]:
        """Every session created in this time (seconds, both included), the newest first."""
        with self._call("session_list"):
            page = self._client.v1.checkout.sessions.list(
                {
                    "created": {"gte": earliest, "lte": latest},
                    "limit": 100,
                    "expand": ["data.payment_intent"],
                }
            )
            yield from map(from_session, each(page))

    def session_of(self, payment_intent: str) -> Payment | None:
        """The session that a PaymentIntent was made in; None for one of our own page."""
        with self._call("session_list"):
            page = self._client.v1.checkout.sessions.list(
                {
                    "payment_intent": payment_intent,
                    "limit": 1,
                    "expand": ["data.payment_intent.latest_charge"],
                }
            )
            return next(map(from_session, each(page)), None)

    def told_of_end(self, session_id: str, since: int) -> bool:
        """Whether Stripe ever said that a session expired; ``since`` is its creation (seconds).

        Its events are kept for 30 days: https://docs.stripe.com/api/events/list
        """
        with self._call("event_list"):
            page = self._client.v1.events.list(
                {"type": "checkout.session.expired", "created": {"gte": since}, "limit": 100}
            )
            return any(event["data"]["object"]["id"] == session_id for event in each(page))

    def create_intent(self, params: Mapping[str, Any], key: str) -> Payment:
        """Make a PaymentIntent, or get the one that this key made before.

        https://docs.stripe.com/api/payment_intents/create
        """
        create = self._client.v1.payment_intents.create
        payment, replayed = self._made("intent_create", create, params, key, from_intent)
        return self.intent(payment.payment_intent) if replayed else payment

    def intents_between(self, earliest: int, latest: int) -> Iterator[Payment]:
        """Every PaymentIntent created in this time (seconds, both included), the newest first."""
        with self._call("intent_list"):
            page = self._client.v1.payment_intents.list(
                {"created": {"gte": earliest, "lte": latest}, "limit": 100}
            )
            yield from map(from_intent, each(page))

    def intent(self, payment_intent: str) -> Payment:
        """What a PaymentIntent is now."""
        with self._call("intent_retrieve"):
            found = self._client.v1.payment_intents.retrieve(
                payment_intent, {"expand": ["latest_charge"]}
            )
            return from_intent(plain(found))

    def capture(self, payment_intent: str, key: str) -> Payment:
        """Take all of an authorised amount, or learn what this key did before.

        Raises StripeRefused when it is not authorised (any more): reading it tells what it is.
        https://docs.stripe.com/api/payment_intents/capture
        """
        with self._call("intent_capture"):
            made = self._client.v1.payment_intents.capture(
                payment_intent, {}, {"idempotency_key": key}
            )
            return from_intent(plain(made))

    def cancel_intent(self, payment_intent: str) -> Payment:
        """End a payment before any money moved: an authorised one, or an open one of our own page.

        An authorised amount is let go, free of fees. Raises StripeRefused when neither is so (any
        more), and StripeSpent when each key only replays a saved error: reading it tells what it is.
        https://docs.stripe.com/api/payment_intents/cancel
        """
        return self._ended(
            "intent_cancel",
            f"void:{payment_intent}",
            lambda options: self._client.v1.payment_intents.cancel(payment_intent, {}, options),
            from_intent,
        )

    def refunds(self, payment_intent: str) -> list[RefundFact]:
        """Every refund of a payment."""
        with self._call("refund_list"):
            page = self._client.v1.refunds.list({"payment_intent": payment_intent, "limit": 100})
            return list(map(from_refund, each(page)))

    def refunds_between(self, earliest: int, latest: int) -> Iterator[RefundFact]:
        """Every refund made in this time (seconds, both included), the newest first."""
        with self._call("refund_list"):
            page = self._client.v1.refunds.list(
                {"created": {"gte": earliest, "lte": latest}, "limit": 100}
            )
            yield from map(from_refund, each(page))

    def create_refund(
        self, payment_intent: str, *, amount: int, metadata: Mapping[str, str], key: str
    ) -> RefundFact:
        """Send ``amount`` minor units of a payment back, or get the refund this key made before."""
        with self._call("refund_create"):
            made = self._client.v1.refunds.create(
                {
                    "payment_intent": payment_intent,
                    "amount": amount,
                    "metadata": dict(metadata),
                    "reason": "requested_by_customer",
                },
                {"idempotency_key": key},
            )
            return from_refund(plain(made))

    def disputes_between(self, earliest: int, latest: int) -> Iterator[DisputeFact]:
        """Every dispute that was opened in this time (seconds, both included), as it was then.

        Stripe keeps what it told for 30 days: https://docs.stripe.com/api/events/list
        """
        with self._call("event_list"):
            page = self._client.v1.events.list(
                {
                    "type": "charge.dispute.created",
                    "created": {"gte": earliest, "lte": latest},
                    "limit": 100,
                }
            )
            for event in each(page):
                yield from_dispute(part(part(event, "data"), "object"))

    def read_dispute(self, dispute_id: str) -> DisputeFact:
        """What a dispute is now."""
        with self._call("dispute_retrieve"):
            return from_dispute(plain(self._client.v1.disputes.retrieve(dispute_id)))

    def undelivered(self, types: Sequence[str]) -> Iterator[str]:
        """The ids of what events of these types were about that no endpoint has taken, of 30 days."""
        with self._call("event_list"):
            page = self._client.v1.events.list(
                {"types": list(types), "delivery_success": False, "limit": 100}
            )
            for event in each(page):
                yield identity(part(part(event, "data"), "object"))

    def event(self, body: bytes, signature: str) -> dict[str, Any]:
        """The JSON object in a webhook's raw body, once its signature is proven.

        Raises SignatureInvalid for anything else: a wrong or old signature, a body that is no
        UTF-8, no JSON or no object.
        """
        for secret in self._webhook_secrets:
            try:
                text = body.decode("utf-8")
                stripe.WebhookSignature.verify_header(text, signature, secret, 300)
                event = json.loads(text, parse_constant=_no_constant)
            except stripe.SignatureVerificationError:
                continue
            except (ValueError, TypeError, RecursionError) as error:
                raise SignatureInvalid("the body is no event") from error
            if not isinstance(event, dict):
                raise SignatureInvalid("signed, but no event")
            return cast("dict[str, Any]", event)
        raise SignatureInvalid("no signature of ours fits")

    def _ended(
        self,
        name: str,
        key: str,
        end: Callable[[Any], Any],
        read: Callable[[dict[str, Any]], Payment],
    ) -> Payment:
        """What a payment is after its end was asked for under the first key that is not spent.

        A replayed no is old: what was on its way then may be open again.
        """
        for number in harmless_keys():
            try:
                with suppress(StripeSpent), self._call(name):
                    return read(plain(end({"idempotency_key": f"{key}:{number}"})))
            except StripeRefused as refused:
                if not refused.replayed:
                    raise
        raise StripeSpent(f"{key} was answered with saved answers only")


def _no_constant(name: str) -> None:
    """JSON has no NaN and no Infinity, though Python reads them."""
    raise ValueError(name)
