"""What Stripe shows of the goods."""

from dataclasses import asdict

import click
from flask.cli import with_appcontext

from storefront.cli.at_hand import the_shop
from storefront.cli.output import as_json, document, example
from storefront.services import syncing


@click.command("sync", epilog=example("flask shop sync", "flask shop sync --json"))
@as_json
@with_appcontext
def sync(as_json: bool) -> None:
    """Bring the products and prices at Stripe up to date now.

    Each SKU has a product there, with its name, picture and stock, and a Price for what it costs. The
    worker keeps them up by itself; this does it at once and says what it did. Exit code 1 when
    something could not be done.
    """
    with the_shop() as shop:
        found = syncing.sync(shop)
    wrong = [one for one in found if one.problem]
    if as_json:
        document({"ok": not wrong, "skus": [asdict(one) for one in found]})
    else:
        for one in found:
            if one.done:
                click.echo(f"{one.sku}: {', '.join(one.done)}.")
        same = sum(not one.done and not one.problem for one in found)
        click.echo(f"{same} of {len(found)} SKUs were up to date.")
        for one in wrong:
            click.echo(f"{one.sku}: {one.problem}.", err=True)
    if wrong:
        raise SystemExit(1)
