"""Does one thing again and again, broken at its first call to Redis or Stripe, then its second, …"""

from collections.abc import Callable
from contextlib import suppress

import pytest
import redis

from storefront.domain.errors import Refusal, StripeError, StripeUnreachable
from tests.services.conftest import Build
from tests.services.town import Crash, Fuse, Town

MOST_CALLS = 200
"""More than anything here makes."""


MakeFuse = Callable[[int], Fuse]


def raising(error: type[Exception]) -> Callable[[], None]:
    """Something that raises this error."""

    def happens() -> None:
        raise error("planned")

    return happens


def crash(at: int) -> Fuse:
    """The process ends before a call."""
    return Fuse(at)


def redis_refuses(at: int) -> Fuse:
    """Redis cannot be reached for one call."""
    return Fuse(at, raising(redis.ConnectionError), "redis")


def redis_reply_lost(at: int) -> Fuse:
    """Redis does what it is asked, and the answer is lost."""
    return Fuse(at, raising(redis.TimeoutError), "redis", after=True)


def stripe_silent(at: int) -> Fuse:
    """Stripe cannot be reached for one call."""
    return Fuse(at, raising(StripeUnreachable), "stripe")


def stripe_reply_lost(at: int) -> Fuse:
    """Stripe does what it is asked, and the answer is lost."""
    return Fuse(at, raising(StripeUnreachable), "stripe", after=True)


BREAKS = [crash, redis_refuses, redis_reply_lost, stripe_silent, stripe_reply_lost]
breaks = pytest.mark.parametrize("make_fuse", BREAKS, ids=lambda make: make.__name__)


def sweep(
    build: Build,
    make_fuse: MakeFuse,
    act: Callable[[Town], object],
    *,
    prepare: Callable[[Town], object] = lambda _: None,
    then: Callable[[Town], object] = lambda _: None,
    **settings: str,
) -> None:
    """Act with the fuse at each call in turn; check the promises after each, and at rest.

    ``prepare`` comes before, and ``then`` after the break: both unbroken.
    """
    for at in range(1, MOST_CALLS):
        town = build(**settings)
        prepare(town)
        with (
            town.fused(make_fuse(at)) as fuse,
            suppress(Crash, redis.RedisError, StripeError, Refusal),
        ):
            act(town)
        try:
            town.check()
            then(town)
            town.check()
            town.rest()
        except BaseException as failure:
            failure.add_note(f"{make_fuse.__name__} at call {at} of {fuse.calls}")
            raise
        if not fuse.reached:
            return
    raise AssertionError("makes more calls than expected")
