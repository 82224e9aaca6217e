"""How a payment moves: from the attempt to the money, the refusal or the cancelled authorisation.

These are the only functions that change a PaymentIntent's status. Each stores the intent, its
charge and the session they belong to, and tells of it, in the order in which Stripe does.
"""

from . import charges
from .account import Account
from .deliveries import Fate
from .state import Json

DECLINE_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "debit_not_authorized": "The bank did not make the payment.",
    "payment_intent_authentication_failure": "The bank could not confirm that it is you.",
}


def fate_of(intent: Json) -> Fate | None:
    """What the payer chose for this payment's webhooks; None when nothing special."""
    fate = intent["_"].get("fate")
    return Fate(**fate) if fate else None


def attempt(
    account: Account,
    intent: Json,
    method: Json,
    settle_seconds: float = 5,
    return_url: str | None = None,
) -> None:
    """Charges a payment method; the intent's status says how it went.

    A delayed method settles `settle_seconds` later on Stripe's clock. When the bank has a question
    it sends the shopper to `return_url` afterwards; Checkout asks for the bank itself.
    """
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    outcome = method["_"]["outcome"]
    if outcome.startswith("authenticates"):
        intent["status"] = "requires_action"
        if "session" not in intent["_"]:
            url = f"{account.public_url}/c/authenticate/{intent['client_secret']}"
            intent["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": url, "return_url": return_url},
            }
            intent["_"]["return_url"] = return_url
        account.put(intent)
        account.tell("payment_intent.requires_action", intent, fate_of(intent))
    elif outcome == "declined":
        decline(account, intent, method, method["_"]["decline_code"])
    elif outcome in ("settles", "bounces"):
        process(account, intent, method, settle_seconds, outcome)
    else:
        succeed(account, intent, method)


def authenticated(account: Account, intent: Json, *, confirmed: bool) -> None:
    """Goes on with what the bank's page said: takes the money, or refuses the payment."""
    method = account.get("payment_method", intent["payment_method"])
    if not confirmed:
        decline(account, intent, method, "payment_intent_authentication_failure")
    elif method["_"]["outcome"] == "authenticates_in_vain":
        decline(account, intent, method, method["_"]["decline_code"])
    else:
        succeed(account, intent, method)


def succeed(account: Account, intent: Json, method: Json) -> None:
    """Takes the money, or with manual capture the authorisation."""
    charge = pending_charge(account, intent) or charges.build(account, intent, method)
    charge |= {"status": "succeeded", "paid": True}
    intent |= {"latest_charge": charge["id"], "next_action": None, "last_payment_error": None}
    intent["_"].pop("due", None)
    fate = fate_of(intent)
    if intent["capture_method"] == "manual":
        until = account.clock.now() + charges.CAPTURE_SECONDS
        charge["payment_method_details"]["card"]["capture_before"] = until
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        intent["_"]["due"] = until
        account.put(charge)
        account.put(intent)
        account.tell("charge.succeeded", charge, fate)
        account.tell("payment_intent.amount_capturable_updated", intent, fate)
        return
    take(account, intent, charge, intent["amount"])
    account.tell("charge.succeeded", charge, fate)
    account.tell("payment_intent.succeeded", intent, fate)


def take(account: Account, intent: Json, charge: Json, amount: int) -> None:
    """Books the money of a charge and marks intent and session as paid."""
    charge |= {"captured": True, "amount_captured": amount}
    charge["balance_transaction"] = charges.book(account, charge, amount)
    if amount < charge["amount"]:
        charge["amount_refunded"] = charge["amount"] - amount
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    account.put(charge)
    account.put(intent)
    session = session_of(account, intent)
    if session and session["status"] == "complete" and session["payment_status"] == "unpaid":
        session["payment_status"] = "paid"
        account.put(session)


def process(account: Account, intent: Json, method: Json, seconds: float, outcome: str) -> None:
    """Sends a delayed payment on its way."""
    charge = charges.build(account, intent, method)
    charge |= {"status": "pending", "paid": False, "outcome": None}
    intent |= {"status": "processing", "latest_charge": charge["id"]}
    intent["_"] |= {"due": account.clock.time() + seconds, "outcome": outcome}
    account.put(charge)
    account.put(intent)
    account.tell("payment_intent.processing", intent, fate_of(intent))


def settle(account: Account, intent: Json) -> None:
    """Ends a delayed payment, well or badly, and tells of the session it belongs to."""
    method = account.get("payment_method", intent["payment_method"])
    well = intent["_"]["outcome"] == "settles"
    if well:
        succeed(account, intent, method)
    else:
        decline(account, intent, method, "debit_not_authorized")
    session = session_of(account, intent)
    if session:
        word = "succeeded" if well else "failed"
        account.tell(f"checkout.session.async_payment_{word}", session, fate_of(intent))


def decline(account: Account, intent: Json, method: Json, reason: str) -> None:
    """Refuses the payment; the intent waits for another means of payment."""
    message = DECLINE_MESSAGES[reason]
    authentication = reason == "payment_intent_authentication_failure"
    code = reason if authentication else "card_declined" if method["type"] == "card" else reason
    error: Json = {
        "type": "invalid_request_error" if authentication else "card_error",
        "code": code if code != "debit_not_authorized" else "payment_method_provider_decline",
        "message": message,
        "payment_method": {name: value for name, value in method.items() if name != "_"},
    }
    if not authentication:
        charge = pending_charge(account, intent) or charges.build(account, intent, method)
        charge |= {
            "status": "failed",
            "paid": False,
            "failure_code": error["code"],
            "failure_message": message,
            "outcome": charges.outcome("issuer_declined", message, reason),
        }
        account.put(charge)
        intent["latest_charge"] = charge["id"]
        error |= {"charge": charge["id"], "decline_code": reason}
        account.tell("charge.failed", charge, fate_of(intent))
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": error,
        "next_action": None,
    }
    intent["_"].pop("due", None)
    account.put(intent)
    account.tell("payment_intent.payment_failed", intent, fate_of(intent))


def capture(account: Account, intent: Json, amount: int) -> None:
    """Takes the money of an authorisation; what is not taken goes back to the shopper."""
    charge = account.get("charge", intent["latest_charge"])
    intent["_"].pop("due", None)
    take(account, intent, charge, amount)
    account.tell("charge.captured", charge)
    account.tell("payment_intent.succeeded", intent)


def cancel(account: Account, intent: Json, reason: str | None, fate: Fate | None = None) -> None:
    """Ends an intent for good; an authorisation goes back to the shopper without a Refund object.

    docs.stripe.com/api/payment_intents/cancel: "the remaining amount_capturable is automatically
    refunded"; the charge then counts as refunded.
    """
    if intent["status"] == "requires_capture":
        charge = account.get("charge", intent["latest_charge"])
        charge |= {"amount_refunded": charge["amount"], "refunded": True}
        account.put(charge)
        lapsed = reason == "automatic"
        account.tell("charge.expired" if lapsed else "charge.refunded", charge, fate)
    intent |= {
        "status": "canceled",
        "canceled_at": account.clock.now(),
        "cancellation_reason": reason,
        "amount_capturable": 0,
        "next_action": None,
    }
    intent["_"].pop("due", None)
    account.put(intent)
    account.tell("payment_intent.canceled", intent, fate)


def come_due(account: Account, intent: Json) -> None:
    """What happens to an intent by itself: it settles, or its authorisation lapses."""
    if intent["status"] == "processing":
        settle(account, intent)
    elif intent["status"] == "requires_capture":
        cancel(account, intent, "automatic")


def pending_charge(account: Account, intent: Json) -> Json | None:
    """The charge of a delayed payment that is on its way."""
    charge = account.state.get("charge", intent["latest_charge"] or "")
    return charge if charge and charge["status"] == "pending" else None


def session_of(account: Account, intent: Json) -> Json | None:
    """The session that an intent belongs to, or None for an intent of its own."""
    return account.state.get("checkout.session", intent["_"].get("session", ""))
