"""Payment links: units set aside, and an address that sells them."""

import secrets

import click
from flask.cli import with_appcontext

from storefront.cli.at_hand import the_shop
from storefront.cli.output import as_json, document, example, table
from storefront.cli.who import who
from storefront.domain.errors import NotEnoughStock, StripeError, StripeRefused, UnknownSku
from storefront.services import payment_links


@click.command("link", epilog=example("flask shop link poster-red --units 20"))
@click.argument("sku")
@click.option(
    "--units",
    required=True,
    type=click.IntRange(1, payment_links.MOST),
    help="So many are set aside, and so many sell at most.",
)
@click.option("--key", default="", help="Makes one link, however often it is sent.")
@as_json
@with_appcontext
def link(sku: str, units: int, key: str, as_json: bool) -> None:
    """Make a payment link that sells units of a SKU, one to each payment.

    The units are no longer available to the shop's own shelf; `flask shop unlink` returns what is
    left of them. The link's price stays the one of today.
    """
    with the_shop() as shop:
        try:
            made = payment_links.create(
                shop, sku=sku, units=units, key=key or secrets.token_hex(16), who=who()
            )
        except UnknownSku:
            raise click.ClickException(
                f"No product on the shelf has the SKU {sku!r}; see `flask shop stock`."
            ) from None
        except NotEnoughStock as short:
            available = short.shortages[0].available
            raise click.ClickException(
                f"Only {available} units of {sku} are available; nothing was changed."
            ) from None
        except StripeRefused:
            raise
        except StripeError as error:
            raise click.ClickException(
                f"Stripe did not answer: {error}. The units are set aside, and a worker makes the "
                "link as soon as Stripe answers; see `flask shop links`."
            ) from None
    if as_json:
        document(payment_links.as_json(made))
    elif made.active:
        click.echo(f"{made.url} sells {made.units} of {made.sku} (link {made.id}).")
    else:
        click.echo(f"Link {made.id} is {made.state}.")


@click.command("links", epilog=example("flask shop links --json"))
@as_json
@with_appcontext
def links(as_json: bool) -> None:
    """Show every payment link, the newest first."""
    with the_shop() as shop:
        rows = [payment_links.as_json(link) for link in payment_links.listing(shop)]
    if as_json:
        document(rows)
    else:
        head = ("id", "sku", "units", "sold", "left", "state", "url")
        table(head, [["" if row[name] is None else row[name] for name in head] for row in rows])


@click.command("unlink", epilog=example("flask shop unlink k3v5l7xq2mnpabcd"))
@click.argument("link_id", metavar="ID")
@as_json
@with_appcontext
def unlink(link_id: str, as_json: bool) -> None:
    """End a payment link, and return what is left of its units to the shelf.

    Stripe switches it off and ends its open payment pages first; who was quicker gets the goods.
    """
    with the_shop() as shop:
        try:
            ended = payment_links.close(shop, link_id, who())
        except StripeError as error:
            raise click.ClickException(
                f"Stripe has not confirmed it yet: {error}. The units stay set aside, and a worker "
                "ends the link as soon as Stripe answers."
            ) from None
    if ended is None:
        raise click.ClickException(f"There is no link {link_id!r}; see `flask shop links`.")
    if as_json:
        document(payment_links.as_json(ended))
    else:
        click.echo(
            f"Link {ended.id} is closed: {ended.sold} of {ended.units} sold, {ended.returned} "
            f"of {ended.sku} are available again."
        )
