"""The shop and the bare program take turns, case by case and round by round.

On a machine that others use as well, speed changes from minute to minute. So each figure of the shop
is divided by the bare program's of the same round, and what counts is the median of these ratios.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from itertools import cycle, islice, repeat
from statistics import median, quantiles

from benchmarks import instant_stripe, load, servers
from benchmarks.browser import GONE, PLENTY, SHOP_ID, order_in
from benchmarks.load import Expected, Load, WrongAnswer
from benchmarks.servers import Servers
from tests.harness import WEBHOOK_SECRET

PROGRAMS = ("shop", "bare")
HOST = {"Host": "localhost"}


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request, and what must be the answer to it."""

    name: str
    path: str
    expected: Expected


CASES = (
    Case("shelf", "/", Expected(200, b"</html>")),
    Case("product", "/products/record", Expected(200, b'id="buy"')),
    Case("refused", "/checkout", Expected(409, b"None is held")),
    Case("accepted", "/checkout", Expected(303)),
    Case("webhook", "/webhooks/stripe", Expected(200, b'"sold"')),
)
NOISE = "noise"
"""The bare program's shelf beside itself: how far from 1 a ratio is for no reason."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one program did in its turn. Shares are of one core: 1.0 is all of it."""

    rate: float
    """Answers per second."""
    cpu: float
    """CPU seconds of the web processes for one answer."""
    trips: float
    """Times that Redis read from a connection, for one answer."""
    web: float
    redis: float
    stripe: float
    load: float


@dataclass(slots=True)
class Result:
    """All samples of one case under one setting of Redis."""

    shop: list[Sample] = field(default_factory=list)
    bare: list[Sample] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        """The shop's rate as a part of the bare program's, round by round."""
        return [s.rate / b.rate for s, b in zip(self.shop, self.bare, strict=True)]

    @property
    def cpus(self) -> list[float]:
        """The web processes' CPU time for an answer, in times of the bare program's."""
        return [s.cpu / b.cpu for s, b in zip(self.shop, self.bare, strict=True)]

    def summary(self) -> dict[str, object]:
        """Medians, and how far apart the rounds were."""
        return {
            "rate": median(self.rates),
            "rate_middle": middle(self.rates),
            "cpu": median(self.cpus),
            "cpu_middle": middle(self.cpus),
            "shop": typical(self.shop),
            "bare": typical(self.bare),
        }


def middle(values: list[float]) -> tuple[float, float]:
    """Between which two values half of them lie."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def typical(samples: list[Sample]) -> dict[str, float]:
    """The median of each figure."""
    return {f.name: median(asdict(s)[f.name] for s in samples) for f in fields(Sample)}


class Visits:
    """Sends requests to the programs. Webhooks pay what accepted checkouts opened before."""

    def __init__(self, running: Servers, connections: int) -> None:
        self._servers = running
        self._connections = connections
        self._open: dict[str, list[str]] = {program: [] for program in PROGRAMS}
        self._refused = cycle(list(islice(self._checkouts(GONE), 200)))
        self.orders = 0
        """Orders that the shop has taken."""

    def turn(self, case: Case, program: str, seconds: float) -> Sample:
        """One program's turn at a case: ``seconds`` long, a webhook's as long as there are orders."""
        if case.name == "webhook":
            seconds = load.NO_LIMIT
        requests = self._requests(case, program)
        before = self._meters(program)
        done = load.drive(
            self._servers.port(program),
            requests,
            case.expected,
            connections=self._connections,
            seconds=seconds,
            keep_heads=case.name == "accepted",
        )
        after = self._meters(program)
        if case.name == "accepted":
            self._open[program] += orders_of(done)
            self.orders += done.answers if program == "shop" else 0
        return sample(done, before, after)

    def leave_open(self, orders: int) -> None:
        """Have the shop take orders that nobody pays, as a busy shop has them at any moment."""
        accepted = next(case for case in CASES if case.name == "accepted")
        requests = islice(self._requests(accepted, "shop"), orders)
        port = self._servers.port("shop")
        done = load.drive(
            port, requests, accepted.expected, connections=self._connections, keep_heads=True
        )
        self.orders += len(orders_of(done))

    def _requests(self, case: Case, program: str) -> Iterator[bytes]:
        if case.path == "/checkout":
            return self._refused if case.name == "refused" else self._checkouts(PLENTY)
        if case.name == "webhook":
            orders, self._open[program] = self._open[program], []
            return iter([self._webhook(case, order) for order in orders])
        return repeat(load.request("GET", case.path, HOST))

    def _checkouts(self, sku: str) -> Iterator[bytes]:
        """Checkouts of one new shopper each."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        while True:
            browser = self._servers.browser.another()
            headers = HOST | kind | {"Cookie": browser.cookie}
            yield load.request("POST", "/checkout", headers, browser.checkout(sku))

    def _webhook(self, case: Case, order: str) -> bytes:
        body = instant_stripe.paid_event(order, SHOP_ID, self._servers.price)
        signed = {"Stripe-Signature": instant_stripe.signature(body, WEBHOOK_SECRET)}
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return load.request("POST", case.path, HOST | kind | signed, body)

    def _meters(self, program: str) -> dict[str, float]:
        """What each process has used so far, and how often Redis has read."""
        with self._servers.redis.client() as client:
            used, stats = client.info("cpu"), client.info("stats")
        return {
            "web": servers.cpu_seconds(self._servers.process(program)),
            "redis": used["used_cpu_user"] + used["used_cpu_sys"],
            "stripe": servers.cpu_seconds(self._servers.stripe),
            "load": time.process_time(),
            "reads": stats["total_reads_processed"],
        }


def orders_of(done: Load) -> list[str]:
    """The orders that accepted checkouts opened: each its own."""
    orders = [order_in(head.decode()) for head in done.heads]
    if len(set(orders)) != len(orders):
        raise WrongAnswer("two shoppers were sent to one payment")
    return orders


def sample(done: Load, before: dict[str, float], after: dict[str, float]) -> Sample:
    """A turn's figures from what the meters showed before and after it."""
    used = {name: after[name] - before[name] for name in before}
    own_reads = 3  # the second reading of the meters: its connection's greeting and two questions
    return Sample(
        rate=done.rate,
        cpu=used["web"] / done.answers,
        trips=max(0.0, used["reads"] - own_reads) / done.answers,
        **{name: used[name] / done.seconds for name in ("web", "redis", "stripe", "load")},
    )


def run(
    visits: Visits, running: Servers, *, rounds: int, seconds: float
) -> Iterator[tuple[int, str, str, Result]]:
    """All rounds. Yields after each case: round, Redis' appendfsync, the case's name, its result."""
    shelf = CASES[0]
    results: dict[tuple[str, str], Result] = {}
    for number in range(1, rounds + 1):
        turns = PROGRAMS if number % 2 else tuple(reversed(PROGRAMS))
        for fsync in ("everysec", "always"):
            with running.redis.client() as client:
                client.config_set("appendfsync", fsync)
            for case in CASES:
                result = results.setdefault((fsync, case.name), Result())
                for program in turns:
                    taken = visits.turn(case, program, seconds)
                    (result.shop if program == "shop" else result.bare).append(taken)
                yield number, fsync, case.name, result
        result = results.setdefault(("everysec", NOISE), Result())
        for half in (result.shop, result.bare):
            half.append(visits.turn(shelf, "bare", seconds))
        yield number, "everysec", NOISE, result


def warm_up(visits: Visits, seconds: float) -> None:
    """Every case once for each program, unmeasured."""
    for case in CASES:
        for program in PROGRAMS:
            visits.turn(case, program, seconds)
