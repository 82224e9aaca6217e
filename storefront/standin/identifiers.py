"""Ids as Stripe makes them: a prefix that says the kind, then chance."""

import secrets

KINDS = {
    "cs": "checkout.session",
    "pi": "payment_intent",
    "ch": "charge",
    "pm": "payment_method",
    "re": "refund",
    "txn": "balance_transaction",
    "dp": "dispute",
    "prod": "product",
    "price": "price",
    "plink": "payment_link",
    "we": "webhook_endpoint",
    "evt": "event",
}
"""Prefix to the `object` of what carries it."""


def new_id(prefix: str) -> str:
    """A new id that nobody can guess."""
    size = 29 if prefix == "cs_test" else 12
    return f"{prefix}_{secrets.token_hex(size)}"


def kind_of(id: str) -> str | None:  # noqa: A002
    """The kind of object that an id names, or None."""
    return KINDS.get(id.split("_", 1)[0])
