"""A catalogue file's products come onto the shelf."""

from collections.abc import Mapping

import pytest

from storefront.domain.catalogue_file import CatalogueFile, CatalogueMistakes
from storefront.domain.products import Product, Variant
from storefront.services import publishing
from tests.services.conftest import GOODS
from tests.services.town import Town


def file(*products: Product, stock: Mapping[str, int] | None = None) -> CatalogueFile:
    skus = {variant.sku: 0 for product in products for variant in product.variants}
    return CatalogueFile(products=products, stock={**skus, **(stock or {})})


POSTER = Product("poster", "New poster", (Variant("poster", 3000), Variant("poster-b", 3100)))
MUG = Product("mug", "Mug", (Variant("mug", 1200),))


def names(town: Town) -> list[str]:
    return [product.name for product in town.shop.store.catalogue.read().published]


def test_products_are_created_and_updated_and_new_skus_get_their_stock(town: Town) -> None:
    done = publishing.publish(
        town.shop, file(MUG, POSTER, stock={"mug": 7, "poster": 99, "poster-b": 2}), prune=False
    )
    assert (done.created, done.updated, done.pruned) == (1, 1, 0)
    assert done.stocked == {"mug": 7, "poster-b": 2}
    assert (town.level("mug"), town.level("poster")) == ((7, 0, 0), (5, 0, 0))
    found = town.shop.store.catalogue.current()
    assert found.by_sku("poster-b") == (found.by_slug("poster"), Variant("poster-b", 3100))


def test_products_that_are_not_in_the_file_stay(town: Town) -> None:
    publishing.publish(town.shop, file(MUG), prune=False)
    assert {"Mug", "Poster", "Zine", "Last"} <= set(names(town))


def test_with_prune_they_are_taken_off_the_shelf_and_keep_their_stock(town: Town) -> None:
    published = len(names(town))
    done = publishing.publish(town.shop, file(MUG), prune=True)
    assert (done.pruned, names(town)) == (published, ["Mug"])
    assert town.level("poster") == (5, 0, 0)


def test_what_was_pruned_comes_back_with_the_stock_it_has(town: Town) -> None:
    publishing.publish(town.shop, file(MUG), prune=True)
    done = publishing.publish(town.shop, file(*GOODS, stock={"poster": 50}), prune=False)
    assert (done.created, done.updated, done.stocked) == (0, 3, {})
    assert town.level("poster") == (5, 0, 0)


def test_the_shelf_is_in_the_file_s_order(town: Town) -> None:
    publishing.publish(town.shop, file(*reversed(GOODS)), prune=True)
    assert names(town) == ["Last", "Zine", "Poster"]


def test_a_sku_of_a_product_that_stays_cannot_be_taken_over(town: Town) -> None:
    thief = Product("thief", "Thief", (Variant("zine", 1),))
    before = town.shop.store.catalogue.read()
    with pytest.raises(CatalogueMistakes, match="SKU zine of thief belongs to zine"):
        publishing.publish(town.shop, file(thief), prune=False)
    assert town.shop.store.catalogue.read() == before


def test_a_sku_may_move_to_another_product_in_one_file_or_with_prune(town: Town) -> None:
    moved = Product("thief", "Thief", (Variant("zine", 1),))
    rest = Product("zine", "Zine", (Variant("zine-b", 1),))
    publishing.publish(town.shop, file(moved, rest), prune=False)
    found = town.shop.store.catalogue.current().by_sku("zine")
    assert found is not None
    assert found[0].slug == "thief"
    publishing.publish(town.shop, file(Product("z", "Z", (Variant("zine", 1),))), prune=True)
    assert names(town) == ["Z"]


def test_a_running_hold_keeps_its_price_and_a_new_one_has_the_new(town: Town) -> None:
    first = town.begin().order
    publishing.publish(town.shop, file(POSTER), prune=False)
    assert town.order(first).amount == 2500
    assert town.begin(visitor="bob").order.amount == 3000


def test_a_pruned_product_cannot_be_bought_and_a_running_hold_can_be_paid(town: Town) -> None:
    from storefront.domain.errors import UnknownSku

    order = town.begin().order
    publishing.publish(town.shop, file(MUG), prune=True)
    with pytest.raises(UnknownSku):
        town.begin(visitor="bob")
    town.stripe.pay(order.session)
    assert "sold" in town.deliver()


def test_an_import_again_changes_nothing_but_the_version(town: Town) -> None:
    goods = file(*GOODS, stock={"poster": 5})
    publishing.publish(town.shop, goods, prune=False)
    before = town.shop.store.catalogue.read()
    done = publishing.publish(town.shop, goods, prune=False)
    after = town.shop.store.catalogue.read()
    assert (done.created, done.updated, done.stocked) == (0, 3, {})
    assert (after.products, after.version == before.version) == (before.products, False)
