"""Events: what Stripe tells, and the calls that read them again for thirty days."""

import json
from typing import TYPE_CHECKING

from . import API_VERSION
from .errors import invalid
from .identifiers import new_id
from .lists import listed
from .state import Json, public

if TYPE_CHECKING:
    from .account import Account

KEPT_SECONDS = 30 * 24 * 3600


def new_event(type: str, obj: Json, now: int, request: str | None, key: str | None) -> Json:  # noqa: A002
    """An event that shows the object as it is at this moment."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        # A copy: the object may change again before the request ends.
        "data": {"object": json.loads(json.dumps(public(obj)))},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": request, "idempotency_key": key},
        "type": type,
    }


def with_pending(account: "Account", event: Json) -> Json:
    """The event with the number of endpoints that have not taken it yet."""
    return {**event, "pending_webhooks": account.deliveries.pending(event["id"])}


def retrieve(account: "Account", _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/events/{id}."""
    return with_pending(account, account.get("event", id))


def list_all(account: "Account", params: Json) -> Json:
    """GET /v1/events: by type, age, and whether every endpoint took them."""
    conditions: list[tuple[str, object]] = []
    if "type" in params and "types" in params:
        raise invalid("You may only specify one of these parameters: type, types.", "type")
    types = params.get("types") or ([params["type"]] if "type" in params else [])
    if len(types) > 20:
        raise invalid("You can pass at most 20 types.", "types")
    if types:
        patterns = " OR ".join("type GLOB ?" for _ in types)
        conditions.append((f"({patterns})", tuple(types)))
    if "delivery_success" in params:
        undelivered = "id IN (SELECT event FROM deliveries WHERE status <> 'delivered')"
        wanted = undelivered if not params["delivery_success"] else f"NOT {undelivered}"
        conditions.append((wanted, ()))
    return listed(
        account,
        "event",
        "/v1/events",
        params,
        conditions,
        show=lambda event: with_pending(account, event),
    )
