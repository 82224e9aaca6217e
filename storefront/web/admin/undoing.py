"""Taking a restock or a write-off back, from its row in the ledger."""

import re

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.services import counting
from storefront.web.current import shop

blueprint = Blueprint("undoing", __name__)

ENTRY = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")
"""An entry's id in the ledger."""


@blueprint.post("/undo")
def undo() -> Answer:
    """The operator takes a restock or a write-off back; a second time changes nothing."""
    entry = request.form.get("entry", "")
    done = counting.undo(shop(), entry, who="admin") if ENTRY.fullmatch(entry) else None
    if done is None or done.word == "unknown_entry":
        abort(404)
    match done.word:
        case "done":
            flash(f"{done.sku}: undone. The ledger has both entries.", "good")
        case "already":
            flash("This was undone before, so nothing was changed again.")
        case "not_enough":
            left = f"only {done.left} of its units are left where it brought them"
            flash(f"{done.sku}: nothing was changed, because {left}. The others are held or sold.")
        case _:
            flash("An order did this, so nothing was changed: its refund puts the units back.")
    return redirect(url_for("admin.stock.show"), 303)
