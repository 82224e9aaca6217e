"""``make bench``: the shop beside bare programs, in one interleaved run; a few minutes."""

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from statistics import median

from benchmarks import rounds, servers
from benchmarks.load import WrongAnswer
from benchmarks.rounds import NOISE, Result, Visits

HEAD = """\
                        rate beside the bare      CPU for      trips to  share of a core, shop's turn
case       appendfsync  median (middle half)     an answer    Redis      web  Redis Stripe  load"""


def main() -> int:
    """Measures, and prints what came out; the exit status."""
    options = parse()
    if options.quick:
        options.rounds, options.seconds, options.open = 1, 0.2, 20
    say(f"{cores()} cores, load generator included; starting the processes")
    found: dict[tuple[str, str], Result] = {}
    try:
        with servers.all_running(options.processes) as running:
            visits = Visits(running, options.connections)
            visits.leave_open(options.open)
            rounds.warm_up(visits, min(0.5, options.seconds))
            for number, fsync, name, result in rounds.run(
                visits, running, rounds=options.rounds, seconds=options.seconds
            ):
                found[fsync, name] = result
                say(f"round {number}/{options.rounds} {fsync:8} {name:8} {result.rates[-1]:.2f}")
            say(f"auditing the books of {visits.orders} orders")
            wrong = running.audit()
    except (servers.CannotMeasure, WrongAnswer) as failure:
        print(failure, file=sys.stderr)
        return 1
    print(table(found))
    print(f"\nThe books after {visits.orders} orders: {wrong or 'every check holds'}.")
    if options.json:
        options.json.write_text(json.dumps(report(found), indent=1) + "\n", "utf-8")
    return 1 if wrong else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: does it run at all")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each program (15)")
    parser.add_argument("--seconds", type=float, default=0.7, help="length of a turn (0.7)")
    parser.add_argument("--connections", type=int, default=16, help="shoppers at once (16)")
    parser.add_argument(
        "--processes", type=int, default=1, help="web processes of each program (1)"
    )
    parser.add_argument("--open", type=int, default=300, help="unpaid orders from the start (300)")
    parser.add_argument("--json", type=Path, help="a file to write all figures to")
    return parser.parse_args()


def table(found: dict[tuple[str, str], Result]) -> str:
    """All cases, a line each."""
    lines = [HEAD]
    for (fsync, name), result in found.items():
        if name == NOISE:
            continue
        shop = rounds.typical(result.shop)
        low, high = rounds.middle(result.rates)
        lines.append(
            f"{name:10} {fsync:12} {median(result.rates):.2f} ({low:.2f} to {high:.2f})"
            f"{median(result.cpus):13.1f} ×{shop['trips']:12.1f}  "
            + "".join(f"{shop[part]:7.0%}" for part in ("web", "redis", "stripe", "load"))
        )
    noise = found["everysec", NOISE]
    low, high = rounds.middle(noise.rates)
    lines.append(
        f"\nThe bare program beside itself, which is noise: rate {median(noise.rates):.2f} "
        f"({low:.2f} to {high:.2f}), CPU {median(noise.cpus):.2f} ×."
    )
    return "\n".join(lines)


def report(found: dict[tuple[str, str], Result]) -> dict[str, object]:
    """The same for programs, with every figure."""
    cases = [
        {"case": name, "appendfsync": fsync, **result.summary()}
        for (fsync, name), result in found.items()
    ]
    return {"cores": cores(), "python": platform.python_version(), "cases": cases}


def cores() -> int:
    return os.cpu_count() or 1


def say(text: str) -> None:
    """Shows that it goes on."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
