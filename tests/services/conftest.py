"""A shop in its town, on fakeredis with real Lua and on a clock that stands until it is moved.

Where a file builds very many shops, their Redis is a quick one.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import fakeredis
import pytest
import time_machine

from storefront.clients.mail import Mailer
from storefront.domain.errors import StripeUnreachable
from storefront.domain.orders import Order
from storefront.domain.products import Product, Variant
from storefront.services import links, orders, pickup
from storefront.services.shop import Shop
from storefront.settings import Settings, load_settings
from storefront.storage.store import open_store
from tests.fakes.faults import Fault
from tests.fakes.stripe import FakeStripe
from tests.services.quick import quick_redis
from tests.services.town import Line, Town

OPENING = datetime(2026, 12, 1, 10, tzinfo=UTC)
STOCK = {"poster": 5, "zine": 3, "last": 1}
GOODS = tuple(
    Product(sku, sku.title(), (Variant(sku, price),), position=position)
    for position, (sku, price) in enumerate([("poster", 2500), ("zine", 450), ("last", 9900)])
)
SOON = Product(
    "soon", "Soon", (Variant("soon", 100),), opens_at=int(OPENING.timestamp() * 1000) + 3600_000
)
FEW = Product("few", "Few", (Variant("few", 100),), max_per_order=2)
GONE = Product("gone", "Gone", (Variant("gone", 100),), published=False)
NEVER = Product("never", "Never stocked", (Variant("never", 100),))
MANY_SHOPS = {
    "test_captures",
    "test_choosing",
    "test_crashes",
    "test_delivery",
    "test_events",
    "test_giving_back",
    "test_link_crashes",
    "test_malformed_events",
    "test_mirroring",
    "test_own_page",
    "test_payment_links",
    "test_pricing",
    "test_races",
    "test_rebuild",
    "test_recovery",
    "test_refunds",
}
"""Files that build so many shops that fakeredis would take a minute or more for them together."""

Build = Callable[..., Town]


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """The pictures in mails are the true ones, drawn once: shops that are built anew have the same orders."""
    drawn: dict[str, tuple[bytes, int]] = {}
    draw = pickup.png

    def png(settings: Settings, order: str) -> tuple[bytes, int]:
        says = links.pickup(settings, order)
        if says not in drawn:
            drawn[says] = draw(settings, order)
        return drawn[says]

    with patch.object(pickup, "png", png):
        yield


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Opening day at ten; time stands still until a test moves it."""
    with time_machine.travel(OPENING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def new_redis(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Makes an empty Redis."""
    if request.path.stem in MANY_SHOPS:
        return quick_redis
    return lambda: fakeredis.FakeRedis(
        server=fakeredis.FakeServer(version=(7, 0)), decode_responses=True
    )


@pytest.fixture
def build(
    tmp_path: Path, clock: time_machine.Traveller, new_redis: Callable[[], Any]
) -> Iterator[Build]:
    """Builds shops with 5 posters, 3 zines and 1 last thing, some of their settings changed.

    They take delayed methods, so that an order can come into every state.

    At the test's end the books of the last one must agree, and no promise be broken.
    """
    built: list[Town] = []

    def build(**changes: str) -> Town:
        clock.move_to(OPENING)
        environ = {
            "SECRET_KEY": "the-tests-own-key",
            "PUBLIC_URL": "https://shop.example",
            "SHOP_ID": "test",
            "STRIPE_SECRET_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            "MAIL_FROM": "shop@shop.example",
            "DELAYED_METHODS": "on",
            **changes,
        }
        settings = load_settings(environ, tmp_path / f"instance-{len(built)}")
        client = new_redis()
        stripe = FakeStripe()
        shop = Shop(
            settings=settings,
            store=open_store(client, settings.shop_id),
            stripe=stripe,  # type: ignore[arg-type]
            mailer=Mailer("", settings.mail_from, settings.instance / "mail"),
        )
        for name, script in shop.store.scripts._scripts.items():
            script.name = name  # type: ignore[attr-defined]
            client.script_load(script.script)
        products = (*GOODS, SOON, FEW, GONE, NEVER)
        shop.store.scripts.publish_catalogue(
            {product.slug: json.dumps(product.to_json()) for product in products},
            {**STOCK, "soon": 9, "few": 9, "gone": 9},
            version="v1",
            who="tests",
        )
        built.append(Town(shop, stripe, clock, Line(client, stripe)))
        built[-1].work()  # Stripe is told of the first stock
        stripe.wire.calls.clear()
        return built[-1]

    yield build
    for town in built[-1:]:
        if not town.falsified:
            town.check()


@pytest.fixture
def town(build: Build) -> Town:
    """One such shop with the usual settings."""
    return build()


@pytest.fixture
def opened(town: Town) -> Order:
    """Ada holds two posters, and her payment page is open."""
    return town.begin({"poster": 2}).order


@pytest.fixture
def busy(town: Town) -> Town:
    """Orders in many states: paid, open, processing, released, pending, refunded, in review."""
    paid = town.begin({"poster": 1}, visitor="paid").order
    town.stripe.pay(paid.session)
    coming = town.begin({"zine": 1}, visitor="coming").order
    town.stripe.pay_later(coming.session)
    given_back = town.begin({"poster": 1}, visitor="back").order
    orders.cancel(town.shop, given_back)
    returned = town.begin({"poster": 1}, visitor="returned").order
    town.stripe.pay(returned.session)
    town.deliver()
    town.stripe.refund_by_hand(town.order(returned).payment_intent)
    looked_at = town.begin({"few": 1}, visitor="looked at").order
    town.shop.store.scripts.review_order(looked_at.id, reason="look")
    town.deliver()
    town.work()
    town.begin({"poster": 1}, visitor="open")
    town.stripe.fault("create_session", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        town.begin({"zine": 1}, visitor="pending")
    return town
