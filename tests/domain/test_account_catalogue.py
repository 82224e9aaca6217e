"""An account's products and prices make a catalogue, and nothing is left out without a reason."""

import dataclasses
from typing import Any

import pytest

from storefront.domain.account_catalogue import AccountCatalogue, read_account
from storefront.domain.catalogue_file import CatalogueMistakes
from storefront.domain.products import Catalogue, Product, Variant
from storefront.domain.sold_at_stripe import PriceFact, ProductFact

NOTHING = Catalogue()
PICTURES = "https://shop.example/pictures/"


def product(id: str, name: str = "", **more: Any) -> ProductFact:  # noqa: A002
    return ProductFact(id, name or id.title(), more.pop("metadata", {}), True, **more)


def price(id: str, of: str, amount: int | None = 2500, **more: Any) -> PriceFact:  # noqa: A002
    return PriceFact(
        id, of, True, more.pop("currency", "usd"), amount, more.pop("once", True), **more
    )


def mine(sku: str, **metadata: str) -> ProductFact:
    """A product that the shop once made there."""
    return product(f"popup_{sku}", metadata={"shop": "popup", "sku": sku, **metadata})


def read(
    products: list[ProductFact], prices: list[PriceFact], known: Catalogue = NOTHING
) -> AccountCatalogue:
    return read_account(
        products,
        prices,
        shop_id="popup",
        currency="usd",
        known=known,
        files={"poster.svg"},
        pictures=PICTURES,
    )


def test_what_the_shop_made_keeps_its_sku_its_place_and_its_stock() -> None:
    red = mine(
        "poster-red",
        slug="poster",
        title="Poster",
        options='{"colour": "Red"}',
        stocked="40",
        written_off="3",
        opens_at="1796119200000",
        max_per_order="2",
    )
    blue = mine("poster-blue", slug="poster", title="Poster", options='{"colour": "Blue"}')
    red = dataclasses.replace(red, description="Big.", images=(f"{PICTURES}poster.svg",))
    found = read([blue, red], [price("p1", red.id), price("p2", blue.id, 2600)])
    assert found.file.products == (
        Product(
            "poster",
            "Poster",
            (
                Variant("poster-red", 2500, {"colour": "Red"}),
                Variant("poster-blue", 2600, {"colour": "Blue"}),
            ),
            description="Big.",
            image="poster.svg",
            opens_at=1796119200000,
            max_per_order=2,
        ),
    )
    assert found.file.stock == {"poster-red": 37, "poster-blue": 0}
    assert found.left_out == ()


def test_the_default_price_counts_among_several() -> None:
    one = dataclasses.replace(mine("a", slug="a"), default_price="old")
    prices = [price("new", one.id, 3000, created=2), price("old", one.id, 2500, created=1)]
    [found] = read([one], prices).file.products
    assert found.variants[0].price == 2500
    [found] = read([dataclasses.replace(one, default_price="")], prices).file.products
    assert found.variants[0].price == 3000


def test_any_other_product_gets_a_slug_from_its_name_and_a_variant_for_each_price() -> None:
    tee = product("prod_1", "Tee-Shirt, Größe M!", metadata={"stocked": "9"})
    prices = [
        price("price_3", "prod_1", 1500, nickname="Signed", metadata={"sku": "tee-signed"}),
        price("price_2", "prod_1", 1200, lookup_key="tee_two"),
        price("price_1", "prod_1", 1000),
    ]
    [found] = read([tee], prices).file.products
    assert (found.slug, found.name) == ("tee-shirt-groe-m", "Tee-Shirt, Größe M!")
    assert [(v.sku, v.price, v.label) for v in found.variants] == [
        ("price_1", 1000, "10.00"),
        ("tee_two", 1200, "12.00"),
        ("tee-signed", 1500, "Signed"),
    ]
    alone = read([tee], prices[2:])
    assert alone.file.products[0].variants == (Variant("price_1", 1000),)
    assert alone.file.stock == {"price_1": 9}


def test_what_is_left_out_is_listed_with_its_reason() -> None:
    products = [
        product("good"),
        product("bare"),
        product("others", metadata={"shop": "elsewhere", "sku": "x"}),
        product("odd", images=("https://files.stripe.com/odd.png",)),
        mine("sold-in-euro"),
    ]
    prices = [
        price("p1", "good"),
        price("p2", "odd"),
        price("p3", "odd", currency="eur"),
        price("p4", "odd", once=False),
        price("p5", "odd", None),
        price("p6", "odd", 0),
        price("p7", "odd", 2500),
        price("p8", "popup_sold-in-euro", currency="eur"),
    ]
    found = read(products, prices)
    assert [one.slug for one in found.file.products] == ["odd", "good"]
    assert {one.id: one.why for one in found.left_out} == {
        "others": "it belongs to the shop elsewhere",
        "popup_sold-in-euro": "it has no active price in USD that is paid once",
        "p6": "it costs nothing",
        "p5": "it has no fixed amount",
        "p4": "it is paid again and again",
        "p3": "it is in EUR, and the shop sells in USD",
        "p2": "nobody could tell it from the other price called 25.00: give it a nickname",
        "odd": "only its picture: those come with a catalogue file",
        "bare": "it has no active price",
    }


def test_a_second_look_finds_what_was_taken_over_and_takes_nothing_twice() -> None:
    tee, taken = product("prod_1", "Tee"), mine("price_1", slug="tee", stocked="3")
    prices = [price("price_9", taken.id), price("price_1", "prod_1")]
    found = read([taken, tee], prices)
    assert [one.slug for one in found.file.products] == ["tee"]
    assert [(one.id, one.why) for one in found.left_out] == [
        ("price_1", "SKU price_1 is in the shop already")
    ]


def test_a_product_that_was_renamed_at_stripe_keeps_its_slug_here() -> None:
    known = Catalogue((Product("tee", "Tee", (Variant("price_1", 100),), tags=("wool",)),))
    [found] = read([product("prod_1", "Shirt")], [price("price_1", "prod_1")], known).file.products
    assert (found.slug, found.name, found.tags) == ("tee", "Shirt", ("wool",))


def test_two_products_of_one_name_get_two_slugs() -> None:
    found = read(
        [product("prod_2", "Tee"), product("prod_1", "Tee")],
        [price("price_2", "prod_2"), price("price_1", "prod_1")],
    )
    assert [one.slug for one in found.file.products] == ["tee", "tee-prod-2"]


def test_of_a_product_and_its_copy_the_one_under_the_shop_s_own_id_counts() -> None:
    copy = product("prod_copy", metadata={"shop": "popup", "sku": "a", "stocked": "99"})
    for products in ([copy, mine("a", stocked="5")], [mine("a", stocked="5"), copy]):
        found = read(products, [price("p1", "popup_a"), price("p2", "prod_copy")])
        assert found.file.stock == {"a": 5}
        assert [one.id for one in found.left_out] == ["prod_copy"]


@pytest.mark.parametrize(
    ("products", "prices", "says"),
    [
        ([], [], "nothing that this shop can sell"),
        ([product("bare")], [], "no active price"),
        ([product("prod", "n" * 251)], [price("p", "prod")], "name is longer"),
        ([mine("not a sku", slug="a")], [price("p", "popup_not a sku")], "sku 'not a sku'"),
        ([mine("a", slug="No Slug")], [price("p", "popup_a")], "slug 'No Slug'"),
    ],
)
def test_what_is_wrong_is_listed_and_makes_no_catalogue(
    products: list[ProductFact], prices: list[PriceFact], says: str
) -> None:
    with pytest.raises(CatalogueMistakes, match=says):
        read(products, prices)


@pytest.mark.parametrize("options", ["", "{", "[]", "7", '{"size": 3}'])
def test_options_that_somebody_made_unreadable_are_none_or_a_mistake(options: str) -> None:
    one = mine("a", slug="a", options=options)
    if options == '{"size": 3}':
        with pytest.raises(CatalogueMistakes, match="options"):
            read([one], [price("p", one.id)])
    else:
        [found] = read([one], [price("p", one.id)]).file.products
        assert found.variants[0].options == {}
