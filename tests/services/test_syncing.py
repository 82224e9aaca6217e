"""``flask shop sync`` brings everything up to date now, and says what it did and could not do."""

import pytest

from storefront.domain.errors import ShopClosed
from storefront.services import publishing, rebuilding
from storefront.services.syncing import sync
from tests.fakes.faults import Fault
from tests.services.conftest import STOCK
from tests.services.town import Town

SKUS = sorted({*STOCK, "soon", "few", "gone"})


def done(town: Town) -> dict[str, tuple[str, ...]]:
    """What was done for each SKU for which something was."""
    return {one.sku: one.done for one in sync(town.shop) if one.done}


def test_what_is_up_to_date_is_left_alone(town: Town) -> None:
    found = sync(town.shop)
    assert [one.sku for one in found] == SKUS
    assert not any(one.done or one.problem for one in found)


def test_what_was_lost_at_stripe_comes_back(town: Town) -> None:
    town.stripe.delete("test_poster")
    town.stripe.catalogue["test_zine"]["name"] = "Edited"
    town.stripe.archive_price_by_hand(town.shop.store.prices.known()["last"].id)
    assert done(town) == {
        "poster": ("product created",),
        "zine": ("product updated",),
        "last": ("price created",),
    }
    assert done(town) == {}


def test_one_that_cannot_be_done_keeps_no_other_from_it(town: Town) -> None:
    town.stripe.catalogue["test_last"]["metadata"]["shop"] = "another"
    town.stripe.delete("test_zine")
    found = {one.sku: one for one in sync(town.shop)}
    assert "not this shop's" in found["last"].problem
    assert found["zine"].done == ("product created",)
    assert [sku for sku, one in found.items() if one.problem] == ["last"]


def test_a_silent_stripe_is_asked_once_and_everything_after_is_told_as_undone(town: Town) -> None:
    town.stripe.fault("product", Fault.LOST_REQUEST)
    found = sync(town.shop)
    assert all(one.problem for one in found)
    assert len(town.stripe.wire.calls) == 1


def test_while_the_books_are_lost_stripe_is_left_as_it_is(town: Town) -> None:
    before = dict(town.stripe.catalogue)
    town.shop.store._client.flushall()
    with pytest.raises(ShopClosed):
        sync(town.shop)
    assert town.stripe.catalogue == before
    town.falsified = True


def test_a_lost_shop_gets_its_catalogue_and_then_its_books_back_from_stripe(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    town.rest(0.1)
    stock = [level for level in town.shop.store.stock.levels() if level.stocked]
    shelf = {p.slug: p.variants for p in town.shop.store.catalogue.read().products}
    town.shop.store._client.flushall()

    account = publishing.from_stripe(town.shop)
    published = publishing.publish(town.shop, account.file)
    assert (published.rebuild, published.stocked) == (True, {})
    with pytest.raises(ShopClosed):
        town.begin({"poster": 1}, visitor="new")
    assert rebuilding.rebuild(town.shop)
    town.work()
    assert [level for level in town.shop.store.stock.levels() if level.stocked] == stock
    back = {p.slug: p.variants for p in town.shop.store.catalogue.read().products}
    assert back.items() <= shelf.items()
    assert shelf.keys() - back.keys() == {"never"}
    assert town.begin({"poster": 1}, visitor="new").order.lines[0].price
