"""``make many-orders``: what the operator's pages cost with 500 orders and with 50,000, side by side.

Two shops, each on a Redis of its own, filled by the shop's own scripts. Their pages are asked for in
turns, so what else the machine does touches both alike. The figures are medians of the CPU that the web
process and Redis use, which hardly depends on what else runs, and of the time that passes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, astuple, dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median

from werkzeug.security import generate_password_hash

from benchmarks import filling
from benchmarks.filling import CannotFill
from benchmarks.load import WrongAnswer
from storefront.app import assemble
from storefront.clients.mail import Mailer
from storefront.domain.balance import Entry, Kind
from storefront.services.shop import Shop
from storefront.settings import load_settings
from tests.fakes.stripe import FEE, FakeStripe
from tests.harness import ROOT, RedisServer, clean_environment, start_redis
from tests.web.browsing import Browser

FEW = 500
ROUNDS = 9
PASSWORD = "many orders"
SLOW_MS = 1000
"""A page may use so much CPU with all orders."""
HEAD = (
    f"{'':39}{'CPU, ms':>16}{'':10}{'time, ms':>16}{'read of Redis, kB':>20}\n"
    f"{'page':39}{{few:>8}}{{many:>8}}{'ratio':>8}  {{few:>8}}{{many:>8}}{{few:>12}}{{many:>8}}"
)


class Bank(FakeStripe):
    """A Stripe that booked every payment today, and answers at once."""

    def __init__(self, orders: int) -> None:
        super().__init__()
        self.orders = orders
        self.booked = int(time.time())

    def entries_between(
        self, earliest: int, latest: int, *, after: str, most: int
    ) -> Iterator[Entry]:
        if earliest <= self.booked <= latest:
            first = int(after.rpartition("_")[2]) - 1 if after else self.orders - 1
            yield from islice(self._listed(first, after), most)

    def _listed(self, first: int, after: str) -> Iterator[Entry]:
        """Refund before charge, as the newest come first."""
        if after.startswith("txn_re_"):
            yield self._charge(first + 1)
        for number in range(first, -1, -1):
            if number % 20 == 7:
                payment, paid = filling.payment_id(number), filling.amount(number)
                yield self._entry(f"re_{number:024d}", Kind.REFUNDED, payment, -paid, 0)
            yield self._charge(number)

    def _charge(self, number: int) -> Entry:
        payment, paid = filling.payment_id(number), filling.amount(number)
        return self._entry(f"ch_{number:024d}", Kind.SOLD, payment, paid, FEE)

    def _entry(self, source: str, kind: Kind, payment: str, paid: int, fee: int) -> Entry:
        return Entry(
            id=f"txn_{source}",
            kind=kind,
            at=self.booked,
            amount=paid,
            fee=fee,
            currency="usd",
            source=source,
            payment_intent=payment,
            shop=filling.SHOP_ID,
            charged=abs(paid),
            charged_in="usd",
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a page cost."""

    cpu: float
    """Milliseconds, of the web process and Redis."""
    passed: float
    """Milliseconds."""
    read: float
    """Kilobytes that Redis sent."""

    def since(self, before: "Look") -> "Look":
        """What came to it."""
        return Look(self.cpu - before.cpu, self.passed - before.passed, self.read - before.read)


@dataclass
class Town:
    """One shop, full of orders, and the operator's browser."""

    orders: int
    redis: RedisServer
    browser: Browser
    env: dict[str, str]
    looks: dict[str, list["Look"]] = field(default_factory=dict)
    """By what was asked for."""

    def used(self) -> "Look":
        """All that was used until now, the questions asked here included."""
        with self.redis.client() as client:
            cpu, stats = client.info("cpu"), client.info("stats")
        redis_cpu = cpu["used_cpu_user"] + cpu["used_cpu_sys"]
        return Look(
            cpu=1000 * (time.process_time() + redis_cpu),
            passed=1000 * time.perf_counter(),
            read=stats["total_net_output_bytes"] / 1000,
        )

    def figure(self, name: str) -> "Look":
        """The medians."""
        looks = self.looks[name]
        return Look(*(median(column) for column in zip(*map(astuple, looks), strict=True)))


@dataclass(frozen=True)
class Question:
    """A page, and a word that must stand in it."""

    name: str
    path: str
    word: str


def questions(orders: int) -> list[Question]:
    """The operator's pages; what is looked for is of the first order, which is the furthest away."""
    first, last = filling.order_id(0), filling.order_id(orders - 1)
    return [
        Question("Now", "/admin/", "Units sold today"),
        Question("Orders, the newest", "/admin/orders", last),
        Question("Orders by id", f"/admin/orders?text={first}", first),
        Question("Orders by payment", f"/admin/orders?text={filling.payment_id(0)}", first),
        Question("Orders by mail address", f"/admin/orders?text={filling.email(0)}", first),
        Question("Orders by a name that many have", "/admin/orders?text=ada", last),
        Question(
            "Orders by a name that one has", "/admin/orders?text=firstcomer", "looked through"
        ),
        Question(
            "Orders by a SKU that many have", f"/admin/orders?sku={filling.SKUS[0]}", "print-"
        ),
        Question("Orders by a SKU that one has", f"/admin/orders?sku={filling.RARE}", "looked"),
        Question("Orders in a state", "/admin/orders?state=refunded", "refunded"),
        Question("One order and its story", f"/admin/orders/{first}", "What happened"),
        Question("Ledger", "/admin/ledger", "hold"),
        Question("Integrity, and money against goods", "/admin/integrity", "Every check holds"),
        Question("Money of the day", "/admin/money?anew=1", "Stripe says"),
    ]


def main() -> int:
    """Measures both shops and prints them side by side; 1 when a page is slow or wrong."""
    parser = argparse.ArgumentParser(prog="make many-orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=50_000, help="of the full shop (50000)")
    parser.add_argument("--few", type=int, default=FEW, help=f"of the other ({FEW})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"looks at each page ({ROUNDS})")
    parser.add_argument("--json", type=Path, help="a file to write all figures to")
    options = parser.parse_args()
    try:
        with new_town(options.few) as few, new_town(options.orders) as many:
            for number in range(options.rounds):
                for town in (few, many) if number % 2 else (many, few):
                    look_at_everything(town)
            say(few, many)
            exports = {str(town.orders): export(town) for town in (few, many)}
    except (CannotFill, WrongAnswer) as failure:
        print(failure, file=sys.stderr)
        return 1
    say_exports(exports)
    slow = [name for name in many.looks if many.figure(name).cpu > SLOW_MS]
    print(
        f"\nMore than {SLOW_MS} ms of CPU with {many.orders} orders: {', '.join(slow) or 'none'}."
    )
    if options.json:
        pages = {
            str(town.orders): {name: asdict(town.figure(name)) for name in town.looks}
            for town in (few, many)
        }
        found = {"pages": pages, "exports": exports, "slow": slow}
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return 1 if slow else 0


@contextmanager
def new_town(orders: int) -> Iterator[Town]:
    """A shop with so many settled orders."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="many-orders-")))
        redis = stack.enter_context(start_redis(appendfsync="everysec"))
        filling.fill(redis.url, orders)
        env = {
            **clean_environment(folder),
            "SHOP_ID": filling.SHOP_ID,
            "REDIS_URL": redis.url,
            "SECRET_KEY": "a key for the measurement of many orders",
            "STRIPE_SECRET_KEY": "sk_test_x",
            "STRIPE_WEBHOOK_SECRET": "whsec_x",
            "ADMIN_PASSWORD_HASH": generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000"),
            "RATE_LIMIT": "off",
        }
        settings = load_settings(env, folder)
        shop = Shop(
            settings=settings,
            store=filling.open_store_at(redis.url),
            stripe=Bank(orders),
            mailer=Mailer("", settings.mail_from, folder / "mail"),
        )
        browser = Browser(assemble(shop))
        if browser.send("/admin/login", password=PASSWORD).status_code != 303:
            raise WrongAnswer("the operator could not sign in")
        yield Town(orders, redis, browser, env)


def look_at_everything(town: Town) -> None:
    """Every page once."""
    for question in questions(town.orders):
        before = town.used()
        answer = town.browser.get(question.path)
        look = town.used().since(before)
        if answer.status_code != 200 or question.word not in answer.text:
            raise WrongAnswer(f"{question.path} with {town.orders} orders: {answer.status_code}")
        town.looks.setdefault(question.name, []).append(look)


def export(town: Town) -> dict[str, dict[str, float]]:
    """What the exports cost: the operator's files over HTTP, the orders' by command."""
    return {
        "ledger.csv": file_of(town, "/admin/ledger.csv"),
        "money.csv": file_of(town, "/admin/money.csv"),
        "flask shop orders --csv": orders_csv(town),
    }


def file_of(town: Town, path: str) -> dict[str, float]:
    """First byte, whole file, and the most memory that was taken meanwhile (in a run of its own)."""

    def read() -> tuple[float, float, int]:
        began, first, size = time.perf_counter(), 0.0, 0
        answer = town.browser.client.get(
            path,
            base_url=town.browser.base,
            environ_overrides={"REMOTE_ADDR": town.browser.address},
            buffered=False,
        )
        for part in answer.response:
            first = first or time.perf_counter() - began
            size += len(part)
        return 1000 * first, 1000 * (time.perf_counter() - began), size

    first, whole, size = read()
    tracemalloc.start()
    read()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"first_ms": first, "whole_ms": whole, "bytes": size, "memory_mb": most / 1e6}


def orders_csv(town: Town) -> dict[str, float]:
    """First line, whole output, and the most memory that the command ever had, Python included."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "shop", "orders", "--csv"]
    began, first, size = time.perf_counter(), 0.0, 0
    with subprocess.Popen(command, env=town.env, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for line in process.stdout:
            first = first or time.perf_counter() - began
            size += len(line)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or size == 0:
        raise WrongAnswer(f"orders --csv ended with {process.returncode}")
    whole = time.perf_counter() - began
    return {
        "first_ms": 1000 * first,
        "whole_ms": 1000 * whole,
        "bytes": size,
        "memory_mb": usage.ru_maxrss / 1000,
    }


def say(few: Town, many: Town) -> None:
    """The pages, a line each."""
    print(HEAD.format(few=few.orders, many=many.orders))
    for name in many.looks:
        one, other = few.figure(name), many.figure(name)
        print(
            f"{name:39}{one.cpu:8.1f}{other.cpu:8.1f}{other.cpu / one.cpu:8.2f}  "
            f"{one.passed:8.1f}{other.passed:8.1f}{one.read:12.1f}{other.read:8.1f}"
        )


def say_exports(exports: dict[str, dict[str, dict[str, float]]]) -> None:
    """The exports, a line for each shop."""
    print("\nexport                    orders   first byte   whole      size    most memory")
    for orders, found in exports.items():
        for name, one in found.items():
            print(
                f"{name:24}{orders:>8}{one['first_ms']:10.0f} ms{one['whole_ms'] / 1000:8.2f} s"
                f"{one['bytes'] / 1e6:8.2f} MB{one['memory_mb']:10.1f} MB"
            )


if __name__ == "__main__":
    sys.exit(main())
