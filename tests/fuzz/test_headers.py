"""Whatever headers come with a request: a clear answer, nothing changed, no host of another's named."""

import pytest

from tests.fuzz.runs import PATIENCE_SECONDS, prove


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_no_header_fails_or_changes_anything() -> None:
    outcomes = prove("headers").outcomes
    assert {"200", "206", "303", "304", "400", "404", "412", "416"} <= set(outcomes)
