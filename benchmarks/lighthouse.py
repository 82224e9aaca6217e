"""What Lighthouse says of the pages that shoppers see, on a phone and on a desk.

``make lighthouse`` (``python -m benchmarks.lighthouse``) runs it: a real shop with the demo's goods,
its worker, Redis and the stand-in for Stripe, as ``make run`` starts them, and Chromium. Lighthouse
comes through npx; ``LIGHTHOUSE=/path/to/lighthouse`` takes one that is there already. Fails when a
page has less than 95.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, sync_playwright

from tests.browser import launch_arguments
from tests.harness import ROOT
from tests.journeys.conftest import Town, open_town
from tests.screenshots import OWN_PAGE, mailed

VERSION = "12.8.2"
"""The newest that runs on Node 20."""
LEAST = 95
KINDS = ("performance", "accessibility", "best-practices", "seo")
PRESETS = {"phone": (), "desk": ("--preset=desktop",)}
LISTED = frozenset({"shelf", "product", "sold out"})
"""All other pages are one visitor's: that no search engine may list them is meant, and not counted."""
QUIET = "--headless=new --disable-background-networking --disable-component-update --disable-sync"


def lighthouse() -> list[str]:
    """How Lighthouse is called here; ends in one line when it cannot be."""
    if own := os.environ.get("LIGHTHOUSE"):
        return [own]
    if not (npx := shutil.which("npx")):
        sys.exit(
            "make lighthouse needs Node 18.16 or later (npx was not found): https://nodejs.org"
        )
    return [npx, "--yes", f"lighthouse@{VERSION}"]


@contextmanager
def demo(**settings: str) -> Iterator[Town]:
    """A town that sells the demo's goods; pins are sold out."""
    with tempfile.TemporaryDirectory() as name, open_town(Path(name), **settings) as town:
        town.command("import", str(ROOT / "demo" / "catalogue.toml"))
        town.command("restock", "pin", "-50", "--reason", "for the pages")
        yield town


def hold(visitor: BrowserContext, town: Town) -> str:
    """Buys a poster up to the payment; answers the order's token."""
    page = visitor.new_page()
    page.goto(f"{town.shop.url}/products/poster")
    with page.expect_response("**/checkout"):
        page.get_by_role("button", name="Buy now").click()
    (order,) = town.orders()
    return str(order["token"])


def wait_in_line(visitor: BrowserContext, town: Town) -> str:
    """Joins the line for a pin and confirms it; answers the address of the place."""
    page = visitor.new_page()
    page.goto(f"{town.shop.url}/products/pin")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_role("button", name="Join the line").click()
    place = mailed(town, "ada@example.com", r"https?://\S+/waitlist/\S+")
    page.goto(place)
    page.get_by_role("button", name="Confirm my place").click()
    page.get_by_role("button", name="Leave the line").wait_for()
    return page.url


def fill_bag(visitor: BrowserContext, town: Town) -> str:
    """Puts a poster into the bag; answers the cookie that keeps it."""
    page = visitor.new_page()
    page.goto(f"{town.shop.url}/products/poster")
    page.get_by_role("button", name="Add to bag").click()
    page.wait_for_url("**/bag")
    return "; ".join(f"{one['name']}={one['value']}" for one in visitor.cookies())


def measure(address: str, name: str, preset: str, cookie: str, folder: Path) -> dict[str, Any]:
    """Lighthouse's report of one page."""
    report = folder / f"{name.replace(' ', '-')}-{preset}.json"
    flags = f"{QUIET} --no-sandbox" if os.getuid() == 0 else QUIET
    command = [*lighthouse(), address, "--quiet", "--output=json", f"--output-path={report}"]
    command += [f"--only-categories={','.join(KINDS)}", f"--chrome-flags={flags}", *PRESETS[preset]]
    if name not in LISTED:
        command.append("--skip-audits=is-crawlable")
    if cookie:
        command.append(f"--extra-headers={json.dumps({'Cookie': cookie})}")
    chromium = launch_arguments().get("executable_path", "")
    subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": chromium})
    return dict(json.loads(report.read_text()))


def show(name: str, preset: str, report: dict[str, Any]) -> bool:
    """Prints a page's line of the table and what it lost points for; whether it is good enough."""
    scores = [round(100 * report["categories"][kind]["score"]) for kind in KINDS]
    print(f"| {name} | {preset} | {' | '.join(map(str, scores))} |", flush=True)
    for kind in KINDS:
        for part in report["categories"][kind]["auditRefs"]:
            audit = report["audits"][part["id"]]
            if part["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                said = audit.get("displayValue", "")
                print(f"  {kind}: {audit['title']} {said}", file=sys.stderr, flush=True)
    return min(scores) >= LEAST


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", default="", help="only these, by commas")
    parser.add_argument("--keep", type=Path, help="a folder for Lighthouse's reports")
    asked = parser.parse_args()
    lighthouse()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as play:
        folder = asked.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        browser = play.chromium.launch(**launch_arguments())
        good: list[bool] = []

        def look(name: str, address: str, cookie: str = "") -> None:
            if asked.pages and name not in asked.pages.split(","):
                return
            reports = {one: measure(address, name, one, cookie, folder) for one in PRESETS}
            good.extend(show(name, preset, report) for preset, report in reports.items())

        print(f"| page | seen on | {' | '.join(KINDS)} |\n| --- | --- |{' --- |' * len(KINDS)}")
        with demo() as town:
            shop, visitor = town.shop.url, browser.new_context(locale="en-GB")
            cookie = fill_bag(browser.new_context(locale="en-GB"), town)
            place = wait_in_line(visitor, town)
            order = hold(visitor, town)
            look("shelf", f"{shop}/")
            look("product", f"{shop}/products/poster")
            look("sold out", f"{shop}/products/pin")
            look("bag", f"{shop}/bag", cookie)
            look("order", f"{shop}/orders/{order}")
            look("waitlist place", place)
        with demo(**OWN_PAGE) as town:
            order = hold(browser.new_context(locale="en-GB"), town)
            look("own payment page", f"{town.shop.url}/pay/{order}")
        browser.close()
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
