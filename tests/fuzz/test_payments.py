"""Signed events about payments: what Stripe never sends changes nothing, the rest no more than it says."""

import pytest

from tests.fuzz.runs import PATIENCE_SECONDS, prove


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_no_event_about_a_payment_does_more_than_its_facts_allow() -> None:
    outcomes = prove("payments").outcomes
    expected = "400 413 sold review already asking repeat other_order duplicate authorized voided"
    assert set(expected.split()) <= set(outcomes)
    assert outcomes["400"] > outcomes.total() / 4
