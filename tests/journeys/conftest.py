"""A whole shop as people meet it: gunicorn, Redis, a worker, and a Stripe with a payment page."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page

from tests.harness import (
    WEBHOOK_SECRET,
    RedisServer,
    Running,
    free_port,
    shop_command,
    start_redis,
    start_shop,
    start_standin,
    start_worker,
)

CATALOGUE = """
[[products]]
slug = "poster"
name = "Poster"
[[products.variants]]
sku = "poster"
price = "25.00"
stock = {stock}
"""


@dataclass
class Town:
    """The running shop and its Stripe."""

    shop: Running
    standin: Running
    environment: Mapping[str, str]
    folder: Path
    redis: RedisServer

    def command(self, *arguments: str) -> Any:
        """The document that ``flask shop … --json`` prints."""
        code, document = shop_command(self.shop.env, *arguments)
        assert code == 0, document
        return document

    def stock(self, units: int) -> None:
        """Start with so many posters."""
        file = self.folder / "catalogue.toml"
        file.write_text(CATALOGUE.format(stock=units))
        self.command("import", str(file))

    def level(self) -> dict[str, int]:
        """The poster's counters."""
        (level,) = self.command("stock")
        return level

    def orders(self) -> list[dict[str, Any]]:
        """Every order, the oldest first."""
        return self.command("orders")

    def audit(self) -> bool:
        """Whether every invariant holds, at Stripe too."""
        return self.command("audit", "--stripe")["ok"]

    def plan(self, match: str, kind: str, times: int) -> None:
        """The next so many calls of Stripe's API go wrong so."""
        body = {"match": match, "kind": kind, "times": times}
        requests.post(
            f"{self.standin.url}/_standin/faults", json=body, timeout=5
        ).raise_for_status()

    def at_stripe(self, path: str) -> list[dict[str, Any]]:
        """Every object of a kind that the account has."""
        answer = requests.get(
            f"{self.standin.url}/v1/{path}",
            headers={"Authorization": "Bearer sk_test_journeys"},
            timeout=10,
        )
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def hooks(self, mode: str) -> None:
        """What happens to webhooks from now on."""
        body = {"enabled": True, "mode": mode}
        requests.post(
            f"{self.standin.url}/_standin/webhooks", json=body, timeout=5
        ).raise_for_status()


@pytest.fixture
def town(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    with open_town(tmp_path, **getattr(request, "param", {})) as town:
        yield town


@contextmanager
def open_town(folder: Path, **settings: str) -> Iterator[Town]:
    """A running shop; ``settings`` are environment variables."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with start_redis() as redis, start_standin(f"{address}/webhooks/stripe") as standin:
        environment = {
            "REDIS_URL": redis.url,
            "STRIPE_API_BASE": standin.url,
            "STRIPE_SECRET_KEY": "sk_test_journeys",
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "SECRET_KEY": "a key for the journeys of the tests",
            "PUBLIC_URL": address,
            "STRIPE_JS_URL": f"{standin.url}/v3/stripe.js",
            "SHOP_INSTANCE": str(folder / "instance"),
            "RATE_LIMIT": "off",
            **settings,
        }
        with start_shop(environment, port) as shop, start_worker(environment):
            yield Town(shop, standin, environment, folder, redis)


class Shopper:
    """One person with a browser."""

    def __init__(self, page: Page, town: Town) -> None:
        self.page, self.town = page, town

    def buy(self) -> None:
        """From the shelf to the payment page."""
        self.page.goto(self.town.shop.url)
        self.page.get_by_role("link", name="Poster").first.click()
        self.page.get_by_role("button", name="Buy now").click()
        self.page.wait_for_url("**/c/pay/**")

    def pay(self, fate: str = "pay", webhooks: str = "normal", seconds: int = 0) -> None:
        """Fill in the payment page and send it."""
        self.page.get_by_label("Mail address").fill("ada@example.com")
        self.page.locator(f"input[name=fate][value={fate}]").check()
        self.page.locator(f"input[name=webhooks][value={webhooks}]").check()
        self.page.locator("input[name=delay_seconds]").fill(str(seconds))
        self.page.get_by_role("button", name="Pay ").click()
