"""Every SKU's stock, adding and taking away by row or by a scanned number, and what changed last."""

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput
from storefront.domain.products import Level
from storefront.services import counting, holds, restocking, shelf
from storefront.web import forms
from storefront.web.admin import reasons
from storefront.web.current import shop

blueprint = Blueprint("stock", __name__)

ENTRIES = 50


@dataclass(frozen=True, slots=True)
class Typed:
    """What the operator typed into one SKU's form, and why it was not done."""

    sku: str
    delta: str
    reason: str
    error: str
    quick: bool
    """Whether that was the form on top of the page."""


@dataclass(frozen=True, slots=True)
class Row:
    """One SKU with its product's name."""

    name: str
    published: bool
    level: Level


def _page(sku: str = "", missing: str = "", typed: Typed | None = None) -> str:
    """The page, with the form on top of it for one SKU, or for a number that none has."""
    catalogue = shelf.catalogue(shop())
    rows = [
        Row(catalogue.names.get(level.sku, ""), catalogue.by_sku(level.sku) is not None, level)
        for level in restocking.levels(shop())
    ]
    entries = restocking.history(shop(), sku or None, ENTRIES)
    return render_template(
        "admin/stock.html",
        rows=rows,
        chosen=next((row for row in rows if row.level.sku == sku), None),
        missing=missing,
        typed=typed,
        last_reason=reasons.last(),
        new_key=forms.new_token,
        entries=entries,
        undoable=counting.undoable(shop(), entries),
        only=sku,
        overdue=holds.overdue(shop()),
    )


@blueprint.get("/stock")
def show() -> str | tuple[str, int]:
    """The operator looks at the stock, or types or scans the SKU that is to be restocked."""
    wanted = request.args.get("sku", "").strip()
    if not wanted:
        return _page()
    level = restocking.find(shop(), wanted)
    if level is None:
        return _page(missing=wanted[: forms.MAX_SKU]), 404
    return _page(level.sku)


def _read_change() -> tuple[int, str, str]:
    """The change, its reason and its one-time key; BadInput says what is wrong with one of them."""
    delta = forms.signed_number(request.form.get("delta", ""), "The change")
    if delta == 0:
        raise BadInput("The change must not be 0.")
    if request.form.get("way") == "away":
        if delta < 0:
            raise BadInput("To take units away, write how many, without a minus.")
        delta = -delta
    return delta, reasons.read(), forms.one_time(request.form.get("key", ""))


def _refuse(sku: str, error: str, status: int) -> tuple[str, int]:
    """The page again, with what was typed still in its fields."""
    form = request.form
    quick = "quick" in form
    typed = Typed(sku, form.get("delta", ""), form.get("reason", ""), error, quick)
    return _page(sku if quick else "", typed=typed), status


@blueprint.post("/restock")
def change() -> tuple[str, int] | Answer:
    """The operator adds units or takes some away; the same form sent twice counts once."""
    sku = request.form.get("sku", "")
    try:
        delta, reason, key = _read_change()
    except BadInput as error:
        return _refuse(sku, str(error), 422)
    done = restocking.restock(shop(), sku=sku, delta=delta, reason=reason, who="admin", key=key)
    match done.word:
        case "done":
            reasons.keep(reason)
            flash(f"{sku}: {delta:+d} counted.", "good")
        case "already":
            flash(f"{sku}: this form was counted before, so nothing was changed again.")
        case "not_enough":
            left = done.level.available if done.level else 0
            return _refuse(sku, f"Only {left} available: no more can be taken away.", 409)
        case _:
            return _refuse(sku[:60], "No article has this number.", 422)
    return redirect(url_for("admin.stock.show"), 303)
