"""What a shopper does on the payment page, and what Stripe makes of it."""

from dataclasses import dataclass

from . import payment_methods, payments, sessions
from .account import Account
from .deliveries import Fate
from .payment_methods import Method
from .state import Json

CARD_CHOICES = ("pay", "decline", "secure", "late")
DELAYED_CHOICES = ("delayed_succeed", "delayed_fail")
CHOICES = CARD_CHOICES + DELAYED_CHOICES


@dataclass(frozen=True)
class Outcome:
    """How an attempt to pay went.

    `word` is ``complete`` (the events in `waited_for` are on their way to the shop), ``secure``
    (the bank's page comes next), ``declined`` (`message` says why) or ``ended``.
    """

    word: str
    message: str = ""
    waited_for: tuple[str, ...] = ()


def offered(session: Json) -> tuple[str, ...]:
    """The choices that the session's payment method types allow."""
    types = set(session["payment_method_types"])
    cards = CARD_CHOICES if "card" in types else ()
    return cards + (DELAYED_CHOICES if types - {"card"} else ())


def pay(
    account: Account,
    session_id: str,
    choice: str,
    shopper: Json,
    fate: Fate | None,
    seconds: float,
) -> Outcome:
    """Pays a session as chosen, in one transaction.

    `late` ends an open session first and then pays it all the same: the race at the instant of
    expiry, in which a shop hears of the end and of the payment.
    """
    with account.transaction():
        session = account.get("checkout.session", session_id)
        if choice == "late" and session["status"] == "open":
            sessions.end(account, session, fate)
        payable = ("open", "expired") if choice == "late" else ("open",)
        if session["status"] not in payable:
            return Outcome("ended")
        if session["amount_total"] == 0:
            sessions.complete(account, session, shopper, fate)
            return completed(account, fate)
        intent = sessions.begin_payment(account, session, shopper["email"], fate)
        billing = payment_methods.billing_details(
            shopper["email"], shopper.get("name"), shopper.get("phone")
        )
        method = payment_methods.create(account, method_for(choice, session["currency"]), billing)
        payments.attempt(account, intent, method, seconds)
        if intent["status"] == "requires_action":
            session["_"]["shopper"] = shopper
            account.put(session)
            return Outcome("secure")
        if intent["status"] == "requires_payment_method":
            return Outcome("declined", intent["last_payment_error"]["message"])
        sessions.complete(account, session, shopper, fate)
        return completed(account, fate)


def method_for(choice: str, currency: str) -> Method:
    """The test payment method behind a choice."""
    if choice in DELAYED_CHOICES:
        return payment_methods.delayed(currency, bounces=choice == "delayed_fail")
    return {
        "decline": payment_methods.DECLINED_CARD,
        "secure": payment_methods.SECURE_CARD,
    }.get(choice, payment_methods.CARD)


def authenticate(account: Account, intent_id: str, *, confirmed: bool) -> Outcome:
    """What the bank's page said: the payment goes on, or is refused."""
    with account.transaction():
        intent = account.get("payment_intent", intent_id)
        if intent["status"] != "requires_action":
            return Outcome("ended")
        method = account.get("payment_method", intent["payment_method"])
        if not confirmed:
            reason = "payment_intent_authentication_failure"
            payments.decline(account, intent, method, reason)
            return Outcome("declined", intent["last_payment_error"]["message"])
        payments.succeed(account, intent, method)
        fate = payments.fate_of(intent)
        session = payments.session_of(account, intent)
        if session:
            sessions.complete(account, session, session["_"].pop("shopper"), fate)
        return completed(account, fate)


def completed(account: Account, fate: Fate | None) -> Outcome:
    """The outcome of a payment that went through.

    Checkout waits for the shop to take these events before it sends the shopper there; events
    that are lost or late by choice are not waited for.
    """
    mode = (fate or account.usual_fate).mode
    if mode in ("lost", "delayed"):
        return Outcome("complete")
    events = (event for event, _ in account.told if event["type"] == "checkout.session.completed")
    return Outcome("complete", waited_for=tuple(event["id"] for event in events))
