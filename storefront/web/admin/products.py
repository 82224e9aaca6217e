"""Products: what is sold, how it is described, and where it stands on the shelf."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from storefront.domain.errors import BadInput
from storefront.domain.product_form import ProductForm, ProductMistakes, Row
from storefront.domain.product_tables import Mistake
from storefront.domain.products import Product
from storefront.services import editing, restocking, shelf
from storefront.services.editing import Saved, Shown
from storefront.web.current import settings, shop

blueprint = Blueprint("products", __name__)

MOST_ROWS = 100
BLANK_ROWS = 3
"""Room for new variants; who needs more saves and gets as many again."""
LABELS = {
    "name": "The name",
    "slug": "The address",
    "description": "The description",
    "tags": "The tags",
    "opens_at": "The time",
    "max_per_order": "The limit",
    "alternatives": "The alternatives",
    "variants": "The variants",
    "sku": "The SKU",
    "options": "The options",
    "price": "The price",
    "stock": "The first stock",
}


@blueprint.get("/products")
def index() -> str:
    """The operator looks at every product, in the order of the shelf."""
    products = shelf.catalogue(shop()).products
    levels = {level.sku: level for level in restocking.levels(shop())}
    return render_template(
        "admin/products.html",
        products=[p for p in products if not p.archived],
        archived=[p for p in products if p.archived],
        levels=levels,
        new=request.args.get("to"),
    )


@blueprint.get("/new-product")
def begin() -> str:
    """The operator begins a new product."""
    return page(None)


@blueprint.post("/products")
def create() -> tuple[str, int] | Answer:
    """The operator makes it; it is off the shelf until it is put there."""
    typed = _typed()
    try:
        saved = editing.create(shop(), typed, "admin")
    except (ProductMistakes, BadInput) as wrong:
        return page(None, typed, wrong=wrong), 422
    flash(
        "The product is made. It is not on the shelf yet: give it a picture first, or not.", "good"
    )
    return _kept(saved)


@blueprint.get("/products/<slug>")
def show(slug: str) -> str:
    """The operator looks at one product, to change it."""
    return page(_find(slug))


@blueprint.post("/products/<slug>")
def save(slug: str) -> tuple[str, int] | Answer:
    """The operator saves what they typed, unless somebody else was quicker: then they see both."""
    typed, seen = _typed(), request.form.get("revision", "")
    try:
        saved = editing.save(shop(), slug, seen, typed, "admin")
    except editing.Gone:
        abort(404)
    except (ProductMistakes, BadInput) as wrong:
        return page(_find(slug), typed, wrong=wrong, revision=seen), 422
    if saved.stale:
        return page(saved.product, typed, stale=True), 409
    flash("Saved. Pages that are open follow at once; running holds keep their prices.", "good")
    return _kept(saved)


@blueprint.post("/products/<slug>/show")
def put(slug: str) -> tuple[str, int] | Answer:
    """The operator puts a product on the shelf, takes it off, or archives it."""
    try:
        where = Shown(request.form.get("where", ""))
    except ValueError:
        abort(400)
    try:
        product = editing.show(shop(), slug, where, "admin")
    except editing.Gone:
        abort(404)
    except BadInput as wrong:
        return page(_find(slug), wrong=wrong), 409
    said = {
        Shown.SHELF: "is on the shelf.",
        Shown.DRAFT: "is off the shelf. Running holds can still be paid for.",
        Shown.ARCHIVE: "is archived. Its stock and orders stay, and running holds can be paid for.",
    }
    flash(f"{product.name} {said[where]}", "good")
    return redirect(url_for("admin.products.show", slug=slug), 303)


@blueprint.post("/products/<slug>/move")
def move(slug: str) -> Answer:
    """The operator moves a product one place up or down."""
    way = request.form.get("way", "")
    if way not in {"up", "down"}:
        abort(400)
    try:
        editing.move(shop(), slug, way == "up", "admin")
    except editing.Gone:
        abort(404)
    return redirect(url_for("admin.products.index", _anchor=f"product-{slug}"), 303)


def page(
    product: Product | None,
    typed: ProductForm | None = None,
    *,
    wrong: ProductMistakes | BadInput | None = None,
    stale: bool = False,
    revision: str = "",
    picture_error: str = "",
) -> str:
    """The form for a product (None: a new one), with what was ``typed`` and what is wrong with it."""
    now = editing.typed_of(shop(), product) if product else ProductForm()
    typed = typed or now
    if stale:
        named = {row.sku for row in typed.rows}
        rows = (*typed.rows, *(row for row in now.rows if row.sku not in named))
        typed = replace(typed, rows=rows)
    catalogue = shelf.catalogue(shop())
    return render_template(
        "admin/product.html",
        product=product,
        typed=replace(typed, rows=(*typed.rows, *[Row()] * BLANK_ROWS)),
        rows_now={row.sku: row for row in now.rows},
        now=now if stale else None,
        revision=revision or (product.revision if product else ""),
        errors=_errors(wrong.mistakes) if isinstance(wrong, ProductMistakes) else {},
        refused=str(wrong) if isinstance(wrong, BadInput) else "",
        picture_error=picture_error,
        others=[p for p in catalogue.products if not p.archived and p != product],
        names={p.slug: p.name for p in catalogue.products},
        timezone=settings().shop_timezone,
        currency=settings().shop_currency.upper(),
        sends=settings().delivering.delivery != "pickup",
        limit=settings().max_per_order,
    )


def _find(slug: str) -> Product:
    try:
        return editing.find(shop(), slug)
    except editing.Gone:
        abort(404)


def _kept(saved: Saved) -> Answer:
    for sku in saved.kept:
        flash(f"SKU {sku} was known before, so it keeps the stock that it has.")
    return redirect(url_for("admin.products.show", slug=saved.product.slug), 303)


def _typed() -> ProductForm:
    """What stands in the form's fields; rows with nothing in them are left out."""
    form = request.form
    rows = []
    for number in range(MOST_ROWS):
        if f"sku-{number}" not in form:
            break
        row = Row(
            sku=form[f"sku-{number}"].strip(),
            options=form.get(f"options-{number}", "").replace("\r\n", "\n").strip(),
            price=form.get(f"price-{number}", "").strip(),
            stock=form.get(f"stock-{number}", "").strip(),
            archived=f"archived-{number}" in form,
        )
        if not row.blank:
            rows.append(row)
    return ProductForm(
        slug=form.get("slug", "").strip(),
        name=form.get("name", "").strip(),
        description=form.get("description", "").replace("\r\n", "\n").strip(),
        tags=form.get("tags", "").strip(),
        opens_at=form.get("opens_at", "").strip(),
        max_per_order=form.get("max_per_order", "").strip(),
        delivery="delivery" in form,
        alternatives=tuple(form.getlist("alternatives")),
        rows=tuple(rows),
    )


def _errors(mistakes: Sequence[Mistake]) -> Mapping[str, str]:
    """What is wrong by the id of its field, a sentence or more each."""
    found: dict[str, str] = {}
    for mistake in mistakes:
        field = mistake.key or "variants"
        field = field if mistake.row is None else f"{field}-{mistake.row}"
        sentence = f"{LABELS.get(mistake.key, mistake.key)} {mistake.what}."
        found[field] = f"{found[field]} {sentence}" if field in found else sentence
    return found
