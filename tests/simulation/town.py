"""The shop, its Stripe and its mail, built once and emptied for each seed."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from storefront.delivering import Delivering
from storefront.domain.products import Product, Variant
from storefront.services import work
from storefront.services.shop import Shop
from storefront.settings import Settings, load_settings
from storefront.storage.answers import Terms
from storefront.storage.store import Store, open_store
from tests.fakes.stripe import FakeStripe
from tests.simulation import extras
from tests.simulation.memory import Memory
from tests.simulation.plan import Plan
from tests.simulation.tasks import Line

OPENING = 1_796_119_200_000
"""Ten o'clock on 1 December 2026, UTC, in milliseconds."""
PRICES = {"a": 2500, "b": 450, "c": 9900}
GOODS = tuple(
    Product(sku, sku.upper(), (Variant(sku, price),), position=position)
    for position, (sku, price) in enumerate(PRICES.items())
)
VERSION = "v1"


class Clock:
    """The one clock of shop, Redis and Stripe. It stands until it is moved."""

    def __init__(self) -> None:
        self.ms = OPENING

    def now(self) -> int:
        """Milliseconds since 1970."""
        return self.ms


class Postman:
    """Keeps what the shop mails, and can be out of order."""

    def __init__(self, line: Line, fails: Callable[[], bool]) -> None:
        self.sent: list[EmailMessage] = []
        self._line, self._fails = line, fails

    def send(self, message: EmailMessage) -> None:
        """As ``clients.mail.Mailer.send``."""
        self._line.through("mail", f"{message['X-Shop-Mail']}", lambda: self._send(message))

    def _send(self, message: EmailMessage) -> None:
        if self._fails():
            raise ConnectionError("planned: the mail server is away")
        self.sent.append(message)

    def count(self, kind: str, order: str) -> int:
        """How many different mails of a kind went out about an order."""
        found = {
            m["Message-ID"]
            for m in self.sent
            if (m["X-Shop-Mail"], m["X-Shop-Order"]) == (kind, order)
        }
        return len(found)


def settings() -> Settings:
    """The shop's, before a plan changes some."""
    environ = {
        "SECRET_KEY": "the-tests-own-key",
        "PUBLIC_URL": "https://shop.example",
        "SHOP_ID": "test",
        "STRIPE_SECRET_KEY": "sk_test_x",
        "STRIPE_WEBHOOK_SECRET": "whsec_x",
        "MAIL_FROM": "shop@shop.example",
        "DELAYED_METHODS": "on",
    }
    return load_settings(environ, Path(tempfile.gettempdir()) / "nothing-is-written-here")


def delivering(settings: Settings, plan: Plan) -> Delivering:
    """What a town offers beside its goods."""
    if plan.ui == "hosted":
        return extras.offered(settings.delivering) if plan.extras else settings.delivering
    return extras.sent(settings.delivering) if plan.sends else settings.delivering


class Ground:
    """What is costly to build and the same for every seed: Redis with the scripts, read once."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.line = Line()
        self.redis = Memory(self.clock.now)
        self.store: Store = open_store(self.redis, "test")  # type: ignore[arg-type]
        self.settings = settings()
        for name, script in self.store.scripts._scripts.items():
            script.name = name  # type: ignore[attr-defined]
        self.redis.line = lambda name, run: self.line.through("redis", name, run)


class Town:
    """One seed's shop on its ground, opened with the plan's stock."""

    def __init__(self, ground: Ground, plan: Plan, mail_fails: Callable[[], bool]) -> None:
        self.ground, self.plan = ground, plan
        self.clock, self.line, self.redis = ground.clock, ground.line, ground.redis
        self.redis.flushall()
        self.clock.ms = OPENING
        self.stripe = FakeStripe(now=self.clock.now)
        self.postman = Postman(self.line, mail_fails)
        self.shop = Shop(
            settings=replace(
                ground.settings,
                hold_seconds=plan.hold_seconds,
                capture_method=plan.capture,
                checkout_ui=plan.ui,
                delivering=delivering(ground.settings, plan),
                holds_per_visitor=plan.per_visitor,
                holds_per_ip=plan.per_address,
            ),
            store=ground.store,
            stripe=self.stripe,  # type: ignore[arg-type]
            mailer=self.postman,  # type: ignore[arg-type]
        )
        ground.store.scripts._terms = Terms(offer_ms=plan.offer_seconds * 1000)
        get, post = self.stripe.wire.get, self.stripe.wire.post

        def hear_get(name: str, run: Callable[[], Any]) -> Any:
            return self.line.through("stripe", name, lambda: get(name, run))

        def hear_post(name: str, key: str, *rest: Any) -> Any:
            return self.line.through("stripe", f"{name} {key}", lambda: post(name, key, *rest))

        self.stripe.wire.get = hear_get  # type: ignore[method-assign]
        self.stripe.wire.post = hear_post  # type: ignore[method-assign]
        ground.store.scripts.publish_catalogue(
            {product.slug: json.dumps(product.to_json()) for product in GOODS},
            plan.stock,
            version=VERSION,
            who="simulation",
        )
        ground.store.catalogue.read()
        work.run_due(self.shop, len(plan.stock))  # Stripe is told of the first stock
