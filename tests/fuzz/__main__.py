"""``python -m tests.fuzz``: throw inputs of all kinds at a shop, or one of them once more."""

import argparse
import sys
import time
from collections import Counter

from tests.fuzz.runs import KINDS, run, spread

TOLD_SECONDS = 10
MOST_SHOWN = 5


def main() -> int:
    """0 when no input did what none may do."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000, help="of all kinds together")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kind", choices=sorted(KINDS), help="with --seed: this input alone")
    parser.add_argument("--seed", type=int)
    asked = parser.parse_args()
    if asked.seed is not None:
        if not asked.kind:
            parser.error("--seed needs --kind")
        report = run(asked.kind, [asked.seed])
        print(report.outcomes, *(what for _, what in report.failures), sep="\n")
        return int(bool(report.failures))
    began = told = time.monotonic()
    thrown: Counter[str] = Counter()
    failures: list[str] = []
    for report in spread(asked.inputs, asked.processes):
        thrown[report.kind] += report.inputs
        failures += [what for _, what in report.failures]
        if time.monotonic() - told >= TOLD_SECONDS:
            told = time.monotonic()
            _tell(thrown, failures, told - began)
    _tell(thrown, failures, time.monotonic() - began)
    for what in failures[:MOST_SHOWN]:
        print(f"\n{what}")
    return int(bool(failures))


def _tell(thrown: Counter[str], failures: list[str], seconds: float) -> None:
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(thrown.items()))
    pace = thrown.total() / seconds
    print(
        f"{seconds:6.0f} s  {thrown.total()} inputs ({kinds}), {len(failures)} found, "
        f"{pace:.0f} a second",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
