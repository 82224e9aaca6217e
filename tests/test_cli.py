"""The operator's commands: what they do, how they answer, and with which exit code."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
import redis
from click.testing import Result
from flask import Flask
from werkzeug.security import check_password_hash

from storefront import cli
from storefront.clients.mail import Mailer
from storefront.domain.errors import ShopClosed
from storefront.domain.stripe_account import Endpoint, Standing
from storefront.services import account, checkout, editing, work
from storefront.services.reconciliation import reconcile
from storefront.services.shop import Shop
from storefront.settings import load_settings
from storefront.storage import connection, embedded
from storefront.storage.store import open_store
from tests.fakes.faults import Fault
from tests.fakes.stripe import FakeStripe
from tests.harness import (
    ROOT,
    RedisServer,
    clean_environment,
    free_port,
    start_redis,
    start_worker,
)

CATALOGUE = """
[[products]]
slug = "poster"
name = "Poster"
image = "poster.svg"
[[products.variants]]
sku = "poster"
price = "25.00"
stock = 5

[[products]]
slug = "badge"
name = "Badge"
[[products.variants]]
sku = "badge"
price = "1.50"
stock = 0
"""


@pytest.fixture
def stripe() -> FakeStripe:
    return FakeStripe()


@pytest.fixture
def shop(
    redis_server: RedisServer, real_client: redis.Redis, stripe: FakeStripe, tmp_path: Path
) -> Shop:
    """An empty shop on a real Redis."""
    environ = {
        "REDIS_URL": redis_server.url,
        "STRIPE_SECRET_KEY": "sk_test_x",
        "STRIPE_WEBHOOK_SECRET": "whsec_x",
    }
    settings = load_settings(environ, tmp_path / "instance")
    mailer = Mailer("", settings.mail_from, settings.instance / "mail")
    return Shop(settings, open_store(real_client, settings.shop_id), stripe, mailer)


@pytest.fixture
def flask_shop(shop: Shop) -> Callable[..., Result]:
    """Runs ``flask shop …`` in this process."""
    app = Flask("operator")
    cli.register(app, shop)
    runner = app.test_cli_runner()

    def run(*arguments: str, stdin: str | None = None) -> Result:
        return runner.invoke(args=["shop", *arguments], input=stdin, catch_exceptions=False)

    return run


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue file with its picture beside it."""
    (tmp_path / "poster.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    file = tmp_path / "catalogue.toml"
    file.write_text(CATALOGUE)
    return file


@pytest.fixture
def open_shop(flask_shop: Callable[..., Result], catalogue: Path) -> Callable[..., Result]:
    """Runs commands for a shop with goods on the shelf."""
    assert flask_shop("import", str(catalogue)).exit_code == 0
    return flask_shop


def document(result: Result) -> Any:
    """The one JSON document on stdout."""
    return json.loads(result.stdout)


def buy(shop: Shop, quantity: int = 1, visitor: str = "visitor") -> str:
    started = checkout.begin(
        shop,
        visitor=visitor,
        address="192.0.2.1",
        form_token=f"token-of-{visitor}",
        wanted={"poster": quantity},
    )
    return started.order.id


# forget


def test_forget_names_what_is_not_over_and_forgets_once_it_is(
    open_shop: Callable[..., Result], shop: Shop, stripe: FakeStripe
):
    order = shop.store.orders.get(buy(shop))
    assert order is not None
    stripe.pay(order.session, email="ada@example.com")
    reconcile(shop)
    early = open_shop("forget", "ada@example.com", "--json")
    assert early.exit_code == 1
    assert document(early)["kept"] == [{"order": order.id, "why": "this is still due for it: mail"}]
    while work.run_due(shop, 10):
        pass
    shown = document(open_shop("forget", "ada@example.com", "--show"))
    assert [one["id"] for one in shown["orders"]] == [order.id]
    done = open_shop("forget", "ADA@example.com", "--json")
    assert done.exit_code == 0
    assert document(done) == {"orders": 1, "places": 0, "mails": 1, "kept": []}
    assert document(open_shop("forget", "ada@example.com", "--show"))["orders"] == []
    assert document(open_shop("orders", "--json"))[0]["email"] is None
    assert open_shop("audit").exit_code == 0


def test_forget_refuses_what_is_no_address(open_shop: Callable[..., Result]):
    result = open_shop("forget", "ada")
    assert result.exit_code == 1
    assert "Write it like name@example.org" in result.stderr


# import


def test_import_creates_products_with_their_stock_and_pictures(
    flask_shop: Callable[..., Result], catalogue: Path, shop: Shop
):
    result = flask_shop("import", str(catalogue), "--json")
    assert result.exit_code == 0
    assert document(result) == {
        "created": 2,
        "updated": 0,
        "pruned": 0,
        "stocked": {"poster": 5, "badge": 0},
    }
    assert (shop.settings.pictures / "poster.svg").read_text().startswith("<svg")
    assert [path.name for path in shop.settings.pictures.iterdir()] == ["poster.svg"]


def test_a_second_import_updates_and_leaves_stock_alone(
    open_shop: Callable[..., Result], catalogue: Path
):
    catalogue.write_text(CATALOGUE.replace("25.00", "30.00").replace("stock = 5", "stock = 99"))
    result = open_shop("import", str(catalogue), "--json")
    assert document(result) == {"created": 0, "updated": 2, "pruned": 0, "stocked": {}}
    levels = {row["sku"]: row["available"] for row in document(open_shop("stock", "--json"))}
    assert levels["poster"] == 5


def test_prune_takes_the_others_off_the_shelf(
    open_shop: Callable[..., Result], catalogue: Path, shop: Shop
):
    catalogue.write_text(CATALOGUE.split("\n\n", maxsplit=1)[0])
    assert document(open_shop("import", str(catalogue), "--json"))["pruned"] == 0
    assert document(open_shop("import", str(catalogue), "--prune", "--json"))["pruned"] == 1
    assert [p.slug for p in shop.store.catalogue.read().published] == ["poster"]


def test_all_mistakes_are_listed_and_nothing_is_changed(
    open_shop: Callable[..., Result], catalogue: Path, shop: Shop
):
    before = shop.store.catalogue.read()
    (catalogue.parent / "poster.svg").write_text("<svg>another</svg>")
    catalogue.write_text(CATALOGUE.replace("25.00", "free").replace("stock = 0", "stock = -1"))
    result = open_shop("import", str(catalogue), "--json")
    assert result.exit_code == 1
    first, second = document(result)["mistakes"]
    assert "SKU poster" in first
    assert "SKU badge" in second
    assert first in result.stderr
    assert "Nothing was changed" in result.stderr
    assert shop.store.catalogue.read() == before
    assert "another" not in (shop.settings.pictures / "poster.svg").read_text()


def test_a_sku_that_another_product_keeps_is_a_mistake_too(
    open_shop: Callable[..., Result], catalogue: Path, shop: Shop
):
    (catalogue.parent / "poster.svg").write_text("<svg>another</svg>")
    catalogue.write_text(
        CATALOGUE.split("\n\n", maxsplit=1)[0].replace('slug = "poster"', 'slug = "print"')
    )
    result = open_shop("import", str(catalogue))
    assert result.exit_code == 1
    assert "SKU poster" in result.stderr
    assert "another" not in (shop.settings.pictures / "poster.svg").read_text()
    assert [path.name for path in shop.settings.pictures.iterdir()] == ["poster.svg"]


def test_a_file_that_is_no_text_is_refused(flask_shop: Callable[..., Result], tmp_path: Path):
    (tmp_path / "catalogue.toml").write_bytes(b"\xff\xfe")
    result = flask_shop("import", str(tmp_path / "catalogue.toml"))
    assert result.exit_code == 1
    assert "not UTF-8" in result.stderr


def test_a_file_that_is_not_there_is_wrong_use(flask_shop: Callable[..., Result], tmp_path: Path):
    assert flask_shop("import", str(tmp_path / "absent.toml")).exit_code == 2


def test_if_empty_leaves_a_shop_with_products_alone(
    open_shop: Callable[..., Result], catalogue: Path, shop: Shop
):
    before = shop.store.catalogue.read()
    catalogue.write_text("not even read")
    result = open_shop("import", str(catalogue), "--if-empty", "--json")
    assert (result.exit_code, document(result)) == (0, {})
    assert shop.store.catalogue.read() == before


# stock, restock


def test_stock_says_where_every_unit_is(open_shop: Callable[..., Result], shop: Shop):
    buy(shop, 2)
    assert document(open_shop("stock", "--json")) == [
        {"sku": "badge", "available": 0, "held": 0, "sold": 0, "written_off": 0, "stocked": 0},
        {"sku": "poster", "available": 3, "held": 2, "sold": 0, "written_off": 0, "stocked": 5},
    ]
    lines = open_shop("stock").stdout.splitlines()
    assert lines[0].split() == ["sku", "available", "held", "sold", "written_off", "stocked"]
    assert lines[2].split() == ["poster", "3", "2", "0", "0", "5"]


def test_an_empty_shop_has_an_empty_list(flask_shop: Callable[..., Result]):
    assert document(flask_shop("stock", "--json")) == []
    assert document(flask_shop("orders", "--json")) == []


def test_a_plus_adds_units_and_a_minus_writes_off(open_shop: Callable[..., Result]):
    assert open_shop("restock", "poster", "3", "--reason", "found").exit_code == 0
    result = open_shop("restock", "poster", "-2", "--reason", "torn", "--json")
    assert result.exit_code == 0
    assert document(result) == {
        "result": "done",
        "level": {
            "sku": "poster", "available": 6, "held": 0, "sold": 0, "written_off": 2, "stocked": 8,
        },
    }  # fmt: skip


def test_a_key_counts_once(open_shop: Callable[..., Result]):
    for expected in ("done", "already"):
        result = open_shop("restock", "poster", "+3", "--reason", "x", "--key", "run-2", "--json")
        assert document(result)["result"] == expected
        assert document(result)["level"]["available"] == 8


def test_writing_off_more_than_is_available_is_refused(
    open_shop: Callable[..., Result], shop: Shop
):
    buy(shop, 2)
    result = open_shop("restock", "poster", "-4", "--reason", "torn")
    assert result.exit_code == 1
    assert "Only 3 units" in result.stderr
    levels = {row["sku"]: row for row in document(open_shop("stock", "--json"))}
    assert levels["poster"]["written_off"] == 0


def test_an_unknown_sku_is_refused(open_shop: Callable[..., Result]):
    result = open_shop("restock", "absent", "1", "--reason", "x")
    assert result.exit_code == 1
    assert "absent" in result.stderr


@pytest.mark.parametrize("delta", ["0", "1.5", "many", "", "1e3", "99999999", "-", "--1"])
def test_a_delta_that_is_no_number_of_units_is_wrong_use(
    open_shop: Callable[..., Result], delta: str
):
    assert open_shop("restock", "poster", delta, "--reason", "x").exit_code == 2


@pytest.mark.parametrize("reason", ["", "   ", "a\nb", "a" * 201])
def test_a_reason_is_one_line(open_shop: Callable[..., Result], reason: str):
    assert open_shop("restock", "poster", "1", "--reason", reason).exit_code == 2


def test_the_ledger_knows_who_restocked_and_why(open_shop: Callable[..., Result], shop: Shop):
    open_shop("restock", "poster", "1", "--reason", "found one")
    entry = shop.store.ledger.latest(1)[0]
    assert (entry.why, entry.quantity) == ("found one", 1)
    assert entry.who.startswith("command line (")


# orders


def test_orders_are_listed_oldest_first_in_the_shape_of_the_interface(
    open_shop: Callable[..., Result], shop: Shop
):
    first, second = buy(shop, 1, "anna"), buy(shop, 2, "ben")
    orders = document(open_shop("orders", "--json"))
    assert [order["id"] for order in orders] == [first, second]
    assert set(orders[0]) == {
        "id", "token", "state", "lines", "goods", "shipping", "tax", "discount", "amount",
        "currency", "delivery", "checkout_session", "through",
        "payment_intent", "email", "refunds", "created", "reason", "units", "checkout_sessions",
    }  # fmt: skip
    assert orders[1]["lines"] == [{"sku": "poster", "quantity": 2, "unit_amount": 2500}]
    assert (orders[1]["state"], orders[1]["units"], orders[1]["amount"]) == ("open", "held", 5000)


def test_orders_can_be_chosen_by_state_and_time(open_shop: Callable[..., Result], shop: Shop):
    buy(shop)
    assert len(document(open_shop("orders", "--state", "open", "--json"))) == 1
    assert document(open_shop("orders", "--state", "paid", "--json")) == []
    assert len(document(open_shop("orders", "--since", "2020-01-01", "--json"))) == 1
    assert document(open_shop("orders", "--since", "2120-01-01T00:00:00+01:00", "--json")) == []


@pytest.mark.parametrize(
    "options",
    [
        ("--state", "lost"),
        ("--since", "yesterday"),
        ("--since", "9999999-01-01"),
        ("--csv", "--json"),
    ],
)
def test_options_that_mean_nothing_are_wrong_use(
    open_shop: Callable[..., Result], options: tuple[str, ...]
):
    assert open_shop("orders", *options).exit_code == 2


def test_a_spreadsheet_gets_columns_and_no_formula(
    open_shop: Callable[..., Result], shop: Shop, stripe: FakeStripe
):
    order = buy(shop, 2)
    session = shop.store.orders.get(order).session
    stripe.pay(session, email="=1+1@example.org")
    from storefront.services import settlement

    settlement.ask(shop, shop.store.orders.get(order))
    (row,) = csv.DictReader(io.StringIO(open_shop("orders", "--csv").stdout))
    assert row["id"] == order
    assert row["lines"] == "2×poster"
    assert (row["amount"], row["currency"], row["state"]) == ("50.00", "usd", "paid")
    assert row["email"] == "'=1+1@example.org"


def test_a_spreadsheet_is_printed_while_orders_are_read(
    open_shop: Callable[..., Result], shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    """However many there are, only some of them are in memory."""
    from storefront.cli import books

    orders = [shop.store.orders.get(buy(shop)) for _ in range(1)] * 3
    read: list[int] = []

    def listing(*_: object) -> Iterator[object]:
        for number, order in enumerate(orders):
            read.append(number)
            yield order

    def first_row(_head: object, rows: Iterator[object]) -> None:
        next(rows)
        assert read == [0]

    monkeypatch.setattr(books.ordering, "listing", listing)
    monkeypatch.setattr(books, "spreadsheet", first_row)
    assert open_shop("orders", "--csv").exit_code == 0
    assert read == [0]


def test_people_get_a_table(open_shop: Callable[..., Result], shop: Shop):
    order = buy(shop)
    head, line = open_shop("orders").stdout.splitlines()
    assert head.split()[:3] == ["id", "created", "state"]
    assert line.startswith(order)


# audit


def test_an_audit_of_right_books_is_ok(open_shop: Callable[..., Result], shop: Shop):
    buy(shop)
    result = open_shop("audit", "--stripe", "--json")
    found = document(result)
    assert (result.exit_code, found["ok"]) == (0, True)
    assert all(set(check) == {"name", "ok", "detail"} for check in found["checks"])
    assert any("stripe" in check["name"] for check in found["checks"])


def test_an_audit_of_wrong_books_fails_and_says_where(
    open_shop: Callable[..., Result], shop: Shop, real_client: redis.Redis
):
    real_client.hincrby(shop.store.keys.name("stock:available"), "poster", 1)
    result = open_shop("audit", "--json")
    found = document(result)
    assert (result.exit_code, found["ok"]) == (1, False)
    assert any("poster" in check["detail"] for check in found["checks"] if not check["ok"])
    assert "FAIL" in open_shop("audit").stdout


def test_an_audit_that_cannot_ask_stripe_says_so(
    open_shop: Callable[..., Result], stripe: FakeStripe
):
    stripe.down()
    result = open_shop("audit", "--stripe")
    assert result.exit_code == 1
    assert "Stripe" in result.stderr


# doctor


def levels(result: Result) -> dict[str, str]:
    return {check["name"]: check["level"] for check in document(result)["checks"]}


def test_doctor_warns_of_what_only_slows_the_shop(open_shop: Callable[..., Result]):
    result = open_shop("doctor", "--json")
    found = levels(result)
    assert result.exit_code == 0
    assert (found["redis"], found["stripe"], found["clock"]) == ("ok", "ok", "ok")
    assert (found["webhook"], found["address"]) == ("warning", "warning")
    assert found["mail"] == "ok"
    assert all(c["mend"] for c in document(result)["checks"] if c["name"] in {"webhook", "address"})


def test_doctor_is_content_with_a_webhook_of_ours(
    open_shop: Callable[..., Result], stripe: FakeStripe, shop: Shop
):
    own = f"{shop.settings.public_url}/webhooks/stripe"
    stripe.endpoints = [Endpoint(own, "enabled", frozenset({"*"}))]
    found = levels(open_shop("doctor", "--json"))
    names = ("webhook", "payments", "capture", "page", "delivery")
    assert [found[name] for name in names] == ["ok"] * 5


def test_doctor_fails_when_the_account_cannot_take_payments(
    open_shop: Callable[..., Result], stripe: FakeStripe
):
    stripe.stands = Standing(charges=False, cards="inactive")
    result = open_shop("doctor")
    assert result.exit_code == 1
    assert "problem  payments: The Stripe account may not take payments yet." in result.stdout


def test_doctor_fails_when_the_key_is_refused(open_shop: Callable[..., Result], stripe: FakeStripe):
    stripe.fault("mode", Fault.REFUSED)
    result = open_shop("doctor")
    assert result.exit_code == 1
    assert "problem  stripe: STRIPE_SECRET_KEY was refused" in result.stdout


def test_doctor_fails_when_redis_may_forget(
    open_shop: Callable[..., Result], real_client: redis.Redis
):
    real_client.config_set("appendonly", "no")
    try:
        result = open_shop("doctor")
    finally:
        real_client.config_set("appendonly", "yes")
    assert result.exit_code == 1
    assert "CONFIG SET appendonly yes" in result.stdout


def test_doctor_tells_of_clocks_that_differ(open_shop: Callable[..., Result], stripe: FakeStripe):
    now = stripe.now
    stripe.now = lambda: now() + 100_000
    assert levels(open_shop("doctor", "--json"))["clock"] == "warning"


def test_doctor_tells_that_the_shop_is_closed_and_how_it_opens(
    flask_shop: Callable[..., Result],
    catalogue: Path,
    shop: Shop,
    real_client: redis.Redis,
):
    assert levels(flask_shop("doctor", "--json"))["books"] == "warning"
    flask_shop("import", str(catalogue))
    assert levels(flask_shop("doctor", "--json"))["books"] == "ok"
    real_client.hset(shop.store.keys.door(), "run", "another")
    assert "`flask shop reconcile`" in flask_shop("doctor").stdout


def test_doctor_tells_what_stripe_does_not_take(open_shop: Callable[..., Result], shop: Shop):
    assert levels(open_shop("doctor", "--json"))["mirror"] == "ok"
    shop.store.due.schedule("mirror:record", 1)
    shop.store._client.hset(shop.store.keys.name("tries"), "mirror:record", 12)
    result = open_shop("doctor")
    assert (
        "mirror: Stripe did not take what came in and was written off of record." in result.stdout
    )
    assert result.exit_code == 0


# set-password


def test_a_password_from_stdin_is_kept_as_its_hash_only(
    flask_shop: Callable[..., Result], shop: Shop
):
    result = flask_shop("set-password", stdin="open sesame 1\n")
    assert result.exit_code == 0
    assert "sesame" not in result.output
    kept = load_settings({}, shop.settings.instance).admin_password_hash
    assert check_password_hash(kept, "open sesame 1")


def test_print_shows_the_hash_and_keeps_nothing(flask_shop: Callable[..., Result], shop: Shop):
    result = flask_shop("set-password", "--print", stdin="open sesame 1\n")
    assert check_password_hash(result.stdout.strip(), "open sesame 1")
    assert load_settings({}, shop.settings.instance).admin_password_hash == ""


def test_a_short_password_is_wrong_use(flask_shop: Callable[..., Result]):
    assert flask_shop("set-password", stdin="short\n").exit_code == 2


def test_who_lost_phone_and_recovery_codes_gets_in_with_a_new_password(
    flask_shop: Callable[..., Result], shop: Shop
):
    secret = account.begin_codes(shop)
    account.confirm_codes(shop, pyotp.TOTP(secret).at(shop.store.now() // 1000))
    before = account.generation(shop)
    flask_shop("set-password", stdin="open sesame 1\n")
    assert account.asks_for_codes(shop)
    result = flask_shop("set-password", "--reset-totp", stdin="open sesame 1\n")
    assert result.exit_code == 0
    assert not account.asks_for_codes(shop)
    assert account.recovery_left(shop) == 0
    assert account.generation(shop) != before


def test_a_short_password_resets_nothing(flask_shop: Callable[..., Result], shop: Shop):
    before = account.begin(shop)
    assert flask_shop("set-password", "--reset-totp", stdin="short\n").exit_code == 2
    assert account.generation(shop) == before


# As processes of their own


def process(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """``flask shop …`` as an operator runs it: FLASK_APP is found by itself."""
    return subprocess.run(
        [sys.executable, "-m", "flask", "shop", *arguments],
        env={**clean_environment(folder), **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_embedded_server_runs_for_a_command_and_keeps_what_it_did(
    tmp_path: Path, catalogue: Path
):
    assert process(tmp_path, "import", str(catalogue)).returncode == 0
    assert process(tmp_path, "restock", "poster", "-1", "--reason", "torn").returncode == 0
    done = process(tmp_path, "stock", "--json")
    assert [row["available"] for row in json.loads(done.stdout)] == [0, 4]
    with pytest.raises(connection.UNREACHABLE), connection.connect(embedded.url(tmp_path)) as gone:
        gone.ping()


def test_a_command_leaves_a_running_embedded_server_alone(tmp_path: Path):
    with embedded.ensure_running(tmp_path) as server:
        assert process(tmp_path, "stock").returncode == 0
        with connection.connect(server.url) as client:
            assert client.ping()


@pytest.mark.parametrize(
    "command", [("stock", "--json"), ("orders", "--json"), ("audit", "--json")]
)
def test_without_redis_a_command_ends_with_one_sentence(command: tuple[str, ...], tmp_path: Path):
    done = process(tmp_path, *command, REDIS_URL=f"redis://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert "Redis cannot be reached" in sentence


def test_without_redis_doctor_still_looks_at_the_rest(tmp_path: Path):
    done = process(tmp_path, "doctor", "--json", REDIS_URL=f"redis://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    found = {check["name"]: check["level"] for check in json.loads(done.stdout)["checks"]}
    assert found["redis"] == "problem"
    assert {"stripe", "mail", "webhook"} <= set(found)


def test_a_wrong_setting_ends_a_command_with_its_sentence(tmp_path: Path):
    done = process(tmp_path, "stock", HOLD_SECONDS="soon")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "HOLD_SECONDS" in sentence


def test_an_unknown_command_or_option_is_wrong_use(tmp_path: Path):
    assert process(tmp_path, "sell").returncode == 2
    assert process(tmp_path, "stock", "--yaml").returncode == 2
    assert (
        process(tmp_path, "restock", "poster", "1", "--reason", "x", "--kee", "y").returncode == 2
    )


def test_help_starts_no_server(tmp_path: Path):
    done = process(tmp_path, "worker", "--help")
    assert (done.returncode, "flask shop worker --threads 4" in done.stdout) == (0, True)
    assert not (tmp_path / "redis").exists()


def test_a_worker_ends_cleanly_on_sigterm_and_outlives_a_redis_that_restarts():
    with start_redis() as server:
        environ = {
            "REDIS_URL": server.url,
            "STRIPE_SECRET_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            "STRIPE_API_BASE": f"http://127.0.0.1:{free_port()}",
        }
        with start_worker(environ) as worker:
            server.kill()
            worker.wait_for(lambda: "Redis is away" in worker.log, "it has noticed")
            server.start()
            worker.wait_for(lambda: "Redis is back" in worker.log, "it goes on")
            assert worker.stop() == 0
            assert "worker stopped" in worker.log
            assert "Traceback" not in worker.log


# rebuild


@pytest.fixture
def emptied(
    open_shop: Callable[..., Result],
    shop: Shop,
    stripe: FakeStripe,
    real_client: redis.Redis,
) -> Callable[..., Result]:
    """Commands for a shop that sold two posters, and whose Redis is empty now."""
    order = shop.store.orders.get(buy(shop, 2))
    assert order is not None
    stripe.pay(order.session)
    reconcile(shop)
    work.run_due(shop, 10)
    real_client.flushall()
    return open_shop


def test_an_import_into_an_emptied_redis_says_what_to_do_next(
    emptied: Callable[..., Result], catalogue: Path, shop: Shop
):
    result = emptied("import", str(catalogue))
    assert result.exit_code == 0
    assert "Run `flask shop rebuild --from-stripe` next." in result.stdout
    assert "units in stock" not in result.stdout
    assert document(emptied("import", str(catalogue), "--json"))["rebuild"] is True
    assert {level.stocked for level in shop.store.stock.levels()} == {0}


def test_an_import_that_cannot_ask_stripe_fails_and_changes_nothing(
    emptied: Callable[..., Result], catalogue: Path, stripe: FakeStripe, real_client: redis.Redis
):
    stripe.down()
    result = emptied("import", str(catalogue))
    assert result.exit_code == 1
    assert "Stripe could not do it" in result.stderr
    assert real_client.keys() == []


def test_rebuild_brings_everything_back_once(
    emptied: Callable[..., Result], catalogue: Path, shop: Shop
):
    emptied("import", str(catalogue))
    result = emptied("rebuild", "--from-stripe")
    assert result.exit_code == 0
    assert "1 orders are back, and the shop is open." in result.stdout
    assert "Stripe knows of no sale at the counter" in result.stderr
    assert document(emptied("stock", "--json"))[1]["sold"] == 2
    again = emptied("rebuild", "--from-stripe")
    assert (again.exit_code, again.stderr) == (0, "")
    assert "nothing was changed" in again.stdout
    assert document(emptied("rebuild", "--from-stripe", "--json")) == {"rebuilt": False}


def test_rebuild_names_what_it_had_to_believe(
    emptied: Callable[..., Result], catalogue: Path, stripe: FakeStripe
):
    emptied("import", str(catalogue))
    stripe.catalogue["popup_poster"]["metadata"]["stocked"] = "1"
    del stripe.catalogue["popup_badge"]
    result = emptied("rebuild", "--from-stripe")
    assert "poster: 1 more were sold than came in" in result.stderr
    assert "badge: Stripe did not know how many came in" in result.stderr


def test_rebuild_without_an_import_says_to_import_first(emptied: Callable[..., Result]):
    result = emptied("rebuild", "--from-stripe")
    assert result.exit_code == 1
    assert "run `flask shop import`" in result.stderr


def test_rebuild_must_be_told_where_from(flask_shop: Callable[..., Result]):
    assert flask_shop("rebuild").exit_code == 2


def test_restock_into_lost_books_is_refused(emptied: Callable[..., Result], catalogue: Path):
    emptied("import", str(catalogue))
    result = emptied("restock", "poster", "5", "--reason", "more")
    assert result.exit_code == 1
    assert "rebuild --from-stripe" in result.stderr


def test_reconcile_opens_a_shop_after_a_restart(
    open_shop: Callable[..., Result], shop: Shop, real_client: redis.Redis
):
    real_client.hset(shop.store.keys.door(), "run", "another")
    with pytest.raises(ShopClosed):
        buy(shop)
    assert open_shop("reconcile").exit_code == 0
    assert buy(shop)


def test_link_sets_units_aside_and_unlink_returns_what_is_left(
    open_shop: Callable[..., Result], stripe: FakeStripe, shop: Shop
) -> None:
    made = document(open_shop("link", "poster", "--units", "3", "--json"))
    [at_stripe] = stripe.links.values()
    wanted = {"sku": "poster", "units": 3, "left": 3, "active": True, "url": at_stripe["url"]}
    assert wanted.items() <= made.items()
    [level] = [row for row in document(open_shop("stock", "--json")) if row["sku"] == "poster"]
    assert (level["available"], level["held"]) == (2, 3)
    stripe.pay(stripe.visit(at_stripe["id"]))
    assert f"https://buy.stripe.com/{at_stripe['id']}" in open_shop("links").stdout
    ended = document(open_shop("unlink", made["id"], "--json"))
    assert {"left": 0, "active": False, "sold": 1, "returned": 2}.items() <= ended.items()
    assert document(open_shop("links", "--json")) == [ended]
    [level] = [row for row in document(open_shop("stock", "--json")) if row["sku"] == "poster"]
    assert (level["available"], level["held"], level["sold"]) == (4, 0, 1)
    assert open_shop("unlink", made["id"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("link", "none", "--units", "1"), 1, "No product on the shelf"),
        (("link", "poster", "--units", "6"), 1, "Only 5 units of poster are available"),
        (("link", "poster", "--units", "0"), 2, "Invalid value"),
        (("link", "poster"), 2, "Missing option"),
        (("unlink", "none"), 1, "There is no link 'none'"),
    ],
)
def test_what_is_no_link_is_refused_and_changes_nothing(
    open_shop: Callable[..., Result],
    stripe: FakeStripe,
    arguments: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    before = open_shop("stock").stdout
    result = open_shop(*arguments)
    assert (result.exit_code, says in result.stderr) == (code, True)
    assert (stripe.links, open_shop("stock").stdout) == ({}, before)


def test_a_link_that_stripe_does_not_confirm_is_left_to_the_worker(
    open_shop: Callable[..., Result], stripe: FakeStripe, shop: Shop
) -> None:
    stripe.fault("create_payment_link", Fault.LOST_REPLY)
    result = open_shop("link", "poster", "--units", "2", "--key", "stall")
    assert result.exit_code == 1
    assert "The units are set aside, and a worker makes the link" in result.stderr
    assert document(open_shop("links", "--json"))[0]["url"] is None
    made = document(open_shop("link", "poster", "--units", "2", "--key", "stall", "--json"))
    assert (made["active"], len(stripe.links)) == (True, 1)
    stripe.fault("deactivate_payment_link", Fault.LOST_REQUEST)
    result = open_shop("unlink", made["id"])
    assert (result.exit_code, "The units stay set aside" in result.stderr) == (1, True)


def test_sync_brings_stripe_up_to_date_and_says_what_it_could_not_do(
    flask_shop: Callable[..., Result], stripe: FakeStripe, catalogue: Path
) -> None:
    flask_shop("import", str(catalogue))
    first = flask_shop("sync")
    assert first.exit_code == 0
    assert "poster: product created, price created." in first.stdout
    again = flask_shop("sync", "--json")
    assert json.loads(again.stdout)["ok"]
    assert all(one["done"] == [] for one in json.loads(again.stdout)["skus"])
    stripe.catalogue["popup_poster"]["metadata"]["shop"] = "another"
    failed = flask_shop("sync", "--json")
    assert (failed.exit_code, json.loads(failed.stdout)["ok"]) == (1, False)
    assert "not this shop's" in flask_shop("sync").stderr
    stripe.down()
    assert flask_shop("sync").exit_code == 1


def test_import_from_stripe_fills_an_empty_shop_from_the_account(
    flask_shop: Callable[..., Result], stripe: FakeStripe, shop: Shop
) -> None:
    stripe.create_product("prod_1", {"name": "Tee", "metadata": {"stocked": "4"}}, key="k")
    params = {"product": "prod_1", "unit_amount": 1200, "currency": "usd", "metadata": {}}
    sku = stripe.make_price(params)["id"]
    euro = stripe.make_price({**params, "currency": "eur"})["id"]
    done = flask_shop("import", "--from-stripe", "--json")
    assert json.loads(done.stdout) == {
        "created": 1,
        "updated": 0,
        "pruned": 0,
        "stocked": {sku: 4},
        "left_out": [{"id": euro, "name": "Tee", "why": "it is in EUR, and the shop sells in USD"}],
    }
    assert f"Left out: {euro} (Tee): it is in EUR" in flask_shop("import", "--from-stripe").stdout
    assert [product.slug for product in shop.store.catalogue.read().published] == ["tee"]


def test_import_from_stripe_changes_nothing_when_something_is_wrong(
    flask_shop: Callable[..., Result], stripe: FakeStripe, shop: Shop
) -> None:
    nothing = flask_shop("import", "--from-stripe", "--json")
    assert nothing.exit_code == 1
    assert "nothing that this shop can sell" in json.loads(nothing.stdout)["mistakes"][0]
    stripe.down()
    assert flask_shop("import", "--from-stripe").exit_code == 1
    assert shop.store.catalogue.read().products == ()


@pytest.mark.parametrize("arguments", [(), ("FILE", "--from-stripe")])
def test_import_takes_a_file_or_the_account(
    flask_shop: Callable[..., Result], catalogue: Path, arguments: tuple[str, ...]
) -> None:
    given = [str(catalogue) if one == "FILE" else one for one in arguments]
    assert flask_shop("import", *given).exit_code == 2


# pictures


def test_pictures_lists_and_deletes_what_nothing_names(
    open_shop: Callable[..., Result], shop: Shop
) -> None:
    names = [f"{mark * 16}-500x300.webp" for mark in "ab"]
    for name in (*names, f"{names[0].removesuffix('.webp')}-400.webp"):
        path = shop.settings.pictures / name
        path.write_bytes(b"picture")
        os.utime(path, (0, 0))
    editing.picture(shop, "poster", "poster.svg", names[1], "tests")
    unused = ["aaaaaaaaaaaaaaaa-500x300-400.webp", names[0]]
    assert document(open_shop("pictures", "--json")) == unused
    assert len(list(shop.settings.pictures.iterdir())) == 4
    assert open_shop("pictures", "--clean").exit_code == 0
    kept = sorted(path.name for path in shop.settings.pictures.iterdir())
    assert kept == [names[1], "poster.svg"]
