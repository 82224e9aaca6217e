"""Labels to print."""

import xml.etree.ElementTree as ET

import pytest

from storefront.services import posters
from tests.web.browsing import Browser


def test_a_label_for_each_chosen_article_has_name_options_price_and_number(
    operator: Browser,
) -> None:
    page = operator.page("/admin/labels?sku=poster-red&sku=record&sku=none")
    labels = page.one("ul", class_="labels").all("li")
    assert [label.words for label in labels] == [
        "Opening night <poster> Red $25.00 poster-red",
        "Record $28.00 record",
    ]
    checked = [box for box in page.all("input", type="checkbox") if "checked" in box.attributes]
    assert {box.attributes["value"] for box in checked} == {"poster-red", "record"}
    assert len(page.all("input", type="checkbox")) == 5


def test_nothing_is_printed_before_something_was_chosen(operator: Browser) -> None:
    assert operator.page("/admin/labels").all("ul", class_="labels") == []


def test_the_code_holds_the_bare_number(operator: Browser) -> None:
    page = operator.page("/admin/labels?sku=record")
    answer = operator.get(page.one("img", alt="QR code of record").attributes["src"])
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.data == posters.qr("record") != posters.qr("zine")
    assert ET.fromstring(answer.data).tag.endswith("svg")


@pytest.mark.parametrize("query", ["", "?sku=", "?sku=none", "?sku=" + "x" * 5000])
def test_no_code_is_made_of_what_the_shop_does_not_have(operator: Browser, query: str) -> None:
    assert operator.get("/admin/labels/qr.svg" + query).status_code == 404
