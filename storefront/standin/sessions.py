"""Checkout Sessions: POST and GET /v1/checkout/sessions."""

from typing import Any

from . import line_items, money, payments, tax, texts, totals
from .account import Account
from .deliveries import Fate
from .errors import StripeError, invalid, missing, not_modelled
from .identifiers import new_id
from .lists import equal, listed, slice_of
from .payment_intents import check_description, method_types
from .state import Json, public

MODELLED = frozenset(
    "allow_promotion_codes allowed_payment_method_types automatic_tax cancel_url"
    " client_reference_id currency custom_text customer_email excluded_payment_method_types"
    " expires_at integration_identifier line_items locale metadata mode origin_context"
    " payment_intent_data phone_number_collection shipping_address_collection shipping_options"
    " submit_type success_url ui_mode".split()
)
MODELLED_INTENT = frozenset(
    "capture_method description metadata receipt_email statement_descriptor"
    " statement_descriptor_suffix".split()
)
OFF = {
    "adaptive_pricing": {"enabled": False},
    "after_expiration": {"recovery": {"enabled": False}},
    "billing_address_collection": "auto",
    "customer_creation": "if_required",
    "invoice_creation": {"enabled": False},
    "managed_payments": {"enabled": False},
    "tax_id_collection": {"enabled": False},
}
"""What may be sent as long as it stays switched off."""
SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 3600
MOST_LINES = 100


def create(account: Account, params: Json) -> Json:
    """POST /v1/checkout/sessions, with `mode=payment` and Stripe's own page."""
    check_modelled(params)
    if "success_url" not in params:
        raise missing("success_url")
    lines = line_items.build(account, params.get("line_items"), MOST_LINES)
    return open_session(account, params, lines)


def check_modelled(params: Json) -> None:
    """Refuses what Stripe would do and the stand-in cannot."""
    if params.get("mode", "payment") != "payment":
        raise not_modelled(f"mode `{params['mode']}`", "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_modelled(f"ui_mode `{params['ui_mode']}`", "ui_mode")
    for name, value in params.items():
        if name not in MODELLED and value != OFF.get(name, {}):
            raise not_modelled(f"sessions with `{name}`", name)
    for name in params.get("payment_intent_data", {}):
        if name not in MODELLED_INTENT:
            raise not_modelled(f"`{name}` of PaymentIntents", f"payment_intent_data[{name}]")


def open_session(
    account: Account, params: Json, lines: line_items.Lines, link: Json | None = None
) -> Json:
    """Stores a new session for checked lines, asked for by a request or by a payment link."""
    intent_data = params.get("payment_intent_data", {})
    check_description(intent_data, "payment_intent_data[description]")
    texts.metadata(intent_data.get("metadata"), "payment_intent_data[metadata]")
    texts.email(intent_data.get("receipt_email"), "payment_intent_data[receipt_email]")
    expires_at = expiry(account, params.get("expires_at"))
    currency = money.currency(params.get("currency", lines.currency), "currency")
    if currency != lines.currency:
        raise invalid("The currency differs from that of the line items.", "currency")
    if lines.total:
        what = "The Checkout Session's total amount due"
        money.check_charge(lines.total, currency, "line_items", what)
    types = method_types({**params, **intent_data}, currency)
    if not types:
        raise invalid(
            "None of the payment method types you allow can be used with this currency.",
            "allowed_payment_method_types",
        )
    options = totals.shipping_options(account, params, currency)
    taxed = bool((params.get("automatic_tax") or {}).get("enabled"))
    if taxed:
        tax.check(account)
    session = account.new("cs_test", "checkout.session", {})
    session |= fixed_fields() | {
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": lines.total,
        "amount_total": lines.total,
        "automatic_tax": {
            "enabled": taxed,
            "liability": {"type": "self"} if taxed else None,
            "provider": "stripe" if taxed else None,
            "status": "requires_location_inputs" if taxed else None,
        },
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": texts.page_url(params.get("cancel_url"), "cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "currency": currency,
        "custom_text": texts.custom_text(params.get("custom_text")),
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": texts.email(params.get("customer_email"), "customer_email"),
        "expires_at": expires_at,
        "integration_identifier": params.get("integration_identifier"),
        "locale": params.get("locale"),
        "metadata": texts.metadata(params.get("metadata")),
        "origin_context": params.get("origin_context"),
        "payment_intent": None,
        "payment_link": link["id"] if link else None,
        "payment_method_types": types,
        "payment_status": "unpaid" if lines.total else "no_payment_required",
        "phone_number_collection": params.get("phone_number_collection", {"enabled": False}),
        "shipping_address_collection": params.get("shipping_address_collection"),
        "shipping_options": options,
        "status": "open",
        "submit_type": params.get("submit_type"),
        "success_url": texts.page_url(params.get("success_url"), "success_url"),
        "url": f"{account.public_url}/c/pay/{session['id']}",
        "_": {
            "due": expires_at,
            "line_items": lines.items,
            "payment_intent_data": intent_data,
        },
    }
    if "excluded_payment_method_types" in params:
        session["excluded_payment_method_types"] = params["excluded_payment_method_types"]
    lines.store(account)
    totals.apply(session)
    return account.put(session)


def fixed_fields() -> Json:
    """The fields of a session that are the same for all of them here."""
    none = (
        "after_expiration client_secret collected_information consent consent_collection"
        " currency_conversion customer customer_account invoice managed_payments"
        " payment_method_configuration_details permissions recovered_from"
        " saved_payment_method_options setup_intent shipping_cost subscription wallet_options"
    )
    fields: Json = dict.fromkeys(none.split())
    return fields | {
        "adaptive_pricing": {"enabled": False},
        "allow_promotion_codes": None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "custom_fields": [],
        "discounts": [],
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        },
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "shipping_options": [],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
    }


def expiry(account: Account, asked: int | None) -> int:
    """When the session ends: more than 30 minutes and at most 24 hours from now."""
    now = account.clock.now()
    if asked is None:
        return now + LONGEST_SECONDS
    if asked - now <= SHORTEST_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            "expires_at",
        )
    if asked - now > LONGEST_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            "expires_at",
        )
    return asked


def retrieve(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/checkout/sessions/{id}."""
    return account.get("checkout.session", id)


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/checkout/sessions."""
    conditions: list[tuple[str, Any]] = equal(params, "payment_intent", "payment_link", "status")
    if {"customer", "customer_account", "subscription"} & params.keys():
        conditions.append(("0", ()))  # no session here has any of these
    if "customer_details" in params:
        email = params["customer_details"]["email"]
        conditions.append(("body -> 'customer_details' ->> 'email' = ?", email))
    return listed(account, "checkout.session", "/v1/checkout/sessions", params, conditions)


def items(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/checkout/sessions/{id}/line_items."""
    session = account.get("checkout.session", id)
    url = f"/v1/checkout/sessions/{id}/line_items"
    return slice_of(session["_"]["line_items"], url, params)


def update(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/checkout/sessions/{id}: metadata."""
    for name in params:
        if name not in ("metadata", "expand"):
            raise not_modelled(f"updates of a session's `{name}`", name)
    session = account.get("checkout.session", id)
    session["metadata"] = texts.merged(session["metadata"], params.get("metadata"))
    return account.put(session)


def expire(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/checkout/sessions/{id}/expire: only from `open`, else 400 without a code."""
    session = account.get("checkout.session", id)
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}."
        )
    end(account, session)
    return session


def end(account: Account, session: Json, fate: Fate | None = None) -> None:
    """Ends an open session unpaid, and with it the payment that was begun."""
    session |= {"status": "expired", "url": None}
    session["_"].pop("due", None)
    intent = account.state.get("payment_intent", session["payment_intent"] or "")
    if intent and intent["status"] not in ("canceled", "succeeded"):
        payments.cancel(account, intent, "expired", fate)
    account.put(session)
    account.tell("checkout.session.expired", session, fate)


def lines_of(session: Json) -> list[Json]:
    """The lines for the payment page."""
    return [public(item) | item["_"] for item in session["_"]["line_items"]]


def new_item_ids(lines: line_items.Lines) -> line_items.Lines:
    """The same lines under ids of their own, as every session of a payment link has."""
    copies = [item | {"id": new_id("li")} for item in lines.items]
    return line_items.Lines(lines.currency, copies)
