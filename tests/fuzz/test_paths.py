"""Whatever address is asked for: a clear answer, and nothing learnt of an order but by its own link."""

import pytest

from tests.fuzz.runs import PATIENCE_SECONDS, prove


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_no_address_fails_or_changes_anything() -> None:
    outcomes = prove("paths").outcomes
    assert {"200", "303", "400", "404", "405", "asked Stripe"} <= set(outcomes)
