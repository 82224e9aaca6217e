"""Webhooks without Stripe's signature change nothing, however true they are."""

import pytest

from tests.fuzz.runs import PATIENCE_SECONDS, prove


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_no_webhook_without_a_signature_of_stripes_is_taken() -> None:
    outcomes = prove("unsigned").outcomes
    assert set(outcomes) == {"400", "413"}
