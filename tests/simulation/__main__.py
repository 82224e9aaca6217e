"""``python -m tests.simulation``: run seeds, or for a while; tell a seed's story; find mistakes."""

import argparse
import itertools
import json
import random
import sys
import time
from argparse import ArgumentTypeError
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context

from tests.simulation.plan import Fixed, Plan
from tests.simulation.runs import FRESH, Report, fixed_and_fresh, quietly, replay, spread
from tests.simulation.town import Ground
from tests.simulation.truth import HAND_REFUND, LOST_REFUND, SOLD_OUT_REFUND, SOLD_OUT_VOID

TOLD_SECONDS = 10
MOST_STORIES = 3
OUTCOMES = (SOLD_OUT_VOID, SOLD_OUT_REFUND, HAND_REFUND, LOST_REFUND)


class Progress:
    """One line now and then."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._failures = 0

    def __call__(self, report: Report) -> None:
        for failure in report.failures[self._failures :]:
            print(f"seed {failure.seed}: {failure.what}", flush=True)
        self._failures = len(report.failures)
        now = time.monotonic()
        if now - self._last >= TOLD_SECONDS:
            self._last = now
            self.tell(report)

    def tell(self, report: Report) -> None:
        took = time.monotonic() - self._began
        print(f"{took:6.0f} s  {report}, {report.seeds / took:.0f} seeds a second", flush=True)


def print_bugs(processes: int) -> int:
    """The table of docs/never-oversell.md; 0 when every mistake was found."""
    from tests.simulation.bugs.hunt import GROUPS, row
    from tests.simulation.table import HEAD

    print(f"{HEAD}\n| --- | --- | ---: |")
    all_found = True
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for line, found in pool.map(row, range(sum(map(len, GROUPS.values())))):
            print(line, flush=True)
            all_found &= found
    return int(not all_found)


def town(text: str) -> Fixed:
    """parts of the plan that are the same in every town, as '{"capture": "manual"}'"""
    names = {field.name for field in fields(Plan)}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found.keys() <= names:
        raise ArgumentTypeError(f"a JSON object with some of {', '.join(sorted(names))}")
    return found


def main() -> int:
    """0 when no promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="half the same as always, half new")
    parser.add_argument("--minutes", type=float, help="new seeds for so long instead")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, help="tell this one's story instead")
    parser.add_argument("--town", type=town, default={}, help=town.__doc__)
    parser.add_argument("--bugs", action="store_true", help="print the table of planted mistakes")
    asked = parser.parse_args()
    if asked.bugs:
        return print_bugs(asked.processes)
    if asked.seed is not None:
        with quietly():
            story = replay(Ground(), asked.seed, asked.town)
        print(story)
        return int("BROKEN" in story)
    progress = Progress()
    if asked.minutes:
        first = random.SystemRandom().randrange(FRESH)
        print(f"seeds from {first} on, for {asked.minutes:g} minutes")
        until = time.monotonic() + asked.minutes * 60
        report = spread(
            itertools.count(first), asked.processes, fixed=asked.town, until=until, told=progress
        )
    else:
        seeds = iter(fixed_and_fresh(asked.seeds))
        report = spread(seeds, asked.processes, fixed=asked.town, told=progress)
    progress.tell(report)
    for what in OUTCOMES:
        print(f"{report.troubles[what]:6} × {what}")
    for failure in report.failures[:MOST_STORIES]:
        print(f"\n{failure.story}")
    for failure in report.failures:
        print(f"seed {failure.seed}: {failure.what}   (--seed {failure.seed} tells its story)")
    return int(bool(report.failures))


if __name__ == "__main__":
    sys.exit(main())
