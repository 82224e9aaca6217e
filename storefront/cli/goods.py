"""What is for sale, and how many of it."""

import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import with_appcontext

from storefront.cli.at_hand import the_shop
from storefront.cli.output import as_json, document, example, table
from storefront.cli.who import who
from storefront.domain.account_catalogue import LeftOut
from storefront.domain.catalogue_file import CatalogueFile, CatalogueMistakes, read_catalogue
from storefront.domain.products import Level
from storefront.services import publishing, restocking
from storefront.storage.answers import Restocked as Word


@click.command(
    "import",
    epilog=example("flask shop import demo/catalogue.toml", "flask shop import --from-stripe"),
)
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option("--from-stripe", is_flag=True, help="Read the account's products and prices instead.")
@click.option("--prune", is_flag=True, help="Take products that are not in the file off the shelf.")
@click.option("--if-empty", is_flag=True, help="Do nothing when the shop has products already.")
@as_json
@with_appcontext
def import_(
    file: Path | None, from_stripe: bool, prune: bool, if_empty: bool, as_json: bool
) -> None:
    """Create or update products from a catalogue file, or from what the account has at Stripe.

    Names, texts and prices change at once; running holds keep their prices. A SKU's stock counts
    only the first time that the shop sees the SKU: later use restock. Pictures are copied from
    the file's folder. When anything in the file is wrong, all of it is listed and nothing changes.

    Into an empty Redis, Stripe is asked whether this shop has sold before: then its books were lost,
    no stock is counted, and the shop stays closed until `flask shop rebuild --from-stripe` has run.

    With --from-stripe each active product becomes one of the shop's, with a variant for each active
    price in the shop's currency; those that this shop made keep their SKU and place. What was left out
    is listed. A new SKU starts with the units that the metadata `stocked` says, else with none.
    """
    if (file is None) is not from_stripe:
        raise click.UsageError("Name a catalogue file, or use --from-stripe.")
    left_out: tuple[LeftOut, ...] = ()
    with the_shop() as shop:
        if if_empty and restocking.levels(shop):
            document({}) if as_json else click.echo("The shop has products already.", err=True)
            return
        try:
            if file is None:
                account = publishing.from_stripe(shop)
                left_out = account.left_out
                published = publishing.publish(shop, account.file, prune, who=who())
            else:
                catalogue = _read(file, shop.settings.shop_currency)
                with _pictures(file.parent, catalogue, shop.settings.pictures):
                    published = publishing.publish(shop, catalogue, prune, who=who())
        except CatalogueMistakes as wrong:
            _list(wrong.mistakes, as_json)
            raise click.ClickException("Nothing was changed.") from None
    if as_json:
        told = asdict(published)
        if not published.rebuild:
            del told["rebuild"]
        if from_stripe:
            told["left_out"] = [asdict(one) for one in left_out]
        document(told)
        return
    click.echo(
        f"{published.created} products created, {published.updated} updated, "
        f"{published.pruned} taken off the shelf."
    )
    for sku, units in published.stocked.items():
        click.echo(f"{sku}: {units} units in stock.")
    for one in left_out:
        click.echo(f"Left out: {one.id} ({one.name}): {one.why}.")
    if published.rebuild:
        click.echo(
            "Stripe knows sessions of this shop that are not here, so its books were lost: no stock "
            "was counted, and the shop stays closed. Run `flask shop rebuild --from-stripe` next."
        )


@click.command("stock", epilog=example("flask shop stock --json"))
@as_json
@with_appcontext
def stock(as_json: bool) -> None:
    """Show how many units of each SKU are where."""
    with the_shop() as shop:
        rows = [_row(level) for level in restocking.levels(shop)]
    if as_json:
        document(rows)
    else:
        head = ("sku", "available", "held", "sold", "written_off", "stocked")
        table(head, [[row[name] for name in head] for row in rows])


@click.command(
    "restock",
    epilog=example(
        'flask shop restock poster-red 20 --reason "second print run" --key run-2',
        'flask shop restock poster-red -1 --reason "torn"',
    ),
    context_settings={"ignore_unknown_options": True},
)
@click.argument("sku")
@click.argument("delta")
@click.option("--reason", required=True, help="Why, in your words; kept in the ledger.")
@click.option("--key", default="", help="Counts once, however often it is sent.")
@as_json
@with_appcontext
def restock(sku: str, delta: str, reason: str, key: str, as_json: bool) -> None:
    """Add units of a SKU, or with a minus write units off.

    A minus takes units that are available; more than that is refused.
    """
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", delta, re.ASCII) or not (
        0 < abs(int(delta)) <= restocking.MOST
    ):
        raise click.BadParameter(
            f"a whole number such as 20 or -1, at most {restocking.MOST}", param_hint="DELTA"
        )
    if not reason.strip() or not reason.isprintable() or len(reason) > 200:
        raise click.BadParameter("one line of 1 to 200 characters", param_hint="--reason")
    if key and not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        raise click.BadParameter("1 to 200 characters without spaces", param_hint="--key")
    with the_shop() as shop:
        result = restocking.restock(
            shop,
            sku=sku,
            delta=int(delta),
            reason=reason.strip(),
            who=who(),
            key=key or secrets.token_hex(16),
        )
    if result.word is Word.UNKNOWN_SKU:
        raise click.ClickException(f"No product has the SKU {sku!r}; see `flask shop stock`.")
    available = result.level.available if result.level else 0
    if result.word is Word.NOT_ENOUGH:
        raise click.ClickException(
            f"Only {available} units of {sku} are available; nothing was changed."
        )
    if as_json:
        document({"result": result.word, "level": _row(result.level) if result.level else None})
    elif result.word is Word.ALREADY:
        click.echo(f"This key was counted before; nothing was changed. {available} available.")
    else:
        click.echo(f"{sku}: {int(delta):+d} units, {available} available.")


def _read(file: Path, currency: str) -> CatalogueFile:
    """The catalogue, with its pictures beside it. Raises CatalogueMistakes."""
    try:
        text = file.read_text(encoding="utf-8")
        names = {path.name for path in file.resolve().parent.iterdir() if path.is_file()}
    except UnicodeDecodeError as error:
        raise CatalogueMistakes([f"The file is not UTF-8: byte {error.start}."]) from None
    except OSError as error:
        raise CatalogueMistakes([f"The file cannot be read: {error.strerror}."]) from None
    return read_catalogue(text, currency, names)


@contextmanager
def _pictures(source: Path, catalogue: CatalogueFile, target: Path) -> Iterator[None]:
    """Copies the pictures, which take their names only when the block has succeeded."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".import-") as folder:
        names = {product.image for product in catalogue.products if product.image}
        for name in names:
            try:
                shutil.copyfile(source / name, Path(folder, name))
            except OSError as error:
                mistake = f"image {name!r} cannot be copied: {error.strerror}."
                raise CatalogueMistakes([mistake]) from None
        yield
        for name in names:
            Path(folder, name).replace(target / name)


def _list(mistakes: list[str], as_json: bool) -> None:
    if as_json:
        document({"mistakes": mistakes})
    for mistake in mistakes:
        click.echo(mistake, err=True)


def _row(level: Level) -> dict[str, object]:
    return {
        "sku": level.sku,
        "available": level.available,
        "held": level.held,
        "sold": level.sold,
        "written_off": level.written_off,
        "stocked": level.stocked,
    }
