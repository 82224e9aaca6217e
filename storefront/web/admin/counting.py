"""Counting what is there: what it would change is said first, then it is done as it was said."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput
from storefront.domain.products import Level
from storefront.services import counting, restocking
from storefront.services.counting import Count, Pile
from storefront.web import forms
from storefront.web.admin import reasons
from storefront.web.current import shop

blueprint = Blueprint("counting", __name__)

SHOWN = ("available", "held", "sold", "written_off", "stocked", "apart")
"""The books as the operator saw them, as fields of the form that confirms a count."""
DIGITS = 12
STALE = (
    "Something was sold, held or restocked meanwhile. Look at the new numbers, then confirm again."
)


def _page(
    level: Level | None = None, count: Count | None = None, error: str = "", said: str = ""
) -> str:
    """The form, and what a count would do; ``error`` is about the form, ``said`` about the count."""
    return render_template(
        "admin/count.html",
        level=level,
        count=count,
        error=error,
        said=said,
        typed=request.values,
        last_reason=reasons.last(),
        new_key=forms.new_token,
    )


def _level(text: str) -> Level:
    """The counters of the SKU that was named; BadInput when there is none."""
    level = restocking.find(shop(), text.strip())
    if level is None:
        raise BadInput("No article has this number.")
    return level


def _pile(text: str) -> Pile:
    if text not in list(Pile):
        raise BadInput("Say which units you counted.")
    return Pile(text)


@blueprint.get("/count")
def look() -> str | tuple[str, int]:
    """The operator says what they counted, and is told what that would change."""
    if not request.args.get("sku"):
        return _page()
    level = None
    try:
        level = _level(request.args["sku"])
        if "counted" not in request.args:
            return _page(level)
        counted = forms.whole_number(request.args["counted"], "What you counted")
        pile = _pile(request.args.get("pile", ""))
    except BadInput as error:
        return _page(level, error=str(error)), 422
    return _page(level, counting.look(shop(), level, counted, pile))


def _counter(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise BadInput("The form is damaged. Start the count again.")
    return int(text)


def _shown() -> Count:
    """The count and the books that the form was made for."""
    form = request.form
    numbers = {name: _counter(form.get(name, "")) for name in SHOWN}
    apart = numbers.pop("apart")
    counted = forms.whole_number(form.get("counted", ""), "What you counted")
    level = Level(forms.sku(form.get("sku", "")), **numbers)
    return Count(level, counted, _pile(form.get("pile", "")), apart)


@blueprint.post("/count")
def correct() -> tuple[str, int] | Answer:
    """The operator confirms a count; should the books have changed since, it is looked at again."""
    try:
        level = _level(request.form.get("sku", ""))
        count = _shown()
    except BadInput as error:
        return _page(error=str(error)), 422
    try:
        reason = reasons.read()
        key = forms.one_time(request.form.get("key", ""))
    except BadInput as error:
        again = counting.look(shop(), level, count.counted, count.pile)
        return _page(level, again, said=str(error)), 422
    done = counting.correct(shop(), count, reason=reason, who="admin", key=key)
    sku = level.sku
    match done.word:
        case "done":
            reasons.keep(reason)
            flash(f"{sku}: {count.counted} counted, {done.number:+d} in the books.", "good")
        case "same":
            flash(f"{sku}: {count.counted} counted, as the books say. Nothing was changed.", "good")
        case "already":
            flash(f"{sku}: this count was done before, so nothing was changed again.")
        case _:
            level = _level(sku)
            again = counting.look(shop(), level, count.counted, count.pile)
            said = STALE if done.word == "stale" else "More is missing than is on sale."
            return _page(level, again, said=said), 409
    return redirect(url_for("admin.stock.show"), 303)
