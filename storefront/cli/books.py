"""What was bought, and whether the books are right."""

from dataclasses import asdict
from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from storefront.cli.at_hand import the_shop
from storefront.cli.output import as_json, document, example, spreadsheet, table
from storefront.domain.money import to_decimal
from storefront.domain.orders import Order, State
from storefront.services import audit as auditing
from storefront.services import orders as ordering
from storefront.services import rebuilding, reconciliation, recovery


class Time(click.ParamType[int]):
    """A moment in ISO 8601; without a zone it is UTC. Gives milliseconds."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970."""
        try:
            moment = datetime.fromisoformat(value)
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return int(zoned.timestamp() * 1000)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time like 2026-12-01 or 2026-12-01T10:00:00Z", param, ctx)


@click.command(
    "orders", epilog=example("flask shop orders --state paid --since 2026-12-01 --csv > orders.csv")
)
@click.option("--state", type=click.Choice([s.value for s in State]), help="Only in this state.")
@click.option("--since", type=Time(), metavar="TIME", help="Only made since then (ISO 8601, UTC).")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for a spreadsheet.")
@as_json
@with_appcontext
def orders(state: str | None, since: int | None, as_csv: bool, as_json: bool) -> None:
    """List orders, the oldest first."""
    if as_csv and as_json:
        raise click.UsageError("Choose one of --csv and --json.")
    with the_shop() as shop:
        found = ordering.listing(shop, State(state) if state else None, since)
        if as_json:
            document([ordering.as_json(shop, order) for order in found])
        elif as_csv:
            spreadsheet(HEAD, map(_row, found))  # one by one: there may be very many
        else:
            table(HEAD[:8], [_row(order)[:8] for order in found])


HEAD = (
    "id",
    "created",
    "state",
    "reason",
    "lines",
    "amount",
    "currency",
    "refunded",
    "email",
    "payment_intent",
    "goods",
    "shipping",
    "tax",
    "discount",
    "delivery",
    "through",
)


def _row(order: Order) -> tuple[str, ...]:
    """An order under the head."""
    return (
        order.id,
        datetime.fromtimestamp(order.created / 1000, UTC).isoformat(timespec="seconds"),
        order.state.value,
        order.reason,
        " ".join(f"{line.quantity}×{line.sku}" for line in order.lines),
        str(to_decimal(order.amount, order.currency)),
        order.currency,
        str(to_decimal(order.refunded, order.currency)) if order.refunded else "",
        order.email,
        "" if order.at_counter else order.payment_intent,
        *(
            str(to_decimal(part, order.currency))
            for part in (order.goods, order.shipping, order.tax, order.discount)
        ),
        ", ".join((*to.lines, to.country)) if (to := order.recipient) else order.way,
        str(order.form) if order.at_counter else "stripe",
    )


@click.command("audit", epilog=example("flask shop audit --stripe"))
@click.option("--stripe", "with_stripe", is_flag=True, help="Compare every order with Stripe too.")
@as_json
@with_appcontext
def audit(with_stripe: bool, as_json: bool) -> None:
    """Check that no unit was sold twice and no money kept without goods.

    It reads one consistent snapshot, so it is right at any moment of a busy shop. Exit code 1 when
    a check fails.
    """
    with the_shop() as shop:
        checks = auditing.audit(shop, with_stripe)
    ok = all(check.ok for check in checks)
    if as_json:
        found = [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in checks]
        document({"ok": ok, "checks": found})
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.detail}")
    if not ok:
        click.get_current_context().exit(1)


@click.command("reconcile", epilog=example("flask shop reconcile --since 2026-12-01"))
@click.option(
    "--since", type=Time(), metavar="TIME", help="Since then; without it, the last three days."
)
@as_json
@with_appcontext
def reconcile(since: int | None, as_json: bool) -> None:
    """Walk Stripe's sessions and refunds, and settle whatever was missed.

    The worker does so by itself every RECONCILE_SECONDS. Safe to repeat. Orders that are missing
    here are restored. After Redis was restarted it opens the shop, as a worker does.
    """
    with the_shop() as shop:
        try:
            done = recovery.recover(
                shop, since // 1000 if since is not None else reconciliation.usual(shop)
            )
        except recovery.BooksBroken as broken:
            raise click.ClickException(f"The shop stays closed: {broken}.") from None
    if as_json:
        document(asdict(done))
        return
    click.echo(
        f"{done.sessions} sessions looked at: {done.settled} orders settled, {done.ended} sessions "
        f"ended, {done.restored} lost orders restored, {done.refunds} refunds noted, "
        f"{done.unknown} of unknown orders."
    )


@click.command("rebuild", epilog=example("flask shop rebuild --from-stripe"))
@click.option("--from-stripe", is_flag=True, help="Where the books come from; must be given.")
@as_json
@with_appcontext
def rebuild(from_stripe: bool, as_json: bool) -> None:
    """Bring back the books of a shop whose Redis was lost, and open it.

    Import the catalogue first. Orders, sold units, refunds, and what came in and was written off come
    from Stripe; links to orders stay valid. Safe to repeat: a shop that is whole stays as it is.
    """
    if not from_stripe:
        raise click.UsageError("Say where from: `flask shop rebuild --from-stripe`.")
    with the_shop() as shop:
        try:
            done = rebuilding.rebuild(shop, _Progress())
        except recovery.BooksBroken as broken:
            raise click.ClickException(f"The shop stays closed: {broken}.") from None
    if as_json:
        document({"rebuilt": done is not None} | (asdict(done) if done else {}))
        return
    if done is None:
        click.echo("The books are here: nothing was rebuilt, nothing was changed.")
        return
    click.echo(f"{done.orders} orders are back, and the shop is open.")
    click.echo(
        "Stripe knows of no sale at the counter: were there any, count what is there.", err=True
    )
    for sku, units in done.stocked.items():
        click.echo(f"{sku}: {units} units ever came in.")
    for sku in done.from_file:
        click.echo(
            f"{sku}: Stripe did not know how many came in, so the file was believed.", err=True
        )
    for sku, units in done.raised.items():
        click.echo(f"{sku}: {units} more were sold than came in; count what is there.", err=True)
    if done.unknown:
        click.echo(
            f"{done.unknown} sessions do not say what was bought: the log names them.", err=True
        )


class _Progress:
    """Shows on stderr that work goes on, now and then."""

    def __init__(self) -> None:
        self._steps = 0

    def __call__(self) -> None:
        self._steps += 1
        if self._steps % 500 == 0:
            click.echo(f"{self._steps} steps done", err=True)
