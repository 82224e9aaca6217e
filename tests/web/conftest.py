"""A shop with some goods on fakeredis, its web application, and visitors."""

from collections.abc import Callable
from pathlib import Path

import fakeredis
import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from storefront.app import assemble
from storefront.clients.mail import Mailer
from storefront.domain.catalogue_file import read_catalogue
from storefront.domain.orders import Order
from storefront.services import settlement
from storefront.services.publishing import publish
from storefront.services.shop import Shop
from storefront.settings import Settings, load_settings
from storefront.storage.store import open_store
from tests.fakes.stripe import FakeStripe
from tests.web.browsing import Browser

PASSWORD = "night moth"
HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")

GOODS = """
[[products]]
slug = "poster"
name = "Opening night <poster>"
description = "Screen print, signed.\\n\\nRolled, never folded."
image = "poster.svg"
tags = ["print"]
max_per_order = 4

[[products.variants]]
sku = "poster-red"
options = { colour = "Red" }
price = "25.00"
stock = 40

[[products.variants]]
sku = "poster-ink"
options = { colour = "Ink" }
price = "30.00"
stock = 0

[[products]]
slug = "record"
name = "Record"

[[products.variants]]
sku = "record"
price = "28.00"
stock = 3

[[products]]
slug = "zine"
name = "Zine"

[[products.variants]]
sku = "zine"
price = "4.50"
stock = 0

[[products]]
slug = "later"
name = "Later"
opens_at = 2126-12-01T10:00:00Z

[[products.variants]]
sku = "later"
price = "9.00"
stock = 5
"""


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a shop, some of them changed by their variables' names."""

    def make(**changes: str) -> Settings:
        environ = {
            "SECRET_KEY": "the-tests-own-key",
            "PUBLIC_URL": "http://shop.example",
            "STRIPE_SECRET_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            "ADMIN_PASSWORD_HASH": HASH,
            "RATE_LIMIT": "off",
            **changes,
        }
        return load_settings(environ, tmp_path / "instance")

    return make


@pytest.fixture
def redis() -> fakeredis.FakeRedis:
    """An empty Redis."""
    return fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7, 0)), decode_responses=True)


@pytest.fixture
def stripe() -> FakeStripe:
    """Stripe, as far as the shop sees it."""
    return FakeStripe()


@pytest.fixture
def make_shop(
    make_settings: Callable[..., Settings], redis: fakeredis.FakeRedis, stripe: FakeStripe
) -> Callable[..., Shop]:
    """A shop with goods, some of its settings changed."""

    def make(**changes: str) -> Shop:
        settings = make_settings(**changes)
        shop = Shop(
            settings=settings,
            store=open_store(redis, settings.shop_id),
            stripe=stripe,
            mailer=Mailer("", settings.mail_from, settings.instance / "mail"),
        )
        publish(shop, read_catalogue(GOODS, settings.shop_currency, ["poster.svg"]), prune=False)
        return shop

    return make


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


@pytest.fixture
def app(shop: Shop) -> Flask:
    return assemble(shop)


@pytest.fixture
def visitor(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def operator(app: Flask) -> Browser:
    """Someone who has signed in."""
    browser = Browser(app, address="198.51.100.99")
    response = browser.send("/admin/login", password=PASSWORD)
    assert response.status_code == 303
    return browser


@pytest.fixture
def pay(shop: Shop, stripe: FakeStripe) -> Callable[[Order], None]:
    """The visitor pays an order, and the shop has heard of it."""

    def settle(order: Order) -> None:
        stripe.pay(order.session)
        settlement.ask(shop, order)

    return settle


@pytest.fixture
def silence(stripe: FakeStripe) -> Callable[[], None]:
    """From now on Stripe does not answer."""

    return stripe.down


@pytest.fixture
def cut(redis: fakeredis.FakeRedis) -> Callable[[], None]:
    """From now on Redis cannot be reached."""

    def lose() -> None:
        redis.connection_pool.connection_kwargs["server"].connected = False
        redis.connection_pool.disconnect()

    return lose


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """The system's Chromium; without its sandbox, which needs rights that containers lack."""
    return {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox"]}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Each served shop has its own address; pytest-playwright's own fixture is deprecated in form."""
