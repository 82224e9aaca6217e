"""`expand[]`: an id in an answer replaced by the object that it names."""

from typing import TYPE_CHECKING

from .errors import invalid
from .identifiers import kind_of
from .lists import page_of
from .state import Json, public

if TYPE_CHECKING:
    from .account import Account

EXPANDABLE = {
    "checkout.session": {"line_items", "payment_intent", "payment_link"},
    "payment_intent": {"latest_charge", "payment_method"},
    "charge": {"balance_transaction", "payment_intent", "refunds"},
    "refund": {"balance_transaction", "charge", "payment_intent", "payment_method"},
    "dispute": {"charge", "payment_intent"},
    "balance_transaction": {"source"},
    "price": {"product"},
    "product": {"default_price"},
    "payment_link": {"line_items"},
}
ALWAYS_NULL = {
    "checkout.session": {"customer", "invoice", "setup_intent", "subscription"},
    "payment_intent": {"application", "customer", "on_behalf_of", "review"},
    "charge": {"application", "customer", "review", "on_behalf_of"},
    "refund": {"customer"},
}
"""What Stripe can expand and what stays null here."""
DEEPEST = 4


def expanded(account: "Account", answer: Json, paths: list[str]) -> Json:
    """The answer with each path expanded; StripeError 400 for what cannot be."""
    answer = shown(answer)
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEEPEST:
            raise invalid(f"You cannot expand more than {DEEPEST} levels of a property.", "expand")
        expand(account, answer, parts, path)
    return answer


def shown(obj: Json) -> Json:
    """The answer without what the stand-in alone knows."""
    if obj.get("object") == "list":
        return {**obj, "data": [shown(item) for item in obj["data"]]}
    return public(obj)


def expand(account: "Account", obj: Json, parts: list[str], path: str) -> None:
    """Expands one path in place."""
    name, rest = parts[0], parts[1:]
    if obj["object"] == "list":
        if name != "data" or not rest:
            raise refused(path)
        for item in obj["data"]:
            expand(account, item, rest, path)
        return
    kind = obj["object"]
    if name in ALWAYS_NULL.get(kind, ()):
        return
    if kind == "item" and name == "price" and rest:
        obj["price"] = dict(obj["price"])
        expand(account, obj["price"], rest, path)
        return
    if name not in EXPANDABLE.get(kind, ()):
        raise refused(path)
    value = obj.get(name)
    if name in ("line_items", "refunds") and not isinstance(value, dict):
        value = obj[name] = included(account, obj, name)
    elif isinstance(value, str):
        found = account.state.get(kind_of(value) or "", value)
        value = obj[name] = public(found) if found else value
    if rest and isinstance(value, dict):
        expand(account, value, rest, path)


def included(account: "Account", obj: Json, name: str) -> Json:
    """A list that is part of an object only when it is asked for."""
    if name == "refunds":
        refunds = account.state.page("refund", [("charge = ?", obj["id"])])
        url = f"/v1/charges/{obj['id']}/refunds"
        return page_of([public(refund) for refund in refunds[:10]], url, more=len(refunds) > 10)
    whole = account.state.get(obj["object"], obj["id"])
    items = [public(item) for item in whole["_"]["line_items"]] if whole else []
    plural = "checkout/sessions" if obj["object"] == "checkout.session" else "payment_links"
    url = f"/v1/{plural}/{obj['id']}/line_items"
    return page_of(items[:10], url, more=len(items) > 10)


def refused(path: str) -> Exception:
    """The refusal of a property that cannot be expanded."""
    last = path.rsplit(".", 1)[-1]
    return invalid(
        f"This property cannot be expanded ({last}). You may want to try expanding "
        f"'data.{path}' on a list.",
        "expand",
    )
