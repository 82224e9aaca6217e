"""A Stripe account: its objects, its shoppers and banks, and the events it sends.

It keeps no threads and draws no chance: ids count upwards, and time is whatever the given clock says.
So a run with the same calls is the same run.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storefront.domain.errors import StripeRefused
from storefront.domain.payment_links import order_of
from storefront.domain.payments import SESSION_STATUS
from tests.fakes import checks, objects
from tests.fakes.faults import Invalid
from tests.fakes.objects import copied


def wall_clock() -> int:
    """Milliseconds since 1970, as this process counts them (or a test that travels in time)."""
    return int(time.time() * 1000)


CODES = {"": 0, "TEN": 10, "FREE": 100}
"""Promotion codes, and the percent that they take off the goods."""
ADA = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "postal_code": "SW1Y 4JH",
    "city": "London",
    "country": "GB",
}
"""Where things are sent unless a test says otherwise."""
AUTHORIZED_SECONDS = 7 * 24 * 3600
"""How long a bank sets money aside for us, about."""


def order_named(session: Mapping[str, Any]) -> str:
    """The order that a session is of."""
    if "link" in session["metadata"]:
        return order_of(session["id"])
    return str(session["metadata"].get("order") or session["client_reference_id"])


class Account:
    """What Stripe keeps, and what shoppers and banks do to it."""

    def __init__(
        self,
        now: Callable[[], int],
        webhook_secrets: tuple[str, ...],
        livemode: bool,
    ) -> None:
        self.now = now
        """Milliseconds since 1970."""
        self.livemode = livemode
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        """By PaymentIntent."""
        self.all_refunds: dict[str, dict[str, Any]] = {}
        self.links: dict[str, dict[str, Any]] = {}
        """Payment Links, by id."""
        self._link_params: dict[str, Mapping[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        """Every event there ever was."""
        self.tax_percent, self.tax_included = 10, False
        """What Stripe adds, or finds in the prices, where a session asks it to."""
        self.refund_status = "succeeded"
        """What the next refunds are at first."""
        self._webhook_secrets = webhook_secrets
        self._intent_data: dict[str, Mapping[str, Any]] = {}
        self._open: dict[str, int] = {}
        self._authorized: dict[str, int] = {}
        """When each authorisation runs out (seconds), by PaymentIntent."""
        self._unwilling: set[str] = set()
        """Authorisations that the bank will not pay when they are captured."""
        self._sent = 0
        self._numbers: dict[str, int] = {}

    # What shoppers and banks do. Each answers whether Stripe let them.

    def pay(self, session_id: str, *, email: str = "ada@example.com") -> bool:
        """The shopper pays by card, and the money is taken at once; of nothing, nothing is."""
        if self._costs_nothing(session_id):
            self._introduce(session_id, email)
            self._complete(session_id, "no_payment_required")
            return True
        intent = self._attempt(session_id, email)
        if intent is None:
            return False
        if intent["capture_method"] == "manual":
            self._authorize(intent)
            self._complete(session_id, "unpaid")
            return True
        self._succeed(intent)
        self._complete(session_id, "paid")
        return True

    def fill_in(
        self,
        session_id: str,
        *,
        rate: int = 0,
        code: str = "",
        to: Mapping[str, Any] | None = None,
    ) -> bool:
        """The shopper chooses how it is sent, says to whom, and enters a promotion code.

        Not every session asks: what it does not ask for is passed over.
        """
        session = self.sessions.get(session_id)
        self._age()
        if session is None or session_id not in self._open:
            return False
        goods = session["amount_subtotal"]
        percent = CODES[code] if session["allow_promotion_codes"] else 0
        discount = goods * percent // 100
        options = session["shipping_options"]
        shipping = options[rate]["shipping_amount"] if options else 0
        taxed = (goods - discount + shipping) if session["automatic_tax"]["enabled"] else 0
        whole = 100 + self.tax_percent if self.tax_included else 100
        tax = taxed * self.tax_percent // whole
        asks = session["shipping_address_collection"] is not None
        objects.choose(
            session,
            rate=rate,
            discount=discount,
            tax=tax,
            included=self.tax_included,
            to=(to or ADA) if asks else None,
        )
        return True

    def pay_too_late(self, session_id: str) -> bool:
        """A payment under way goes through although Stripe has said that the session is over."""
        self.sessions[session_id]["status"] = "open"
        self._open[session_id] = self._seconds() + 1
        return self.pay(session_id)

    def decline(self, session_id: str) -> bool:
        """The shopper's card is declined; the session stays open for another try."""
        intent = self._attempt(session_id, "")
        if intent is None:
            return False
        intent["last_payment_error"] = {"code": "card_declined", "type": "card_error"}
        self._tell("payment_intent.payment_failed", intent)
        return True

    def pay_later(self, session_id: str, *, email: str = "ada@example.com") -> bool:
        """The shopper finishes with a delayed method, where it is offered: the money is on its way."""
        paid = self.intents.get(session_id) or self.sessions[session_id]
        if paid["payment_method_types"] == ["card"]:
            return False
        if self._costs_nothing(session_id):
            return self.pay(session_id, email=email)
        intent = self._attempt(session_id, email)
        if intent is None:
            return False
        intent["status"] = "processing"
        if session_id in self.intents:
            self._tell("payment_intent.processing", intent)
        self._complete(session_id, "unpaid")
        return True

    def money_comes(self, session_id: str) -> None:
        """A delayed payment ends well."""
        if session_id in self.intents:
            self._succeed(self.intents[session_id])
            return
        session = self.sessions[session_id]
        self._succeed(self.intents[session["payment_intent"]])
        session["payment_status"] = "paid"
        self._tell("checkout.session.async_payment_succeeded", session)

    def money_fails(self, session_id: str) -> None:
        """A delayed payment ends badly."""
        session = self.sessions.get(session_id)
        intent = self.intents[session["payment_intent"] if session else session_id]
        intent["status"] = "requires_payment_method"
        intent["last_payment_error"] = {"code": "payment_intent_payment_attempt_failed"}
        self._tell("payment_intent.payment_failed", intent)
        if session is None:
            return
        self._tell("checkout.session.async_payment_failed", session)

    def authorize(self, session_id: str, *, email: str = "ada@example.com") -> bool:
        """The shopper pays by card, and the money is only set aside."""
        intent = self._attempt(session_id, email)
        if intent is None:
            return False
        self._authorize(intent)
        self._complete(session_id, "unpaid")
        return True

    def capture_by_hand(self, payment_intent: str) -> None:
        """Someone captures an authorised payment in Stripe's dashboard."""
        self._capture(payment_intent)

    def cancel_by_hand(self, payment_intent: str) -> None:
        """Someone cancels an authorised payment in Stripe's dashboard."""
        self._cancel(payment_intent)

    def back_out(self, payment_intent: str) -> None:
        """The buyer's bank will not pay what it has agreed to: capturing it fails."""
        self._unwilling.add(payment_intent)

    def refund_by_hand(
        self, payment_intent: str, amount: int | None = None, *, status: str = "succeeded"
    ) -> str:
        """Someone refunds (some of) a payment in Stripe's dashboard; answers the refund's id."""
        whole = self.charges[payment_intent]["amount"]
        kept, self.refund_status = self.refund_status, status
        try:
            return str(self._refund(payment_intent, amount or whole, {})["id"])
        finally:
            self.refund_status = kept

    def refund_ends(self, refund_id: str, status: str) -> None:
        """A refund that was pending succeeds, fails or is canceled; one that succeeded may fail."""
        refund = self.all_refunds[refund_id]
        refund["status"] = status
        charge = self.charges[refund["payment_intent"]]
        if status in {"failed", "canceled"}:
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self._tell("refund.failed", refund)
        self._tell("refund.updated", refund)

    def dispute(self, payment_intent: str) -> str:
        """The buyer's bank asks for the money back; answers the dispute's id."""
        charge = self.charges[payment_intent]
        charge["disputed"] = True
        dispute = objects.dispute(self._id("dp"), charge, created=self._seconds())
        self.disputes[dispute["id"]] = dispute
        self._tell("charge.dispute.created", dispute)
        return str(dispute["id"])

    def dispute_ends(self, dispute_id: str, status: str) -> None:
        """The bank decides: ``won`` is for the shop."""
        self.disputes[dispute_id]["status"] = status
        self._tell("charge.dispute.closed", self.disputes[dispute_id])

    # What Stripe sends.

    def new_events(self) -> list[dict[str, Any]]:
        """The events since the last time this was asked, in the order they happened."""
        self._age()
        fresh, self._sent = self.events[self._sent :], len(self.events)
        return copied(fresh)

    def signed(self, event: Mapping[str, Any]) -> tuple[bytes, str]:
        """The body and the Stripe-Signature header of a delivery now."""
        body = json.dumps(event)
        at = int(time.time())
        secret = self._webhook_secrets[0].encode()
        signature = hmac.new(secret, f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
        return body.encode(), f"t={at},v1={signature}"

    def twin(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """A second Event object for the same fact, as Stripe sometimes makes."""
        return {**copied(dict(event)), "id": self._id("evt")}

    # What a test asks.

    def sessions_of(self, order: str) -> list[dict[str, Any]]:
        """Every session that was ever made for an order, the oldest first."""
        self._age()
        return [s for s in self.sessions.values() if self._is_of(s, order)] + [
            {**intent, "status": SESSION_STATUS.get(intent["status"], "complete")}
            for intent in self.intents.values()
            if intent["metadata"].get("order") == order and "form" in intent["metadata"]
        ]

    def taken(self, order: str) -> dict[str, int]:
        """What Stripe took for an order and did not send back, by PaymentIntent."""
        return {
            intent: charge["amount"] - charge["amount_refunded"]
            for intent, charge in self.charges.items()
            if self.order_paid(charge) == order and charge["captured"]
        }

    def order_paid(self, charge: Mapping[str, Any]) -> str:
        """The order that a charge is for; a link's sessions all have the same metadata."""
        if "link" not in charge["metadata"]:
            return str(charge["metadata"].get("order", ""))
        intent = charge["payment_intent"]
        paid = (s for s in self.sessions.values() if s["payment_intent"] == intent)
        return next(map(order_named, paid))

    # Inside Stripe.

    def _is_of(self, session: Mapping[str, Any], order: str) -> bool:
        if "link" in session["metadata"]:
            return order_named(session) == order
        return bool(session["client_reference_id"] == order)

    def _lines(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The lines of a session with what each costs."""
        return [dict(item) for item in items]

    def _seconds(self) -> int:
        return self.now() // 1000

    def _id(self, prefix: str) -> str:
        self._numbers[prefix] = number = self._numbers.get(prefix, 0) + 1
        return f"{prefix}_{number}"

    def _tell(self, kind: str, about: Mapping[str, Any]) -> None:
        self.events.append(
            objects.event(
                self._id("evt"),
                kind,
                copied(dict(about)),
                created=self._seconds(),
                livemode=self.livemode,
            )
        )

    def _age(self) -> None:
        """Sessions and authorisations whose time is over end by themselves."""
        now = self._seconds()
        for intent_id in [one for one, until in self._authorized.items() if until <= now]:
            self.intents[intent_id]["cancellation_reason"] = "automatic"
            self._let_go(self.intents[intent_id])
        for session_id in [one for one, until in self._open.items() if until <= now]:
            self._close(session_id)

    def _close(self, session_id: str) -> None:
        session = self.sessions[session_id]
        session.update(status="expired", url=None)
        self._open.pop(session_id)
        intent = self.intents.get(session["payment_intent"] or "")
        if intent:
            intent.update(status="canceled", canceled_at=self._seconds())
            self._tell("payment_intent.canceled", intent)
        self._tell("checkout.session.expired", session)

    def _known(self, kind: dict[str, dict[str, Any]], object_id: str) -> dict[str, Any]:
        self._age()
        if object_id not in kind:
            raise StripeRefused(f"No such object: '{object_id}'", "resource_missing", 404)
        return kind[object_id]

    def _expanded(self, session_id: str) -> dict[str, Any]:
        session = self._known(self.sessions, session_id)
        intent = session["payment_intent"]
        return {**session, "payment_intent": self._with_charge(intent) if intent else None}

    def _with_charge(self, payment_intent: str) -> dict[str, Any]:
        intent = self._known(self.intents, payment_intent)
        return {**intent, "latest_charge": self.charges.get(payment_intent)}

    def _open_session(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self._age()
        params = {**params, "line_items": self._lines(params["line_items"])}
        checks.session_params(params, self._seconds())
        session_id = self._id("cs_test")
        session = objects.session(
            session_id, params, created=self._seconds(), livemode=self.livemode
        )
        self.sessions[session_id] = session
        self._intent_data[session_id] = {
            "allowed_payment_method_types": session["allowed_payment_method_types"],
            **(params.get("payment_intent_data") or {}),
        }
        self._open[session_id] = session["expires_at"]
        return session

    def _open_intent(self, params: Mapping[str, Any]) -> dict[str, Any]:
        checks.intent_params(params)
        session = {
            "amount_total": params["amount"],
            "currency": params["currency"],
            "livemode": self.livemode,
        }
        intent = objects.intent(self._id("pi"), session, params, created=self._seconds())
        self.intents[intent["id"]] = intent
        self._tell("payment_intent.created", intent)
        return intent

    def _expire(self, session_id: str) -> dict[str, Any]:
        session = self._known(self.sessions, session_id)
        if session["status"] != "open":
            raise StripeRefused(
                'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This Checkout Session has a status of `{session['status']}`."
            )
        self._close(session_id)
        return self._expanded(session_id)

    def _attempt(self, session_id: str, email: str) -> dict[str, Any] | None:
        """The PaymentIntent of an open session, made with the first try; None when it is over."""
        self._age()
        if session_id in self.intents:
            return self._own_attempt(self.intents[session_id], email)
        if session_id not in self._open:
            return None
        session = self.sessions[session_id]
        self._fill_in_the_rest(session_id)
        if session["payment_intent"] is None:
            intent = objects.intent(
                self._id("pi"), session, self._intent_data[session_id], created=self._seconds()
            )
            self.intents[intent["id"]] = intent
            session["payment_intent"] = intent["id"]
        self._introduce(session_id, email)
        intent = self.intents[session["payment_intent"]]
        intent["amount"] = session["amount_total"]
        return intent

    def _fill_in_the_rest(self, session_id: str) -> None:
        """What the shopper leaves as Stripe's page shows it first."""
        session = self.sessions[session_id]
        asks = session["shipping_options"] or session["automatic_tax"]["enabled"]
        if asks and session["total_details"] is None:
            self.fill_in(session_id)

    def _costs_nothing(self, session_id: str) -> bool:
        self._age()
        if session_id not in self._open:
            return False
        self._fill_in_the_rest(session_id)
        return self.sessions[session_id]["amount_total"] == 0

    def _introduce(self, session_id: str, email: str) -> None:
        """Who pays."""
        if email:
            self.sessions[session_id]["customer_details"] = {
                "address": None,
                "business_name": None,
                "email": email,
                "individual_name": None,
                "name": None,
                "phone": None,
                "tax_exempt": "none",
                "tax_ids": [],
            }

    def _authorize(self, intent: dict[str, Any]) -> None:
        until = self._seconds() + AUTHORIZED_SECONDS
        charge = objects.charge(self._id("ch"), intent, created=self._seconds())
        charge.update(captured=False, amount_captured=0)
        charge["payment_method_details"] = {"type": "card", "card": {"capture_before": until}}
        intent.update(
            status="requires_capture",
            amount_capturable=intent["amount"],
            latest_charge=charge["id"],
        )
        self.charges[intent["id"]] = charge
        self._authorized[intent["id"]] = until
        self._tell("payment_intent.amount_capturable_updated", intent)

    def _capture(self, payment_intent: str) -> dict[str, Any]:
        intent = self._known(self.intents, payment_intent)
        self._only_authorized(intent, "captured")
        if payment_intent in self._unwilling:
            self._fall_through(intent)
            raise StripeRefused("Your card was declined.", "card_declined", 402)
        del self._authorized[payment_intent]
        charge = self.charges[payment_intent]
        charge.update(captured=True, amount_captured=intent["amount"])
        intent.update(status="succeeded", amount_capturable=0, amount_received=intent["amount"])
        self._tell("charge.captured", charge)
        self._tell("payment_intent.succeeded", intent)
        return self._with_charge(payment_intent)

    def _cancel(self, payment_intent: str) -> dict[str, Any]:
        intent = self._known(self.intents, payment_intent)
        ours = not any(s["payment_intent"] == payment_intent for s in self.sessions.values())
        if ours and intent["status"] in {"requires_payment_method", "requires_action"}:
            intent.update(status="canceled", canceled_at=self._seconds())
            self._tell("payment_intent.canceled", intent)
            return self._with_charge(payment_intent)
        self._only_authorized(intent, "canceled")
        self._let_go(intent)
        return self._with_charge(payment_intent)

    def _only_authorized(self, intent: dict[str, Any], verb: str) -> None:
        if intent["status"] != "requires_capture":
            raise StripeRefused(
                f"This PaymentIntent could not be {verb} because it has a status of "
                f"{intent['status']}.",
                "payment_intent_unexpected_state",
            )

    def _let_go(self, intent: dict[str, Any]) -> None:
        """An authorisation ends without money: Stripe calls its charge refunded."""
        del self._authorized[intent["id"]]
        charge = self.charges[intent["id"]]
        charge.update(amount_refunded=charge["amount"], refunded=True)
        intent.update(status="canceled", amount_capturable=0, canceled_at=self._seconds())
        self._tell("charge.refunded", charge)
        self._tell("payment_intent.canceled", intent)

    def _fall_through(self, intent: dict[str, Any]) -> None:
        """The bank does not pay: the PaymentIntent waits for another way to be paid."""
        self._unwilling.discard(intent["id"])
        del self._authorized[intent["id"]]
        del self.charges[intent["id"]]
        intent.update(
            status="requires_payment_method",
            amount_capturable=0,
            latest_charge=None,
            last_payment_error={"code": "card_declined", "type": "card_error"},
        )
        self._tell("payment_intent.payment_failed", intent)

    def _own_attempt(self, intent: dict[str, Any], email: str) -> dict[str, Any] | None:
        """A try on the shop's own page, whose PaymentIntent was there before."""
        if intent["status"] != "requires_payment_method":
            return None
        intent["receipt_email"] = email or None
        return intent

    def _succeed(self, intent: dict[str, Any]) -> None:
        charge = objects.charge(self._id("ch"), intent, created=self._seconds())
        intent.update(
            status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"]
        )
        self.charges[intent["id"]] = charge
        self._tell("payment_intent.succeeded", intent)

    def _complete(self, session_id: str, payment_status: str) -> None:
        if session_id in self.intents:
            return
        session = self.sessions[session_id]
        session.update(status="complete", payment_status=payment_status, url=None)
        self._open.pop(session_id)
        if link := self.links.get(session["payment_link"] or ""):
            completed = link["restrictions"]["completed_sessions"]
            completed["count"] += 1
            if completed["count"] >= completed["limit"]:
                link["active"] = False
            self._tell("payment_link.updated", link)
        self._tell("checkout.session.completed", session)

    def _refund(
        self, payment_intent: str, amount: int, metadata: Mapping[str, str]
    ) -> dict[str, Any]:
        self._known(self.intents, payment_intent)
        charge = self.charges.get(payment_intent)
        if charge is None or not charge["captured"]:
            raise StripeRefused(f"{payment_intent} has no successful charge to refund")
        if charge["disputed"]:
            raise StripeRefused(f"Charge {charge['id']} is disputed", "charge_disputed")
        left = charge["amount"] - charge["amount_refunded"]
        if left == 0:
            raise StripeRefused(
                f"Charge {charge['id']} has already been refunded.", "charge_already_refunded"
            )
        if not 0 < amount <= left:
            raise Invalid(f"Refund amount ({amount}) is greater than unrefunded amount ({left})")
        refund = objects.refund(
            self._id("re"), charge, amount, self.refund_status, metadata, created=self._seconds()
        )
        self.all_refunds[refund["id"]] = refund
        if self.refund_status not in {"failed", "canceled"}:
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._tell("refund.created", refund)
        self._tell("charge.refunded", charge)
        return refund
