"""``make settling``: how long orders take to settle when no webhook ever comes.

For each of four sizes, each twice the one before, a new shop: its own checkout opens the orders, the
stand-in takes their money and tells nobody, and two worker processes settle them all.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import requests

from benchmarks.browser import PLENTY
from benchmarks.load import WrongAnswer
from benchmarks.servers import CATALOGUE, SETTINGS, CannotMeasure, cpu_seconds, flask
from storefront.app import open_shop
from storefront.domain.orders import State
from storefront.services import checkout, forgetting, mirroring, reconciliation
from storefront.services.shop import Shop
from storefront.settings import load_settings
from tests.harness import (
    ROOT,
    WEBHOOK_SECRET,
    RedisServer,
    Running,
    clean_environment,
    start_redis,
    start_standin,
    started,
)

Given = TypeVar("Given")
Got = TypeVar("Got")

WORKERS = 2
CLIENTS = 8
"""Shoppers who check out or pay at once."""
HOLD_SECONDS = 1
"""All holds are past their deadline when the workers start."""
AGAIN = (reconciliation.JOB, mirroring.JOB, forgetting.JOB)
"""What comes again and again."""
NEXT_WALK_MS = 600_000
"""The worker walks Stripe's sessions again much later than that, and sooner than that nothing else."""
LINEAR = 1.25
"""An order may cost so many times the CPU that it costs among an eighth as many."""
HEAD = (
    "orders  settled in  ms per order  CPU ms per order: workers  Redis  Stripe  at rest after\n"
    "                    (× the size before)                                    mails and walk"
)


@dataclass(frozen=True, slots=True)
class Settled:
    """One size."""

    orders: int
    seconds: float
    """From the first order settled to the last."""
    rest_seconds: float
    """From the workers' start until all mails are sent and Stripe's sessions are walked once more."""
    cpu: dict[str, float]
    """Seconds that ``workers``, ``redis`` and ``stripe`` used until then."""

    @property
    def each(self) -> float:
        """Milliseconds for one order."""
        return 1000 * self.seconds / max(1, self.orders - 1)

    @property
    def cpu_each(self) -> dict[str, float]:
        """Milliseconds of CPU for one order, mail included."""
        return {name: 1000 * seconds / self.orders for name, seconds in self.cpu.items()}


@dataclass(frozen=True)
class Ground:
    """A new shop with an empty Stripe."""

    redis: RedisServer
    stripe: Running
    env: dict[str, str]
    folder: Path
    shop: Shop

    @contextmanager
    def workers(self) -> Iterator[list[Running]]:
        """Two of them at work."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "shop", "worker"]
        with ExitStack() as stack:
            working = []
            for number in range(WORKERS):
                room = self.folder / f"worker-{number}"
                room.mkdir(exist_ok=True)
                working.append(stack.enter_context(started(Running(command, self.env, room))))
            yield working

    def used(self, working: list[Running]) -> dict[str, float]:
        """CPU seconds until now."""
        return {
            "workers": sum(map(cpu_seconds, working)),
            "redis": cpu_seconds(self.redis),
            "stripe": cpu_seconds(self.stripe),
        }


def main() -> int:
    """Measures all sizes and says whether they grow linearly; 0 when each order was settled."""
    parser = argparse.ArgumentParser(prog="make settling", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="the largest size (10000)")
    parser.add_argument("--json", type=Path, help="a file to write all figures to")
    options = parser.parse_args()
    sizes = [max(2, options.orders // part) for part in (8, 4, 2, 1)]
    print(HEAD, flush=True)
    found: list[Settled] = []
    try:
        for orders in sizes:
            found.append(measure(orders))
            print(row(found), flush=True)
    except (CannotMeasure, WrongAnswer) as failure:
        print(failure, file=sys.stderr)
        return 1
    growth = growth_of(found)
    print(
        f"\nAn order among {sizes[-1]} costs the workers and Redis {growth:.2f} times the CPU of one "
        f"among {sizes[0]}: {'linear' if growth <= LINEAR else 'NOT linear'}."
    )
    if options.json:
        figures = [{"orders": one.orders, "ms": one.each, "cpu_ms": one.cpu_each} for one in found]
        options.json.write_text(json.dumps({"growth": growth, "sizes": figures}) + "\n", "utf-8")
    return 0


def growth_of(found: list[Settled]) -> float:
    """CPU of the shop for an order in the last size, as a multiple of the first's."""
    first, last = (one.cpu_each["workers"] + one.cpu_each["redis"] for one in (found[0], found[-1]))
    return last / first


def row(found: list[Settled]) -> str:
    """The newest size, beside the one before."""
    one = found[-1]
    times = f"(× {one.each / found[-2].each:.2f})" if len(found) > 1 else ""
    cpu = one.cpu_each
    return (
        f"{one.orders:6}{one.seconds:9.1f} s{one.each:9.2f} {times:9}"
        f"{cpu['workers']:26.2f}{cpu['redis']:7.2f}{cpu['stripe']:8.2f}{one.rest_seconds:12.1f} s"
    )


def measure(orders: int) -> Settled:
    """So many orders in a new shop, settled by its workers. Raises WrongAnswer when one is not."""
    with new_ground() as ground:
        with ground.workers() as idle:  # what a start costs, and the walk through an empty account
            boot = at_rest_after(ground, idle)
        pay(open_orders(ground.shop, orders))
        before = ground.used([])
        with ground.workers() as working:
            began = ground.shop.store.now()
            at_rest_after(ground, working)
            rest = (ground.shop.store.now() - began) / 1000
            after = ground.used(working)
        cpu = {name: after[name] - before[name] for name in after}
        cpu["workers"] -= boot
        times = sorted(
            order.updated
            for order in ground.shop.store.orders.walk()
            if order.state is State.PAID and "confirmed" in order.notices
        )
        if len(times) != orders:
            raise WrongAnswer(f"{len(times)} of {orders} orders were settled and confirmed")
        if any(name.startswith("webhooks:") for name in ground.shop.store.metrics()):
            raise WrongAnswer("a webhook came")
        check(ground)
    return Settled(orders, (times[-1] - times[0]) / 1000, rest, cpu)


def at_rest_after(ground: Ground, working: list[Running]) -> float:
    """Waits until nothing is held or due but the next walk; the workers' CPU seconds until then."""
    due = ground.shop.store.keys.name("due")
    with ground.redis.client() as client:

        def rests() -> bool:
            if any("worker started" not in worker.log for worker in working):
                return False
            soon = ground.shop.store.now() + NEXT_WALK_MS
            again = [at for job in AGAIN if (at := client.zscore(due, job)) and at <= soon]
            # Counted: reading would cost Redis more.
            return client.zcount(due, "-inf", soon) == len(again)

        while not rests():
            if not all(worker.alive for worker in working):
                raise WrongAnswer(f"a worker ended: {working[0].log[-500:]}")
            time.sleep(0.2)
    return sum(map(cpu_seconds, working))


@contextmanager
def new_ground() -> Iterator[Ground]:
    """Redis with each write on the disk, the stand-in that tells nobody, and goods."""
    with ExitStack() as stack:
        # Beside the code and not in /tmp, which is memory on many machines: fsync must be real.
        (ROOT / "instance").mkdir(exist_ok=True)
        name = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="settling-", dir=ROOT / "instance")
        )
        folder = Path(name)
        redis = stack.enter_context(start_redis(dir=name))
        stripe = stack.enter_context(start_standin("", WEBHOOK_SECRET, "--webhooks", "lost"))
        env = {
            **clean_environment(folder),
            **SETTINGS,
            "REDIS_URL": redis.url,
            "STRIPE_API_BASE": stripe.url,
            "HOLD_SECONDS": str(HOLD_SECONDS),
        }
        cli = Running((), env, folder)
        flask(cli, "import", str(CATALOGUE))
        flask(cli, "restock", PLENTY, "+1000000", "--reason", "for the measurement")
        yield Ground(redis, stripe, env, folder, open_shop(load_settings(env, folder)))


def open_orders(shop: Shop, orders: int) -> list[str]:
    """The payment pages of so many shoppers, one unit each."""

    def begin(number: int) -> str:
        return checkout.begin(
            shop,
            visitor=f"visitor-{number}",
            address="",
            form_token=f"form-{number}",
            wanted={PLENTY: 1},
        ).url

    return each(begin, range(orders))


def pay(pages: list[str]) -> None:
    """Fills in every payment page; the shop hears nothing of it."""
    own = threading.local()
    form = {"email": "shopper@example.com", "fate": "pay", "webhooks": "lost"}

    def fill_in(page: str) -> None:
        if not hasattr(own, "session"):
            own.session = requests.Session()
        answer = own.session.post(page, data=form, allow_redirects=False, timeout=60)
        if answer.status_code != 303:
            raise WrongAnswer(f"{page}: {answer.status_code} {answer.text[:300]}")

    each(fill_in, pages)


def each(act: Callable[[Given], Got], given: Iterable[Given]) -> list[Got]:
    """What came of each, eight at once."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(act, given))


def check(ground: Ground) -> None:
    """The audit, Stripe's books included. Raises WrongAnswer."""
    done = flask(Running((), ground.env, ground.folder), "audit", "--stripe", "--json")
    failed = [check for check in json.loads(done.stdout)["checks"] if not check["ok"]]
    if failed:
        raise WrongAnswer("; ".join(f"{check['name']}: {check['detail']}" for check in failed))


if __name__ == "__main__":
    sys.exit(main())
