"""Restocking by a list: a CSV is looked at line by line first, then all of it is done, once."""

from flask import Blueprint, render_template, request

from storefront.domain import restock_list
from storefront.domain.errors import BadInput
from storefront.domain.restock_list import BadList
from storefront.services import restock_lists
from storefront.services.restock_lists import Done, Seen
from storefront.web import forms
from storefront.web.current import shop

blueprint = Blueprint("restock_list", __name__)


def _page(
    text: str = "", error: str = "", seen: list[Seen] | None = None, done: list[Done] | None = None
) -> str:
    return render_template(
        "admin/restock_list.html",
        text=text,
        error=error,
        seen=seen or [],
        wrong=[one for one in seen or [] if one.row.wrong],
        done=done or [],
        undone=[one for one in done or [] if one.word not in {"done", "already"}],
        most_rows=restock_list.MOST_ROWS,
        most_kib=restock_list.MOST_BYTES // 1024,
        new_key=forms.new_token,
    )


def _text() -> str:
    """The list as it was uploaded, else as it was pasted."""
    file = request.files.get("file")
    sent = file.read() if file and file.filename else request.form.get("text", "").encode()
    return restock_list.decode(sent)


@blueprint.get("/restock/list")
def show() -> str:
    """The operator is about to restock by a list."""
    return _page()


@blueprint.post("/restock/list/look")
def look() -> str | tuple[str, int]:
    """The operator sends a list and sees, line by line, what it would do; nothing is changed."""
    text = ""
    try:
        text = _text()
        seen = restock_lists.look(shop(), restock_list.read(text))
    except BadList as error:
        return _page(text, error=str(error)), 422
    if any(one.row.wrong for one in seen):
        return _page(text, seen=seen), 422
    return _page(text, seen=seen)


@blueprint.post("/restock/list")
def carry_out() -> str | tuple[str, int]:
    """The operator does what was shown; the same form sent again does nothing twice."""
    text = ""
    try:
        key = forms.one_time(request.form.get("key", ""))
        text = _text()
        rows = restock_list.read(text)
    except (BadInput, BadList) as error:
        return _page(text, error=str(error)), 422
    if any(row.wrong for row in rows):
        return _page(text, seen=restock_lists.look(shop(), rows)), 422
    return _page(done=restock_lists.carry_out(shop(), rows, who="admin", key=key))
