"""What the shop knows of one customer."""

from dataclasses import asdict

import click
from flask.cli import with_appcontext

from storefront.cli.at_hand import the_shop
from storefront.cli.output import as_json, document, example
from storefront.services import forgetting


@click.command("forget", epilog=example("flask shop forget ada@example.org"))
@click.argument("email")
@click.option("--show", is_flag=True, help="Print what there is as JSON, and change nothing.")
@as_json
@with_appcontext
def forget(email: str, show: bool, as_json: bool) -> None:
    """Take a customer's mail address, name and delivery address out of the shop.

    What was sold and paid stays in the books. Exit code 1 when an order is not over yet: it keeps
    the address until then, so run it again. Stripe keeps its own: see docs/operations.md.
    """
    with the_shop() as shop:
        if show:
            document(forgetting.export(shop, forgetting.known(shop, email)))
            return
        done = forgetting.forget(shop, email)
    if as_json:
        document(asdict(done))
    else:
        click.echo(
            f"Forgotten: {done.orders} orders, {done.places} places in the waitlist, "
            f"{done.mails} mails kept as files."
        )
        for one in done.kept:
            click.echo(f"Order {one.order} keeps its address for now: {one.why}.", err=True)
    if done.kept:
        click.get_current_context().exit(1)
