"""Undoing a restock or a write-off in the admin."""

import pytest
from flask import Flask

from storefront.services import restocking
from storefront.services.shop import Shop
from tests.web.browsing import Browser, Element, path_of


def restock(shop: Shop, delta: int, key: str = "k1") -> str:
    """The id of its entry."""
    restocking.restock(shop, sku="record", delta=delta, reason="box", who="ada", key=key)
    return restocking.history(shop, "record", 1)[0].id


def level(shop: Shop) -> tuple[int, int, int]:
    """Available, written off and stocked."""
    one = next(one for one in restocking.levels(shop) if one.sku == "record")
    return (one.available, one.written_off, one.stocked)


def entries(page: Element) -> list[str]:
    """Which entries have a button."""
    return [form.fields["entry"] for form in page.all("form", action="/admin/undo")]


def undo(operator: Browser, entry: str) -> str:
    """What the page then says."""
    assert path_of(operator.send_signed_in("/admin/undo", entry=entry)) == "/admin/stock"
    return operator.page("/admin/stock").one("p", class_="notice").words


def test_the_button_undoes_what_was_done_by_hand_and_is_gone_then(
    operator: Browser, shop: Shop
) -> None:
    entry = restock(shop, -2)
    page = operator.page("/admin/stock?sku=record")
    assert entry in entries(page)
    assert "record: undone." in undo(operator, entry)
    assert level(shop) == (3, 0, 3)
    page = operator.page("/admin/stock?sku=record")
    assert entry not in entries(page)
    assert f"undo of {entry}" in page.words


def test_a_second_click_changes_nothing(operator: Browser, shop: Shop) -> None:
    entry = restock(shop, 4)
    undo(operator, entry)
    assert "undone before" in undo(operator, entry)
    assert level(shop) == (3, 4, 7)


def test_units_that_are_gone_cannot_be_taken_back_and_it_says_why(
    app: Flask, operator: Browser, shop: Shop
) -> None:
    entry = restock(shop, 4)
    Browser(app).send("/checkout", sku="record", quantity="5")
    assert "only 2 of its units are left where it brought them" in undo(operator, entry)
    assert level(shop) == (2, 0, 7)


def test_what_an_order_did_has_no_button_and_is_refused(
    app: Flask, operator: Browser, shop: Shop
) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    entry = restocking.history(shop, "record", 1)[0].id
    assert entry not in entries(operator.page("/admin/stock"))
    assert "An order did this" in undo(operator, entry)
    assert level(shop) == (1, 0, 3)


@pytest.mark.parametrize("entry", ["", "1-1", "x", "1", "+", "-", "9" * 40 + "-1", "1-1\n"])
def test_an_entry_that_is_not_there_is_not_found(operator: Browser, entry: str) -> None:
    assert operator.send_signed_in("/admin/undo", entry=entry).status_code == 404
