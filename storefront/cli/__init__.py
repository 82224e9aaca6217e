"""``flask shop …``: the operator's commands.

Exit code 0: done. 1: a check failed, or Redis or Stripe could not be reached. 2: wrong use. With
``--json`` a command prints one JSON document on stdout and nothing else there.
"""

import click
from flask import Flask
from flask.cli import AppGroup

from storefront.cli import at_hand, at_stripe, books, goods, privacy, rehearsing, selling, upkeep
from storefront.services.shop import Shop


def register(app: Flask, shop: Shop) -> None:
    """Gives ``flask`` of this application the commands of its shop."""
    at_hand.keep(app, shop)
    group = AppGroup("shop", help="The operator's commands for the shop.")
    commands: list[click.Command] = [
        goods.import_,
        goods.stock,
        goods.restock,
        selling.link,
        selling.links,
        selling.unlink,
        at_stripe.sync,
        books.orders,
        books.audit,
        privacy.forget,
        books.reconcile,
        books.rebuild,
        upkeep.worker,
        upkeep.doctor,
        upkeep.pictures,
        upkeep.set_password,
        rehearsing.rehearse,
    ]
    for command in commands:
        group.add_command(command)
    app.cli.add_command(group)
