"""A request that Stripe takes, and Stripe's own description of what it takes."""

import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)
FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "stripe"


@cache
def load() -> ModuleType | None:
    """The checks of Stripe's own description, where it lies beside the project."""
    if not (FOLDER / "validate_stripe.py").exists():
        return None
    sys.path.insert(0, str(FOLDER))
    try:
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            return import_module("validate_stripe")
    finally:
        sys.path.remove(str(FOLDER))


def wanted(**changes: Any) -> dict[str, Any]:
    """What a session is asked for with."""
    metadata = {"order": "o1", "shop": "test"}
    return {
        "mode": "payment",
        "client_reference_id": "o1",
        "line_items": [
            {
                "quantity": 2,
                "price_data": {
                    "currency": "usd",
                    "unit_amount": 2500,
                    "product_data": {"name": "Poster", "metadata": {"sku": "poster"}},
                },
            }
        ],
        "success_url": "http://shop.example/orders/t",
        "cancel_url": "http://shop.example/orders/t",
        "expires_at": int(NOW.timestamp()) + 1920,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "custom_text": {"submit": {"message": "Held until noon."}},
        **changes,
    }


def link(**changes: Any) -> dict[str, Any]:
    """What a payment link is asked for with."""
    metadata = {"shop": "test", "link": "l1", "sku": "poster"}
    return {
        "line_items": [wanted()["line_items"][0] | {"quantity": 1}],
        "restrictions": {"completed_sessions": {"limit": 2}},
        "inactive_message": "It sells no more.",
        "after_completion": {
            "type": "redirect",
            "redirect": {"url": "http://shop.example/paid/{CHECKOUT_SESSION_ID}"},
        },
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "payment_method_types": ["card"],
        **changes,
    }


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Parameters as Stripe's form encoding names them."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(item, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from flat(item, f"{name}[{number}]")
    else:
        yield name, value
