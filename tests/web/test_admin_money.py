"""A day's money, for the bookkeeper."""

import csv
import io
from collections.abc import Callable

import pytest

from storefront.domain.errors import StripeError
from storefront.domain.orders import Order
from storefront.services import money, movements, orders
from storefront.services.shop import Shop
from tests.fakes.stripe import FEE, FakeStripe
from tests.web.browsing import Browser


def buy(shop: Shop, visitor: Browser, pay: Callable[[Order], None]) -> Order:
    visitor.send("/checkout", sku="record", quantity="1")
    (order,) = orders.listing(shop)
    pay(order)
    return order


def test_both_say_the_same_and_fees_are_told(
    shop: Shop, visitor: Browser, operator: Browser, pay: Callable[[Order], None]
) -> None:
    assert "No money moved on this day." in operator.page("/admin/money").words
    buy(shop, visitor, pay)
    kept = operator.page("/admin/money")
    assert "No money moved on this day." in kept.words, "Stripe was asked within the last minute"
    again = next(a for a in kept.all("a") if a.words == "now")
    page = operator.page(again.attributes["href"])
    rows = [row.words for row in page.all("table")[0].one("tbody").all("tr")]
    assert rows == [
        "Sold $28.00 $28.00 The same",
        "Fees of Stripe’s $1.05 – Only Stripe knows them",
    ]
    assert "both say the same of all 1 movements" in page.words


def test_a_difference_leads_to_its_order(
    shop: Shop,
    stripe: FakeStripe,
    visitor: Browser,
    operator: Browser,
    pay: Callable[[Order], None],
) -> None:
    order = buy(shop, visitor, pay)
    [charge] = stripe.charges.values()
    charge["amount_captured"] = 2700
    link = operator.page("/admin/money").one("section").one("a")
    assert link.attributes["href"] == f"/admin/orders/{order.id}"


def test_the_csv_has_times_with_their_offset_and_minor_and_major_units(
    shop: Shop, visitor: Browser, operator: Browser, pay: Callable[[Order], None]
) -> None:
    order = buy(shop, visitor, pay)
    answer = operator.get("/admin/money.csv")
    assert answer.mimetype == "text/csv"
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert row["time"].endswith("+00:00")
    assert row["time_zone"] == "UTC"
    assert (row["order"], row["kind"], row["currency"]) == (order.id, "sold", "usd")
    assert (row["stripe_minor"], row["stripe_major"]) == ("2800", "28.00")
    assert (row["shop_minor"], row["shop_major"]) == ("2800", "28.00")
    assert (row["fee_minor"], row["differs"]) == (str(FEE), "")


def test_a_day_that_takes_several_looks_says_how_far_it_is_and_leads_on(
    shop: Shop,
    visitor: Browser,
    operator: Browser,
    pay: Callable[[Order], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(money, "STEPS", 1)
    monkeypatch.setattr(movements, "MOVEMENTS", 1)
    buy(shop, visitor, pay)
    page = operator.page("/admin/money")
    for so_far in ("back to", "own sales are looked through"):
        assert "Not added up to the end yet." in page.words
        assert so_far in page.one("div", class_="alert").words
        assert "The same so far" in page.words
        page = operator.page(
            next(a for a in page.all("a") if "Go on" in a.words).attributes["href"]
        )
    assert "Not added up" not in page.words
    assert "It was added up in 3 looks, and is kept for an hour." in page.words
    assert "$28.00 $28.00 The same" in page.one("tbody").words


def test_a_file_that_stripe_did_not_tell_to_the_end_says_so_and_is_broken_off(
    shop: Shop,
    visitor: Browser,
    operator: Browser,
    pay: Callable[[Order], None],
    silence: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(movements, "MOVEMENTS", 1)
    order = buy(shop, visitor, pay)
    answer = operator.client.get(
        "/admin/money.csv",
        base_url=operator.base,
        environ_overrides={"REMOTE_ADDR": operator.address},
        buffered=False,
    )
    lines = iter(answer.response)
    told = [next(lines), next(lines)]
    silence()
    told.append(next(lines))
    with pytest.raises(StripeError):
        next(lines)
    text = [str(line, "utf-8") if isinstance(line, bytes) else str(line) for line in told]
    assert order.id in text[1]
    assert text[2].startswith("THIS FILE IS NOT WHOLE")


def test_a_day_that_there_is_not_is_today(operator: Browser) -> None:
    for day in ("", "yesterday", "0001-01-01", "9999-12-31", "2026-02-30"):
        assert operator.get(f"/admin/money?day={day}").status_code == 200


def test_a_silent_stripe_is_said_and_no_csv_is_made_of_it(
    operator: Browser, silence: Callable[[], None]
) -> None:
    silence()
    for path in ("/admin/money", "/admin/money.csv"):
        answer = operator.get(path)
        assert answer.status_code == 503
        assert "Stripe did not answer" in answer.text
