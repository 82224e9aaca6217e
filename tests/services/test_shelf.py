"""The shelf as it is now."""

import pytest

from storefront.domain.orders import State
from storefront.services import shelf
from storefront.services.shelf import Availability
from tests.services.town import Town


def test_the_state_of_each_sku_in_a_word(town: Town) -> None:
    town.shop.store.scripts.restock("zine", delta=9, reason="r", who="w", key="k")
    town.begin({"last": 1})
    found = shelf.look(town.shop)
    words = {sku: found.state(sku) for sku in ("zine", "poster", "last", "soon", "never")}
    assert words == {
        "zine": Availability.AVAILABLE,
        "poster": Availability.LOW,
        "last": Availability.HELD,
        "soon": Availability.SOON,
        "never": Availability.SOLD_OUT,
    }


def test_what_opens_later_is_on_sale_from_its_moment_on(town: Town) -> None:
    town.skip(3599)
    assert shelf.look(town.shop).state("soon") is Availability.SOON
    town.skip(1)
    assert shelf.look(town.shop).state("soon") is Availability.AVAILABLE


@pytest.mark.parametrize(("left", "word"), [(6, "available"), (5, "low"), (1, "low")])
def test_the_last_few_are_said_to_be_few(town: Town, left: int, word: str) -> None:
    town.shop.store.scripts.restock("poster", delta=9, reason="r", who="w", key="a")
    town.shop.store.scripts.restock("poster", delta=left - 14, reason="r", who="w", key="b")
    assert shelf.look(town.shop).state("poster") == word


def test_what_is_sold_is_sold_out(town: Town) -> None:
    order = town.begin({"last": 1}).order
    town.stripe.pay(order.session)
    town.deliver()
    found = shelf.look(town.shop)
    assert (found.state("last"), found.level("last").held) == (Availability.SOLD_OUT, 0)
    assert town.order(order).state is State.PAID


def test_what_was_never_stocked_is_nothing_at_all(town: Town) -> None:
    assert shelf.look(town.shop).level("none").available == 0
