"""Every mistake that is put into the shop is found, and within how many seeds."""

from collections.abc import Iterator

import pytest

from tests.simulation.bugs import BUGS, Bug, ground_with
from tests.simulation.runs import attempt, quietly
from tests.simulation.truth import Broken

MOST_SEEDS = 1500

Row = tuple[str, str, int]


@pytest.fixture(scope="module")
def table() -> Iterator[list[Row]]:
    """What was caught by what and how fast, printed at the end (pytest -s shows it)."""
    rows: list[Row] = []
    yield rows
    print(f"\n\n{'mistake':<62} {'caught by':<20} seeds")
    for name, promise, seeds in sorted(rows, key=lambda row: row[2]):
        print(f"{name:<62} {promise:<20} {seeds:>5}")


def hunt(bug: Bug) -> tuple[int, Broken] | None:
    """How many seeds it took, and what was broken."""
    with quietly(), ground_with(bug) as ground:
        for seed in range(MOST_SEEDS):
            _, broken = attempt(ground, seed)
            if broken:
                return seed + 1, broken
    return None


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_mistake_is_caught(bug: Bug, table: list[Row]) -> None:
    found = hunt(bug)
    assert found, f"{MOST_SEEDS} seeds did not find that the shop {bug.name}"
    seeds, broken = found
    table.append((bug.name, broken.promise, seeds))
