"""The stall: sales for money that goes from hand to hand, and the way to the screen of the stock."""

from collections.abc import Mapping

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain import counter as rules
from storefront.domain.errors import BadInput, NotEnoughStock, NotOpenYet, Shortage, UnknownSku
from storefront.domain.orders import COUNTER, Form, Order, total
from storefront.services import counter, links, orders, posters, restocking, shelf
from storefront.web import forms
from storefront.web.current import settings, shop

blueprint = Blueprint("stall", __name__)

UNITS = "units-"
"""How the name of a field with units begins; then comes the SKU."""
TOO_LATE = (
    "This form’s sale was broken off and has run out of time: nothing was sold by it. If you "
    "took money for it, look at the numbers below: sell it again, or give the money back."
)


def _page(
    error: str = "",
    units: Mapping[str, int] | None = None,
    key: str = "",
    sold: Order | None = None,
) -> str:
    """The page; with ``units``, what these cost together."""
    catalogue = shelf.catalogue(shop())
    levels = {level.sku: level for level in restocking.levels(shop())}
    return render_template(
        "admin/stall.html",
        entries=[
            (product.name_of(variant), variant, levels.get(variant.sku))
            for product, variant in catalogue.entries(catalogue.published)
        ],
        error=error,
        typed=request.form,
        units=units,
        total=_total(units) if units else None,
        key=key or forms.new_token(),
        sold=sold,
        again="again" in request.args,
        how=rules.WORDS.get(sold.form) if sold else "",
        levels=levels,
        screen=links.stall(settings()),
    )


def _total(units: Mapping[str, int]) -> int:
    return total(wanted.line for wanted in counter.priced(shop(), units))


def _units() -> dict[str, int]:
    """Units by SKU as they were typed. Raises BadInput."""
    found = {}
    for name, text in request.form.items():
        if name.startswith(UNITS) and text:
            sku = forms.sku(name.removeprefix(UNITS))
            if number := forms.whole_number(text, sku):
                found[sku] = number
    return found


@blueprint.get("/stall")
def show() -> str:
    """The operator stands at the counter, and maybe has just sold something."""
    order_id = request.args.get("sold", "")
    order = orders.by_id(shop(), order_id) if forms.TOKEN.fullmatch(order_id) else None
    return _page(sold=order if order and order.at_counter and order.payments else None)


@blueprint.post("/stall/sum")
def add_up() -> str | tuple[str, int]:
    """The operator wants to know what it costs together before they take money."""
    key = ""
    try:
        key = forms.one_time(request.form.get("key", ""))
        units = _units()
        counter.priced(shop(), units)
    except (BadInput, UnknownSku) as error:
        return _page(_words(error), key=key), 422
    return _page(units=units, key=key)


@blueprint.post("/stall")
def sell() -> tuple[str, int] | Answer:
    """The operator has taken money; the same form sells once."""
    key = ""
    try:
        key = forms.one_time(request.form.get("key", ""))
        sale = counter.sell(shop(), wanted=_units(), form=_form(), key=key, who="admin")
    except counter.NotSold:
        return _page(TOO_LATE), 409
    except (NotEnoughStock, NotOpenYet) as error:
        return _page(_words(error), key=key), 409
    except (BadInput, UnknownSku) as error:
        return _page(_words(error), key=key), 422
    again = 1 if sale.again else None
    return redirect(url_for("admin.stall.show", sold=sale.order.id, again=again), 303)


def _form() -> Form:
    chosen = request.form.get("money", "")
    if chosen not in COUNTER:
        raise BadInput("Say how the money came: in cash, or on the card reader.")
    return Form(chosen)


def _words(error: Exception) -> str:
    """Why nothing was sold."""
    match error:
        case NotEnoughStock():
            return " ".join(map(_short, error.shortages))
        case NotOpenYet():
            return f"{error.sku} is not on sale yet."
        case UnknownSku():
            return f"{error.sku[: forms.MAX_SKU]} is not on the shelf."
    return str(error)


def _short(shortage: Shortage) -> str:
    if shortage.waited:
        return f"{shortage.sku}: others wait in line for it, and what comes free is theirs."
    held = f", {shortage.held} more are held and may come back" if shortage.held else ""
    return f"{shortage.sku}: {shortage.wanted} wanted, {shortage.available} left{held}."


@blueprint.get("/stall/qr.svg")
def code() -> Response:
    """The operator's page shows the code of the screen, for a tablet to scan."""
    return Response(posters.qr(links.stall(settings())), mimetype="image/svg+xml")
