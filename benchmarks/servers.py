"""What is measured: one Redis, one instant Stripe, the shop and the bare program, all on loopback."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.browser import GONE, PLENTY, SECRET_KEY, SHOP_ID, Browser, fetch, record
from storefront.domain.catalogue_file import read_catalogue
from tests.harness import (
    ROOT,
    WEBHOOK_SECRET,
    RedisServer,
    Running,
    clean_environment,
    free_port,
    start_redis,
    start_shop,
    started,
)

CATALOGUE = ROOT / "demo" / "catalogue.toml"
UNITS = 1_000_000
SETTINGS = {
    "RATE_LIMIT": "off",
    "HOLDS_PER_IP": "0",
    "SECRET_KEY": SECRET_KEY,
    "SHOP_ID": SHOP_ID,
    "STRIPE_SECRET_KEY": "sk_test_bench",
    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
}


class CannotMeasure(Exception):
    """The measurement cannot be made here. The text says why."""


@dataclass(frozen=True)
class Servers:
    """All that runs, and a browser."""

    redis: RedisServer
    stripe: Running
    shop: Running
    bare: Running
    price: int
    """Of a unit of PLENTY, in minor units."""
    browser: Browser

    def port(self, program: str) -> int:
        """Where ``shop`` or ``bare`` listens."""
        return port_of({"shop": self.shop, "bare": self.bare}[program])

    def process(self, program: str) -> Running:
        return {"shop": self.shop, "bare": self.bare}[program]

    def audit(self) -> str:
        """Every check of the shop's books that fails; empty when they are right."""
        done = flask(self.shop, "audit", "--json")
        failed = [check for check in json.loads(done.stdout)["checks"] if not check["ok"]]
        return "; ".join(f"{check['name']}: {check['detail']}" for check in failed)


@contextmanager
def all_running(processes: int) -> Iterator[Servers]:
    """Everything started and filled, with so many web processes for each program."""
    if not Path("/proc/self/schedstat").is_file():
        raise CannotMeasure("The processes' CPU time is read from /proc, so this needs Linux.")
    with ExitStack() as stack:
        # Beside the code and not in /tmp, which is memory on many machines: fsync must be real.
        (ROOT / "instance").mkdir(exist_ok=True)
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "instance")
        )
        redis = stack.enter_context(
            start_redis(dir=folder, appendfsync="everysec", auto_aof_rewrite_percentage="0")
        )
        stripe = stack.enter_context(_stripe(Path(folder)))
        env = SETTINGS | {
            "REDIS_URL": redis.url,
            "STRIPE_API_BASE": stripe.url,
            "WEB_CONCURRENCY": str(processes),
        }
        shop = stack.enter_context(start_shop(env))
        flask(shop, "import", str(CATALOGUE))
        flask(shop, "restock", PLENTY, f"+{UNITS}", "--reason", "for the measurement")
        flask(shop, "restock", GONE, "-1", "--reason", "for the measurement")
        price = price_of(PLENTY)
        browser, answers = record(port_of(shop), price, WEBHOOK_SECRET)
        recorded = Path(folder) / "answers.json"
        recorded.write_text(json.dumps(answers), "utf-8")
        with redis.client() as client:
            client.hset("{bare}:stock", PLENTY, UNITS)
        bare = stack.enter_context(_bare(Path(folder), env | {"BENCH_ANSWERS": str(recorded)}))
        yield Servers(redis, stripe, shop, bare, price, browser)


@contextmanager
def _stripe(folder: Path) -> Iterator[Running]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.instant_stripe", str(port)]
    with _process(folder / "stripe", command, {}, port) as stripe:
        stripe.wait_for(lambda: _listens(port), "the instant Stripe answers")
        yield stripe


@contextmanager
def _bare(folder: Path, env: dict[str, str]) -> Iterator[Running]:
    """The bare program under the shop's own gunicorn.conf.py."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "benchmarks.controls:app"]
    with _process(folder / "bare", command, env | {"PORT": str(port)}, port) as bare:
        bare.wait_for(lambda: bare.answers("/"), "the bare program serves")
        yield bare


@contextmanager
def _process(folder: Path, command: list[str], env: dict[str, str], port: int) -> Iterator[Running]:
    folder.mkdir()
    env = {**clean_environment(folder), "SHOP_WORKER": "off", **env}
    with started(Running(command, env, folder, f"http://127.0.0.1:{port}")) as process:
        yield process


def _listens(port: int) -> bool:
    try:
        fetch(port, "GET", "/")
    except OSError:
        return False
    return True


def flask(shop: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs one of the shop's commands; one that fails ends the measurement."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "shop", *arguments]
    done = subprocess.run(
        command, env=dict(shop.env), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1} or (done.returncode == 1 and arguments[0] != "audit"):
        raise CannotMeasure(f"flask shop {arguments[0]}: {done.stdout}{done.stderr}")
    return done


def price_of(sku: str) -> int:
    """A SKU's price in the catalogue, in minor units."""
    beside = {path.name for path in CATALOGUE.parent.iterdir()}
    found = read_catalogue(CATALOGUE.read_text("utf-8"), "usd", beside)
    return next(v.price for p in found.products for v in p.variants if v.sku == sku)


def port_of(process: Running) -> int:
    """The port in a process's address."""
    return int(process.url.rpartition(":")[2])


def cpu_seconds(process: Running) -> float:
    """CPU time that a process and its children have used.

    From schedstat, whose first number is nanoseconds; the times in ``stat`` come in hundredths.
    https://docs.kernel.org/scheduler/sched-stats.html
    """
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return (
        sum(
            int(thread.read_text().split()[0])
            for pid in (process.pid, *children)
            for thread in Path(f"/proc/{pid}/task").glob("*/schedstat")
        )
        / 1e9
    )
