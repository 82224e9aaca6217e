"""PaymentIntents: POST and GET /v1/payment_intents."""

from typing import Any

from . import money, payment_methods, payments, texts
from .account import Account
from .errors import StripeError, invalid, not_modelled
from .identifiers import new_id
from .lists import listed
from .refusals import CANCELABLE, check_secret, refuse_checkout, require, require_confirmable
from .state import Json, public

CREATED_WITH = frozenset(
    "allowed_payment_method_types amount automatic_payment_methods capture_method confirm"
    " confirmation_method currency description excluded_payment_method_types metadata"
    " payment_method payment_method_data receipt_email return_url shipping statement_descriptor"
    " statement_descriptor_suffix".split()
)
PLAIN = (
    "description receipt_email shipping statement_descriptor statement_descriptor_suffix".split()
)
"""What an update may change at any time."""
UPDATED_WITH = frozenset(PLAIN) | frozenset(
    "amount capture_method currency metadata payment_method payment_method_data".split()
)
CONFIRMED_WITH = frozenset(
    "payment_method payment_method_data receipt_email return_url shipping".split()
)
CAPTURED_WITH = frozenset("amount_to_capture metadata".split())
LONGEST_DESCRIPTION = 1000


def check_modelled(params: Json, modelled: frozenset[str]) -> None:
    """Refuses what Stripe would do and the stand-in cannot, and too long a description."""
    check_description(params, "description")
    for name in params:
        if name not in modelled:
            raise not_modelled(f"PaymentIntents with `{name}`", name)


def check_description(params: Json, param: str) -> None:
    """Refuses a description that Stripe finds too long for a PaymentIntent."""
    if len(params.get("description") or "") > LONGEST_DESCRIPTION:
        raise invalid(f"{param} must be at most {LONGEST_DESCRIPTION} characters.", param)


def build(account: Account, amount: int, currency: str, data: Json) -> Json:
    """A PaymentIntent that waits for a means of payment, not stored yet."""
    intent = account.new("pi", "payment_intent", {})
    allowed = data.get("allowed_payment_method_types")
    automatic = data.get("automatic_payment_methods")
    return intent | {
        "allowed_payment_method_types": allowed,
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True, **automatic}
        if automatic
        else None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": data.get("capture_method", "automatic_async"),
        "client_secret": f"{intent['id']}_{new_id('secret')}",
        "confirmation_method": data.get("confirmation_method", "automatic"),
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": data.get("description"),
        "excluded_payment_method_types": data.get("excluded_payment_method_types"),
        "last_payment_error": None,
        "latest_charge": None,
        "managed_payments": None,
        "metadata": texts.metadata(data.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": method_types(data, currency),
        "payment_record": None,
        "processing": None,
        "receipt_email": texts.email(data.get("receipt_email") or None, "receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": data.get("shipping") or None,
        "source": None,
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_group": None,
        "_": {},
    }


def method_types(data: Json, currency: str) -> list[str]:
    """The types on offer: cards and the currency's delayed method, less what is not allowed."""
    offered = ["card"]
    if data.get("capture_method") != "manual":
        offered.append(payment_methods.DELAYED.get(currency, "sepa_debit"))
    allowed = data.get("allowed_payment_method_types") or offered
    excluded = data.get("excluded_payment_method_types") or []
    return [kind for kind in offered if kind in allowed and kind not in excluded]


def create(account: Account, params: Json) -> Json:
    """POST /v1/payment_intents."""
    check_modelled(params, CREATED_WITH)
    currency = money.currency(params["currency"], "currency")
    money.check_charge(params["amount"], currency, "amount", "Amount")
    intent = build(account, params["amount"], currency, params)
    if not intent["payment_method_types"]:
        raise invalid(
            "None of the payment method types you allow can be used with this currency.",
            "allowed_payment_method_types",
        )
    if "return_url" in params and not params.get("confirm"):
        raise invalid("return_url can only be passed with confirm.", "return_url")
    take_method(account, intent, params)
    account.put(intent)
    account.tell("payment_intent.created", intent)
    if params.get("confirm"):
        return confirm(account, {"return_url": params.get("return_url")}, intent["id"])
    return intent


def retrieve(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/payment_intents/{id}."""
    intent = account.get("payment_intent", id)
    if "client_secret" in params:
        check_secret(intent, params["client_secret"])
    return intent


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/payment_intents."""
    conditions: list[tuple[str, Any]] = []
    if {"customer", "customer_account"} & params.keys():
        conditions.append(("0", ()))  # no intent here has any of these
    return listed(account, "payment_intent", "/v1/payment_intents", params, conditions)


def update(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/payment_intents/{id}: metadata always, the rest while no money is on its way."""
    check_modelled(params, UPDATED_WITH)
    intent = account.get("payment_intent", id)
    metadata = texts.merged(intent["metadata"], params.get("metadata"))
    texts.email(params.get("receipt_email") or None, "receipt_email")
    names = ("amount", "currency", "capture_method", *PLAIN)
    changes: Json = {name: params[name] for name in names if name in params}
    changes |= {name: params[name] or None for name in PLAIN if name in params}
    if {"amount", "currency", "capture_method"} & changes.keys():
        require(intent, "updated", "requires_payment_method", "requires_confirmation")
        changed = intent | changes
        currency = money.currency(changed["currency"], "currency")
        money.check_charge(changed["amount"], currency, "amount", "Amount")
        changes |= {"currency": currency} if "currency" in changes else {}
    intent |= {**changes, "metadata": metadata}
    if {"payment_method", "payment_method_data"} & params.keys():
        require(intent, "updated", "requires_payment_method", "requires_confirmation")
        take_method(account, intent, params)
    return account.put(intent)


def take_method(account: Account, intent: Json, params: Json) -> None:
    """Gives the intent the payment method that a request names or describes, if it does."""
    named, data = params.get("payment_method"), params.get("payment_method_data")
    method = payment_methods.of_request(account, intent, named, data)
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}


def confirm(
    account: Account,
    params: Json,
    id: str,  # noqa: A002
    settle_seconds: float = 5,
) -> Json:
    """POST /v1/payment_intents/{id}/confirm: charges the payment method.

    A delayed method settles `settle_seconds` later.
    """
    check_modelled(params, CONFIRMED_WITH)
    intent = account.get("payment_intent", id)
    refuse_checkout(intent, "confirm")
    require_confirmable(intent)
    texts.email(params.get("receipt_email") or None, "receipt_email")
    back = texts.page_url(params.get("return_url"), "return_url")
    for name in ("receipt_email", "shipping"):
        if name in params:
            intent[name] = params[name] or None
    named = params.get("payment_method") or intent["payment_method"]
    data = params.get("payment_method_data")
    method = payment_methods.of_request(account, intent, named, data)
    if method is None:
        raise StripeError(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method.",
            code="payment_intent_unexpected_state",
        )
    payments.attempt(account, intent, method, settle_seconds, back)
    error = intent["last_payment_error"]
    if error:
        raise StripeError(
            error["message"],
            status=402,
            type=error["type"],
            code=error["code"],
            decline_code=error.get("decline_code"),
            charge=error.get("charge"),
            payment_intent=public(intent),
        )
    return intent


def capture(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/payment_intents/{id}/capture: all of it, or a part and the rest goes back."""
    check_modelled(params, CAPTURED_WITH)
    intent = account.get("payment_intent", id)
    require(intent, "captured", "requires_capture")
    amount: int = intent["amount_capturable"]
    if "amount_to_capture" in params:
        amount = params["amount_to_capture"]
    if not 1 <= amount <= intent["amount_capturable"]:
        raise StripeError(
            f"You cannot capture {amount}: the amount authorized is {intent['amount_capturable']}.",
            code="amount_too_large" if amount > 0 else "parameter_invalid_integer",
            param="amount_to_capture",
        )
    intent["metadata"] = texts.merged(intent["metadata"], params.get("metadata"))
    payments.capture(account, intent, amount)
    return intent


def cancel(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/payment_intents/{id}/cancel; one of Checkout only while it is authorised."""
    intent = account.get("payment_intent", id)
    if intent["status"] != "requires_capture":
        refuse_checkout(intent, "cancel")
    require(intent, "canceled", *CANCELABLE)
    payments.cancel(account, intent, params.get("cancellation_reason"))
    return intent
