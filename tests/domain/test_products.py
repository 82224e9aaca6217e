"""Products, their variants and the shelf's order."""

import json

from storefront.domain.products import Catalogue, Level, Product, Variant

RED = Variant("poster-red", 2500, {"colour": "Red", "size": "L"})
PLAIN = Variant("poster", 2000)
POSTER = Product(
    slug="poster",
    name="Poster",
    variants=(RED, PLAIN),
    description="Signed.",
    image="poster.svg",
    tags=("print",),
    opens_at=1795000000000,
    max_per_order=2,
    position=3,
)
HIDDEN = Product("zine", "Zine", (Variant("zine", 500),), published=False)
CATALOGUE = Catalogue((POSTER, HIDDEN), "v1")


def test_a_product_survives_being_written_and_read() -> None:
    assert Product.from_json(json.loads(json.dumps(POSTER.to_json()))) == POSTER
    assert Product.from_json(json.loads(json.dumps(HIDDEN.to_json()))) == HIDDEN


def test_a_variant_is_called_by_its_product_and_options() -> None:
    assert POSTER.name_of(RED) == "Poster (Red, L)"
    assert POSTER.name_of(PLAIN) == "Poster"


def test_a_product_knows_its_variants_by_sku() -> None:
    assert (POSTER.variant("poster-red"), POSTER.variant("none")) == (RED, None)


def test_what_was_taken_off_the_shelf_is_not_found_there() -> None:
    assert CATALOGUE.published == (POSTER,)
    assert (CATALOGUE.by_slug("poster"), CATALOGUE.by_slug("zine")) == (POSTER, None)
    assert (CATALOGUE.by_sku("poster"), CATALOGUE.by_sku("zine")) == ((POSTER, PLAIN), None)
    assert [variant.sku for _, variant in Catalogue.entries(CATALOGUE.products)] == [
        "poster-red",
        "poster",
        "zine",
    ]


def test_of_two_products_with_one_sku_the_first_on_the_shelf_counts() -> None:
    later = Product("reprint", "Reprint", (Variant("poster", 900),), position=4)
    assert Catalogue((POSTER, later), "v2").by_sku("poster") == (POSTER, PLAIN)


def test_a_level_of_nothing_is_all_zero() -> None:
    assert Level("x") == Level("x", 0, 0, 0, 0, 0)
