"""The bag: what the visitor means to buy. It holds no stock."""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput, OverLimit, UnknownSku
from storefront.domain.products import Level, Product, Variant
from storefront.languages import mark
from storefront.services.shelf import Availability, Shelf, catalogue, look
from storefront.web import closed, forms, sending, visitors
from storefront.web.current import settings, shop
from storefront.web.shelf import limit_of

blueprint = Blueprint("bag", __name__)


@dataclass(frozen=True, slots=True)
class BagLine:
    """One SKU in the bag, beside what is true of it now."""

    sku: str
    quantity: int
    product: Product | None
    """None when it was taken off the shelf meanwhile."""
    variant: Variant | None
    level: Level
    state: Availability
    limit: int

    @property
    def total(self) -> int:
        """Minor units for the whole line."""
        return self.variant.price * self.quantity if self.variant else 0

    @property
    def enough(self) -> bool:
        """Whether the line could be held in full now."""
        return self.product is not None and self.quantity <= self.level.available


def lines_of(shelf: Shelf, units: dict[str, int]) -> list[BagLine]:
    """The bag's lines with their product, price and stock of this moment."""
    lines = []
    for sku, quantity in units.items():
        product, variant = shelf.catalogue.by_sku(sku) or (None, None)
        lines.append(
            BagLine(
                sku=sku,
                quantity=quantity,
                product=product,
                variant=variant,
                level=shelf.level(sku),
                state=shelf.state(sku),
                limit=limit_of(product) if product else 0,
            )
        )
    return lines


@blueprint.get("/bag")
def show() -> Response:
    """The visitor looks over what they chose."""
    shelf = look(shop())
    lines = lines_of(shelf, visitors.bag())
    total = sum(line.total for line in lines)
    page = render_template(
        "bag.html",
        lines=lines,
        total=total,
        sent=sending.words(settings(), [line.product for line in lines if line.product], total),
        token=forms.new_token(),
        now=shelf.now,
        shut=closed.words(shelf.door),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/bag")
def change() -> Answer:
    """The visitor puts something into the bag, changes how many, or takes it out (0)."""
    sku = forms.sku(request.form.get("sku", ""))
    if request.form.get("remove") == "1":
        quantity = 0
    else:
        quantity = forms.whole_number(request.form.get("quantity", ""), mark("The quantity"))
    units = visitors.bag()
    if request.form.get("add") == "1":
        quantity += units.get(sku, 0)
    if quantity:
        found = catalogue(shop()).by_sku(sku)
        if found is None:
            raise UnknownSku(sku)
        limit = limit_of(found[0])
        if quantity > limit:
            raise OverLimit(sku, limit)
        if sku not in units and len(units) >= visitors.MAX_BAG:
            raise BadInput(
                "The bag has room for %(most)s different articles.", most=visitors.MAX_BAG
            )
        units[sku] = quantity
    else:
        units.pop(sku, None)
    visitors.keep_bag(units)
    return redirect(url_for("bag.show"), 303)
