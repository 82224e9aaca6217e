"""The documented table of mistakes, and finding one about as soon as it says."""

from pathlib import Path

from tests.simulation.bugs.bug import Bug
from tests.simulation.bugs.hunt import hunt

PAGE = Path(__file__).resolve().parents[2] / "docs" / "never-oversell.md"
HEAD = "| mistake | promise that it breaks | one seed in |"
LEAST_SEEDS = 50
TIMES = 10
"""A mistake that one seed in n finds stays hidden in ten times n about once in 20,000."""


def rows() -> dict[str, int]:
    """One seed in how many finds each mistake, by its name, in the table's order."""
    _, _, below = PAGE.read_text("utf-8").partition(HEAD + "\n")
    found = {}
    for line in below.splitlines()[1:]:
        if not line.startswith("|"):
            break
        name, _, often = [cell.strip() for cell in line.strip("|").split(" | ")]
        found[name] = int(often)
    return found


def find(bug: Bug) -> None:
    """Fails when the mistake is not found within ten times as many seeds as documented."""
    most = max(LEAST_SEEDS, TIMES * rows()[bug.name])
    caught = next(hunt(bug, most), None)
    assert caught, f"{most} seeds did not find that the shop {bug.name}"
