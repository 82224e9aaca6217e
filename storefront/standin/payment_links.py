"""Payment links: POST and GET /v1/payment_links, and the session that each visit opens."""

import re

from . import line_items, money, sessions, texts
from .account import Account
from .errors import StripeError, invalid, not_modelled
from .identifiers import new_id
from .lists import equal, listed, slice_of
from .state import Json

MODELLED = frozenset(
    "active after_completion custom_text inactive_message line_items metadata payment_intent_data"
    " payment_method_types phone_number_collection restrictions shipping_address_collection"
    " submit_type".split()
)
OFF = {
    "allow_promotion_codes": False,
    "automatic_tax": {"enabled": False},
    "billing_address_collection": "auto",
    "customer_creation": "if_required",
    "invoice_creation": {"enabled": False},
    "managed_payments": {"enabled": False},
    "tax_id_collection": {"enabled": False},
}
MOST_LINES = 20
REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


def check_modelled(params: Json) -> None:
    """Refuses what Stripe would do and the stand-in cannot."""
    for name, value in params.items():
        if name not in MODELLED and value != OFF.get(name, {}):
            raise not_modelled(f"payment links with `{name}`", name)


def create(account: Account, params: Json) -> Json:
    """POST /v1/payment_links."""
    check_modelled(params)
    lines = line_items.build(account, params.get("line_items"), MOST_LINES)
    what = "The total amount due"
    money.check_charge(lines.total, lines.currency, "line_items", what)
    data = params.get("payment_intent_data")
    for name in data or {}:
        if name not in sessions.MODELLED_INTENT:
            raise not_modelled(f"`{name}` of PaymentIntents", f"payment_intent_data[{name}]")
    link = account.new("plink", "payment_link", {})
    slug = new_id("test")
    link |= {
        "active": True,
        "after_completion": after_completion(params.get("after_completion")),
        "allow_promotion_codes": False,
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": params.get("billing_address_collection", "auto"),
        "consent_collection": None,
        "currency": lines.currency,
        "custom_fields": [],
        "custom_text": texts.custom_text(params.get("custom_text")),
        "customer_creation": params.get("customer_creation", "if_required"),
        "inactive_message": params.get("inactive_message"),
        "invoice_creation": {
            "enabled": False,
            "invoice_data": sessions.fixed_fields()["invoice_creation"]["invoice_data"],
        },
        "managed_payments": None,
        "metadata": texts.metadata(params.get("metadata")),
        "on_behalf_of": None,
        "payment_intent_data": intent_data(data),
        "payment_method_collection": "always",
        "payment_method_options": None,
        "payment_method_types": params.get("payment_method_types"),
        "phone_number_collection": params.get("phone_number_collection", {"enabled": False}),
        "restrictions": restrictions(params.get("restrictions"), 0),
        "shipping_address_collection": params.get("shipping_address_collection"),
        "shipping_options": [],
        "submit_type": params.get("submit_type", "auto"),
        "subscription_data": None,
        "tax_id_collection": {"enabled": False, "required": "never"},
        "transfer_data": None,
        "url": f"{account.public_url}/l/{slug}",
        "_": {"slug": slug, "line_items": lines.items, "created": link.pop("created")},
    }
    lines.store(account)
    account.put(link)
    account.tell("payment_link.created", link)
    return link


def after_completion(given: Json | None) -> Json:
    """What the shopper sees after paying: our own page, or one of the shop's."""
    if given and given["type"] == "redirect":
        url = texts.page_url(
            given.get("redirect", {}).get("url"), "after_completion[redirect][url]"
        )
        return {"type": "redirect", "redirect": {"url": url}}
    message = (given or {}).get("hosted_confirmation", {}).get("custom_message")
    return {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": message}}


def intent_data(data: Json | None) -> Json | None:
    """The template of the PaymentIntents that the link makes."""
    if data is None:
        return None
    empty: Json = dict.fromkeys(
        "capture_method description setup_future_usage statement_descriptor"
        " statement_descriptor_suffix transfer_group".split()
    )
    metadata = texts.metadata(data.get("metadata"), "payment_intent_data[metadata]")
    return empty | data | {"metadata": metadata}


def restrictions(given: Json | str | None, count: int) -> Json | None:
    """How many sessions may be completed from the link."""
    if not isinstance(given, dict):
        return None
    limit = given["completed_sessions"]["limit"]
    if limit < 1:
        name = "restrictions[completed_sessions][limit]"
        raise invalid("This value must be greater than or equal to 1.", name)
    return {"completed_sessions": {"count": count, "limit": limit}}


def retrieve(account: Account, _params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/payment_links/{id}."""
    return account.get("payment_link", id)


def list_all(account: Account, params: Json) -> Json:
    """GET /v1/payment_links."""
    return listed(account, "payment_link", "/v1/payment_links", params, equal(params, "active"))


def items(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """GET /v1/payment_links/{id}/line_items."""
    link = account.get("payment_link", id)
    return slice_of(link["_"]["line_items"], f"/v1/payment_links/{id}/line_items", params)


def update(account: Account, params: Json, id: str) -> Json:  # noqa: A002
    """POST /v1/payment_links/{id}; sessions that are open already stay payable."""
    check_modelled(params)
    link = account.get("payment_link", id)
    if "line_items" in params:
        raise not_modelled("changed lines of a payment link", "line_items")
    before = link["restrictions"]
    count = before["completed_sessions"]["count"] if before else 0
    changes: Json = {}
    if "restrictions" in params:
        changes["restrictions"] = restrictions(params["restrictions"], count)
    limits = changes.get("restrictions", before)
    if params.get("active") and limits and count >= limits["completed_sessions"]["limit"]:
        raise StripeError(
            "This payment link has reached its limit of completed sessions; raise the limit first.",
            param="active",
        )
    for name in ("active", "billing_address_collection", "customer_creation", "submit_type"):
        if name in params:
            changes[name] = params[name]
    if "inactive_message" in params:
        changes["inactive_message"] = params["inactive_message"] or None
    if "custom_text" in params:
        changes["custom_text"] = texts.custom_text(params["custom_text"])
    if "after_completion" in params:
        changes["after_completion"] = after_completion(params["after_completion"])
    # Stripe replaces the whole template of a link's PaymentIntents except what is not sent.
    if "payment_intent_data" in params:
        changes["payment_intent_data"] = intent_data(
            {**(link["payment_intent_data"] or {}), **params["payment_intent_data"]}
        )
    for name in ("payment_method_types", "shipping_address_collection", "phone_number_collection"):
        if name in params:
            changes[name] = params[name] or None
    link |= changes
    link["metadata"] = texts.merged(link["metadata"], params.get("metadata"))
    account.put(link)
    account.tell("payment_link.updated", link)
    return link


def visit(account: Account, link: Json, reference: str = "", email: str = "") -> Json:
    """Opens a session for a visitor of the link: its metadata is copied, its life is 24 hours.

    `reference` and `email` stood in the address, as anyone can write there; Stripe drops what does
    not fit: https://docs.stripe.com/payment-links/url-parameters
    """
    after = link["after_completion"]
    params = {
        "custom_text": {k: v for k, v in link["custom_text"].items() if v},
        "metadata": link["metadata"],
        "payment_intent_data": {
            name: value for name, value in (link["payment_intent_data"] or {}).items() if value
        },
        "phone_number_collection": link["phone_number_collection"],
        "billing_address_collection": link["billing_address_collection"],
        "customer_creation": link["customer_creation"],
        "submit_type": link["submit_type"],
    }
    if REFERENCE.fullmatch(reference):
        params["client_reference_id"] = reference
    if texts.EMAIL.fullmatch(email):
        params["customer_email"] = email
    if link["shipping_address_collection"]:
        params["shipping_address_collection"] = link["shipping_address_collection"]
    if link["payment_method_types"]:
        params["allowed_payment_method_types"] = link["payment_method_types"]
    if after["type"] == "redirect":
        params["success_url"] = after["redirect"]["url"]
    lines = sessions.new_item_ids(line_items.Lines(link["currency"], link["_"]["line_items"]))
    return sessions.open_session(account, params, lines, link)


def by_slug(account: Account, slug: str) -> Json | None:
    """The link at an address, or None."""
    found = account.state.page("payment_link", [("body -> '_' ->> 'slug' = ?", slug)], limit=1)
    return found[0] if found else None
