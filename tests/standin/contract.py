"""Stripe's own description of its API, held against what the stand-in takes and answers.

Where the OpenAPI description lies beside the repository, requests and answers are validated by
it. A clone on its own checks the fields that every object of the kind has.
"""

import importlib.util
from types import ModuleType
from typing import Any

from tests.harness import ROOT

SPEC = ROOT.parent / "shared" / "stripe" / "validate_stripe.py"
NOT_DESCRIBED = (
    "/v1/account",
    "/v1/balance",
    "/v1/balance_transactions",
    "/v1/disputes",
    "/v1/promotion_codes",
    "/v1/tax/registrations",
    "/v1/tax/settings",
)
"""Calls that the description leaves out."""
BASIC_FIELDS = {
    "balance_transaction": "id amount currency fee net source status type created",
    "charge": "id amount amount_captured amount_refunded captured currency disputed metadata paid "
    "payment_intent refunded status livemode created",
    "checkout.session": "id amount_total cancel_url client_reference_id currency customer_details "
    "customer_email expires_at livemode metadata mode payment_intent payment_link payment_status "
    "status success_url ui_mode url created",
    "dispute": "id amount charge currency payment_intent reason status livemode created",
    "event": "id api_version data livemode pending_webhooks request type created",
    "item": "id amount_total currency description price quantity",
    "payment_intent": "id amount amount_capturable amount_received capture_method client_secret "
    "currency last_payment_error latest_charge livemode metadata status created",
    "payment_link": "id active currency metadata restrictions url livemode",
    "price": "id active currency product type unit_amount metadata livemode created",
    "product": "id active description images metadata name livemode created updated",
    "refund": "id amount charge currency metadata payment_intent reason status created",
    "webhook_endpoint": "id enabled_events url status metadata livemode created",
}


def load() -> ModuleType | None:
    """The validator that comes with the description, or None for a clone on its own."""
    if not SPEC.exists():
        return None
    found = importlib.util.spec_from_file_location("validate_stripe", SPEC)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


VALIDATOR = load()


def request_mistakes(method: str, path: str, encoded: str) -> list[str]:
    """What the description says is wrong with a request that the stand-in accepted."""
    if VALIDATOR is None or method == "DELETE" or path in NOT_DESCRIBED:
        return []
    if path.startswith("/v1/payment_links/") and path.endswith("/line_items"):
        return []
    mistakes: list[str] = VALIDATOR.check_request(method, path, encoded)
    return mistakes


def object_mistakes(obj: dict[str, Any]) -> list[str]:
    """What is wrong with an object, the ones inside it included."""
    kind = obj.get("object")
    if kind == "list":
        return [m for item in obj["data"] for m in object_mistakes(item)]
    if kind not in BASIC_FIELDS or obj.get("deleted"):
        return []
    names = {"object", *BASIC_FIELDS[kind].split()}
    mistakes = [f"{kind}.{name}: is missing" for name in sorted(names - obj.keys())]
    mistakes += [f"{kind}.{name}: not for others" for name in obj if name.startswith("_")]
    if VALIDATOR is not None:
        mistakes += [f"{kind}.{text}" for text in VALIDATOR.check_response(kind, obj)]
    if kind == "event":
        mistakes += object_mistakes(obj["data"]["object"])
    return mistakes
