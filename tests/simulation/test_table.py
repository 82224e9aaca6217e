"""The documented table of mistakes has every one that is planted, and no other."""

from tests.simulation.bugs.hunt import GROUPS
from tests.simulation.table import rows


def test_the_table_lists_every_mistake() -> None:
    names = [bug.name for group in GROUPS.values() for bug in group]
    assert len(names) == len(set(names))
    assert sorted(rows()) == sorted(names)


def test_no_mistake_hides_long() -> None:
    """Each is found by one seed in a few hundred at least, so that the tests find all in a minute."""
    assert {name: often for name, often in rows().items() if not 1 <= often <= 400} == {}
