"""What a shopper does on the payment page, and what Stripe makes of it."""

from dataclasses import dataclass

from . import payment_intents, payment_methods, payments, sessions, totals
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
    (the bank's page comes next), ``declined`` (`message` says why), ``ended``, or ``full`` (its
    payment link was paid for as often as it may be).
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
        if session["status"] != "complete" and full(account, session):
            return Outcome("full")
        if choice == "late" and session["status"] == "open":
            sessions.end(account, session, fate)
        payable = ("open", "expired") if choice == "late" else ("open",)
        if session["status"] not in payable:
            return Outcome("ended")
        if session["status"] == "open":
            totals.apply(session, option=shopper.get("option", 0), code=shopper.get("code", ""))
            account.put(session)
        if session["amount_total"] == 0:
            complete(account, session, shopper, fate)
            return completed(account, fate)
        intent = begin_payment(account, session, fate)
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
        complete(account, session, shopper, fate)
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
        session = payments.session_of(account, intent)
        if session and full(account, session):
            return Outcome("full")
        payments.authenticated(account, intent, confirmed=confirmed)
        if intent["last_payment_error"]:
            return Outcome("declined", intent["last_payment_error"]["message"])
        fate = payments.fate_of(intent)
        if session:
            complete(account, session, session["_"].pop("shopper"), fate)
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


def begin_payment(account: Account, session: Json, fate: Fate | None) -> Json:
    """The session's PaymentIntent, made when the shopper first tries to pay."""
    chosen = {"mode": fate.mode, "seconds": fate.seconds} if fate else None
    intent = account.state.get("payment_intent", session["payment_intent"] or "")
    if intent is None or intent["status"] == "canceled":
        data = session["_"]["payment_intent_data"] | {
            name: session[name]
            for name in ("allowed_payment_method_types", "excluded_payment_method_types")
            if session.get(name)
        }
        intent = payment_intents.build(account, session["amount_total"], session["currency"], data)
        session["payment_intent"] = intent["id"]
        account.put(session)
        account.tell("payment_intent.created", intent, fate)
    intent["amount"] = session["amount_total"]
    intent["_"] |= {"session": session["id"], "fate": chosen}
    return account.put(intent)


def complete(account: Account, session: Json, shopper: Json, fate: Fate | None) -> None:
    """Ends a session well: paid, or unpaid while the money is on its way or only authorised.

    `shopper` has `email`, and `name`, `phone` and `address` where the page asked for them.
    """
    address = shopper.get("address")
    session |= {
        "status": "complete",
        "url": None,
        "customer_details": {
            "address": address or payment_methods.ADDRESS,
            "business_name": None,
            "email": shopper["email"],
            "individual_name": None,
            "name": shopper.get("name"),
            "phone": shopper.get("phone"),
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    if address:
        session["collected_information"] = {
            "business_name": None,
            "individual_name": None,
            "shipping_details": {"address": address, "name": shopper.get("name") or ""},
        }
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"]["status"] = "complete"
    session["_"].pop("due", None)
    intent = account.state.get("payment_intent", session["payment_intent"] or "")
    if intent and address:
        intent["shipping"] = {
            "address": address,
            "carrier": None,
            "name": shopper.get("name") or "",
            "phone": shopper.get("phone"),
            "tracking_number": None,
        }
        account.put(intent)
    if intent and intent["status"] == "succeeded":
        session["payment_status"] = "paid"
    account.put(session)
    count_completed(account, session)
    account.tell("checkout.session.completed", session, fate)


def full(account: Account, session: Json) -> bool:
    """Whether no more sessions of its payment link may be completed.

    docs.stripe.com/payment-links/customize: at its limit a link "automatically deactivates and
    customers can't use it to make a purchase". Of sessions that are open by then it says nothing
    of its own, so that they can be paid all the same is a choice too (`Account.link_limit`).
    """
    link = account.state.get("payment_link", session["payment_link"] or "")
    if not link or not link["restrictions"] or account.link_limit == "overrun":
        return False
    completed = link["restrictions"]["completed_sessions"]
    return bool(completed["count"] >= completed["limit"])


def count_completed(account: Account, session: Json) -> None:
    """Counts the session against the limit of its payment link."""
    link = account.state.get("payment_link", session["payment_link"] or "")
    if link and link["restrictions"]:
        completed = link["restrictions"]["completed_sessions"]
        completed["count"] += 1
        if completed["count"] >= completed["limit"]:
            link["active"] = False
        account.put(link)
        account.tell("payment_link.updated", link)
