"""Why stock was changed: one line for the ledger, and the last one kept for the next change."""

from flask import request, session

from storefront.domain.errors import BadInput
from storefront.domain.restock_list import MOST_REASON as MOST

LAST = "reason"
"""Where a session keeps the reason that its operator gave last."""


def read() -> str:
    """The reason in the form that was sent; BadInput says what is wrong with it."""
    reason = request.form.get("reason", "").strip()
    if not reason:
        raise BadInput("Say why: the reason stands in the ledger.")
    if len(reason) > MOST or not reason.isprintable():
        raise BadInput(f"The reason must be one line of at most {MOST} characters.")
    return reason


def keep(reason: str) -> None:
    """Remember the reason for the operator's next change."""
    session[LAST] = reason


def last() -> str:
    """The reason that this operator gave last; empty when they gave none."""
    return str(session.get(LAST, ""))
