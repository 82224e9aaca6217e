"""Days in the shop's time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from storefront.domain.days import begin_of, day_of, end_of


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 28), "2026-03-27T23:00", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00", 23),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00", 25),
        ("Asia/Kolkata", date(2026, 12, 1), "2026-11-30T18:30", 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T13:00", 24.5),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00", 23),  # it has no midnight
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00", 25),  # and this one has two
    ],
)
def test_a_day_is_from_midnight_to_midnight_whatever_clocks_do(
    zone: str, day: date, begins: str, hours: float
) -> None:
    here = ZoneInfo(zone)
    begin, end = begin_of(day, here), end_of(day, here)
    assert datetime.fromtimestamp(begin / 1000, UTC).isoformat()[:16] == begins
    assert (end - begin) / 3600_000 == hours
    assert [day_of(at, here) for at in (begin - 1, begin, end - 1, end)] == [
        day - timedelta(days=1),
        day,
        day,
        day + timedelta(days=1),
    ]


def test_the_last_day_of_all_has_no_end() -> None:
    with pytest.raises(OverflowError):
        end_of(date.max, UTC)
