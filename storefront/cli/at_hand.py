"""The shop that a command works on, with a Redis that runs for as long as the command needs it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask, current_app

from storefront.domain.errors import Refusal, StripeError
from storefront.services.shop import Shop
from storefront.storage import embedded
from storefront.storage.connection import UNREACHABLE

EXTENSION = "storefront.cli"


def keep(app: Flask, shop: Shop) -> None:
    """Lets the commands of this application reach its shop."""
    app.extensions[EXTENSION] = shop


@contextmanager
def the_shop(*, quiet: bool = True) -> Iterator[Shop]:
    """The shop, for one command, whose log lines below a warning are left out when ``quiet``.

    In development without a REDIS_URL the embedded server is started for the command, unless it
    runs already. What keeps a command from its work ends it with exit code 1 and one sentence.
    """
    shop: Shop = current_app.extensions[EXTENSION]
    if quiet:
        logging.getLogger().setLevel(logging.WARNING)
    try:
        if shop.settings.redis_url:
            yield shop
            return
        with embedded.ensure_running(shop.settings.instance) as server:
            if server.banner:
                click.echo(server.banner, err=True)
            yield shop
    except UNREACHABLE as error:
        raise click.ClickException(f"Redis cannot be reached: {error}.") from None
    except StripeError as error:
        raise click.ClickException(f"Stripe could not do it: {error}.") from None
    except Refusal as error:
        raise click.ClickException(f"{error}.") from None
    except embedded.EmbeddedFailed as error:
        raise click.ClickException(str(error)) from None
