"""Products are changed only as they were seen, and nothing that was sold is touched by it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from storefront.domain.errors import BadInput
from storefront.domain.product_form import ProductForm, ProductMistakes, Row
from storefront.domain.products import Product
from storefront.services import editing, publishing
from storefront.services.editing import Gone, Shown
from tests.services.conftest import Build
from tests.services.town import Town

MUG = ProductForm(name="Mug", rows=(Row("mug", "", "12.00", "7"),))


def product(town: Town, slug: str = "poster") -> Product:
    return town.shop.store.catalogue.read().every[slug]


def form(town: Town, slug: str = "poster") -> ProductForm:
    return editing.typed_of(town.shop, product(town, slug))


def save(town: Town, typed: ProductForm, seen: str, slug: str = "poster") -> editing.Saved:
    return editing.save(town.shop, slug, seen, typed, "ada")


def wrong(act: Callable[[], object]) -> dict[tuple[str, int | None], str]:
    with pytest.raises(ProductMistakes) as caught:
        act()
    return {(one.key, one.row): one.what for one in caught.value.mistakes}


def shelf(town: Town) -> list[str]:
    return [p.slug for p in town.shop.store.catalogue.read().published]


def test_a_new_product_is_off_the_shelf_and_last_with_its_first_stock_in_the_ledger(
    town: Town,
) -> None:
    made = editing.create(town.shop, MUG, "ada").product
    assert (made.slug, made.published) == ("mug", False)
    assert town.shop.store.catalogue.read().products[-1] == made
    assert town.level("mug") == (7, 0, 0)
    [entry] = town.shop.store.ledger.latest(1)
    assert (entry.sku, entry.what, entry.quantity, entry.who) == ("mug", "restock", 7, "ada")
    assert "mug" not in shelf(town)
    editing.show(town.shop, "mug", Shown.SHELF, "ada")
    assert shelf(town)[-1] == "mug"


def test_the_same_new_product_sent_twice_is_made_once(town: Town) -> None:
    first = editing.create(town.shop, MUG, "ada")
    assert editing.create(town.shop, MUG, "ada").product == first.product
    assert town.level("mug") == (7, 0, 0)
    taken = wrong(lambda: editing.create(town.shop, replace(MUG, name="mug"), "ada"))
    assert taken == {("slug", None): "is taken: Mug has it"}


def test_of_two_operators_the_second_writes_nothing_and_is_told(town: Town) -> None:
    seen, typed = product(town).revision, form(town)
    assert not save(town, replace(typed, name="Ada's poster"), seen).stale
    second = save(town, replace(typed, name="Bob's poster"), seen)
    assert second.stale
    assert second.product.name == product(town).name == "Ada's poster"
    third = save(town, replace(typed, name="Bob's poster"), second.product.revision)
    assert (third.stale, product(town).name) == (False, "Bob's poster")


def test_the_same_form_sent_twice_is_saved_once_and_never_stale(town: Town) -> None:
    seen, typed = product(town).revision, replace(form(town), name="New")
    assert not save(town, typed, seen).stale
    version = town.shop.store.catalogue.read().version
    assert not save(town, typed, seen).stale
    assert town.shop.store.catalogue.read().version == version


def test_a_change_elsewhere_in_the_same_moment_is_neither_lost_nor_in_the_way(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading and writing, another operator saves another product: it is begun anew."""
    publish = town.shop.store.scripts.publish_catalogue
    others = iter(
        [
            lambda: save(
                town,
                replace(form(town, "zine"), name="Their zine"),
                product(town, "zine").revision,
                "zine",
            )
        ]
    )

    def interrupted(*arguments: object, **options: object) -> object:
        for other in others:
            other()
        return publish(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(town.shop.store.scripts, "publish_catalogue", interrupted)
    saved = save(town, replace(form(town), name="My poster"), product(town).revision)
    assert not saved.stale
    assert (product(town).name, product(town, "zine").name) == ("My poster", "Their zine")


def test_without_that_check_one_of_two_in_the_same_moment_would_be_lost(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: whoever does not say what they read overwrites what they never saw."""
    publish = town.shop.store.scripts.publish_catalogue
    others = iter([lambda: save(town, replace(form(town), name="Theirs"), product(town).revision)])

    def interrupted(*arguments: object, **options: object) -> object:
        for other in others:
            other()
            options.pop("since")
        return publish(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(town.shop.store.scripts, "publish_catalogue", interrupted)
    assert not save(town, replace(form(town), name="Mine"), product(town).revision).stale
    assert product(town).name == "Mine"


def test_the_same_moment_for_the_same_product_is_stale(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = town.shop.store.scripts.publish_catalogue
    others = iter([lambda: save(town, replace(form(town), name="Theirs"), product(town).revision)])

    def interrupted(*arguments: object, **options: object) -> object:
        for other in others:
            other()
        return publish(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(town.shop.store.scripts, "publish_catalogue", interrupted)
    assert save(town, replace(form(town), name="Mine"), product(town).revision).stale
    assert product(town).name == "Theirs"


def test_who_is_disturbed_again_and_again_is_told_and_nothing_is_written(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(town.shop.store.scripts, "publish_catalogue", lambda *_, **__: None)
    with pytest.raises(BadInput, match="try again"):
        save(town, replace(form(town), name="Mine"), product(town).revision)


def test_running_holds_keep_their_price_when_a_product_changes_or_leaves_the_shelf(
    town: Town,
) -> None:
    order = town.begin({"poster": 2}).order
    typed = form(town)
    dearer = replace(typed, rows=(replace(typed.rows[0], price="99.00"),))
    save(town, dearer, product(town).revision)
    editing.show(town.shop, "poster", Shown.ARCHIVE, "ada")
    assert "poster" not in shelf(town)
    assert (town.order(order).amount, town.level("poster")) == (5000, (3, 2, 0))
    town.stripe.pay(order.session)
    town.deliver()
    assert town.level("poster") == (3, 0, 2)
    assert town.order(order).state == "paid"


def test_an_archived_variant_keeps_its_stock_its_name_and_can_be_sold_again(town: Town) -> None:
    typed = form(town)
    more = (replace(typed.rows[0], options="Size: A"), Row("poster-b", "Size: B", "9.00", "4"))
    save(town, replace(typed, rows=more), product(town).revision)
    rows = (replace(more[0], archived=True), replace(more[1], stock=""))
    save(town, replace(typed, rows=rows), product(town).revision)
    catalogue = town.shop.store.catalogue.read()
    assert catalogue.by_sku("poster") is None
    assert catalogue.names["poster"] == "Poster (A)"
    assert town.level("poster") == (5, 0, 0)
    again = (replace(rows[0], archived=False), rows[1])
    save(town, replace(typed, rows=again), product(town).revision)
    assert town.shop.store.catalogue.read().by_sku("poster") is not None


def test_a_sku_of_another_product_cannot_be_taken(town: Town) -> None:
    typed = form(town)
    stolen = replace(typed, rows=(*typed.rows, Row("zine", "Size: B", "9.00")))
    assert wrong(lambda: save(town, stolen, product(town).revision)) == {
        ("sku", 1): "belongs to Zine"
    }
    editing.show(town.shop, "zine", Shown.ARCHIVE, "ada")
    assert ("sku", 1) in wrong(lambda: save(town, stolen, product(town).revision))
    assert ("sku", 0) in wrong(
        lambda: editing.create(town.shop, replace(MUG, rows=(Row("zine", "", "1"),)), "ada")
    )


def test_a_sku_that_the_shop_knows_without_a_product_keeps_the_stock_it_has(town: Town) -> None:
    town.shop.store.scripts.publish_catalogue({}, {"orphan": 3}, version="v8", who="tests")
    row = Row("orphan", "", "1.00", "50")
    saved = editing.create(town.shop, replace(MUG, rows=(row,)), "ada")
    assert saved.kept == ("orphan",)
    assert town.level("orphan") == (3, 0, 0)


def test_a_product_whose_sku_another_sells_by_now_cannot_come_back_to_the_shelf(town: Town) -> None:
    editing.show(town.shop, "zine", Shown.DRAFT, "ada")
    thief = replace(product(town, "poster"), slug="thief", variants=product(town, "zine").variants)
    file = publishing.CatalogueFile(products=(thief,), stock={"zine": 0})
    publishing.publish(town.shop, file)
    with pytest.raises(BadInput, match="sells SKU zine"):
        editing.show(town.shop, "zine", Shown.SHELF, "ada")


def test_alternatives_are_products_of_this_shop(town: Town) -> None:
    typed = replace(form(town), alternatives=("zine", "nothing"))
    assert ("alternatives", None) in wrong(lambda: save(town, typed, product(town).revision))
    save(town, replace(typed, alternatives=("zine",)), product(town).revision)
    assert product(town).alternatives == ("zine",)


def test_products_move_up_and_down_and_stop_at_the_ends(town: Town) -> None:
    before = [p.slug for p in town.shop.store.catalogue.read().products]
    editing.move(town.shop, before[1], up=True, who="ada")
    after = [p.slug for p in town.shop.store.catalogue.read().products]
    assert after == [before[1], before[0], *before[2:]]
    editing.move(town.shop, before[1], up=True, who="ada")
    editing.move(town.shop, before[-1], up=False, who="ada")
    assert [p.slug for p in town.shop.store.catalogue.read().products] == after


def test_moving_makes_no_form_stale(town: Town) -> None:
    seen = product(town).revision
    editing.move(town.shop, "poster", up=False, who="ada")
    editing.show(town.shop, "poster", Shown.DRAFT, "ada")
    saved = save(town, replace(form(town), name="New"), seen)
    assert not saved.stale
    assert (product(town).published, product(town).name) == (False, "New")


def test_of_two_pictures_the_second_is_not_put_over_one_that_was_not_seen(town: Town) -> None:
    assert not editing.picture(town.shop, "poster", "", "a.webp", "ada").stale
    assert editing.picture(town.shop, "poster", "", "b.webp", "ada").stale
    assert product(town).image == "a.webp"
    assert not editing.picture(town.shop, "poster", "", "a.webp", "ada").stale
    assert not editing.picture(town.shop, "poster", "a.webp", "", "ada").stale
    assert product(town).image == ""


@pytest.mark.parametrize(
    "act",
    [
        lambda shop: editing.save(shop, "none", "", MUG, "ada"),
        lambda shop: editing.show(shop, "none", Shown.SHELF, "ada"),
        lambda shop: editing.move(shop, "none", up=True, who="ada"),
        lambda shop: editing.picture(shop, "none", "", "", "ada"),
        lambda shop: editing.find(shop, "none"),
    ],
)
def test_a_product_that_is_not_there_is_told(town: Town, act: Callable[..., object]) -> None:
    with pytest.raises(Gone):
        act(town.shop)


def test_what_stripe_shows_of_a_product_is_due_when_it_is_saved(town: Town) -> None:
    save(town, replace(form(town), name="New name"), product(town).revision)
    assert "show:poster" in town.due()


def test_an_import_keeps_what_it_does_not_sell_any_more_as_archived_variants(town: Town) -> None:
    typed = form(town)
    rows = (replace(typed.rows[0], options="Size: A"), Row("poster-b", "Size: B", "9.00", "4"))
    save(town, replace(typed, rows=rows), product(town).revision)
    new = replace(product(town), variants=product(town).variants[:1])
    file = publishing.CatalogueFile(products=(new,), stock={"poster": 0})
    publishing.publish(town.shop, file)
    assert [v.sku for v in product(town).retired] == ["poster-b"]
    assert town.level("poster-b") == (4, 0, 0)


def test_an_import_whose_alternatives_are_no_products_changes_nothing(town: Town) -> None:
    before = town.shop.store.catalogue.read()
    new = replace(product(town), alternatives=("nothing",))
    file = publishing.CatalogueFile(products=(new,), stock={"poster": 0})
    with pytest.raises(publishing.CatalogueMistakes, match="'nothing' is no product of this shop"):
        publishing.publish(town.shop, file)
    assert town.shop.store.catalogue.read() == before


def test_times_are_read_in_the_shops_zone(build: Build) -> None:
    town = build(SHOP_TIMEZONE="America/New_York")
    save(town, replace(form(town), opens_at="2026-12-01T10:00"), product(town).revision)
    assert product(town).opens_at == 1_796_137_200_000  # 15:00 UTC
