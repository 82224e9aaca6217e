"""The ledger in the admin: filters, pages and the file for a spreadsheet."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import fakeredis
import pytest

from storefront.app import assemble
from storefront.services import ledger, restocking
from storefront.services.shop import Shop
from tests.web.browsing import Browser, Element, read
from tests.web.conftest import PASSWORD


def restock(
    shop: Shop, sku: str, delta: int, key: str, reason: str = "box", who: str = "ada"
) -> None:
    restocking.restock(shop, sku=sku, delta=delta, reason=reason, who=who, key=key)


def rows(page: Element) -> list[str]:
    return [row.words for table in page.all("tbody") for row in table.all("tr")]


def lines(operator: Browser, query: str = "") -> list[dict[str, str]]:
    answer = operator.get(f"/admin/ledger.csv?{query}")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert "ledger.csv" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(answer.text.splitlines()))


def day(shop: Shop, later: int = 0) -> str:
    """The shop's day, or one so many days later."""
    return (
        f"{datetime.fromtimestamp(shop.store.now() / 1000, UTC) + timedelta(days=later):%Y-%m-%d}"
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sku=record", ["record 2 torn", "record 4 box", "record 3 first import"]),
        ("what=write_off", ["record 2 torn"]),
        ("who=ada", ["zine 5 box", "record 4 box"]),
        ("sku=record&who=ada&what=restock", ["record 4 box"]),
        ("sku=recor", []),
        ("sku=record&who=nobody", []),
    ],
)
def test_filters_leave_what_fits_all_of_them_on_the_page_and_in_the_file(
    operator: Browser, shop: Shop, query: str, found: list[str]
) -> None:
    restock(shop, "record", 4, "k1")
    restock(shop, "record", -2, "k2", "torn", "bob")
    restock(shop, "zine", 5, "k3")
    shown = rows(operator.page(f"/admin/ledger?{query}"))
    assert len(shown) == len(found)
    for words, entry in zip(shown, found, strict=True):
        assert all(part in words for part in entry.split(" ", 2))
    exported = [f"{e['sku']} {e['quantity']} {e['why']}" for e in lines(operator, query)]
    assert exported == found[::-1]


def test_days_are_those_of_the_shop_and_the_last_one_counts(operator: Browser, shop: Shop) -> None:
    today, before, after = day(shop), day(shop, -1), day(shop, 1)
    everything = len(lines(operator))
    assert everything == 3
    for query, number in (
        (f"since={before}&until={after}", everything),
        (f"since={after}", 0),
        (f"until={before}", 0),
        (f"since={before}", everything),
        (f"until={today}&since={before}", everything),
        ("since=0001-01-01&until=9999-12-31", everything),
        ("until=1969-01-01", 0),
    ):
        assert len(lines(operator, query)) == number, query
        assert len(rows(operator.page(f"/admin/ledger?{query}"))) == number, query


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours", "first", "last"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00Z", 24, "+00:00", "+00:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", 23, "+01:00", "+02:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z", 25, "+02:00", "+01:00"),
        ("Asia/Kolkata", "2026-12-01", "2026-11-30T18:30Z", 24, "+05:30", "+05:30"),
    ],
)
def test_a_day_is_from_midnight_to_midnight_of_the_shop_also_when_clocks_change(
    make_shop: Callable[..., Shop],
    redis: fakeredis.FakeRedis,
    zone: str,
    day: str,
    begins: str,
    hours: int,
    first: str,
    last: str,
) -> None:
    """Entries of the last moment before, the first and last moment of, and the first after a day."""
    shop = make_shop(SHOP_TIMEZONE=zone)
    operator = Browser(assemble(shop), address="198.51.100.99")
    operator.send("/admin/login", password=PASSWORD)
    begin = int(datetime.fromisoformat(begins).timestamp() * 1000)
    end = begin + hours * 3600_000
    ledger_key = shop.store.keys.name("ledger")
    [(_, fields), *_] = redis.xrange(ledger_key)
    redis.delete(ledger_key)
    for at in (begin - 1, begin, end - 1, end):
        redis.xadd(ledger_key, {**fields, "who": str(at)}, id=f"{at}-0")
    query = f"since={day}&until={day}"
    page = operator.page(f"/admin/ledger?{query}")
    assert f"Days are those of {zone}" in page.words
    shown = [moment.words for moment in page.one("tbody").all("time")]
    assert [("11:59" in shown[0], "12:00" in shown[1]), len(shown)] == [(True, True), 2]
    exported = lines(operator, query)
    assert [entry["who"] for entry in exported] == [str(begin), str(end - 1)]
    assert [entry["at"] for entry in exported] == [
        f"{day}T00:00:00.000{first}",
        f"{day}T23:59:59.999{last}",
    ]
    assert {entry["time_zone"] for entry in exported} == {zone}


def test_pages_follow_each_other_without_gap_or_repeat(operator: Browser, shop: Shop) -> None:
    for number in range(120):
        restock(shop, "record" if number % 2 else "zine", 1, f"k{number}", f"turn {number}.")
    seen: list[str] = []
    page = operator.page("/admin/ledger?who=ada")
    for _ in range(9):
        seen += [words.split("turn ")[1].split(".")[0] for words in rows(page)]
        older = [link for link in page.all("a") if link.words == "Older"]
        if not older:
            break
        page = operator.page(older[0].attributes["href"])
    assert seen == [str(number) for number in reversed(range(120))]
    assert [link for link in page.all("a") if link.words == "Newest"]


def test_what_is_read_for_one_page_is_bounded_and_the_next_page_goes_on(
    operator: Browser, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eleven entries, two of them read at a time and four for a page."""
    monkeypatch.setattr("storefront.storage.ledger.CHUNK", 2)
    monkeypatch.setattr(ledger, "LOOK_AT", 4)
    for number in range(8):
        restock(shop, "record", 1, f"k{number}")
    shown = []
    page = operator.page("/admin/ledger?who=import")
    for _ in range(2):
        shown.append(rows(page))
        assert "Go on with older ones" in page.words
        [older] = [link for link in page.all("a") if link.words == "Older"]
        page = operator.page(older.attributes["href"])
    assert (shown, len(rows(page))) == ([[], []], 3)


@pytest.mark.parametrize("reason", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")'])
def test_no_cell_is_a_formula(operator: Browser, shop: Shop, reason: str) -> None:
    restock(shop, "record", 1, "k1", reason, "=who")
    newest = lines(operator, "sku=record")[-1]
    assert (newest["why"], newest["who"]) == ("'" + reason, "'=who")
    assert (newest["sku"], newest["quantity"]) == ("record", "1")


def test_times_in_the_file_have_their_zone(operator: Browser, shop: Shop) -> None:
    [entry] = lines(operator, "sku=record")
    at = datetime.fromisoformat(entry["at"])
    assert at.tzinfo is not None
    assert abs(at.timestamp() * 1000 - shop.store.now()) < 60_000
    assert entry["id"].startswith(str(int(at.timestamp() * 1000)))


@pytest.mark.parametrize("query", ["what=x", "since=x", "until=2026-13-01", "before=x", "since=1"])
def test_a_filter_that_makes_no_sense_is_said(operator: Browser, query: str) -> None:
    for path in ("/admin/ledger", "/admin/ledger.csv"):
        if path.endswith("csv") and "before" in query:
            continue
        answer = operator.get(f"{path}?{query}")
        assert answer.status_code == 422
        assert "Nothing was looked for" in read(answer.text).one("div", class_="alert").words
