"""Units come in and go out by the operator's hand."""

from dataclasses import replace

import pytest

from storefront.services import counting, restocking, settlement
from storefront.services.counting import Pile
from storefront.services.restocking import MOST, Restocked
from tests.services.town import Town


def restock(town: Town, delta: int, sku: str = "poster", key: str = "k1") -> Restocked:
    return restocking.restock(
        town.shop, sku=sku, delta=delta, reason="found in the van", who="ada", key=key
    )


def test_units_come_in_and_the_level_after_it_is_told(town: Town) -> None:
    done = restock(town, 3)
    assert done.word == "done"
    assert done.level is not None
    assert (done.level.available, done.level.stocked) == (8, 8)


def test_units_go_out_of_what_is_available_only(town: Town) -> None:
    town.begin({"poster": 3})
    assert restock(town, -3).word == "not_enough"
    assert town.level() == (2, 3, 0)
    assert restock(town, -2).word == "done"
    assert town.level() == (0, 3, 0)


def test_the_same_key_counts_once(town: Town) -> None:
    restock(town, 3)
    again = restock(town, 3)
    assert (again.word, again.level and again.level.available) == ("already", 8)


def test_a_key_that_was_refused_can_be_used_again(town: Town) -> None:
    assert restock(town, -9).word == "not_enough"
    restock(town, 9, key="k2")
    assert restock(town, -9).word == "done"


def test_an_unknown_sku_has_no_level(town: Town) -> None:
    assert restock(town, 1, "none") == Restocked("unknown_sku", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("delta", [0, MOST + 1, -MOST - 1])
def test_a_slip_of_the_finger_is_refused(town: Town, delta: int) -> None:
    with pytest.raises(ValueError, match="not a change of 1 to"):
        restock(town, delta)
    assert town.level() == (5, 0, 0)


def test_units_that_come_in_can_be_bought_at_once(town: Town) -> None:
    town.begin({"last": 1}, visitor="bob")
    restock(town, 1, "last")
    assert town.begin({"last": 1}).order.units == "held"


def test_two_skus_that_differ_in_capitals_alone_are_told_apart(town: Town) -> None:
    for sku in ("Ab", "aB"):
        town.shop.store.scripts.publish_catalogue({}, {sku: 1}, version=sku, who="tests")
    assert restocking.find(town.shop, "ab") is None
    found = restocking.find(town.shop, "aB")
    assert found is not None
    assert found.sku == "aB"


def test_the_history_says_who_and_why_the_newest_first(town: Town) -> None:
    restock(town, 3)
    town.begin()
    newest, before = restocking.history(town.shop, "poster", 2)
    assert (newest.what, before.what) == ("hold", "restock")
    assert (before.why, before.who, before.available) == ("found in the van", "ada", 8)
    assert len(restocking.history(town.shop)) > 2


def test_levels_are_those_of_every_sku(town: Town) -> None:
    skus = [level.sku for level in restocking.levels(town.shop)]
    assert skus == ["few", "gone", "last", "poster", "soon", "zine"]


def test_a_count_of_all_that_is_here_knows_which_sold_units_are_not_fetched(town: Town) -> None:
    order = town.begin({"poster": 2}).order
    town.stripe.pay(order.session)
    settlement.ask(town.shop, order)
    level = restocking.find(town.shop, "poster")
    assert level is not None
    table = counting.look(town.shop, level, 3, Pile.TABLE)
    everything = counting.look(town.shop, level, 4, Pile.ALL)
    assert (table.expected, table.delta, table.missing) == (3, 0, 0)
    assert (everything.expected, everything.delta, everything.missing) == (5, -1, 0)
    assert counting.look(town.shop, level, 1, Pile.ALL).missing == 1
    fetched = replace(everything, apart=0)
    done = counting.correct(town.shop, fetched, reason="r", who="ada", key="k1")
    assert done.word == "stale"
    done = counting.correct(town.shop, everything, reason="r", who="ada", key="k1")
    assert (done.word, done.number, town.level()) == ("done", -1, (2, 0, 2))
