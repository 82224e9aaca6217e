"""How figures are made of samples."""

import pytest

from benchmarks.load import Load, WrongAnswer
from benchmarks.rounds import Result, Sample, middle, orders_of, sample


def turn(rate: float, cpu: float) -> Sample:
    return Sample(rate=rate, cpu=cpu, trips=1.0, web=1.0, redis=0.1, stripe=0.0, load=0.3)


def test_each_round_is_compared_with_itself_so_a_slow_minute_changes_nothing():
    """The machine is ten times slower in the second round, and the ratio is half in each."""
    result = Result(
        shop=[turn(1000, 0.002), turn(100, 0.02), turn(900, 0.002)],
        bare=[turn(2000, 0.001), turn(200, 0.01), turn(1800, 0.001)],
    )
    assert result.rates == [0.5, 0.5, 0.5]
    assert result.cpus == [2.0, 2.0, 2.0]


def test_one_disturbed_round_of_three_does_not_change_the_figure_but_shows_beside_it():
    result = Result(
        shop=[turn(1000, 1), turn(1000, 1), turn(10, 1)],
        bare=[turn(2000, 1), turn(2000, 1), turn(2000, 1)],
    )
    summary = result.summary()
    assert summary["rate"] == 0.5
    assert summary["rate_middle"] == pytest.approx((0.2525, 0.5))


def test_half_of_the_rounds_lie_in_the_middle():
    assert middle([5.0, 1.0, 2.0, 4.0, 3.0]) == (2.0, 4.0)
    assert middle([7.0]) == (7.0, 7.0)


def test_a_sample_is_what_the_meters_moved_by_for_an_answer_and_for_a_second():
    before = {"web": 10.0, "redis": 1.0, "stripe": 0.0, "load": 5.0, "reads": 100}
    after = {"web": 11.0, "redis": 1.2, "stripe": 0.0, "load": 5.5, "reads": 5103}
    taken = sample(Load(seconds=2.0, answers=1000), before, after)
    assert taken.rate == 500
    assert taken.cpu == 0.001
    assert taken.trips == 5.0
    assert (taken.web, taken.redis, taken.stripe, taken.load) == pytest.approx((0.5, 0.1, 0, 0.25))


def test_two_shoppers_at_one_payment_are_no_measurement():
    head = b"HTTP/1.1 303 See Other\r\nLocation: http://localhost/c/pay/cs_test_%s"
    assert orders_of(Load(heads=[head % b"one", head % b"two"])) == ["one", "two"]
    with pytest.raises(WrongAnswer):
        orders_of(Load(heads=[head % b"one", head % b"one"]))
