"""Money and times are written as the shop's locale writes them."""

from flask import Flask, render_template_string

from storefront.web import formats

NOON = 1_796_126_400_000  # 2026-12-01T12:00:00Z


def test_milliseconds_become_iso_8601_in_utc() -> None:
    assert formats.iso(NOON + 999) == "2026-12-01T12:00:00Z"


def test_times_name_their_zone() -> None:
    assert formats.clock(NOON, "de_DE") == "12:00 UTC"
    assert formats.day_and_clock(NOON, "de_DE") == "1. Dez., 12:00 UTC"
    assert formats.date_and_clock(NOON, "de_DE") == "01.12.2026, 12:00 UTC"


def test_a_time_on_a_page_can_be_read_by_programs_and_by_the_script(app: Flask) -> None:
    with app.test_request_context("/"):
        tag = render_template_string("{{ at|clock }}", at=NOON)
    assert tag.startswith('<time datetime="2026-12-01T12:00:00Z" data-local="time">')
    assert "UTC</time>" in tag
