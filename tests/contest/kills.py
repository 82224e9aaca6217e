"""kill -9 of web processes, workers and Redis under load: ``python -m tests.contest.kills``.

A day is a shop with a crowd whose processes die, at random moments and at every named step, and come
back. After each death the books are audited and held against what the shoppers were told; at the end
of the day everything comes to rest and is held against Stripe's own books.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from storefront.app import open_shop
from storefront.domain.orders import GOODS, State
from storefront.services.audit import audit
from storefront.services.shop import Shop
from storefront.settings import load_settings
from storefront.storage.connection import UNREACHABLE
from tests.books import broken
from tests.contest.market import Market, is_paid, open_market
from tests.contest.regulars import Regulars
from tests.contest.shopper import Shopper
from tests.harness import Forked, Running, started, wait_until

CALLS = [
    "hold_stock",
    "create_session",
    "attach_session",
    "settle_payment",
    "expire_session",
    "release_hold",
    "create_refund",
    "record_refund",
    "send",
]
"""The steps at which ``crashing`` lets somebody die."""
PLACES = [f"{moment} {call}" for call in CALLS for moment in ("before", "after")]
VICTIMS = {"web": 50, "worker": 24, "redis": 24, "all": 2}
"""Who dies at any moment, and how often; at each step that is come by somebody dies besides."""
REDIS_AT_A_STEP = 0.3
"""The share of Redis' deaths among those at a named step."""
STOCK = {"poster": 100_000, "ticket": 3, "print": 2}
"""Two of them are always nearly sold out, so that late payers find nothing left."""
SHOPPERS = 6
HOLD_SECONDS = 3
DAY_KILLS = 100
"""Then a new shop opens: auditing a long history would slow the killing down."""
PAUSE_SECONDS = 0.2
"""The longest pause between two deaths."""
LIFE = 1
"""Payment pages that shoppers come to between two deaths, unless it takes too long."""
LONGEST_SECONDS = 4.0
SOON_SECONDS = 5.0
REST_SECONDS = 150
TOLD_SECONDS = 15

Answer = TypeVar("Answer")


@dataclass
class Toll:
    """What died so far, and what came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    """By who and where."""
    checks: int = 0
    orders: int = 0
    visits: Counter[str] = field(default_factory=Counter)
    """What shoppers came to the end of, while others died."""
    violations: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.kills.total()

    def __str__(self) -> str:
        who: Counter[str] = Counter()
        for place, number in self.kills.items():
            who[place.partition(" ")[0]] += number
        places = sum(" " in place for place in self.kills)
        return (
            f"{self.number} kills ({', '.join(f'{n} {w}' for w, n in who.most_common())}; "
            f"{places} different steps), {self.orders} orders, {self.checks} checks, "
            f"{len(self.violations)} violations"
        )


@dataclass
class Day:
    """A shop whose processes are killed."""

    market: Market
    shop: Shop
    plan: Path
    workers: list[Running]
    regulars: Regulars
    dice: random.Random
    toll: Toll
    _last_entry: str = ""
    _planned: str = ""

    def kill(self) -> None:
        """At least one death, the return of what died, and a look at the books."""
        self._see_some_life()
        time.sleep(self.dice.uniform(0, PAUSE_SECONDS))
        if self._planned and not self.plan.exists():
            self._was_carried_out()
        else:
            self._at_once()
        self._revive()
        if not self._planned:
            self._plan_a_step()
        self.check()

    def _see_some_life(self) -> None:
        """Waits until shoppers have got somewhere since the last death, however slow that is.

        After a death of Redis no holds are taken until a worker has compared the books with Stripe.
        """
        enough = self.regulars.holds + LIFE
        deadline = time.monotonic() + LONGEST_SECONDS
        while self.regulars.holds < enough and time.monotonic() < deadline:
            time.sleep(0.01)
            if self._planned and not self.plan.exists():
                return

    def check(self) -> None:
        """Holds the books against the invariants and against what was told before."""
        found = self._patiently(self._faults)
        self.toll.checks += 1
        self.toll.violations += found

    def _faults(self) -> list[str]:
        told = self.regulars.told()  # before the orders are read
        found = [f"{c.name}: {c.detail}" for c in audit(self.shop, False) if not c.ok]
        found += told.forgotten(self.market.orders())
        newest = self.shop.store.snapshot().last_entry or ""
        if place_in_time(newest) < place_in_time(self._last_entry):
            found.append(f"the ledger ended with {self._last_entry}, now with {newest}")
        self._last_entry = newest
        return found

    # Deaths.

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """The answer of what is asked again when Redis dies just then."""
        deadline = time.monotonic() + REST_SECONDS
        while True:
            try:
                return ask()
            except UNREACHABLE:
                assert time.monotonic() < deadline, "Redis does not come back"
                self._revive()
                time.sleep(0.02)

    def _plan_a_step(self) -> None:
        """Whoever comes by this step next dies, or kills Redis."""
        place = self.dice.choice(PLACES)
        at_redis = self.dice.random() < REDIS_AT_A_STEP
        draft = self.plan.with_suffix(".draft")
        draft.write_text(f"{place} of {self.market.redis.pid}" if at_redis else place)
        draft.replace(self.plan)
        self._planned = f"{'redis' if at_redis else 'process'} {place}"

    def _was_carried_out(self) -> None:
        """Somebody came by the step; he may have been killed just before he could kill Redis."""
        planned, self._planned = self._planned, ""
        if planned.startswith("redis"):
            with suppress(subprocess.TimeoutExpired):
                self.market.redis.process.wait(SOON_SECONDS)
            if self.market.redis.alive:
                return
        self.toll.kills[planned] += 1

    def _withdraw(self) -> bool:
        """Takes the plan back, before its Redis dies otherwise; False when it was carried out."""
        try:
            self.plan.unlink()
        except FileNotFoundError:
            if self._planned:
                self._was_carried_out()
                return False
        self._planned = ""
        return True

    def _at_once(self) -> None:
        """Somebody dies who did not come by any planned step."""
        who = self.dice.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        if who in {"redis", "all"} and not self._withdraw():
            return
        if who in {"web", "all"}:
            webs = self.market.shop.children
            for pid in webs if who == "all" else webs[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if who in {"worker", "all"}:
            for worker in self.workers if who == "all" else [self.dice.choice(self.workers)]:
                worker.kill()
        if who in {"redis", "all"}:
            self.market.redis.kill()
        self.toll.kills[who] += 1

    def _revive(self) -> None:
        """gunicorn replaces its web processes by itself."""
        if self._planned and not self.plan.exists():
            self._was_carried_out()
        if not self.market.redis.alive:
            self.market.redis.start()
        for worker in self.workers:
            if not worker.alive:
                worker.process.wait()
                worker.start()

    # The evening.

    def come_to_rest(self) -> None:
        """The shop is open to all again, settles everything, and agrees with Stripe."""
        self._withdraw()
        self._revive()
        try:
            last = Shopper(self.market.shop.url, "last")
            wait_until(lambda: sells(last), "the shop sells again", REST_SECONDS)
            self.check()
            self.market.hears_all(REST_SECONDS)
            self.market.at_rest(REST_SECONDS)
        except AssertionError as failure:
            self.toll.violations.append(f"{failure} {getattr(failure, '__notes__', '')}"[:3000])
            return
        self.toll.violations += broken(self.market.store)
        self.toll.violations += [
            f"{c.name}: {c.detail}" for c in audit(self.shop, True) if not c.ok
        ]
        self.toll.violations += at_stripe(self.market, self.regulars.told().paid_late)
        self.toll.violations += [f"a shopper got {said}" for said in self.regulars.wrong]
        self.toll.violations += [
            f"an error in a log: {first_error(process.log)}"
            for process in (self.market.shop, *self.workers)
            if "Traceback" in process.log
        ]

    def restock(self) -> None:
        """A little of what is nearly gone, so that there is always something to fight for."""
        self._patiently(self._restock)

    def _restock(self) -> None:
        for level in self.market.store.stock.levels():
            if level.available + level.held == 0:
                again = {"delta": 2, "reason": "sold out", "who": "tests"}
                key = f"{level.sku} {self.toll.number}"
                self.market.store.scripts.restock(level.sku, key=key, **again)


def first_error(log: str) -> str:
    """The first traceback of a log without the frames of libraries, and what comes right after."""
    lines = log[log.index("Traceback") :][:20_000].splitlines()
    told = [line for line in lines if not line.startswith(" ") or "/storefront/" in line]
    return "\n".join(told)[:3000]


def sells(shopper: Shopper) -> bool:
    try:
        return "/c/pay/" in shopper.buy("poster").headers.get("Location", "")
    except Exception:  # noqa: BLE001 - whatever it is, it must pass
        return False


def place_in_time(entry: str) -> tuple[int, ...]:
    """A stream entry's id, in the order in which entries come."""
    return tuple(int(part) for part in entry.split("-")) if entry else ()


def at_stripe(market: Market, paid_late: Collection[str]) -> list[str]:
    """Where Stripe's books at rest differ from the shop's, one sentence each.

    Who did not pay an ended session must have got the goods.
    """
    back: Counter[str] = Counter()
    for refund in market.stripe.refunds():
        back[refund["payment_intent"]] += refund["amount"]
    orders = {order.id: order for order in market.orders()}
    kept: Counter[str] = Counter()
    found = []
    for session in market.stripe.sessions():
        order = orders.get(session["client_reference_id"])
        if session["status"] == "open":
            found.append(f"{session['id']} can still be paid")
        if order is None:
            found.append(f"{session['id']} has no order")
        elif is_paid(session):
            left = session["amount_total"] - back[session["payment_intent"]["id"]]
            if left not in {0, session["amount_total"]}:
                found.append(f"order {order.id}: {left} of a payment is left")
            kept[order.id] += left
            if not left and session["id"] not in paid_late:
                found.append(f"order {order.id} was paid in time and is {order.state}")
    for order in orders.values():
        right = order.amount if order.state in GOODS else 0
        if order.state is State.REVIEW or kept[order.id] != right:
            found.append(f"order {order.id} is {order.state}, Stripe keeps {kept[order.id]}")
    return found


@contextmanager
def open_day(
    seed: int,
    toll: Toll,
    *,
    worker: str = "tests.contest.crashing",
    redis: Mapping[str, str] | None = None,
) -> Iterator[Day]:
    """A day on which everybody is there; ``worker`` is the application whose workers work."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kills-")))
        plan = folder / "plan"
        market = stack.enter_context(
            open_market(
                STOCK,
                hold_seconds=HOLD_SECONDS,
                worker=False,
                application="tests.contest.crashing:app",
                redis_options=redis or {},
                WEB_CONCURRENCY="2",
                CRASH_PLAN=str(plan),
            )
        )
        workers = []
        for number in (1, 2):
            room = folder / f"worker-{number}"
            room.mkdir()
            env = market.shop.env
            command = [sys.executable, "-m", "flask", "--app", worker, "shop", "worker"]
            workers.append(stack.enter_context(started(Forked(command, env, room))))
        settings = load_settings(market.shop.env, market.folder)
        regulars = Regulars(market.shop.url, list(STOCK), SHOPPERS, seed)
        dice = random.Random(seed)
        yield Day(market, open_shop(settings), plan, workers, regulars, dice, toll)


def run_day(
    day: Day,
    kills: int,
    told: Callable[[Toll], None] = lambda _: None,
    deadline: float = float("inf"),
) -> None:
    """So many deaths, fewer if it gets too late, and one evening; none after a violation."""
    until = day.toll.number + kills
    day.check()
    with day.regulars.about():
        while day.toll.number < until and not day.toll.violations and time.monotonic() < deadline:
            day.kill()
            day.restock()
            told(day.toll)
    day.toll.visits += day.regulars.done
    day.toll.orders += len(day.regulars.told().shown)
    if not day.toll.violations:
        day.come_to_rest()


def run_days(
    kills: int, seed: int, toll: Toll, told: Callable[[Toll], None], minutes: float = 0
) -> None:
    """Days with so many deaths in all, or fewer when the minutes are over or something is broken."""
    deadline = time.monotonic() + minutes * 60 if minutes else float("inf")
    while toll.number < kills and not toll.violations and time.monotonic() < deadline:
        with open_day(seed, toll) as day:
            run_day(day, min(DAY_KILLS, kills - toll.number), told, deadline)
        seed += 1


def main() -> int:
    """0 when nothing was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.contest.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=2 * DAY_KILLS)
    parser.add_argument("--minutes", type=float, default=0, help="no more deaths after so long")
    parser.add_argument("--seed", type=int, default=0, help="of the first day")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and what was started ends, too
    toll, began, last = Toll(), time.monotonic(), time.monotonic()

    def tell(toll: Toll) -> None:
        nonlocal last
        if time.monotonic() - last > TOLD_SECONDS:
            last = time.monotonic()
            print(f"{last - began:6.0f} s  {toll}", flush=True)

    try:
        run_days(asked.kills, asked.seed, toll, tell, asked.minutes)
    finally:
        print(f"{time.monotonic() - began:6.0f} s  {toll}")
        for place, number in sorted(toll.kills.items()):
            print(f"    {number:5} {place}")
    for violation in toll.violations:
        print(f"VIOLATION {violation}")
    return int(bool(toll.violations))


if __name__ == "__main__":
    sys.exit(main())
