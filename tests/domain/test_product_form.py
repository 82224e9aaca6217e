"""A product's form is read by the rules of the catalogue file, and what was not touched stays."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.domain.product_form import (
    ProductForm,
    ProductMistakes,
    Row,
    form_of,
    read_form,
    slug_of,
)
from storefront.domain.products import Product, Variant

BERLIN = ZoneInfo("Europe/Berlin")
POSTER = Product(
    slug="poster",
    name="Opening night poster",
    variants=(
        Variant("poster-red", 2500, {"Colour": "Red"}),
        Variant("poster-ink", 3000, {"Colour": "Ink"}),
    ),
    description="Screen print.\n\nSigned.",
    image="poster.svg",
    tags=("print", "signed"),
    opens_at=1_796_119_200_000,
    max_per_order=2,
    delivery=False,
    alternatives=("zine",),
    position=3,
    retired=(Variant("poster-old", 2000, {"Colour": "Old"}),),
)
NEW = ProductForm(name="Mug", rows=(Row(sku="mug", price="12.00", stock="7"),))


def read(form: ProductForm, before: Product | None = None) -> Product:
    return read_form(form, before, "usd", BERLIN)[0]


def mistakes(form: ProductForm, before: Product | None = None) -> dict[tuple[str, int | None], str]:
    with pytest.raises(ProductMistakes) as caught:
        read_form(form, before, "usd", BERLIN)
    return {(one.key, one.row): one.what for one in caught.value.mistakes}


def test_a_form_that_nobody_touched_changes_nothing() -> None:
    assert read(form_of(POSTER, "usd", BERLIN), POSTER) == POSTER


def test_what_a_form_shows_less_of_stays_whole_until_it_is_touched() -> None:
    odd = replace(
        POSTER,
        opens_at=1_796_119_212_345,
        tags=("one, two",),
        variants=(Variant("a", 100, {"Size: inner": "a: b"}),),
    )
    assert read(form_of(odd, "usd", BERLIN), odd) == odd
    touched = replace(form_of(odd, "usd", BERLIN), opens_at="2026-12-01T12:00", tags="one, two")
    assert read(touched, odd).opens_at == 1_796_122_800_000


def test_a_new_product_gets_its_address_from_its_name_and_its_first_stock() -> None:
    product, stock = read_form(replace(NEW, name="Blauer Müsli-Becher!"), None, "usd", BERLIN)
    assert (product.slug, product.variants) == ("blauer-musli-becher", (Variant("mug", 1200),))
    assert stock == {"mug": 7}


def test_only_skus_that_are_new_have_a_first_stock() -> None:
    form = form_of(POSTER, "usd", BERLIN)
    more = replace(form, rows=(*form.rows, Row("poster-xl", "Colour: XL", "40", "")))
    product, stock = read_form(more, POSTER, "usd", BERLIN)
    assert stock == {"poster-xl": 0}
    assert product.variants[-1] == Variant("poster-xl", 4000, {"Colour": "XL"})


def test_an_archived_variant_is_kept_and_can_be_sold_again() -> None:
    form = form_of(POSTER, "usd", BERLIN)
    red, ink, old = form.rows
    swapped = replace(form, rows=(replace(red, archived=True), ink, replace(old, archived=False)))
    product = read(swapped, POSTER)
    assert [v.sku for v in product.variants] == ["poster-ink", "poster-old"]
    assert [v.sku for v in product.retired] == ["poster-red"]
    assert mistakes(
        replace(form, rows=(replace(red, archived=True), replace(ink, archived=True), old)), POSTER
    ) == {("variants", None): "are all archived: at least one must be sold"}


def test_a_variant_that_the_form_does_not_name_stays() -> None:
    form = form_of(POSTER, "usd", BERLIN)
    product = read(replace(form, rows=form.rows[1:2]), POSTER)
    assert {v.sku for v in product.variants} == {"poster-ink", "poster-red"}
    assert product.retired == POSTER.retired


def test_the_slug_of_a_product_never_changes() -> None:
    form = replace(form_of(POSTER, "usd", BERLIN), slug="other")
    assert read(form, POSTER).slug == "poster"


def test_a_time_is_in_the_shops_zone() -> None:
    assert form_of(POSTER, "usd", BERLIN).opens_at == "2026-12-01T11:00"
    summer = replace(NEW, opens_at="2026-07-01T10:00")
    assert read(summer).opens_at == 1_782_892_800_000  # 08:00 UTC


@pytest.mark.parametrize(
    "text", ["2026-03-29T02:30", "tomorrow", "2026-12-01", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_a_time_that_is_none_or_is_skipped_that_night_is_told(text: str) -> None:
    if text in {"2026-12-01", "9999-12-31T23:59"}:
        assert read(replace(NEW, opens_at=text)).opens_at is not None
    else:
        assert ("opens_at", None) in mistakes(replace(NEW, opens_at=text))


@pytest.mark.parametrize("opens_at", [253_402_300_740_000, -62_135_596_800_000])
def test_a_time_at_the_end_of_years_is_shown_as_none_and_stays(opens_at: int) -> None:
    for zone in (ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")):
        odd = replace(POSTER, opens_at=opens_at)
        assert read_form(form_of(odd, "usd", zone), odd, "usd", zone)[0] == odd


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"name": " "}, ("name", None), "is missing or empty"),
        ({"name": "a" * 251}, ("name", None), "longer than 250"),
        ({"slug": "Big One"}, ("slug", None), "small letters"),
        ({"description": "a" * 5001}, ("description", None), "longer than 5000"),
        ({"tags": "a" * 51}, ("tags", None), "50 characters"),
        ({"max_per_order": "0"}, ("max_per_order", None), "from 1 to 10000"),
        ({"max_per_order": "two"}, ("max_per_order", None), "from 1 to 10000"),
        ({"max_per_order": "1e3"}, ("max_per_order", None), "from 1 to 10000"),
        ({"alternatives": ("../x",)}, ("alternatives", None), "other products"),
        ({"alternatives": ("mug",)}, ("alternatives", None), "than this one"),
        ({"alternatives": tuple("abcde")}, ("alternatives", None), "4 at most"),
        ({"rows": ()}, ("variants", None), "needs one"),
        ({"rows": (Row(price="1"),)}, ("sku", 0), "missing or empty"),
        ({"rows": (Row("a b", "", "1"),)}, ("sku", 0), "letters, digits"),
        ({"rows": (Row("a"),)}, ("price", 0), "is missing"),
        ({"rows": (Row("a", "", "1.005"),)}, ("price", 0), "decimals of usd"),
        ({"rows": (Row("a", "", "1", "-1"),)}, ("stock", 0), "whole number from 0"),
        ({"rows": (Row("a", "Red", "1"),)}, ("options", 0), "Colour: Red"),
        ({"rows": (Row("a", "A: 1\nA: 2", "1"),)}, ("options", 0), "Colour: Red"),
        ({"rows": (Row("a", "A: 1", "1"), Row("a", "A: 2", "1"))}, ("sku", 1), "twice"),
        ({"rows": (Row("a", "A: 1", "1"), Row("b", "A: 1", "1"))}, ("variants", None), "apart"),
    ],
)
def test_each_mistake_stands_at_its_field(
    change: dict[str, object], where: tuple[str, int | None], what: str
) -> None:
    found = mistakes(replace(NEW, **change))  # type: ignore[arg-type]
    assert list(found) == [where]
    assert what in found[where]


def test_all_mistakes_are_told_at_once() -> None:
    form = replace(NEW, name="", slug="x y", rows=(Row("ü", "Red", "free", "some"),))
    assert set(mistakes(form)) == {
        ("name", None),
        ("slug", None),
        *((key, 0) for key in ("sku", "options", "price", "stock")),
    }


def test_the_revision_changes_with_what_the_form_carries_and_with_nothing_else() -> None:
    for change in ({"image": "x.webp"}, {"position": 9}, {"published": False}, {"archived": True}):
        assert replace(POSTER, **change).revision == POSTER.revision
    changed = {
        "name": "x",
        "description": "x",
        "tags": (),
        "opens_at": None,
        "max_per_order": None,
        "delivery": True,
        "alternatives": (),
        "variants": POSTER.variants[:1],
        "retired": (),
    }
    found = {replace(POSTER, **{name: value}).revision for name, value in changed.items()}
    assert len(found | {POSTER.revision}) == len(changed) + 1


def test_the_revision_outlives_being_stored() -> None:
    assert Product.from_json(POSTER.to_json()) == POSTER
    assert Product.from_json(POSTER.to_json()).revision == POSTER.revision


def test_a_product_stored_before_there_were_alternatives_can_be_read() -> None:
    old = POSTER.to_json()
    for name in ("alternatives", "archived", "retired"):
        del old[name]
    assert Product.from_json(old) == replace(POSTER, alternatives=(), retired=())


texts = st.text(max_size=12) | st.sampled_from(["1", "a", "2026-12-01T10:00", "A: b", "1.00"])


@given(
    st.builds(
        ProductForm,
        *[texts] * 6,
        rows=st.lists(st.builds(Row, *[texts] * 4, st.booleans()), max_size=3).map(tuple),
    )
)
def test_whatever_is_typed_ends_in_a_product_or_in_mistakes(form: ProductForm) -> None:
    try:
        product, _ = read_form(form, None, "usd", BERLIN)
    except ProductMistakes as wrong:
        found = wrong.mistakes
    else:
        found = [read(form_of(product, "usd", BERLIN), product) == product]
    assert all(found)


@pytest.mark.parametrize(
    ("text", "slug"), [("Über & out", "uber-out"), ("票", ""), ("a" * 80, "a" * 64)]
)
def test_a_slug_is_made_of_plain_letters(text: str, slug: str) -> None:
    assert slug_of(text) == slug
