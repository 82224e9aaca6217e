"""A catalogue file is read whole, or all its mistakes are listed at once, each with its place."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.domain.catalogue_file import CatalogueMistakes, read_catalogue
from storefront.domain.products import Product, Variant

DEMO = Path(__file__).parents[2] / "demo"

PRODUCT = """
[[products]]
slug = "poster"
name = "Poster"
"""
VARIANT = """
[[products.variants]]
sku = "poster-red"
price = "25.00"
stock = 40
"""
GOOD = PRODUCT + VARIANT


def mistakes(text: str, currency: str = "usd", files: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(CatalogueMistakes) as caught:
        read_catalogue(text, currency, files)
    return caught.value.mistakes


def test_every_field_of_the_interface_is_read():
    text = """
    [[products]]
    slug = "poster"
    name = "Opening night poster"
    description = "Screen print, 50 × 70 cm, signed."
    image = "poster.svg"
    tags = ["print"]
    opens_at = 2026-12-01T10:00:00Z
    max_per_order = 2
    delivery = false

    [[products.variants]]
    sku = "poster-red"
    options = { colour = "Red" }
    price = "25.00"
    stock = 40
    """
    read = read_catalogue(text, "usd", {"poster.svg"})
    assert read.products == (
        Product(
            slug="poster",
            name="Opening night poster",
            variants=(Variant("poster-red", 2500, {"colour": "Red"}),),
            description="Screen print, 50 × 70 cm, signed.",
            image="poster.svg",
            tags=("print",),
            opens_at=1_796_119_200_000,
            max_per_order=2,
            delivery=False,
        ),
    )
    assert read.stock == {"poster-red": 40}


def test_what_is_optional_may_be_left_out():
    (product,) = read_catalogue(GOOD, "usd", ()).products
    assert (product.description, product.image, product.tags) == ("", "", ())
    assert (product.opens_at, product.max_per_order) == (None, None)
    assert product.delivery is True
    assert product.variants[0].options == {}


def test_the_demo_catalogue_is_right():
    names = {path.name for path in DEMO.iterdir()}
    read = read_catalogue((DEMO / "catalogue.toml").read_text("utf-8"), "usd", names)
    assert len(read.products) >= 5
    assert set(read.stock) == {v.sku for p in read.products for v in p.variants}


def test_products_keep_the_order_of_the_file():
    text = GOOD + GOOD.replace("poster", "badge")
    read = read_catalogue(text, "usd", ())
    assert [(p.slug, p.position) for p in read.products] == [("poster", 0), ("badge", 1)]


def test_prices_count_in_the_currency():
    assert (
        read_catalogue(GOOD.replace("25.00", "2500"), "jpy", ()).products[0].variants[0].price
        == 2500
    )
    assert "decimals of jpy" in mistakes(GOOD.replace("25.00", "25.50"), "jpy")[0]


def test_a_byte_order_mark_is_no_mistake():
    assert read_catalogue("\ufeff" + GOOD, "usd", ()).stock == {"poster-red": 40}


def test_text_that_is_no_toml_is_told_with_its_line():
    (mistake,) = mistakes(GOOD + "\n[[products\n")
    assert "line 11" in mistake


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("40", "9" * 5000),  # more digits than Python reads
        GOOD.replace("40", "[" * 5000 + "]" * 5000),
        GOOD.replace("40", "2026-99-99"),
        "products = 3",
        "products = [3]",
        '[products]\nslug = "a"',
        "",
        "\x00",
        PRODUCT + "variants = 3",
        PRODUCT + "variants = [[]]",
    ],
)
def test_files_that_are_wrong_in_kind_are_refused_with_a_sentence(text: str):
    assert all(mistakes(text))


def test_all_mistakes_are_listed_at_once_each_with_its_place():
    text = """
    colour = "red"

    [[products]]
    slug = "Poster!"
    max_per_order = 0
    price = "1.00"

    [[products.variants]]
    sku = "a b"
    price = "1.005"
    stock = -1

    [[products]]
    name = "Second"
    """
    expected = [
        ("The file:", "'colour' is not known"),
        ("Product Poster! (line 4):", "'price' is not known"),
        ("Product Poster! (line 4):", "slug 'Poster!'"),
        ("Product Poster! (line 4):", "name is missing"),
        ("Product Poster! (line 4):", "max_per_order"),
        ("Product Poster! (line 4), SKU a b:", "sku 'a b'"),
        ("Product Poster! (line 4), SKU a b:", "decimals of usd"),
        ("Product Poster! (line 4), SKU a b:", "stock"),
        ("Product 2 (line 14):", "slug is missing"),
        ("Product 2 (line 14):", "at least one [[products.variants]]"),
    ]
    found = mistakes(text)
    assert len(found) == len(expected)
    for mistake, (place, what) in zip(found, expected, strict=True):
        assert mistake.startswith(place)
        assert what in mistake


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('slug = "poster"', "", "slug is missing"),
        ('slug = "poster"', 'slug = ""', "slug is missing or empty"),
        ('slug = "poster"', "slug = 3", "slug is to be text in quotes"),
        ('slug = "poster"', 'slug = "a--b"', "single -"),
        ('slug = "poster"', 'slug = "größe"', "small letters"),
        ('slug = "poster"', f'slug = "{"a" * 65}"', "64 characters at most"),
        ('name = "Poster"', 'name = "  "', "name is missing or empty"),
        ('name = "Poster"', "name = 1", "name is to be text"),
        ('name = "Poster"', f'name = "{"a" * 251}"', "longer than 250"),
        ('name = "Poster"', 'name = "a\\nb"', "cannot be shown"),
        ('name = "Poster"', 'name = "a"\ndescription = 4', "description is to be text"),
        ('name = "Poster"', f'name = "a"\ndescription = "{"a" * 5001}"', "longer than 5000"),
        ('name = "Poster"', 'name = "a"\ntags = "print"', "list of words"),
        ('name = "Poster"', 'name = "a"\ntags = [1]', "list of words"),
        ('name = "Poster"', 'name = "a"\nopens_at = 2026-12-01T10:00:00', "with its zone"),
        ('name = "Poster"', 'name = "a"\nopens_at = 2026-12-01', "with its zone"),
        ('name = "Poster"', 'name = "a"\nopens_at = "2026-12-01T10:00:00Z"', "with its zone"),
        ('name = "Poster"', 'name = "a"\nopens_at = 0001-01-01T00:00:00+01:00', "out of range"),
        ('name = "Poster"', 'name = "a"\nmax_per_order = 0', "from 1 to"),
        ('name = "Poster"', 'name = "a"\nmax_per_order = true', "whole number"),
        ('name = "Poster"', 'name = "a"\ndelivery = "no"', "delivery is to be true or false"),
        ('name = "Poster"', 'name = "a"\nmax_per_order = 2.0', "whole number"),
        ('name = "Poster"', 'name = "a"\nimage = "../secret.png"', "beside the catalogue"),
        ('name = "Poster"', 'name = "a"\nimage = "a\\\\b.png"', "beside the catalogue"),
        ('name = "Poster"', 'name = "a"\nimage = ".png"', "beside the catalogue"),
        ('name = "Poster"', 'name = "a"\nimage = "a.exe"', "none of .svg"),
        ('name = "Poster"', 'name = "a"\nimage = "absent.png"', "not beside"),
        ('name = "Poster"', 'name = "a"\nimage = 3', "image is to be text"),
        ('name = "Poster"', 'name = "a"\nprise = "3"', "'prise' is not known"),
        ('sku = "poster-red"', "", "sku is missing"),
        ('sku = "poster-red"', 'sku = "-red"', "first"),
        ('sku = "poster-red"', 'sku = "a:b"', "letters, digits"),
        ('sku = "poster-red"', 'sku = "a"\noptions = "Red"', "options are"),
        ('sku = "poster-red"', 'sku = "a"\noptions = { size = 4 }', "options are"),
        ('sku = "poster-red"', 'sku = "a"\noptions = { size = "" }', "options are"),
        ('sku = "poster-red"', 'sku = "a"\nopens_at = 1', "'opens_at' is not known"),
        ('price = "25.00"', "", "price is missing"),
        ('price = "25.00"', "price = 25.00", 'text like "25.00"'),
        ('price = "25.00"', 'price = "25,00"', "not an amount"),
        ('price = "25.00"', 'price = "1e3"', "not an amount"),
        ('price = "25.00"', 'price = "-1"', "not an amount"),
        ('price = "25.00"', 'price = "0.00"', "not above 0"),
        ('price = "25.00"', 'price = "1000000.00"', "8 digits"),
        ('price = "25.00"', f'price = "{"9" * 4000}"', "too long"),
        ("stock = 40", "", "stock is missing"),
        ("stock = 40", "stock = -1", "stock is to be"),
        ("stock = 40", 'stock = "40"', "stock is to be"),
        ("stock = 40", "stock = 4.0", "stock is to be"),
        ("stock = 40", "stock = false", "stock is to be"),
        ("stock = 40", "stock = 99999999999999999999", "stock is to be"),
    ],
)
def test_one_mistake_is_one_sentence(old: str, new: str, sentence: str):
    assert old in GOOD
    (found,) = mistakes(GOOD.replace(old, new))
    assert sentence in found
    assert len(found) < 500


def test_a_slug_or_sku_stands_once():
    found = mistakes(GOOD + GOOD)
    assert len(found) == 2
    assert "slug stands in the file twice" in found[0]
    assert "SKU stands in the file twice" in found[1]


def test_variants_that_look_alike_are_refused():
    (found,) = mistakes(GOOD + VARIANT.replace("poster-red", "poster-blue"))
    assert "tell them apart" in found


def test_a_full_order_fits_into_one_payment():
    text = GOOD.replace("25.00", "999999.99")
    assert read_catalogue(text, "usd", ()).products[0].variants[0].price == 99_999_999
    (found,) = mistakes(text.replace('"Poster"', '"Poster"\nmax_per_order = 2'))
    assert "one payment" in found


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.datetimes(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "products",
                        "variants",
                        "slug",
                        "name",
                        "sku",
                        "price",
                        "stock",
                        "tags",
                        "options",
                        "image",
                        "opens_at",
                        "max_per_order",
                        "x",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=30,
    )
)
def test_whatever_toml_holds_ends_in_a_catalogue_or_in_mistakes(value: object):
    data = value if isinstance(value, dict) else {"products": value}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomllib, "loads", lambda _: data)
        try:
            read = read_catalogue("", "usd", ())
        except CatalogueMistakes as wrong:
            found = wrong.mistakes
        else:
            found = [*read.products, *read.stock]
    assert found
