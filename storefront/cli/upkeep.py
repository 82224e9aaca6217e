"""What keeps the shop running."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from werkzeug.security import generate_password_hash

from storefront import instance
from storefront import worker as working
from storefront.cli.at_hand import EXTENSION, the_shop
from storefront.cli.output import as_json, document, example
from storefront.services import account
from storefront.services import doctor as doctoring
from storefront.services import pictures as uploads

SHORTEST_PASSWORD = 10


@click.command("worker", epilog=example("flask shop worker --threads 4"))
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=working.THREADS,
    show_default=True,
    help="Jobs done at once.",
)
@with_appcontext
def worker(threads: int) -> None:
    """Do what is due: end sessions, give stock back, refund, send mails. Any number may run.

    It runs until SIGTERM or Ctrl-C, and then ends after the jobs in hand.
    """
    with the_shop(quiet=False) as shop:
        working.run(shop, threads)


@click.command("pictures", epilog=example("flask shop pictures --clean"))
@click.option("--clean", is_flag=True, help="Delete them.")
@as_json
@with_appcontext
def pictures(clean: bool, as_json: bool) -> None:
    """List uploaded pictures that no product, order or payment link names any more.

    Those of the last day are left alone: one may be on its way into a product.
    """
    with the_shop() as shop:
        files = list(uploads.unused(shop))
        for file in files if clean else ():
            file.unlink(missing_ok=True)
    if as_json:
        document([file.name for file in files])
        return
    for file in files:
        click.echo(f"{file.name}{': deleted' if clean else ''}")


@click.command("doctor", epilog=example("flask shop doctor"))
@as_json
@with_appcontext
def doctor(as_json: bool) -> None:
    """Look at settings, Redis, the Stripe account, clock and mail, and say how to mend each.

    Exit code 1 for what would break the shop's promise; a warning leaves it 0.
    """
    with the_shop() as shop:
        findings = doctoring.examine(shop)
    ok = all(f.level != "problem" for f in findings)
    if as_json:
        checks = [
            {"name": f.name, "level": f.level, "detail": f.detail, "mend": f.mend} for f in findings
        ]
        document({"ok": ok, "checks": checks})
    else:
        for finding in findings:
            click.echo(f"{finding.level:8} {finding.name}: {finding.detail}")
            if finding.mend:
                click.echo(f"         {finding.mend}")
    if not ok:
        click.get_current_context().exit(1)


@click.command("set-password", epilog=example("flask shop set-password"))
@click.option("--print", "show", is_flag=True, help="Print the hash instead of keeping it.")
@click.option(
    "--reset-totp",
    "reset",
    is_flag=True,
    help="Switch one-time codes off too, and end all sessions: for a lost phone.",
)
@with_appcontext
def set_password(show: bool, reset: bool) -> None:
    """Set the admin's password; only its hash is kept, in the instance folder.

    The password is asked for, or read from stdin when that is no terminal. With --print the hash
    is printed for ADMIN_PASSWORD_HASH, which goes before the kept one.
    """
    if sys.stdin.isatty():
        password = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST_PASSWORD:
        raise click.UsageError(f"A password has {SHORTEST_PASSWORD} characters or more.")
    if reset:
        with the_shop() as shop:
            account.let_in_again(shop)
        click.echo("One-time codes are switched off, and all sessions are ended.", err=True)
    if show:
        click.echo(generate_password_hash(password, method="scrypt"))
        return
    settings = current_app.extensions[EXTENSION].settings
    kept = instance.read(settings.instance, instance.ADMIN_PASSWORD_HASH)
    instance.set_password(settings.instance, password)
    click.echo("The password is set; running web processes take it when they are started again.")
    if settings.admin_password_hash != kept:
        click.echo("ADMIN_PASSWORD_HASH is set too and goes first: take it away.", err=True)
