"""Seeds that once broke a promise as Redis lost what it was told last, each in the town of its kind."""

import pytest

from tests.simulation.runs import run

WORKER_AND_OPERATOR = {
    "restarts": 1,
    "lossy": True,
    "operator": True,
    "twins": True,
    "workers": 1,
    "silent_end": True,
}
OWN_PAGE_AND_LINE = {
    "restarts": 2,
    "lossy": True,
    "ui": "elements",
    "waiting": True,
    "stripe": 0.3,
}


def test_a_write_off_that_only_stripe_knows_of_is_no_fault_of_a_rebuild() -> None:
    """The books lost it, and sold the unit: the rebuild takes Stripe's word, and says what it raised."""
    report = run([267807961], WORKER_AND_OPERATOR)
    assert not report.failures, report.told(267807961)
    assert not report.troubles["Redis is emptied and rebuilt"]


def test_a_link_that_a_walk_brings_back_is_closed_by_the_operator() -> None:
    """Until then it sells, and is looked at every minute."""
    report = run([267924442], WORKER_AND_OPERATOR)
    assert not report.failures, report.told(267924442)
    assert report.troubles["a payment link is made"]


def test_a_payment_intent_of_a_second_number_that_nobody_can_name_is_ended() -> None:
    report = run([269008137], OWN_PAGE_AND_LINE)
    assert not report.failures, report.told(269008137)


def test_a_hold_whose_number_is_lost_is_not_released_while_a_payment_is_made_for_it() -> None:
    report = run([268983987], OWN_PAGE_AND_LINE)
    assert not report.failures, report.told(268983987)


def test_what_was_called_off_and_captured_is_sent_back_whatever_redis_lost_of_it() -> None:
    report = run([555943474])
    assert not report.failures, report.told(555943474)


def test_money_whose_wish_is_lost_is_not_given_back_at_the_counter() -> None:
    report = run([555979309])
    assert not report.failures, report.told(555979309)


@pytest.mark.timeout(300)
def test_a_shop_that_lost_something_and_whose_copy_says_no_more_is_rebuilt_all_the_same() -> None:
    report = run(range(1, 400, 4), WORKER_AND_OPERATOR)
    assert not report.failures, report.told(1)
    assert report.troubles["Redis is emptied and rebuilt"] >= 10
