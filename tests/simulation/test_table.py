"""The documented table of mistakes has every one that is planted, and no other."""

import pytest

from tests.simulation.bugs import hunt
from tests.simulation.bugs.hunt import GROUPS, Catch, row
from tests.simulation.table import rows


def test_the_table_lists_every_mistake() -> None:
    names = [bug.name for group in GROUPS.values() for bug in group]
    assert len(names) == len(set(names))
    assert sorted(rows()) == sorted(names)


def test_no_mistake_hides_long() -> None:
    """Each is found by one seed in a few hundred at least, so that the tests find all in a minute."""
    assert {name: often for name, often in rows().items() if not 1 <= often <= 400} == {}


@pytest.mark.parametrize("promise", ["I4", "nothing due"])
def test_a_row_says_that_its_mistake_was_found(
    promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever words name it or the promise that it breaks."""
    monkeypatch.setattr(hunt, "hunt", lambda _: iter([Catch(4, promise), Catch(8, promise)]))
    line, found = row(0)
    assert (found, line.split(" | ")[1:]) == (True, [promise, "4 |"])


def test_a_row_says_that_its_mistake_was_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hunt, "hunt", lambda _: iter([]))
    line, found = row(0)
    assert not found
    assert "not found in 3000 seeds" in line
