"""Counting in the admin: it says what it would do, and does that or nothing."""

from collections.abc import Callable

import pytest
from flask import Flask

from storefront.domain.orders import Order
from storefront.services import orders, restocking
from storefront.services.shop import Shop
from tests.web.browsing import Browser, path_of, read

LOOK = "/admin/count?sku=record&pile=table&counted="
ALL = "/admin/count?sku=record&pile=all&counted="


def level(shop: Shop) -> tuple[int, int, int, int, int]:
    """Available, held, sold, written off and stocked."""
    one = next(one for one in restocking.levels(shop) if one.sku == "record")
    return (one.available, one.held, one.sold, one.written_off, one.stocked)


def test_looking_says_what_it_would_do_and_changes_nothing(
    app: Flask, operator: Browser, shop: Shop
) -> None:
    Browser(app).send("/checkout", sku="record", quantity="2")
    before = level(shop)
    page = operator.page(LOOK + "5")
    assert "2 would be added: 3 would be available." in page.one("section", class_="panel").words
    page = operator.page(LOOK + "2")
    assert "1 would be written off: 0 would be available." in page.words
    assert level(shop) == before == (1, 2, 0, 0, 3)


def test_confirming_does_what_was_said_and_the_ledger_has_count_and_reason(
    operator: Browser, shop: Shop
) -> None:
    page = operator.page(LOOK + "2")
    done = operator.submit(page, "correct", reason="after the first evening")
    assert path_of(done) == "/admin/stock"
    assert level(shop) == (2, 0, 0, 1, 3)
    [entry] = restocking.history(shop, "record", 1)
    assert (entry.what, entry.why, entry.who) == (
        "write_off",
        "counted 2: after the first evening",
        "admin",
    )
    assert "record: 2 counted, -1 in the books." in operator.page("/admin/stock").words


def test_sold_units_that_wait_to_be_fetched_count_only_where_they_were_counted(
    visitor: Browser, operator: Browser, shop: Shop, pay: Callable[[Order], None]
) -> None:
    visitor.send("/checkout", sku="record", quantity="1")
    (order,) = orders.listing(shop)
    pay(order)
    for address in (LOOK + "2", ALL + "3"):
        assert "nothing to change" in operator.page(address).words
    page = operator.page(ALL + "4")
    operator.submit(page, "correct", reason="found")
    assert level(shop) == (3, 0, 1, 0, 4)


def test_books_that_changed_meanwhile_are_shown_anew_and_the_new_form_does_it(
    app: Flask, operator: Browser, shop: Shop
) -> None:
    page = operator.page(LOOK + "5")
    Browser(app).send("/checkout", sku="record", quantity="2")
    before = level(shop)
    stale = operator.submit(page, "correct", reason="counted")
    assert stale.status_code == 409
    assert level(shop) == before
    page = read(stale.text)
    assert "meanwhile" in page.one("div", class_="alert").words
    form = page.one("form", id="correct").fields
    assert (form["held"], form["reason"]) == ("2", "counted")
    operator.submit(page, "correct")
    assert level(shop) == (3, 2, 0, 0, 5)


def test_the_same_form_sent_twice_counts_once(operator: Browser, shop: Shop) -> None:
    page = operator.page(LOOK + "9")
    for _ in range(2):
        assert path_of(operator.submit(page, "correct", reason="x")) == "/admin/stock"
    assert level(shop) == (9, 0, 0, 0, 9)
    assert "was done before" in operator.page("/admin/stock").words


def test_what_is_held_is_never_counted_away(app: Flask, operator: Browser, shop: Shop) -> None:
    form = operator.page(LOOK + "0").one("form", id="correct").fields
    Browser(app).send("/checkout", sku="record", quantity="2")
    page = operator.page(LOOK + "1")
    assert "The other 1 are held or sold" in page.words
    assert page.all("form", id="correct") == []
    held = {**form, "counted": "1", "available": "1", "held": "2", "reason": "x"}
    refused = operator.post("/admin/count", held)
    assert refused.status_code == 409
    assert "More is missing than is on sale" in refused.text
    assert level(shop) == (1, 2, 0, 0, 3)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/admin/count?sku=none&counted=1&pile=table", "No article"),
        (LOOK + "-1", "whole number"),
        (LOOK + "", "whole number"),
        (LOOK + "1234567", "whole number"),
        ("/admin/count?sku=record&counted=1", "which units"),
        ("/admin/count?sku=record&counted=1&pile=x", "which units"),
    ],
)
def test_a_count_that_makes_no_sense_is_refused(operator: Browser, address: str, says: str) -> None:
    answer = operator.get(address)
    assert answer.status_code == 422
    assert says in read(answer.text).one("div", class_="alert").words


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("reason", " ", "Say why"),
        ("reason", "x" * 201, "at most 200"),
        ("key", "a b", "token"),
        ("counted", "x", "whole number"),
        ("held", "x", "damaged"),
        ("sku", "none", "No article"),
        ("pile", "", "which units"),
    ],
)
def test_a_confirmation_that_makes_no_sense_changes_nothing(
    operator: Browser, shop: Shop, name: str, value: str, says: str
) -> None:
    before = level(shop)
    page = operator.page(LOOK + "9")
    answer = operator.submit(page, "correct", **{"reason": "x", name: value})
    assert answer.status_code == 422
    assert says in read(answer.text).one("div", class_="alert").words
    assert level(shop) == before


def test_a_number_alone_opens_the_form_with_the_cursor_on_the_count(operator: Browser) -> None:
    for address, field in (("/admin/count", "sku"), ("/admin/count?sku=RECORD", "counted")):
        inputs = operator.page(address).all("input")
        [focused] = [one for one in inputs if "autofocus" in one.attributes]
        assert focused.attributes["name"] == field
