"""Days as the operator's calendar has them: from one midnight in the shop's time zone to the next.

When clocks change, such a day has 23 or 25 hours.
"""

from datetime import date, datetime, time, timedelta, tzinfo


def day_of(at: int, zone: tzinfo) -> date:
    """The day on which a time (ms) is."""
    return datetime.fromtimestamp(at / 1000, zone).date()


def begin_of(day: date, zone: tzinfo) -> int:
    """When a day begins (ms): at midnight, or where clocks then go forward, at the first moment after.

    Of two midnights, where clocks go back over one, it is the first.
    """
    return int(datetime.combine(day, time(), zone).timestamp() * 1000)


def end_of(day: date, zone: tzinfo) -> int:
    """When the next day begins (ms). Raises OverflowError of the last day that there is."""
    return begin_of(day + timedelta(days=1), zone)
