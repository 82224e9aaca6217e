"""Each mistake of its kind is found, about as soon as the documented table says."""

import pytest

from tests.simulation.bugs.bug import Bug
from tests.simulation.bugs.selling import BUGS
from tests.simulation.table import find


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_mistake_is_found(bug: Bug) -> None:
    find(bug)
