"""Signed events about refunds and disputes: nothing malformed is noted, and never more than was paid."""

import pytest

from tests.fuzz.runs import PATIENCE_SECONDS, prove


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_no_event_about_a_refund_or_a_dispute_does_more_than_its_facts_allow() -> None:
    outcomes = prove("refunds").outcomes
    expected = "400 413 recorded refunded review asking already repeat not_ours failed"
    assert set(expected.split()) <= set(outcomes)
    assert outcomes["400"] > outcomes.total() / 4
