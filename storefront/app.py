"""Joins the parts: the only module that knows them all."""

from contextlib import suppress
from functools import partial
from typing import Any

from flask import Flask, Request, request
from limits.storage import RedisStorage, Storage
from werkzeug.exceptions import BadHost
from werkzeug.routing import MapAdapter

from storefront import cli
from storefront.clients.mail import Mailer
from storefront.clients.stripe_api import Stripe
from storefront.services.live import Streams
from storefront.services.shop import Shop
from storefront.settings import ROOT, Settings, load_settings
from storefront.storage import embedded
from storefront.storage.answers import Terms
from storefront.storage.connection import UNREACHABLE, connect, subscriber
from storefront.storage.keys import Keys
from storefront.storage.store import Store, open_store
from storefront.web import (
    admin,
    assets,
    bag,
    checkout,
    codes,
    crawlers,
    current,
    dev,
    errors,
    formats,
    forms,
    grid,
    health,
    language,
    limits,
    live,
    orders,
    pages,
    pay,
    pictures,
    security,
    shelf,
    stall,
    waitlist,
    webhooks,
)
from storefront.web.admin.pictures import make_room


class Application(Flask):
    """Flask, but for what it writes into the log, and for requests that fail before any view."""

    request_class = forms.Request

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """As Flask's; a Host that is no name gets an answer too, and ``security`` refuses it."""
        try:
            return super().create_url_adapter(request)
        except BadHost:
            if request is None:
                raise
            environ = {**request.environ, "HTTP_HOST": "localhost"}
            return self.url_map.bind_to_environ(environ, subdomain="")

    def log_exception(self, exc_info: Any) -> None:
        """Log the error by the view's name: an order's address would open its page to readers."""
        self.logger.error("%s %s failed", request.method, request.endpoint, exc_info=exc_info)


def open_shop(settings: Settings) -> Shop:
    """The shop that these settings describe. Connects when first used, and starts nothing."""
    terms = Terms(
        offer_ms=settings.offer_seconds * 1000,
        grace_ms=settings.hold_grace_seconds * 1000,
        currency=settings.shop_currency,
    )
    url = _redis_url(settings)
    store = open_store(connect(url), settings.shop_id, subscriber(url), terms)
    stripe = Stripe(
        settings.stripe_secret_key,
        api_base=settings.stripe_api_base,
        webhook_secrets=settings.stripe_webhook_secrets,
        count=partial(_count, store, "stripe_requests"),
    )
    mailer = Mailer(settings.smtp_url, settings.mail_from, settings.instance / "mail")
    return Shop(settings=settings, store=store, stripe=stripe, mailer=mailer)


def create_app(settings: Settings | None = None) -> Flask:
    """The shop as a web application; with no settings, those of the environment.

    Raises SettingsError, one sentence, when a setting is wrong.
    """
    settings = settings or load_settings()
    counts = RedisStorage(
        "redis://",
        connection_pool=connect(_redis_url(settings)).connection_pool,
        key_prefix=Keys(settings.shop_id).name("limit"),
        wrap_exceptions=True,
    )
    shop = open_shop(settings)
    app = assemble(shop, counts)
    cli.register(app, shop)
    return app


def assemble(shop: Shop, counts: Storage | None = None) -> Flask:
    """The web application of a shop that is open already.

    ``counts`` keeps what the processes count together for the rate limits; without it each counts
    for itself.
    """
    settings = shop.settings
    app = Application(
        "storefront", static_folder=ROOT / "static", template_folder=str(ROOT / "templates")
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.configure(app, settings)
    counted = limits.Limits(counts)
    current.join(app, current.Joined(shop, counted, grid.Grid(), Streams(shop)))

    # In this order each request is looked at: language, host, how often its sender comes, token.
    language.register(app, settings)
    security.register(app, settings)
    if settings.rate_limit:
        limits.register(app, counted, settings.secret_key)
    app.before_request(make_room)
    security.csrf.init_app(app)

    formats.register(app, settings)
    pictures.register(app)
    assets.register(app)
    pages.register(app, settings)
    errors.register(app, UNREACHABLE, partial(_count, shop.store, "limited"))
    for part in (
        shelf,
        live,
        bag,
        checkout,
        orders,
        waitlist,
        codes,
        pay,
        webhooks,
        health,
        pictures,
        crawlers,
        stall,
        admin,
    ):
        app.register_blueprint(part.blueprint)
    if settings.env == "development":
        app.register_blueprint(dev.blueprint)
    return app


def _count(store: Store, *parts: str) -> None:
    """Add to one of the figures for ``/metrics``, which is not worth failing what was done."""
    with suppress(*UNREACHABLE):
        store.count(":".join(parts))


def _redis_url(settings: Settings) -> str:
    return settings.redis_url or embedded.url(settings.instance)
