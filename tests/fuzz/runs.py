"""Many inputs of each kind: fixed seeds and fresh ones, and the command that throws one of them again."""

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from tests.fuzz.every_form import EveryForm
from tests.fuzz.forms import Forms
from tests.fuzz.groups import Attack, Found
from tests.fuzz.headers import Headers
from tests.fuzz.paths import Paths
from tests.fuzz.signed import SignedEvents
from tests.fuzz.stage import Stage, open_stage
from tests.fuzz.unsigned import Unsigned

INPUTS = int(os.environ.get("FUZZ_INPUTS", "20000"))
"""``FUZZ_INPUTS``: what all kinds throw together in one run of the tests; fewer reach less than they must."""
PATIENCE_SECONDS = 120 + INPUTS // 40
"""For one kind, on a machine that does much else; twenty seconds when all is well."""
FRESH = 10**9
"""Fresh seeds are below this."""
CHUNK = 500
"""Inputs that one process throws before it reports."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of input."""

    make: Callable[[Stage], Attack]
    share: float
    """Of all inputs."""


KINDS = {
    "sessions": Kind(partial(SignedEvents, about="sessions"), 0.15),
    "payments": Kind(partial(SignedEvents, about="payments"), 0.14),
    "refunds": Kind(partial(SignedEvents, about="refunds"), 0.15),
    "unsigned": Kind(Unsigned, 0.08),
    "forms": Kind(Forms, 0.16),
    "every-form": Kind(EveryForm, 0.12),
    "paths": Kind(Paths, 0.11),
    "headers": Kind(Headers, 0.09),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What some inputs of a kind came to."""

    kind: str
    inputs: int
    seconds: float
    """Of one core's work."""
    outcomes: Counter[str]
    failures: tuple[tuple[int, str], ...]
    """Seed and what was found."""


def fixed_and_fresh(number: int) -> list[int]:
    """The same seeds as always, and as many that nobody has thrown before."""
    fixed = number - number // 2
    first = random.SystemRandom().randrange(fixed, FRESH)
    print(f"seeds 0 to {fixed - 1} and {first} to {first + number // 2 - 1}")
    return [*range(fixed), *range(first, first + number // 2)]


def throw(attack: Attack, kind: str, seeds: Iterable[int], most: int = 3) -> Report:
    """Each input once, until so many have done what none may do."""
    failures: list[tuple[int, str]] = []
    began, number = time.process_time(), 0
    for seed in seeds:
        number += 1
        try:
            attack.play(seed)
        except Found as found:
            again = f"python -m tests.fuzz --kind {kind} --seed {seed}"
            failures.append((seed, f"{found}\nAgain: {again}"))
            if len(failures) == most:
                break
    took = time.process_time() - began
    return Report(kind, number, took, attack.outcomes, tuple(failures))


def prove(kind: str) -> Report:
    """Throw a kind's share of all inputs; fails with the first that did what none may do."""
    seeds = fixed_and_fresh(round(INPUTS * KINDS[kind].share))
    with quietly(), open_stage() as stage:
        report = throw(KINDS[kind].make(stage), kind, seeds)
    print(report)
    assert not report.failures, "\n\n".join(what for _, what in report.failures)
    assert report.inputs == len(seeds)
    return report


def run(kind: str, seeds: Sequence[int]) -> Report:
    """Some inputs of one kind, in this process."""
    with quietly(), open_stage() as stage:
        return throw(KINDS[kind].make(stage), kind, seeds)


def spread(inputs: int, processes: int) -> Iterator[Report]:
    """So many inputs of all kinds, fresh but for the first, over several processes."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        waiting = [
            pool.submit(run, kind, chunk)
            for kind, how in KINDS.items()
            for chunk in _chunks(fixed_and_fresh(round(inputs * how.share)))
        ]
        for done in as_completed(waiting):
            yield done.result()


def _chunks(seeds: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(seeds), CHUNK):
        yield seeds[start : start + CHUNK]


@contextmanager
def quietly() -> Iterator[None]:
    """Only errors are listened for; the shop's other lines are many and not read here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
