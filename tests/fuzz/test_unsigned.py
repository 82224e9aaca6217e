"""Webhooks without Stripe's signature change nothing, however true they are."""

from tests.fuzz.runs import prove


def test_no_webhook_without_a_signature_of_stripes_is_taken() -> None:
    outcomes = prove("unsigned").outcomes
    assert set(outcomes) == {"400", "413"}
