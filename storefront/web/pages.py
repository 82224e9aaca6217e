"""What every page shows around its own content."""

import time
from typing import Any

from flask import Flask

from storefront.languages import plural
from storefront.services.shelf import LOW
from storefront.settings import Settings
from storefront.web import visitors


def hold_words(seconds: int) -> str:
    """How long a hold lasts, in words: 32 minutes."""
    if seconds < 120:
        return plural("%(num)s second", "%(num)s seconds", seconds)
    return plural("%(num)s minute", "%(num)s minutes", seconds // 60)


def register(app: Flask, settings: Settings) -> None:
    """Give every template the shop's name, the bag's size and the way back to a running hold."""
    app.jinja_env.globals["low"] = LOW

    @app.context_processor
    def around() -> dict[str, Any]:
        return {
            "shop_name": settings.shop_name,
            "test_payments": not settings.livemode,
            "hold_words": hold_words(settings.hold_seconds),
            "bag_count": sum(visitors.bag().values()),
            "running_hold": visitors.running_hold(),
            "hold_now": int(time.time() * 1000),
        }
