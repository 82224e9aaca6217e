"""Many seeds: on one process or several, fixed or fresh, until some number or some time is reached."""

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from unittest.mock import patch

from redis import ResponseError

from storefront.services import notices, pickup
from tests.simulation.mail import Mail
from tests.simulation.plan import Fixed
from tests.simulation.simulation import Simulation
from tests.simulation.town import Ground
from tests.simulation.truth import Broken

CHUNK = 50
"""Seeds that one process runs before it reports."""
SEEDS = int(os.environ.get("SEEDS", "5000"))
"""Of a test run: half of them the same in each, half new."""
STORIES = 3
FRESH = 10**9
"""Fresh seeds are below this."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed that broke a promise."""

    seed: int
    promise: str
    what: str
    story: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What some seeds came to."""

    seeds: int = 0
    steps: int = 0
    seconds: float = 0.0
    """Of one core's work."""
    failures: tuple[Failure, ...] = ()
    troubles: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Report") -> "Report":
        return Report(
            self.seeds + other.seeds,
            self.steps + other.steps,
            self.seconds + other.seconds,
            self.failures + other.failures,
            self.troubles + other.troubles,
        )

    def told(self, first: int) -> str:
        """What a failed test must say: how to have it again, and what happened."""
        told = [f"{self}; the first seed was {first}"]
        told += [f"seed {failure.seed}: {failure.what}" for failure in self.failures]
        told += [failure.story for failure in self.failures[:STORIES]]
        return "\n\n".join(told)

    def __str__(self) -> str:
        pace = self.seeds / self.seconds if self.seconds else 0
        return (
            f"{self.seeds} seeds, {self.steps} steps, {len(self.failures)} broke a promise, "
            f"{pace:.0f} seeds a second and core"
        )


@contextmanager
def quietly() -> Iterator[None]:
    """The shop's log is not read here, and a thousand seeds write a lot of it.

    Nor does anybody look at the pictures in its mails, which take as long to draw as the rest; nor at how
    a mail looks on its way, of which tests/services and tests/clients tell.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            patch.object(pickup, "png", lambda *_: (b"a picture", 1)),
            patch.object(notices, "EmailMessage", Mail),
        ):
            yield
    finally:
        logging.disable(before)


def attempt(
    ground: Ground, seed: int, fixed: Fixed | None = None
) -> tuple[Simulation, Broken | None]:
    """One seed; answers its run and what it broke."""
    simulation = Simulation(ground, seed, fixed)
    try:
        simulation.run()
    except Broken as broken:
        return simulation, broken
    except ResponseError as error:  # where nobody is asking any more who could be told
        return simulation, Broken("a script failed", str(error))
    return simulation, None


def replay(ground: Ground, seed: int, fixed: Fixed | None = None) -> str:
    """The seed once more, told as a timeline."""
    simulation = Simulation(ground, seed, fixed, story=True)
    end = "nothing was broken"
    try:
        simulation.run()
    except Broken as broken:
        end = f"BROKEN {broken}"
    return f"{simulation.story}\n{end}"


def run(seeds: Sequence[int], fixed: Fixed | None = None) -> Report:
    """Each of the seeds, in this process, one after the other."""
    ground = Ground()
    steps, failures = 0, []
    troubles: Counter[str] = Counter()
    began = time.process_time()
    with quietly():
        for seed in seeds:
            simulation, broken = attempt(ground, seed, fixed)
            steps += simulation.steps
            troubles += simulation.truth.troubles
            if broken:
                story = replay(ground, seed, fixed)
                failures.append(Failure(seed, broken.promise, str(broken), story))
    return Report(len(seeds), steps, time.process_time() - began, tuple(failures), troubles)


def fixed_and_fresh(number: int) -> list[int]:
    """The same seeds as always, and as many that nobody has run before."""
    fixed = number - number // 2
    first = random.SystemRandom().randrange(fixed, FRESH)
    print(f"seeds 0 to {fixed - 1} and {first} to {first + number // 2 - 1}")
    return [*range(fixed), *range(first, first + number // 2)]


def spread(
    seeds: Iterator[int],
    processes: int,
    *,
    fixed: Fixed | None = None,
    until: float = float("inf"),
    told: Callable[[Report], None] = lambda _: None,
) -> Report:
    """The seeds over several processes, none begun after ``until`` (by time.monotonic)."""
    whole = Report()
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        waiting: set[Future[Report]] = set()
        more = True
        while more or waiting:
            while more and len(waiting) < 2 * processes:
                chunk = list(islice(seeds, CHUNK))
                more = bool(chunk) and time.monotonic() < until
                if more:
                    waiting.add(pool.submit(run, chunk, fixed))
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in done:
                whole += one.result()
                told(whole)
    return whole
