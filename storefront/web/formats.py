"""Money and times as people read them: in their language, with the ways of the shop's country."""

from datetime import UTC, datetime, tzinfo

from babel.dates import format_date, format_skeleton, format_time
from flask import Flask
from markupsafe import Markup, escape

from storefront import languages
from storefront.services import amounts
from storefront.settings import Settings


def moment(milliseconds: int) -> datetime:
    """Milliseconds since 1970 as an aware time in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def iso(milliseconds: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC, to the second: 2026-12-01T10:00:00Z."""
    return moment(milliseconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(milliseconds: int, locale: str) -> str:
    """The time of day with its zone: 14:32 UTC."""
    return f"{format_time(moment(milliseconds), 'short', locale=locale)} UTC"


def day_and_clock(milliseconds: int, locale: str) -> str:
    """Day and time with the zone: 1 Dec, 10:00 UTC."""
    day = format_skeleton("MMMd", moment(milliseconds), locale=locale)
    return f"{day}, {clock(milliseconds, locale)}"


def date_and_clock(milliseconds: int, locale: str) -> str:
    """Full date and time with the zone, for records."""
    day = format_date(moment(milliseconds), "medium", locale=locale)
    return f"{day}, {clock(milliseconds, locale)}"


def there(milliseconds: int, zone: tzinfo, locale: str) -> Markup:
    """A ``<time>`` in a place's zone, whatever zone the reader is in: 1 Dec 2026, 11:00 CET."""
    local = moment(milliseconds).astimezone(zone)
    day = format_date(local.date(), "medium", locale=locale)
    clock = format_time(local, "short", tzinfo=zone, locale=locale)
    return Markup('<time datetime="{}">{}, {} {}</time>').format(
        iso(milliseconds), day, clock, f"{local:%Z}"
    )


def _tag(milliseconds: int, words: str, local: str) -> Markup:
    """A ``<time>`` in UTC; the script writes it in the visitor's own zone, as ``local`` says."""
    return Markup('<time datetime="{}" data-local="{}">{}</time>').format(
        iso(milliseconds), local, escape(words)
    )


def register(app: Flask, settings: Settings) -> None:
    """Give every template the filters ``money``, ``clock``, ``moment``, ``record``, ``iso``, ``here``.

    ``here`` is in the shop's time zone, for pages that are about its days.
    """

    def locale() -> str:
        return languages.locale(settings.shop_locale)

    app.add_template_filter(
        lambda amount, currency=settings.shop_currency: amounts.written(amount, currency, locale()),
        "money",
    )
    app.add_template_filter(lambda ms: _tag(ms, clock(ms, locale()), "time"), "clock")
    app.add_template_filter(lambda ms: _tag(ms, day_and_clock(ms, locale()), "day"), "moment")
    app.add_template_filter(lambda ms: _tag(ms, date_and_clock(ms, locale()), "date"), "record")
    app.add_template_filter(iso, "iso")
    app.add_template_filter(lambda ms: there(ms, settings.zone, locale()), "here")
