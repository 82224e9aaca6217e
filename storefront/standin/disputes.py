"""Disputes: a shopper's bank takes the money back; GET /v1/disputes."""

from .account import Account
from .errors import invalid
from .lists import equal, listed
from .state import Json

EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure"
    " cancellation_rebuttal customer_communication customer_email_address customer_name"
    " customer_purchase_ip customer_signature duplicate_charge_documentation"
    " duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy"
    " refund_policy_disclosure refund_refusal_explanation service_date service_documentation"
    " shipping_address shipping_carrier shipping_date shipping_documentation"
    " shipping_tracking_number uncategorized_file uncategorized_text"
)
EVIDENCE_SECONDS = 9 * 24 * 3600


def open_dispute(account: Account, intent: Json) -> Json:
    """Disputes the whole charge of a succeeded PaymentIntent."""
    charge = account.state.get("charge", intent["latest_charge"] or "")
    if not charge or not charge["captured"] or charge["disputed"]:
        raise invalid("Only a captured charge that is not disputed yet can be.", "payment_intent")
    charge["disputed"] = True
    account.put(charge)
    evidence: Json = dict.fromkeys(EVIDENCE.split())
    dispute = account.put(
        account.new(
            "dp",
            "dispute",
            {
                "amount": charge["amount_captured"],
                "balance_transactions": [],
                "charge": charge["id"],
                "currency": charge["currency"],
                "enhanced_eligibility_types": [],
                "evidence": evidence | {"enhanced_evidence": {}},
                "evidence_details": {
                    "due_by": account.clock.now() + EVIDENCE_SECONDS,
                    "enhanced_eligibility": {},
                    "has_evidence": False,
                    "past_due": False,
                    "submission_count": 0,
                    "submission_method": "not_submitted",
                },
                "intended_submission_method": None,
                "is_charge_refundable": False,
                "metadata": {},
                "payment_intent": intent["id"],
                "reason": "fraudulent",
                "status": "needs_response",
            },
        )
    )
    account.tell("charge.dispute.created", dispute)
    return dispute


def close(account: Account, dispute: Json, status: str) -> Json:
    """Ends a dispute as `won` or `lost`. The charge stays disputed: Stripe refunds it no more."""
    if dispute["status"] in ("won", "lost"):
        raise invalid(f"A dispute that is {dispute['status']} is over.", "status")
    dispute["status"] = status
    account.put(dispute)
    account.tell("charge.dispute.closed", dispute)
    return dispute


def retrieve(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/disputes/{id}."""
    return account.get("dispute", id)


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/disputes."""
    conditions = equal(params, "charge", "payment_intent")
    return listed(account, "dispute", "/v1/disputes", params, conditions)
