"""A shop's page on an origin of its own, and a small screen that keeps what its browser says."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.standin.conftest import Standin
from tests.standin.element.host import Host, serve
from tests.standin.element.shopper import PHONE, SLOW


@pytest.fixture
def host(standin: Standin) -> Iterator[Host]:
    with serve(standin.url) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A small screen; `page.complaints` keeps what the browser blocked or missed."""
    context = browser.new_context(viewport=PHONE)
    opened = context.new_page()
    opened.set_default_timeout(SLOW)
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    opened.on("console", heard)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.complaints = complaints  # type: ignore[attr-defined]
    yield opened
    context.close()
