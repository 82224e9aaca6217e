"""Lists as Stripe pages through them: newest first, with cursors."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import invalid, no_such
from .state import Json

if TYPE_CHECKING:
    from .account import Account

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def listed(
    account: "Account",
    kind: str,
    url: str,
    params: Json,
    conditions: list[tuple[str, Any]] | None = None,
    show: Callable[[Json], Json] = lambda obj: obj,
) -> Json:
    """One page of the objects that meet the conditions (pairs of SQL and its values)."""
    limit = page_size(params)
    where = [*(conditions or []), *created_conditions(params.get("created"))]
    backwards = "ending_before" in params
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if name in params:
            position = account.state.position(kind, params[name])
            if position is None:
                raise no_such(kind, params[name], name)
            where.append((f"(created, seq) {sign} (?, ?)", position))
    found = account.state.page(kind, where, limit=limit + 1, oldest_first=backwards)
    page = found[:limit]
    if backwards:
        page.reverse()
    return page_of([show(obj) for obj in page], url, more=len(found) > limit)


def page_of(data: list[Json], url: str, *, more: bool = False) -> Json:
    """A list object."""
    return {"object": "list", "data": data, "has_more": more, "url": url}


def page_size(params: Json) -> int:
    """The limit, 1 to 100 and 10 by default; also refuses two cursors at once."""
    limit: int = params.get("limit", 10)
    if limit < 1:
        raise invalid("This value must be greater than or equal to 1.", "limit")
    if limit > 100:
        raise invalid("This value must be less than or equal to 100.", "limit")
    if "starting_after" in params and "ending_before" in params:
        raise invalid(
            "Received both starting_after and ending_before parameters. Please pass in only one.",
            "starting_after",
        )
    return limit


def created_conditions(created: Json | int | None) -> list[tuple[str, Any]]:
    """The conditions of the filter `created`: a time, or bounds of an interval."""
    if created is None:
        return []
    if isinstance(created, int):
        return [("created = ?", created)]
    return [(f"created {COMPARISONS[name]} ?", bound) for name, bound in created.items()]


def slice_of(items: list[Json], url: str, params: Json) -> Json:
    """One page of a short list that is at hand, in its own order (line items)."""
    limit = page_size(params)
    ids = [item["id"] for item in items]
    start, stop = 0, len(items)
    for name in ("starting_after", "ending_before"):
        if name in params and params[name] not in ids:
            raise no_such("item", params[name], name)
    if "starting_after" in params:
        start = ids.index(params["starting_after"]) + 1
    if "ending_before" in params:
        stop = ids.index(params["ending_before"])
        start = max(0, stop - limit)
        return page_of(items[start:stop], url, more=start > 0)
    return page_of(items[start : start + limit], url, more=start + limit < stop)


def equal(params: Json, *names: str) -> list[tuple[str, Any]]:
    """Conditions for the filters that are columns of the same name."""
    return [(f"{name} = ?", params[name]) for name in names if name in params]
