"""Restocking by number: typed, scanned, on a phone, by keyboard alone."""

import pytest

from storefront.domain.products import Level
from storefront.services import restocking
from storefront.services.shop import Shop
from tests.web.browsing import Browser, Element, path_of, read


def level(shop: Shop, sku: str = "record") -> Level:
    return next(one for one in restocking.levels(shop) if one.sku == sku)


def focused(page: Element) -> str:
    """Where the cursor is when the page opens."""
    [field] = [one for one in page.all("input") if "autofocus" in one.attributes]
    return field.attributes["name"]


def test_the_cursor_waits_for_a_number_then_for_how_many_then_for_the_next_number(
    operator: Browser, shop: Shop
) -> None:
    page = operator.page("/admin/stock")
    assert focused(page) == "sku"
    page = operator.page("/admin/stock?sku=record")
    assert focused(page) == "delta"
    assert (
        "record Record : 3 available, 0 held, 0 sold." in page.one("section", class_="quick").words
    )
    done = operator.submit(page, "quick-change", delta="12", reason="second box")
    assert path_of(done) == "/admin/stock"
    page = operator.page("/admin/stock")
    assert focused(page) == "sku"
    assert page.one("p", class_="notice").words == "record: +12 counted."
    assert level(shop).available == 15


def test_the_reason_that_was_given_last_is_there_for_the_next_article(operator: Browser) -> None:
    page = operator.page("/admin/stock?sku=record")
    operator.submit(page, "quick-change", delta="1", reason="second <box>")
    fields = operator.page("/admin/stock?sku=zine").one("form", id="quick-change").fields
    assert (fields["delta"], fields["reason"]) == ("", "second <box>")


def test_a_reason_of_what_was_refused_is_not_kept_for_the_next(operator: Browser) -> None:
    page = operator.page("/admin/stock?sku=record")
    operator.submit(page, "quick-change", delta="-9", reason="torn")
    fields = operator.page("/admin/stock?sku=zine").one("form", id="quick-change").fields
    assert fields["reason"] == ""


@pytest.mark.parametrize("typed", ["record", "RECORD", " record ", "record%0D%0A"])
def test_capitals_and_what_a_scanner_sends_behind_a_number_do_not_matter(
    operator: Browser, typed: str
) -> None:
    form = operator.page(f"/admin/stock?sku={typed}").one("form", id="quick-change")
    assert form.fields["sku"] == "record"


@pytest.mark.parametrize("typed", ["nothing", "<b>", "recor", "x" * 5000, "%00"])
def test_a_number_that_no_article_has_is_said_and_the_cursor_waits_for_another(
    operator: Browser, typed: str
) -> None:
    answer = operator.get(f"/admin/stock?sku={typed}")
    assert answer.status_code == 404
    page = read(answer.text)
    assert "No article has the number" in page.one("div", class_="alert").words
    assert (focused(page), page.all("form", id="quick-change")) == ("sku", [])


def test_the_second_button_takes_away_so_that_no_minus_is_needed(
    operator: Browser, shop: Shop
) -> None:
    page = operator.page("/admin/stock?sku=record")
    operator.submit(page, "quick-change", delta="2", reason="torn", way="away")
    assert (level(shop).available, level(shop).written_off) == (1, 2)


@pytest.mark.parametrize(
    ("values", "status", "says"),
    [
        ({"delta": "4", "way": "away"}, 409, "Only 3 available"),
        ({"delta": "-4"}, 409, "Only 3 available"),
        ({"delta": "-1", "way": "away"}, 422, "without a minus"),
        ({"delta": "4006381333931"}, 422, "whole number"),
        ({"delta": "record"}, 422, "whole number"),
        ({"delta": "1", "reason": " "}, 422, "Say why"),
    ],
)
def test_what_cannot_be_done_is_said_beside_the_field_and_changes_nothing(
    operator: Browser, shop: Shop, values: dict[str, str], status: int, says: str
) -> None:
    before = restocking.levels(shop)
    page = operator.page("/admin/stock?sku=record")
    answer = operator.submit(page, "quick-change", **{"reason": "torn", **values})
    assert answer.status_code == status
    form = read(answer.text).one("form", id="quick-change")
    assert says in form.one("p", class_="error").words
    assert form.fields["delta"] == values["delta"]
    assert restocking.levels(shop) == before


def test_the_same_form_sent_twice_counts_once(operator: Browser, shop: Shop) -> None:
    page = operator.page("/admin/stock?sku=record")
    for _ in range(2):
        operator.submit(page, "quick-change", delta="5", reason="box")
    assert level(shop).available == 8
    assert "counted before" in operator.page("/admin/stock").words
