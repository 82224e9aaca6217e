"""Open pages hear of every change: one subscription for all of them, on a real Redis."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import redis as redis_py
from flask import Flask

from storefront.app import assemble
from storefront.domain.catalogue_file import read_catalogue
from storefront.domain.errors import TooManyStreams
from storefront.services import live
from storefront.services.live import Stream, Streams
from storefront.services.publishing import publish
from storefront.services.restocking import restock
from storefront.services.shop import Shop
from storefront.storage.connection import connect
from storefront.storage.store import open_store
from tests.harness import RedisServer, start_redis, wait_until
from tests.web.browsing import Browser
from tests.web.conftest import GOODS

ALL = {"poster-red", "poster-ink", "record", "zine", "later"}


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[redis_py.Redis]:
    """Not fakeredis: who publishes and who listens are two connections."""
    with connect(redis_server.url) as client:
        client.flushall()
        yield client


@dataclass
class Page:
    """One open page, which notes all it hears."""

    stream: Stream
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stock: dict[str, Any] = field(default_factory=dict)
    """What its badges show by now."""
    ended: bool = False

    def read(self) -> None:
        """Until its stream ends."""
        for text in self.stream:
            self.hear(text)
        self.ended = True

    def hear(self, text: bytes) -> None:
        for block in text.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in lines:
                self.events.append((lines["event"], json.loads(lines["data"])))
                if lines["event"] == "stock":
                    self.stock.update(self.events[-1][1])

    def told(self) -> list[dict[str, Any]]:
        """The stock as told, event by event."""
        return [data for name, data in self.events if name == "stock"]


@pytest.fixture
def open_page() -> Iterator[Callable[[Streams], Page]]:
    """Opens pages that hear the full state before they are handed over."""
    opened: list[tuple[Page, threading.Thread]] = []

    def open_one(streams: Streams) -> Page:
        page = Page(streams.join())
        thread = threading.Thread(target=page.read)
        thread.start()
        opened.append((page, thread))
        wait_until(lambda: page.events, "the page hears the full state")
        return page

    yield open_one
    for page, thread in opened:
        page.stream._streams.stop()
        thread.join()
        page.stream.close()


@pytest.fixture
def streams(shop: Shop) -> Streams:
    return Streams(shop)


def add(shop: Shop, sku: str, delta: int = 1) -> None:
    number = shop.store.now(), threading.get_ident(), time.perf_counter_ns()
    restock(shop, sku=sku, delta=delta, reason="test", who="test", key=f"key-{number}")


def levels(shop: Shop) -> Any:
    return live.stock(shop).levels


def test_a_page_hears_the_full_state_and_then_only_what_changes(
    shop: Shop, streams: Streams, open_page: Callable[..., Page]
) -> None:
    page = open_page(streams)
    assert page.told() == [levels(shop)]
    assert page.stock.keys() == ALL
    add(shop, "zine", 7)
    wait_until(lambda: len(page.told()) > 1, "the change is heard")
    assert page.told()[1] == {"zine": {"available": 7, "held": 0}}


def test_every_page_hears_of_every_change_through_one_subscription(
    shop: Shop, streams: Streams, open_page: Callable[..., Page]
) -> None:
    pages = [open_page(streams) for _ in range(20)]
    add(shop, "record", 4)
    for page in pages:
        wait_until(lambda page=page: page.stock["record"]["available"] == 7, "all hear it")
    channel = shop.store.keys.name("live")
    assert shop.store._client.pubsub_numsub(channel) == [(channel, 1)]


def changes_heard(shop: Shop, page: Page) -> tuple[int, float]:
    """How many messages 80 changes in a row make, and how long it all took."""
    begun, before = time.monotonic(), len(page.told())
    for _ in range(80):
        add(shop, "record")
    wait_until(lambda: page.stock == levels(shop), "the last change is heard")
    return len(page.told()) - before, time.monotonic() - begun


def test_changes_that_come_together_are_told_together(
    shop: Shop, streams: Streams, open_page: Callable[..., Page]
) -> None:
    told, seconds = changes_heard(shop, open_page(streams))
    assert told <= 2 + seconds / live.SPACING_SECONDS


def test_without_spacing_they_would_not_be(
    shop: Shop,
    streams: Streams,
    open_page: Callable[..., Page],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control of the test before."""
    spacing = live.SPACING_SECONDS
    monkeypatch.setattr(live, "SPACING_SECONDS", 0)
    told, seconds = changes_heard(shop, open_page(streams))
    assert told > 2 + seconds / spacing


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_page_hears_a_comment_when_nothing_else_is_to_tell(shop: Shop) -> None:
    clock = Clock()
    streams = Streams(shop, clock=clock)
    page = streams.join()
    next(page)
    clock.seconds += live.HEARTBEAT_SECONDS
    assert next(page) == b": still here\n\n"
    page.close()


def test_a_page_hears_its_comment_while_changes_flow_too(shop: Shop) -> None:
    clock = Clock()
    streams = Streams(shop, clock=clock)
    page = streams.join()
    assert next(page).startswith(b"retry: ")
    add(shop, "record")
    clock.seconds += live.HEARTBEAT_SECONDS - 0.5
    assert b"event: stock" in next(page)
    add(shop, "record")
    clock.seconds += 0.5
    text = next(page)
    if b"still here" in text and b"event" not in text:
        text += next(page)
    assert b"still here" in text
    assert b"event: stock" in text
    page.close()


def test_proxies_are_given_a_sign_of_life_well_within_fifteen_seconds() -> None:
    assert live.HEARTBEAT_SECONDS <= 12


def test_a_page_that_missed_a_change_hears_the_full_state(
    shop: Shop, streams: Streams, open_page: Callable[..., Page]
) -> None:
    quick, slow = open_page(streams), streams.join()
    next(slow)
    for number in (4, 5):
        add(shop, "record")
        wait_until(lambda n=number: quick.stock["record"]["available"] == n, "the quick one hears")
    page = Page(slow)
    page.hear(next(slow))
    assert page.told() == [levels(shop)]
    slow.close()


def test_a_change_that_nobody_published_is_told_all_the_same(
    shop: Shop,
    streams: Streams,
    open_page: Callable[..., Page],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message that was lost on the way, or a subscription that died without a word."""
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.05)
    page = open_page(streams)
    shop.store._client.hincrby(shop.store.keys.name("stock:available"), "record", 2)
    wait_until(lambda: page.stock["record"]["available"] == 5, "the page hears of it")


def test_the_listener_ends_with_the_last_page_and_the_next_page_starts_another(
    shop: Shop, streams: Streams, monkeypatch: pytest.MonkeyPatch, open_page: Callable[..., Page]
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.05)

    def listeners() -> int:
        return sum(thread.name == "live" for thread in threading.enumerate())

    wait_until(lambda: listeners() == 0, "those of other tests have ended")
    first = streams.join()
    assert listeners() == 1
    first.close()
    first.close()
    assert streams.open == 0
    wait_until(lambda: listeners() == 0, "nobody listens any more")
    page = open_page(streams)
    add(shop, "record")
    wait_until(lambda: page.stock["record"]["available"] == 4, "the next page hears changes")


def test_making_the_application_starts_nothing(shop: Shop) -> None:
    before = threading.active_count()
    assemble(shop)
    assert threading.active_count() == before


def test_a_listener_that_fails_comes_back_by_itself(
    shop: Shop, streams: Streams, open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen, failures = shop.store.live.listen, [ValueError("a fault"), redis_py.ConnectionError()]

    def fail_first() -> Any:
        if failures:
            raise failures.pop()
        return listen()

    monkeypatch.setattr(shop.store.live, "listen", fail_first)
    page = open_page(streams)
    wait_until(lambda: not failures, "both failures have happened")
    add(shop, "record")
    wait_until(lambda: page.stock["record"]["available"] == 4, "the page hears changes again")


def test_open_pages_hear_again_after_redis_was_restarted(
    make_shop: Callable[..., Shop],
    open_page: Callable[..., Page],
    redis: redis_py.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with start_redis() as server, connect(server.url) as client:
        other = make_shop()
        shop = Shop(other.settings, open_store(client, "popup"), other.stripe, other.mailer)
        publish(shop, read_catalogue(GOODS, "usd", ["poster.svg"]), prune=False)
        page = open_page(Streams(shop))
        server.restart()
        add(shop, "record")
        wait_until(lambda: page.stock["record"]["available"] == 4, "the page hears changes again")


def opening_at(moment: int) -> str:
    """The goods, of which the last goes on sale at a time (ms)."""
    text = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    return GOODS.replace("2126-12-01T10:00:00Z", text.replace("+00:00", "Z"))


def test_what_opens_by_itself_is_told_by_redis_clock_and_not_before(
    shop: Shop, streams: Streams, open_page: Callable[..., Page]
) -> None:
    page = open_page(streams)
    opens = shop.store.now() // 1000 * 1000 + 2000
    publish(shop, read_catalogue(opening_at(opens), "usd", ["poster.svg"]), prune=False)
    said = datetime.fromtimestamp(opens / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    wait_until(
        lambda: page.stock["later"] == {"available": 5, "held": 0, "opens_at": said}, "it is told"
    )
    wait_until(lambda: "opens_at" not in page.stock["later"], "it opens")
    assert shop.store.now() >= opens


def test_a_new_product_is_told_and_one_taken_off_the_shelf_has_nothing_left(
    shop: Shop, streams: Streams, open_page: Callable[..., Page]
) -> None:
    page = open_page(streams)
    goods = GOODS.replace('"zine"', '"comic"')
    publish(shop, read_catalogue(goods, "usd", ["poster.svg"]), prune=True)
    wait_until(lambda: "comic" in page.stock, "the new product is told")
    assert page.stock["zine"] == {"available": 0, "held": 0}


def test_of_what_is_all_held_the_page_hears_when_the_first_unit_may_return(
    shop: Shop, app: Flask, streams: Streams, open_page: Callable[..., Page]
) -> None:
    page = open_page(streams)
    assert Browser(app).send("/checkout", sku="record", quantity="3").status_code == 303
    wait_until(lambda: page.stock["record"]["held"] == 3, "it is held")
    wait_until(lambda: any(name == "returns" for name, _ in page.events), "its return is told")
    (returns,) = [data for name, data in page.events if name == "returns"]
    ((_, deadline),) = shop.store.orders.holding()
    assert returns.keys() == {"record"}
    told = datetime.fromisoformat(returns["record"]).timestamp() * 1000
    assert deadline <= told < deadline + 1000


def test_over_the_cap_a_page_is_told_to_ask_instead(
    make_shop: Callable[..., Shop],
) -> None:
    app = assemble(make_shop(LIVE_STREAMS="2"))
    streams = app.extensions["storefront"].streams
    kept = [streams.join(), streams.join()]
    answer = Browser(app).get("/live")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "/stock.json" in answer.text
    with pytest.raises(TooManyStreams):
        streams.join()
    kept.pop().close()
    kept.append(streams.join())
    for stream in kept:
        stream.close()


def test_the_answer_is_an_event_stream_that_nothing_on_the_way_keeps(app: Flask) -> None:
    streams = app.extensions["storefront"].streams
    answer = app.test_client().get("/live", base_url="http://shop.example", buffered=False)
    assert answer.content_type == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert "Set-Cookie" not in answer.headers
    assert next(answer.response).startswith(b"retry: ")
    assert streams.open == 1
    answer.close()
    assert streams.open == 0


def test_a_client_that_reads_nothing_takes_no_place(app: Flask) -> None:
    app.test_client().head("/live", base_url="http://shop.example").close()
    assert app.extensions["storefront"].streams.open == 0


def test_streams_are_not_counted_by_the_rate_limits(make_shop: Callable[..., Shop]) -> None:
    app = assemble(make_shop(RATE_LIMIT="on"))
    for _ in range(610):
        answer = app.test_client().head("/live", base_url="http://shop.example")
        assert answer.status_code == 200
        answer.close()


def test_when_redis_is_away_a_stream_is_refused_like_a_page(
    make_shop: Callable[..., Shop], redis: redis_py.Redis
) -> None:
    with start_redis() as server, connect(server.url) as client:
        other = make_shop()
        shop = Shop(other.settings, open_store(client, "popup"), other.stripe, other.mailer)
        publish(shop, read_catalogue(GOODS, "usd", ["poster.svg"]), prune=False)
        app = assemble(shop)
        server.kill()
        assert Browser(app).get("/live").status_code == 503
        assert app.extensions["storefront"].streams.open == 0
        server.start()


def test_a_stop_ends_every_stream_at_once_and_lets_none_begin(
    streams: Streams, open_page: Callable[..., Page]
) -> None:
    pages = [open_page(streams) for _ in range(5)]
    streams.stop()
    for page in pages:
        wait_until(lambda page=page: page.ended, "the stream ends")
    with pytest.raises(TooManyStreams):
        streams.join()


def test_the_figures_count_the_open_pages_of_all_processes(app: Flask, shop: Shop) -> None:
    streams = app.extensions["storefront"].streams
    kept = [streams.join(), streams.join()]
    now = shop.store.now()
    shop.store.live.note_streams("another", 5, now)
    shop.store.live.note_streams("one that died", 9, now - 60_000)

    def figure() -> str:
        text = Browser(app, address="127.0.0.1").get("/metrics").text
        return next(line for line in text.splitlines() if line.startswith("shop_streams "))

    assert figure() == "shop_streams 7"
    for stream in kept:
        stream.close()
    shop.store.live.note_streams("another", 0, now)
    assert figure() == "shop_streams 0"


@pytest.fixture(autouse=True)
def _leave_no_listener(redis: redis_py.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Listeners end soon after their pages, before the server is emptied for the next test."""
    yield
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    wait_until(
        lambda: not any(thread.name == "live" for thread in threading.enumerate()),
        "no listener is left",
    )
