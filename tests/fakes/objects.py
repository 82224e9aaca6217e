"""Stripe's objects as it sends them, with every field that its description requires."""

from collections.abc import Mapping
from typing import Any

API_VERSION = "2026-10-28.endive"

SESSION: dict[str, Any] = {
    "object": "checkout.session",
    "adaptive_pricing": None,
    "after_expiration": None,
    "allow_promotion_codes": None,
    "allowed_payment_method_types": ["card"],
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "customer": None,
    "customer_account": None,
    "customer_creation": None,
    "customer_details": None,
    "customer_email": None,
    "discounts": [],
    "integration_identifier": None,
    "invoice": None,
    "invoice_creation": None,
    "locale": None,
    "managed_payments": None,
    "mode": "payment",
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_collection": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {},
    "payment_method_types": ["card"],
    "payment_status": "unpaid",
    "permissions": None,
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "open",
    "submit_type": None,
    "subscription": None,
    "total_details": None,
    "ui_mode": "hosted_page",
    "wallet_options": None,
}

LINK: dict[str, Any] = {
    "object": "payment_link",
    "active": True,
    "allow_promotion_codes": False,
    "application": None,
    "application_fee_amount": None,
    "application_fee_percent": None,
    "automatic_tax": {"enabled": False, "liability": None},
    "billing_address_collection": "auto",
    "consent_collection": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer_creation": "if_required",
    "invoice_creation": None,
    "managed_payments": None,
    "on_behalf_of": None,
    "payment_method_collection": "always",
    "payment_method_options": None,
    "payment_method_types": None,
    "phone_number_collection": {"enabled": False},
    "shipping_address_collection": None,
    "shipping_options": [],
    "submit_type": "auto",
    "subscription_data": None,
    "tax_id_collection": {"enabled": False, "required": "never"},
    "transfer_data": None,
}
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")

INTENT: dict[str, Any] = {
    "object": "payment_intent",
    "allowed_payment_method_types": ["card"],
    "amount_capturable": 0,
    "amount_received": 0,
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "confirmation_method": "automatic",
    "customer": None,
    "customer_account": None,
    "description": None,
    "excluded_payment_method_types": None,
    "last_payment_error": None,
    "latest_charge": None,
    "managed_payments": None,
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": None,
    "payment_method_types": ["card"],
    "payment_record": None,
    "processing": None,
    "receipt_email": None,
    "review": None,
    "setup_future_usage": None,
    "shipping": None,
    "source": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_group": None,
}

REFUND: dict[str, Any] = {
    "object": "refund",
    "balance_transaction": None,
    "customer": None,
    "customer_account": None,
    "payment_method": None,
    "reason": None,
    "receipt_number": None,
    "source_transfer_reversal": None,
    "transfer_reversal": None,
}

CHARGE: dict[str, Any] = {
    "object": "charge",
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "billing_details": {
        "address": None,
        "email": None,
        "name": None,
        "phone": None,
        "tax_id": None,
    },
    "calculated_statement_descriptor": None,
    "customer": None,
    "description": None,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": None,
    "on_behalf_of": None,
    "outcome": None,
    "payment_method": None,
    "payment_method_details": None,
    "receipt_email": None,
    "receipt_number": None,
    "receipt_url": None,
    "review": None,
    "shipping": None,
    "source": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "succeeded",
    "transfer_data": None,
    "transfer_group": None,
}

EVIDENCE = """
access_activity_log billing_address cancellation_policy cancellation_policy_disclosure
cancellation_rebuttal customer_communication customer_email_address customer_name
customer_purchase_ip customer_signature duplicate_charge_documentation
duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy
refund_policy_disclosure refund_refusal_explanation service_date service_documentation
shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number
uncategorized_file uncategorized_text
"""

DISPUTE: dict[str, Any] = {
    "object": "dispute",
    "balance_transactions": [],
    "enhanced_eligibility_types": [],
    "evidence_details": {
        "due_by": None,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
        "submission_method": "not_submitted",
    },
    "intended_submission_method": None,
    "is_charge_refundable": False,
    "metadata": {},
    "reason": "fraudulent",
    "status": "needs_response",
}


SIMPLE = frozenset({str, int, bool, type(None)})
"""What most of an object is, and needs no copy."""


def copied(value: Any) -> Any:
    """Another of the same, for values as JSON has them; much faster than ``copy.deepcopy``."""
    if isinstance(value, dict):
        return {
            name: item if type(item) in SIMPLE else copied(item) for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [copied(item) for item in value]
    return value


def method_types(params: Mapping[str, Any]) -> dict[str, Any]:
    """What an object can be paid with: cards and bank debits, less what is not allowed."""
    allowed = params.get("allowed_payment_method_types")
    every = ["card"] if params.get("capture_method") == "manual" else ["card", "us_bank_account"]
    return {
        "allowed_payment_method_types": allowed,
        "payment_method_types": [one for one in every if one in (allowed or every)],
    }


def session(
    session_id: str, params: Mapping[str, Any], *, created: int, livemode: bool
) -> dict[str, Any]:
    """An open session with the parameters that it was created with."""
    lines = params["line_items"]
    amount = sum(line["price_data"]["unit_amount"] * line["quantity"] for line in lines)
    taxed = bool((params.get("automatic_tax") or {}).get("enabled"))
    return {
        **SESSION,
        **method_types({**params, **(params.get("payment_intent_data") or {})}),
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "automatic_tax": {
            "enabled": taxed,
            "liability": {"type": "self"} if taxed else None,
            "provider": "stripe" if taxed else None,
            "status": "requires_location_inputs" if taxed else None,
        },
        "shipping_address_collection": params.get("shipping_address_collection"),
        "shipping_options": [
            {
                "shipping_amount": option["shipping_rate_data"]["fixed_amount"]["amount"],
                "shipping_rate": f"shr_{session_id}_{number}",
            }
            for number, option in enumerate(params.get("shipping_options") or [])
        ],
        "id": session_id,
        "amount_subtotal": amount,
        "amount_total": amount,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": created,
        "currency": lines[0]["price_data"]["currency"],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": (params.get("custom_text") or {}).get("submit"),
            "terms_of_service_acceptance": None,
        },
        "expires_at": params["expires_at"],
        "livemode": livemode,
        "metadata": dict(params.get("metadata") or {}),
        "success_url": params.get("success_url"),
        "url": f"https://checkout.stripe.com/c/pay/{session_id}",
    }


def payment_link(link_id: str, params: Mapping[str, Any], *, livemode: bool) -> dict[str, Any]:
    """An active link with the parameters that it was created with."""
    data = params.get("payment_intent_data") or {}
    limit = params["restrictions"]["completed_sessions"]["limit"]
    return {
        **LINK,
        "id": link_id,
        "after_completion": params.get("after_completion"),
        "currency": params["line_items"][0]["price_data"]["currency"],
        "inactive_message": params.get("inactive_message"),
        "livemode": livemode,
        "metadata": dict(params.get("metadata") or {}),
        "payment_intent_data": {
            "capture_method": data.get("capture_method"),
            "description": None,
            "metadata": dict(data.get("metadata") or {}),
            "setup_future_usage": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "transfer_group": None,
        },
        "payment_method_types": params.get("payment_method_types"),
        "restrictions": {"completed_sessions": {"count": 0, "limit": limit}},
        "url": f"https://buy.stripe.com/{link_id}",
    }


def intent(
    intent_id: str, session: Mapping[str, Any], data: Mapping[str, Any], *, created: int
) -> dict[str, Any]:
    """The PaymentIntent that a session gets when its shopper first tries to pay."""
    return {
        **INTENT,
        **method_types(data),
        "id": intent_id,
        "amount": session["amount_total"],
        "capture_method": data.get("capture_method", "automatic_async"),
        "client_secret": f"{intent_id}_secret",
        "created": created,
        "currency": session["currency"],
        "livemode": session["livemode"],
        "metadata": dict(data.get("metadata") or {}),
        "shipping": _shipping(data.get("shipping")),
        "status": "requires_payment_method",
    }


def _shipping(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    address = {**dict.fromkeys(ADDRESS), **given["address"]}
    return {"carrier": None, "phone": None, "tracking_number": None, **given, "address": address}


def choose(
    session: dict[str, Any],
    *,
    rate: int,
    discount: int,
    tax: int,
    included: bool,
    to: Mapping[str, Any] | None,
) -> None:
    """What the shopper chose on Stripe's page, and what it comes to (minor units)."""
    options = session["shipping_options"]
    shipping = options[rate]["shipping_amount"] if options else 0
    if options:
        session["shipping_cost"] = {
            "amount_subtotal": shipping,
            "amount_tax": 0,
            "amount_total": shipping,
            "shipping_rate": options[rate]["shipping_rate"],
        }
    if to is not None:
        session["collected_information"] = {
            "business_name": None,
            "individual_name": None,
            "shipping_details": {
                "name": to["name"],
                "address": {field: to.get(field) for field in ADDRESS},
            },
        }
    session["total_details"] = {
        "amount_discount": discount,
        "amount_shipping": shipping,
        "amount_tax": tax,
    }
    untaxed = session["amount_subtotal"] - discount + shipping
    session["amount_total"] = untaxed + (0 if included else tax)


def charge(charge_id: str, intent: Mapping[str, Any], *, created: int) -> dict[str, Any]:
    """The charge of a PaymentIntent that succeeded."""
    return {
        **CHARGE,
        "id": charge_id,
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "captured": True,
        "created": created,
        "currency": intent["currency"],
        "disputed": False,
        "livemode": intent["livemode"],
        "metadata": dict(intent["metadata"]),
        "paid": True,
        "payment_intent": intent["id"],
        "refunded": False,
    }


def refund(
    refund_id: str,
    charge: Mapping[str, Any],
    amount: int,
    status: str,
    metadata: Mapping[str, str],
    *,
    created: int,
) -> dict[str, Any]:
    """A refund of some of a charge."""
    return {
        **REFUND,
        "id": refund_id,
        "amount": amount,
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "metadata": dict(metadata),
        "payment_intent": charge["payment_intent"],
        "status": status,
    }


def balance_entry(
    entry_id: str, source: Mapping[str, Any], amount: int, *, fee: int = 0, kind: str = "charge"
) -> dict[str, Any]:
    """What a charge or a refund moved on the balance, with the source expanded."""
    return {
        "id": entry_id,
        "object": "balance_transaction",
        "amount": amount,
        "created": source["created"],
        "currency": source["currency"],
        "fee": fee,
        "net": amount - fee,
        "source": dict(source),
        "type": kind,
    }


def dispute(dispute_id: str, charge: Mapping[str, Any], *, created: int) -> dict[str, Any]:
    """The buyer's bank asks for a charge back."""
    return {
        **DISPUTE,
        "id": dispute_id,
        "amount": charge["amount"],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "evidence": {**dict.fromkeys(EVIDENCE.split()), "enhanced_evidence": {}},
        "livemode": charge["livemode"],
        "payment_intent": charge["payment_intent"],
    }


def event(
    event_id: str, kind: str, about: Mapping[str, Any], *, created: int, livemode: bool
) -> dict[str, Any]:
    """A snapshot event about an object."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": {"object": dict(about)},
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": None,
        "type": kind,
    }
