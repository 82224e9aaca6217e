"""What a view needs of the application it runs in."""

from dataclasses import dataclass

from flask import Flask, current_app

from storefront.services.live import Streams
from storefront.services.shop import Shop
from storefront.settings import Settings
from storefront.web.grid import Grid
from storefront.web.limits import Limits

EXTENSION = "storefront"


@dataclass(frozen=True, slots=True)
class Joined:
    """The parts that ``create_app`` joined."""

    shop: Shop
    limits: Limits
    grid: Grid
    streams: Streams


def join(app: Flask, joined: Joined) -> None:
    """Let every view of ``app`` reach the parts."""
    app.extensions[EXTENSION] = joined


def joined() -> Joined:
    """The parts of the running application."""
    found: Joined = current_app.extensions[EXTENSION]
    return found


def shop() -> Shop:
    """The running application's shop, to hand to a service."""
    return joined().shop


def settings() -> Settings:
    """The running application's settings."""
    return shop().settings
