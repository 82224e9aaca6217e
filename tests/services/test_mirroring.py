"""What only Redis knows of a SKU is kept at Stripe, whatever goes wrong on the way."""

import json
import logging
from dataclasses import replace

import pytest

from storefront.domain.errors import StripeUnreachable
from storefront.domain.products import Product, Variant
from storefront.services import mirroring, reconciliation, restocking, work
from storefront.services.mirroring import Mirrored
from tests.fakes.faults import Fault
from tests.services.conftest import STOCK, Build
from tests.services.town import Crash, Fuse, Town

POSTER = "test_poster"
HOUR = 3600


def restock(town: Town, delta: int, key: str = "k") -> None:
    restocking.restock(town.shop, sku="poster", delta=delta, reason="found", who="op", key=key)


def there(town: Town, sku: str = "poster") -> Mirrored:
    return mirroring.mirrored(town.shop)[sku]


def written(town: Town) -> list[str]:
    """The keys under which a product was written."""
    return [key for call, key in town.stripe.wire.calls if call.endswith("e_product")]


def test_each_sku_has_one_product_that_says_what_came_in(town: Town) -> None:
    assert {sku: there(town, sku).stocked for sku in STOCK} == STOCK
    product = town.stripe.catalogue[POSTER]
    assert product["name"] == "Poster"
    assert product["metadata"] == {
        "shop": "test",
        "sku": "poster",
        "stocked": "5",
        "written_off": "0",
        "available": "5",
        "slug": "poster",
    }


def test_a_variant_s_product_has_the_options_in_its_name(town: Town) -> None:
    product = Product("tee", "Tee", (Variant("tee-l", 100, {"size": "L"}),), published=False)
    rows = {"tee": json.dumps(product.to_json())}
    town.shop.store.scripts.publish_catalogue(rows, {"tee-l": 0}, version="v2", who="op")
    town.work()
    assert town.stripe.catalogue["test_tee-l"]["name"] == "Tee (L)"
    assert there(town, "tee-l") == Mirrored(0, 0)


def test_units_that_come_in_or_are_written_off_are_told_once(town: Town) -> None:
    restock(town, 7)
    assert town.due() == {"mirror:poster"}
    town.work()
    assert there(town) == Mirrored(12, 0)
    restock(town, -2, "k2")
    town.work()
    assert there(town) == Mirrored(12, 2)
    assert written(town) == ["product:test:poster:12:0:12:1", "product:test:poster:12:2:10:1"]
    assert town.due() == set()


def test_sales_are_not_told_because_sessions_tell_of_them(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.work()
    assert written(town) == []
    assert mirroring.differing(town.shop) == {}


def test_handed_over_units_that_were_refunded_are_told_as_written_off(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.deliver()
    town.shop.store.scripts.hand_over(order.id, key="scan-000001", who="admin", units={})
    town.stripe.refund_by_hand("pi_1")
    town.deliver()
    town.work()
    assert there(town) == Mirrored(5, 2)


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("call", ["product", "update_product"])
def test_whatever_goes_wrong_once_it_is_told_in_the_end(
    town: Town, fault: Fault, call: str
) -> None:
    town.stripe.fault(call, fault)
    restock(town, 1)
    town.pass_time(60)
    town.stripe.wire.arrive()
    town.pass_time(60)
    assert (there(town), town.due()) == (Mirrored(6, 0), set())


@pytest.mark.parametrize("fault", list(Fault))
def test_a_product_is_made_once_whatever_goes_wrong(town: Town, fault: Fault) -> None:
    town.stripe.delete(POSTER)
    town.stripe.fault("create_product", fault)
    restock(town, 1)
    town.pass_time(60)
    town.stripe.wire.arrive()
    town.pass_time(60)
    assert (there(town), town.due()) == (Mirrored(6, 0), set())


def test_a_process_that_ends_at_any_step_leaves_a_job_that_brings_it_there(build: Build) -> None:
    at = 0
    while True:
        at += 1
        town = build()
        restock(town, 1)
        with town.fused(Fuse(at)) as fuse:
            try:
                work.run_due(town.shop, 1)
            except Crash:
                town.clock.shift(work.LEASE_MS / 1000)
        town.work()
        assert (there(town), town.due()) == (Mirrored(6, 0), set())
        if not fuse.reached:
            break
    assert at > 6


def test_a_change_at_any_step_of_the_telling_is_told_too(build: Build) -> None:
    at = 0
    while True:
        at += 1
        town = build()
        restock(town, 1, "k1")
        with town.fused(Fuse(at, lambda: restock(town, 1, "k2"))) as fuse:  # noqa: B023
            town.work()
        if not fuse.reached:
            break
        assert (there(town), town.due()) == (Mirrored(7, 0), set())
    assert at > 6


def test_of_two_that_tell_at_once_the_one_with_older_numbers_writes_again(town: Town) -> None:
    restock(town, 1, "k1")

    def another() -> None:
        restock(town, 4, "k2")
        assert work.run_due(town.shop, 1) == 1
        assert there(town) == Mirrored(10, 0)

    town.stripe.wire.meanwhile("update_product", before=another)
    town.work()
    assert there(town) == Mirrored(10, 0)


def test_who_does_not_look_again_leaves_the_older_numbers(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same two, but one of them trusts its own write."""
    read = town.shop.store.stock.level
    restock(town, 1, "k1")

    def another() -> None:
        restock(town, 4, "k2")
        assert work.run_due(town.shop, 1) == 1
        monkeypatch.setattr(town.shop.store.stock, "level", lambda sku: level or read(sku))

    level = read("poster")
    town.stripe.wire.meanwhile("update_product", before=another)
    town.work()
    assert there(town) == Mirrored(6, 0)


def test_a_sku_that_changes_all_the_time_comes_again(town: Town) -> None:
    restock(town, 1, "first")
    changes = iter(range(99))
    town.stripe.wire.choose = lambda call: (
        restock(town, 1, f"k{next(changes)}") if call == "product" else None  # type: ignore[func-returns-value]
    )
    with pytest.raises(StripeUnreachable, match="changes faster"):
        mirroring.mirror(town.shop, "poster")
    town.stripe.up()
    town.work()
    assert there(town) == Mirrored(6 + next(changes), 0)


def test_a_mirror_is_tried_for_ever_and_never_brings_an_order_before_a_person(
    town: Town, opened: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    restock(town, 1)
    town.stripe.fault("product", Fault.REFUSED, 400)
    town.pass_time(24 * HOUR)
    assert "mirror:poster" in town.due()
    [waits] = [job for job in town.shop.store.due.jobs() if job.name == "mirror:poster"]
    assert waits.tries > 200
    assert waits.at - town.shop.store.now() <= work.LONGEST_OF_THE_SHOP_MS
    assert not [line for line in caplog.records if getattr(line, "order", "") == "poster"]
    assert [order.state for order in town.orders()] == ["released"]
    town.stripe.up()
    town.pass_time(300)
    assert (there(town), town.due()) == (Mirrored(6, 0), set())


def test_the_walk_through_stripe_is_never_given_up_either(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    work.begin(town.shop)
    with monkeypatch.context() as broken:
        broken.setattr(reconciliation, "reconcile", fail)
        town.pass_time(HOUR)
    town.pass_time(HOUR)
    assert town.due() == {reconciliation.JOB, mirroring.JOB}


def test_a_deleted_product_comes_back_with_the_next_walk(town: Town) -> None:
    town.stripe.delete(POSTER)
    assert mirroring.differing(town.shop) == {"poster": None}
    reconciliation.reconcile_when_due(town.shop, "all")
    town.work()
    assert there(town) == Mirrored(5, 0)


def test_numbers_changed_by_hand_are_written_again_and_again(town: Town) -> None:
    for wrong in ("3", "", "many", "-1", "3"):
        town.stripe.catalogue[POSTER]["metadata"]["stocked"] = wrong
        assert mirroring.mirror_again(town.shop) == ["poster"]
        town.work()
        assert there(town) == Mirrored(5, 0)


def test_a_write_that_reaches_stripe_after_a_newer_one_is_put_right_by_the_next_walk(
    town: Town,
) -> None:
    town.stripe.fault("update_product", Fault.LATE)
    restock(town, 1)
    town.work()
    restock(town, 1, "another")
    town.pass_time(60)
    assert there(town) == Mirrored(7, 0)
    town.stripe.wire.arrive()
    assert there(town) == Mirrored(6, 0)
    assert mirroring.mirror_again(town.shop) == ["poster"]
    town.work()
    assert there(town) == Mirrored(7, 0)


@pytest.mark.parametrize("name", ["stocked", "written_off"])
def test_more_at_stripe_than_in_the_books_is_kept_for_a_person(town: Town, name: str) -> None:
    """A restock that Redis lost leaves its only trace there, until it is counted again."""
    town.stripe.catalogue[POSTER]["metadata"][name] = "7"
    assert mirroring.mirror_again(town.shop) == []
    assert town.failing(with_stripe=True).keys() == {"stripe: mirror"}
    town.pass_time(2 * HOUR)
    assert town.stripe.catalogue[POSTER]["metadata"][name] == "7"
    restock(town, 2)
    town.work()
    assert (there(town), town.failing(with_stripe=True)) == (Mirrored(7, 0), {})


def test_a_product_whose_metadata_was_taken_away_gets_it_back(town: Town) -> None:
    town.stripe.catalogue[POSTER]["metadata"].clear()
    assert mirroring.mirror_again(town.shop) == ["poster"]
    town.work()
    assert there(town) == Mirrored(5, 0)


def test_an_archived_product_stays_archived_and_is_kept_up(town: Town) -> None:
    town.stripe.archive(POSTER)
    restock(town, 1)
    town.work()
    assert (there(town), town.stripe.catalogue[POSTER]["active"]) == (Mirrored(6, 0), False)


def test_what_stripe_keeps_is_found_in_a_shop_that_lost_everything(town: Town) -> None:
    town.stripe.archive("test_zine")
    town.shop.store._client.flushall()
    rows = {"zine": json.dumps(Product("zine", "Zine", (Variant("zine", 1),)).to_json())}
    town.shop.store.scripts.publish_catalogue(rows, {}, version="v2", who="op")
    assert mirroring.mirrored(town.shop)["zine"] == Mirrored(3, 0)
    assert set(mirroring.mirrored(town.shop)) == {*STOCK, "soon", "few", "gone"}
    town.falsified = True


@pytest.mark.parametrize("whose", [{"shop": "tes"}, {"sku": "oster"}])
def test_a_product_of_something_else_is_neither_written_nor_read(
    town: Town, whose: dict[str, str]
) -> None:
    """``a_b`` of ``c`` and ``b_c`` of ``a`` would have the same id."""
    metadata = town.stripe.catalogue[POSTER]["metadata"]
    metadata.update(whose)
    before = dict(metadata)
    restock(town, 1)
    with pytest.raises(mirroring.ForeignProduct):
        mirroring.mirror(town.shop, "poster")
    town.pass_time(60)
    assert town.stripe.catalogue[POSTER]["metadata"] == before
    assert "poster" not in mirroring.mirrored(town.shop)
    assert town.due() == {"mirror:poster"}


def test_a_copy_made_by_hand_and_the_products_of_others_count_for_nothing(town: Town) -> None:
    catalogue = town.stripe.catalogue
    copy = {**catalogue[POSTER], "id": "prod_copy"}
    copy["metadata"] = {**copy["metadata"], "stocked": "99"}
    catalogue["prod_copy"] = copy
    catalogue["prod_other"] = {**copy, "id": "prod_other", "metadata": {}}
    assert there(town) == Mirrored(5, 0)
    assert set(mirroring.mirrored(town.shop)) == {*STOCK, "soon", "few", "gone"}


def test_a_name_that_changed_is_written_with_the_next_numbers(town: Town) -> None:
    product = Product("poster", "Big poster", (Variant("poster", 2500),))
    rows = {"poster": json.dumps(product.to_json())}
    town.shop.store.scripts.publish_catalogue(rows, {}, version="v2", who="op")
    restock(town, 1)
    town.work()
    assert town.stripe.catalogue[POSTER]["name"] == "Big poster"


def test_what_is_on_its_way_does_not_differ(town: Town) -> None:
    restock(town, 1)
    assert mirroring.differing(town.shop) == {}
    town.work()
    assert mirroring.differing(town.shop) == {}


def test_a_change_during_the_comparison_is_no_difference(build: Build) -> None:
    at = 0
    while True:
        at += 1
        town = build()

        def change(town: Town = town) -> None:
            restock(town, 1)
            town.work()

        with town.fused(Fuse(at, change)) as fuse:
            assert mirroring.differing(town.shop) == {}
        if not fuse.reached:
            break
    assert at > 3


def test_a_job_about_a_sku_that_the_shop_does_not_know_ends(town: Town) -> None:
    town.shop.store.due.schedule("mirror:nothing", 1)
    town.work()
    assert (town.due(), "test_nothing" in town.stripe.catalogue) == (set(), False)


def test_what_is_available_is_told_within_a_minute_and_once_for_many_sales(town: Town) -> None:
    work.begin(town.shop)
    town.work()
    town.stripe.wire.calls.clear()
    for visitor in ("a", "b", "c"):
        town.begin({"poster": 1}, visitor=visitor, token=visitor)
    assert written(town) == []
    town.pass_time(61)
    assert town.stripe.catalogue[POSTER]["metadata"]["available"] == "2"
    assert len(written(town)) == 1
    town.pass_time(120)
    assert len(written(town)) == 1


def test_a_sale_takes_away_no_trace_of_a_restock_that_redis_lost(town: Town) -> None:
    work.begin(town.shop)
    town.work()
    town.stripe.catalogue[POSTER]["metadata"]["stocked"] = "7"
    town.begin({"poster": 1})
    town.pass_time(61)
    metadata = town.stripe.catalogue[POSTER]["metadata"]
    assert (metadata["available"], metadata["stocked"]) == ("4", "7")
    assert town.failing(with_stripe=True).keys() == {"stripe: mirror"}


def tee(town: Town, **changes: object) -> dict[str, object]:
    """Import a shirt with a picture, and answer its product at Stripe."""
    product = Product(
        "tee",
        "Tee",
        (Variant("tee-l", 100, {"size": "L"}),),
        description="Warm.",
        image="a tee.svg",
        opens_at=1796119200000,
        max_per_order=2,
    )
    product = replace(product, **changes)  # type: ignore[arg-type]
    rows = {"tee": json.dumps(product.to_json())}
    town.shop.store.scripts.publish_catalogue(rows, {"tee-l": 3}, version=str(changes), who="op")
    town.work()
    return town.stripe.catalogue["test_tee-l"]


def test_a_product_shows_text_picture_and_its_place_on_the_shelf(town: Town) -> None:
    shown = tee(town)
    assert (shown["name"], shown["description"]) == ("Tee (L)", "Warm.")
    assert shown["images"] == ["https://shop.example/pictures/a%20tee.svg"]
    assert shown["metadata"] == {
        "shop": "test",
        "sku": "tee-l",
        "stocked": "3",
        "written_off": "0",
        "available": "3",
        "slug": "tee",
        "title": "Tee",
        "options": '{"size": "L"}',
        "opens_at": "1796119200000",
        "max_per_order": "2",
    }
    shown = tee(town, description="", image="", opens_at=None, max_per_order=None)
    assert (shown["description"], shown["images"]) == (None, [])
    assert not {"opens_at", "max_per_order"} & set(shown["metadata"])  # type: ignore[call-overload]
    assert town.due() == set()


def test_a_picture_that_somebody_gave_the_product_by_hand_stays(town: Town) -> None:
    town.stripe.catalogue[POSTER]["images"] = ["https://files.stripe.com/by-hand.png"]
    restock(town, 1)
    town.work()
    assert town.stripe.catalogue[POSTER]["images"] == ["https://files.stripe.com/by-hand.png"]


@pytest.mark.parametrize(
    "address",
    ["http://shop.example", "https://localhost", "https://10.0.0.7", "https://shop.local"],
)
def test_no_picture_is_named_that_stripe_could_not_fetch(build: Build, address: str) -> None:
    assert tee(build(PUBLIC_URL=address))["images"] == []


def test_what_was_edited_at_stripe_is_written_again_with_the_next_walk(town: Town) -> None:
    tee(town)
    own = town.stripe.catalogue["test_tee-l"]
    own["description"] = "Cold."
    own["metadata"]["slug"] = "hat"
    town.stripe.catalogue[POSTER]["default_price"] = None
    reconciliation.reconcile_when_due(town.shop, "all")
    town.work()
    assert (own["description"], own["metadata"]["slug"]) == ("Warm.", "tee")
    price = town.shop.store.prices.known()["poster"].id
    assert town.stripe.catalogue[POSTER]["default_price"] == price
