"""What Stripe refuses before anything begins."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.faults import Invalid

SHORTEST_SESSION_SECONDS = 1800
LONGEST_SESSION_SECONDS = 24 * 3600
SESSION_PARAMS = frozenset(
    {
        "allowed_payment_method_types",
        "cancel_url",
        "client_reference_id",
        "custom_text",
        "customer_email",
        "expires_at",
        "line_items",
        "metadata",
        "mode",
        "payment_intent_data",
        "allow_promotion_codes",
        "automatic_tax",
        "phone_number_collection",
        "shipping_address_collection",
        "shipping_options",
        "success_url",
    }
)


INTENT_PARAMS = frozenset(
    {
        "allowed_payment_method_types",
        "amount",
        "capture_method",
        "currency",
        "description",
        "metadata",
        "shipping",
    }
)


def session_params(params: Mapping[str, Any], now: int) -> None:
    """Refuse what Stripe refuses. https://docs.stripe.com/api/checkout/sessions/create."""
    if unknown := set(params) - SESSION_PARAMS:
        raise Invalid(f"Received unknown parameters: {', '.join(sorted(unknown))}")
    left = params["expires_at"] - now
    if not SHORTEST_SESSION_SECONDS < left <= LONGEST_SESSION_SECONDS:
        raise Invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout "
            f"Session creation; it is {left} s away."
        )
    if params["mode"] != "payment" or not 1 <= len(params["line_items"]) <= 100:
        raise Invalid("A payment takes 1 to 100 line items.")
    for line in params["line_items"]:
        price = line["price_data"]
        if line["quantity"] < 1 or price["unit_amount"] < 0 or not price["product_data"]["name"]:
            raise Invalid("A line item takes a quantity, a price and a name.")
    options = params.get("shipping_options") or []
    if len(options) > 5:
        raise Invalid("shipping_options takes 5 options.")
    for option in options:
        rate = option["shipping_rate_data"]
        if not 0 < len(rate["display_name"]) <= 100 or rate["fixed_amount"]["amount"] < 0:
            raise Invalid("A shipping rate takes a name and an amount.")
        if rate["fixed_amount"]["currency"] != params["line_items"][0]["price_data"]["currency"]:
            raise Invalid("A shipping rate takes the currency of the line items.")
    if "shipping_address_collection" in params:
        countries = params["shipping_address_collection"]["allowed_countries"]
        if not countries:
            raise Invalid("allowed_countries takes at least one country.")
    if len(params.get("client_reference_id") or "") > 200:
        raise Invalid("client_reference_id takes 200 characters.")
    for metadata in (
        params.get("metadata"),
        (params.get("payment_intent_data") or {}).get("metadata"),
    ):
        check_metadata(metadata or {})
    message = ((params.get("custom_text") or {}).get("submit") or {}).get("message", "")
    if len(message) > 1200:
        raise Invalid("custom_text takes 1200 characters.")


def intent_params(params: Mapping[str, Any]) -> None:
    """Refuse what Stripe refuses. https://docs.stripe.com/api/payment_intents/create."""
    if unknown := set(params) - INTENT_PARAMS:
        raise Invalid(f"Received unknown parameters: {', '.join(sorted(unknown))}")
    shipping = params.get("shipping")
    if shipping is not None and not (shipping["name"] and shipping["address"]["line1"]):
        raise Invalid("shipping takes a name and an address.")
    if params["amount"] < 1:
        raise Invalid("This value must be greater than or equal to 1.")
    check_metadata(params.get("metadata") or {})


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Refuse more than Stripe takes. https://docs.stripe.com/api/metadata."""
    if len(metadata) > 50 or any(len(k) > 40 or len(v) > 500 for k, v in metadata.items()):
        raise Invalid("metadata takes 50 keys of 40 characters with values of 500.")
