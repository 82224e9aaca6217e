"""How often one address may ask."""

import time
from collections.abc import Callable

import fakeredis
import pytest
from flask import Flask
from limits.storage import RedisStorage

from storefront.app import assemble
from storefront.services.shop import Shop
from storefront.web.limits import CHECKOUTS, PAGES, POSTS, Limits, TooOften
from tests.web.browsing import Browser


@pytest.fixture
def counts(redis: fakeredis.FakeRedis) -> RedisStorage:
    return RedisStorage(
        "redis://",
        connection_pool=redis.connection_pool,
        key_prefix="{popup}:limit",
        wrap_exceptions=True,
    )


@pytest.fixture
def limited(make_shop: Callable[..., Shop], counts: RedisStorage) -> Flask:
    return assemble(make_shop(RATE_LIMIT="on"), counts)


def last_of(times: int, ask: Callable[[], int]) -> tuple[set[int], int]:
    """The answers but the last, and the last."""
    *first, last = [ask() for _ in range(times)]
    return set(first), last


@pytest.fixture(autouse=True)
def early_in_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting in memory goes by the clock's minutes; no test may straddle two."""
    start = time.time() // 60 * 60 + 1
    monkeypatch.setattr("storefront.web.limits.time.time", lambda: start)


def test_the_31st_checkout_within_a_minute_is_429_and_says_when_to_come_back(
    limited: Flask,
) -> None:
    visitor = Browser(limited)
    token = visitor.token()

    def buy() -> int:
        return visitor.post(
            "/checkout", {"csrf_token": token, "sku": "no", "quantity": "1"}
        ).status_code

    assert last_of(31, buy) == ({422}, 429)
    response = visitor.post("/checkout", {})
    assert 0 < int(response.headers["Retry-After"]) <= 61
    assert "Please slow down" in response.text


def test_the_61st_other_post_is_429_and_checkouts_have_their_own_count(limited: Flask) -> None:
    visitor = Browser(limited)
    assert last_of(61, lambda: visitor.post("/bag", {}).status_code) == ({400}, 429)
    assert visitor.post("/checkout", {}).status_code == 400


def test_the_601st_page_is_429(limited: Flask) -> None:
    visitor = Browser(limited)
    assert last_of(601, lambda: visitor.get("/bag").status_code) == ({200}, 429)


def test_each_address_is_counted_apart_and_an_ipv6_one_by_its_64(limited: Flask) -> None:
    one, neighbour = Browser(limited, "2001:db8:1:1::1"), Browser(limited, "2001:db8:1:1:ffff::9")
    other = Browser(limited, "2001:db8:1:2::1")
    for _ in range(60):
        one.post("/bag", {})
    assert [b.post("/bag", {}).status_code for b in (one, neighbour, other)] == [429, 429, 400]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/shop.css", "/pictures/none.svg"])
def test_health_and_files_are_never_limited(limited: Flask, path: str) -> None:
    visitor = Browser(limited)
    first, last = last_of(601, lambda: visitor.get(path).status_code)
    assert first == {last}


def test_the_webhook_is_never_limited(limited: Flask) -> None:
    visitor = Browser(limited)
    assert last_of(61, lambda: visitor.post("/webhooks/stripe", b"").status_code) == ({400}, 400)


def test_posts_are_counted_in_redis_for_all_processes_and_forgotten_after_a_minute(
    limited: Flask, counts: RedisStorage, redis: fakeredis.FakeRedis
) -> None:
    Browser(limited).post("/bag", {})
    (key,) = redis.keys("{popup}:limit*")
    assert 0 < redis.ttl(key) <= 60
    assert "198.51.100.7" not in key
    other_process = Limits(counts)
    for _ in range(60):
        other_process.take(POSTS, "a")
    with pytest.raises(TooOften):
        Limits(counts).take(POSTS, "a")


def test_pages_cost_no_trip_to_redis(limited: Flask, redis: fakeredis.FakeRedis) -> None:
    Browser(limited).get("/bag")
    assert redis.keys("{popup}:limit*") == []


def test_without_redis_memory_counts(limited: Flask, cut: Callable[[], None]) -> None:
    cut()
    visitor = Browser(limited)
    assert last_of(61, lambda: visitor.post("/bag", {}).status_code) == ({400}, 429)


def test_a_new_minute_starts_from_nought(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(None)
    for _ in range(30):
        limits.take(CHECKOUTS, "a")
    with pytest.raises(TooOften) as refused:
        limits.take(CHECKOUTS, "a")
    now = time.time() // 60 * 60 + 1
    assert refused.value.retry_after == 59
    monkeypatch.setattr("storefront.web.limits.time.time", lambda: now + 60)
    limits.take(CHECKOUTS, "a")


def test_counts_in_memory_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(None)
    for number in range(1000):
        limits.take(PAGES, str(number))
    later = time.time() + 61
    monkeypatch.setattr("storefront.web.limits.time.time", lambda: later)
    limits.take(PAGES, "a")
    assert len(limits._minute.counts) == 1


def test_switched_off_nothing_is_limited(app: Flask) -> None:
    visitor = Browser(app)
    assert last_of(100, lambda: visitor.post("/bag", {}).status_code) == ({400}, 400)


def test_every_refusal_is_counted_for_the_metrics(limited: Flask) -> None:
    visitor = Browser(limited, "127.0.0.1")
    for _ in range(63):
        visitor.post("/bag", {})
    assert 'shop_limited_total{limit="posts"} 3' in visitor.get("/metrics").text
