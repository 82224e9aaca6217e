"""What a PaymentIntent's state, or its client secret, forbids."""

import secrets

from .errors import StripeError
from .state import Json, public

CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
)
"""Stripe adds "in rare cases, processing"; here money that is on its way cannot be called back."""
SENTENCES = {
    "canceled": "You cannot cancel this PaymentIntent",
    "captured": "This PaymentIntent could not be captured",
    "confirmed": "You cannot confirm this PaymentIntent",
    "updated": "This PaymentIntent could not be updated",
}


def check_secret(intent: Json, given: str) -> None:
    """Refuses a client secret that is not this intent's."""
    if not secrets.compare_digest(given.encode(), intent["client_secret"].encode()):
        raise StripeError(
            "The client_secret provided does not match the client_secret associated with the "
            "PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="client_secret",
        )


def refuse_checkout(intent: Json, verb: str) -> None:
    """Refuses what only Checkout itself may do with its PaymentIntent."""
    if intent["_"].get("session"):
        raise StripeError(
            f"You cannot {verb} this PaymentIntent because it was created by a Checkout Session "
            f"({intent['_']['session']}). Expire the Checkout Session instead.",
            code="payment_intent_unexpected_state" if verb != "cancel" else None,
        )


def require_confirmable(intent: Json) -> None:
    """Refuses to confirm an intent that is paid, on its way or at its end."""
    if intent["status"] == "succeeded":
        raise unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being "
            "previously confirmed.",
        )
    require(
        intent,
        "confirmed",
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
    )


def require(intent: Json, done: str, *statuses: str) -> None:
    """Refuses a call that the intent's status does not allow."""
    if intent["status"] not in statuses:
        raise unexpected_state(
            intent,
            f"{SENTENCES[done]} because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be {done}: "
            f"{', '.join(statuses)}.",
        )


def unexpected_state(intent: Json, message: str) -> StripeError:
    """The refusal, with the intent as it is."""
    return StripeError(
        message, code="payment_intent_unexpected_state", payment_intent=public(intent)
    )
