"""Webhook endpoints: POST, GET and DELETE /v1/webhook_endpoints."""

from . import API_VERSION, texts
from .account import Account
from .errors import invalid, not_modelled
from .identifiers import new_id
from .lists import listed
from .state import Json

DEFAULT_ID = "we_standin"
MOST_ENDPOINTS = 16


def create(account: Account, params: Json) -> Json:
    """POST /v1/webhook_endpoints; the only answer that shows the signing secret."""
    if params.get("connect"):
        raise not_modelled("endpoints for connected accounts", "connect")
    if len(account.state.find("webhook_endpoint")) >= MOST_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    endpoint = build(account, params, f"whsec_{new_id('x').removeprefix('x_')}")
    account.put(endpoint)
    return endpoint | {"secret": endpoint["_"]["secret"]}


def build(account: Account, params: Json, secret: str) -> Json:
    """An endpoint, not stored yet."""
    texts.page_url(params["url"], "url")
    return account.new(
        "we",
        "webhook_endpoint",
        {
            "api_version": params.get("api_version", API_VERSION),
            "application": None,
            "description": params.get("description") or None,
            "enabled_events": params["enabled_events"],
            "metadata": texts.metadata(params.get("metadata")),
            "status": "enabled",
            "url": params["url"],
            "_": {"secret": secret},
        },
    )


def set_default(account: Account, url: str | None, secret: str) -> None:
    """Stores the endpoint of the command line, or removes it when there is none any more."""
    with account.transaction():
        if url is None:
            account.state.remove(DEFAULT_ID)
            return
        endpoint = build(account, {"url": url, "enabled_events": ["*"]}, secret)
        old = account.state.get("webhook_endpoint", DEFAULT_ID)
        account.put(endpoint | {"id": DEFAULT_ID, "created": (old or endpoint)["created"]})


def retrieve(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/webhook_endpoints/{id}."""
    return account.get("webhook_endpoint", id)


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/webhook_endpoints."""
    return listed(account, "webhook_endpoint", "/v1/webhook_endpoints", params)


def update(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/webhook_endpoints/{id}."""
    endpoint = account.get("webhook_endpoint", id)
    if "url" in params:
        endpoint["url"] = texts.page_url(params["url"], "url")
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    if "enabled_events" in params:
        endpoint["enabled_events"] = params["enabled_events"]
    if "description" in params:
        endpoint["description"] = params["description"] or None
    endpoint["metadata"] = texts.merged(endpoint["metadata"], params.get("metadata"))
    return account.put(endpoint)


def delete(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """DELETE /v1/webhook_endpoints/{id}."""
    account.get("webhook_endpoint", id)
    account.state.remove(id)
    return {"id": id, "object": "webhook_endpoint", "deleted": True}
