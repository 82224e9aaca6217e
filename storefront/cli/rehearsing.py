"""A drop on trial."""

import random
import signal
import sys
import time
from typing import Any

import click
from flask.cli import with_appcontext

from storefront.cli.at_hand import the_shop
from storefront.cli.output import as_json, document, example, table
from storefront.rehearsal import drop
from storefront.rehearsal.drop import Played
from storefront.rehearsal.processes import CannotRehearse
from storefront.services.shop import Shop
from storefront.storage import embedded

BAR = 30


@click.command("rehearse", epilog=example("flask shop rehearse --shoppers 500"))
@click.option(
    "--shoppers",
    type=click.IntRange(1, drop.MOST_SHOPPERS),
    default=200,
    show_default=True,
    help="How many come.",
)
@click.option(
    "--seconds",
    type=click.IntRange(30, 3600),
    default=300,
    show_default=True,
    help="Who has not come by then stays away.",
)
@click.option("--seed", type=int, help="Deals the same wishes again.")
@click.option("--yes", is_flag=True, help="Also in production, or while somebody is buying.")
@as_json
@with_appcontext
def rehearse(shoppers: int, seconds: int, seed: int | None, yes: bool, as_json: bool) -> None:
    """Play a drop on this installation, with a Stripe stand-in and a shop id of its own.

    Its processes, mails and keys are its own and gone afterwards, no live key is used, and the real
    shop's books are only read; but Redis and the machine are shared, so not during a drop. Exit code
    1 when the books do not add up.
    """
    chosen = random.randrange(10**6) if seed is None else seed  # noqa: S311 - guards nothing
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with the_shop() as shop:
        if not yes and (why := _busy(shop)):
            raise click.ClickException(f"{why}: say --yes if it may be disturbed.")
        url = shop.settings.redis_url or embedded.url(shop.settings.instance)
        try:
            played = drop.play(
                shop.settings,
                url,
                shoppers=shoppers,
                seconds=seconds,
                seed=chosen,
                progress=_Progress(),
            )
        except CannotRehearse as error:
            raise click.ClickException(str(error)) from None
    found = summary(played, chosen)
    if as_json:
        document(found)
    else:
        _print(found)
    if not played.well:
        click.get_current_context().exit(1)


def _busy(shop: Shop) -> str:
    if shop.settings.env == "production":
        return "This is production, and a rehearsal shares its Redis and its machine"
    if number := len(shop.store.orders.holding()):
        return f"{number} shoppers hold units just now"
    return ""


def summary(played: Played, seed: int) -> dict[str, Any]:
    """All that is told of it."""
    told = played.told
    return {
        "ok": played.well,
        "seed": seed,
        "seconds": round(played.seconds, 1),
        "shoppers": told.done,
        "held": told.held,
        "refused": told.refused,
        "sold": played.sold,
        "refunded": played.refunded,
        "too_slow": told.too_slow,
        "ways": dict(told.ways),
        "orders": {state.value: number for state, number in played.orders.items()},
        "checkout_ms": percentiles(told.checkout_ms),
        "page_ms": percentiles(told.page_ms),
        "stock": [
            {
                "sku": level.sku,
                "stocked": level.stocked,
                "available": level.available,
                "held": level.held,
                "sold": level.sold,
                "written_off": level.written_off,
            }
            for level in played.levels
        ],
        "adds_up": played.adds_up,
        "at_rest": played.rested,
        "wrong": dict(told.wrong),
        "failed_checks": [check for check in played.checks if not check["ok"]],
        "checks": len(played.checks),
        "keys_deleted": played.keys,
        "keys_left": played.forgotten,
    }


def percentiles(times: list[float]) -> dict[str, int]:
    """How long half, 95 and 99 of a hundred took at most, in milliseconds."""
    ordered = sorted(times) or [0.0]
    last = len(ordered) - 1
    return {f"p{part}": round(ordered[round(last * part / 100)]) for part in (50, 95, 99)}


def _print(found: dict[str, Any]) -> None:
    click.echo(
        f"{found['shoppers']} shoppers in {found['seconds']} s (seed {found['seed']}): "
        f"{found['held']} held a unit, {found['refused']} were told that it is sold out or held, "
        f"{found['sold']} units sold, {found['refunded']} payments sent back."
    )
    for name, what in (("checkout", "From click to payment page"), ("page", "A product's page")):
        times = ", ".join(f"{part} {ms} ms" for part, ms in found[f"{name}_ms"].items())
        click.echo(f"{what}: {times}.")
    table(list(found["stock"][0]), [list(row.values()) for row in found["stock"]])
    equal = "holds" if found["adds_up"] else "does NOT hold"
    click.echo(f"stocked = available + held + sold + written off {equal}.")
    if not found["at_rest"]:
        click.echo("FAIL  Something was still held or due at the end.")
    for what, number in found["wrong"].items():
        click.echo(f"FAIL  {number} × {what}")
    for check in found["failed_checks"]:
        click.echo(f"FAIL  {check['name']}: {check['detail']}")
    if not found["failed_checks"]:
        click.echo(f"audit --stripe: all {found['checks']} checks are well.")
    left = f"; {found['keys_left']} are LEFT" if found["keys_left"] else ""
    click.echo(f"{found['keys_deleted']} keys of the rehearsal deleted{left}.")


class _Progress:
    """A bar on a terminal, else a line now and then; on stderr."""

    def __init__(self) -> None:
        self._bar = sys.stderr.isatty()
        self._said = ("", -1)
        self._next = 0.0

    def __call__(self, what: str, done: int, most: int) -> None:
        if self._bar:
            if time.monotonic() < self._next and done < most:
                return
            self._next = time.monotonic() + 0.1
            full = BAR * done // max(most, 1)
            bar = "#" * full + "." * (BAR - full)
            click.echo(f"\r[{bar}] {done} of {most} {what}   ", nl=done >= most, err=True)
            return
        tenth = (what, 10 * done // max(most, 1))
        if tenth != self._said:
            self._said = tenth
            click.echo(f"{done} of {most} {what}", err=True)
