"""A whole evening by one person with a phone, and with a second browser where two would quarrel."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.journeys.conftest import open_town
from tests.journeys.evening import Evening, phone
from tests.web.conftest import HASH, PASSWORD

PAGES = 20
COLOURS = "() => axe.run({runOnly: ['color-contrast']}).then(found => found.violations)"
"""All that another theme changes, asked of the axe that the page has by then."""


def test_one_person_runs_an_evening_from_a_phone_and_every_page_can_be_used_by_all(
    tmp_path: Path, browser: Browser
) -> None:
    """Set up, opened, sold, restocked, refunded by line, handed out once, checked, closed."""
    axe, seen, found = Axe(), [], []

    def look(page: Page, name: str) -> None:
        seen.append(name)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{name} is too wide")
        page.emulate_media(color_scheme="light")
        light = axe.run(page).response["violations"]
        page.emulate_media(color_scheme="dark")
        for theme, violations in (("light", light), ("dark", page.evaluate(COLOURS))):
            found.extend(f"{name}, {theme}: {v['id']} {v['nodes'][0]['html']}" for v in violations)

    with (
        open_town(tmp_path, ADMIN_PASSWORD_HASH=HASH) as town,
        phone(browser, town) as page,
        phone(browser, town) as shopper,
    ):
        Evening(town, page, shopper, look).spend(PASSWORD)
        assert found == []
        assert len(seen) == PAGES
        levels = {level["sku"]: level for level in town.command("stock")}
        [order] = town.orders()
        assert order["state"] == "fulfilled"
        assert [refund["amount"] for refund in order["refunds"]] == [1200]
        counts = ("available", "held", "sold", "written_off", "stocked")
        assert [levels["mug-teal"][name] for name in counts] == [4, 0, 2, 0, 6]
        assert [levels["mug-cream"][name] for name in counts] == [8, 0, 0, 0, 8]
        assert town.audit()
