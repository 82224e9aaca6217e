"""The ledger: who changed the stock of what, when and why."""

from datetime import date, datetime

from flask import Blueprint, Response, render_template, request

from storefront.domain import days
from storefront.domain.errors import BadInput
from storefront.services import counting, ledger
from storefront.services.ledger import Wanted
from storefront.web import forms
from storefront.web.admin.undoing import ENTRY
from storefront.web.current import settings, shop

blueprint = Blueprint("ledger", __name__)

ROWS = 50
FILTERS = ("sku", "what", "who", "since", "until")


def _day(name: str) -> date | None:
    """The day in a field, of the shop's time zone; None when it is empty."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise BadInput("Write a day like 2026-12-01.") from None


def _wanted() -> Wanted:
    """What the operator looks for; BadInput says what of it makes no sense."""
    what = request.args.get("what", "")
    if what and what not in ledger.KINDS:
        raise BadInput("No entry is of this kind.")
    since, until = _day("since"), _day("until")
    try:
        end = days.end_of(until, settings().zone) if until else None
    except OverflowError:
        end = None
    return Wanted(
        sku=request.args.get("sku", "").strip()[: forms.MAX_SKU],
        what=what,
        who=request.args.get("who", "").strip(),
        since=max(days.begin_of(since, settings().zone), 0) if since else None,
        until=max(end - 1, 0) if end is not None else None,
    )


def _before() -> str:
    """The entry that the page comes before; empty for the newest page."""
    before = request.args.get("before", "")
    if before and not ENTRY.fullmatch(before):
        raise BadInput("This page is not there. Begin with the newest entries.")
    return before


def _page(wanted: Wanted, before: str = "", error: str = "") -> str:
    entries, older = ([], "") if error else ledger.page(shop(), wanted, before, ROWS)
    chosen = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    return render_template(
        "admin/ledger.html",
        entries=entries,
        undoable=counting.undoable(shop(), entries),
        older=older,
        newest=not before,
        kinds=ledger.KINDS,
        chosen=chosen,
        error=error,
        zone=settings().shop_timezone,
    )


@blueprint.get("/ledger")
def show() -> str | tuple[str, int]:
    """The operator looks for what happened."""
    try:
        return _page(_wanted(), _before())
    except BadInput as error:
        return _page(Wanted(), error=str(error)), 422


@blueprint.get("/ledger.csv")
def export() -> Response | tuple[str, int]:
    """The operator takes what was found along, for a spreadsheet."""
    try:
        lines = ledger.as_csv(shop(), _wanted())
    except BadInput as error:
        return _page(Wanted(), error=str(error)), 422
    headers = {"Content-Disposition": "attachment; filename=ledger.csv"}
    return Response(lines, mimetype="text/csv", headers=headers)
