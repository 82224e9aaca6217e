"""How the tests share the cores: which run beside which, and what is begun first.

A file's tests stay together, for what they set up once. Crowds, who bring many processes of their own,
come one after the other. Beside them are those who mostly wait for a deadline or a process to come back,
also one after the other; so one process more than there are cores keeps all busy.
"""

import os
from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling

CROWDS = ("tests/contest/", "tests/benchmarks/")
PATIENT = (
    "tests/contest/test_kills.py",
    "tests/contest/test_without_webhooks.py",
    "tests/contest/test_unreachable.py",
    "tests/contest/test_restart.py",
    "tests/contest/test_bad_input.py",
)
"""Of the crowds, those that keep a core busy for a tenth of their time: five minutes together."""
LONGEST = (
    # A crowd's day in the order in which the days are begun.
    "tests/contest/test_many_kills.py",
    *PATIENT,
    *CROWDS,
    # What keeps a core busy for a minute or so.
    "tests/simulation/test_simulation.py",
    "tests/simulation/test_fresh_seeds.py",
    "tests/fuzz/",
    "tests/simulation/",
    "tests/storage/test_state_machine.py",
    "tests/races/",
    "tests/journeys/",
    "tests/web/test_browser.py",
    "tests/services/",
    "tests/standin/",
    "tests/test_companions.py",
)
"""By the beginnings of their names: long files last would leave a core with nothing to do."""


def unit(name: str) -> str:
    """What a test runs together with: its file, or all crowds that wait, or all others."""
    if name.startswith(PATIENT):
        return "patient"
    return "crowds" if name.startswith(CROWDS) else name.partition("::")[0]


def turn(name: str) -> int:
    """When a test's turn is: the longest files first."""
    return next((n for n, start in enumerate(LONGEST) if name.startswith(start)), len(LONGEST))


def workers() -> int:
    """How many processes run tests at once."""
    return (os.cpu_count() or 1) + 1


class Units(LoadScopeScheduling):
    """Hands out unit after unit, as the tests are sorted."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def sort(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests in the order of their turns, otherwise as they come."""
    return sorted(items, key=lambda item: turn(item.nodeid))
