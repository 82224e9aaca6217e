"""Pages say how the goods reach the shopper before anything is held."""

from dataclasses import replace
from pathlib import Path

import pytest

from storefront.domain.products import Product, Variant
from storefront.settings import Settings, load_settings
from storefront.web import sending

POSTER = Product("poster", "Poster", (Variant("poster", 2500),))
TICKET = Product("ticket", "Ticket", (Variant("ticket", 900),), delivery=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A shop that sends to two countries, or lets one fetch it."""
    environ = {
        "DELIVERY": "both",
        "DELIVERY_COUNTRIES": "DE,AT",
        "DELIVERY_RATE": "4.90",
        "DELIVERY_FREE_FROM": "50.00",
    }
    return load_settings(environ, tmp_path)


def test_a_shop_where_all_is_fetched_says_nothing(tmp_path: Path) -> None:
    assert sending.words(load_settings({}, tmp_path), [POSTER, TICKET]) == ""


def test_a_product_says_where_it_is_sent_and_for_how_much(settings: Settings) -> None:
    assert sending.words(settings, [POSTER]) == (
        "Delivery to Germany, Austria: $4.90, free from $50.00. Or pick it up: you choose when you "
        "pay."
    )


def test_a_full_enough_bag_is_sent_free(settings: Settings) -> None:
    assert "Austria: free." in sending.words(settings, [POSTER], 5000)


def test_what_cannot_be_sent_says_so_and_keeps_the_whole_bag(settings: Settings) -> None:
    assert sending.words(settings, [TICKET]) == "This cannot be sent: it is for pick-up only."
    assert sending.words(settings, [POSTER, TICKET], 3400) == (
        "Cannot be sent: Ticket. So the whole order is for pick-up."
    )


def test_many_countries_are_counted(settings: Settings) -> None:
    many = replace(settings.delivering, delivery_countries=("DE", "AT", "CH", "FR", "IT"))
    assert "to 5 countries" in sending.words(replace(settings, delivering=many), [POSTER])
