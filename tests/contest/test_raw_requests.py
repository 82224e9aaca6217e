"""Whatever bytes reach the running shop, it goes on, tells nothing of its inside and changes nothing."""

import errno
import os
import random
import re
import socket
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from tests.contest.market import Market, open_market
from tests.contest.raw import Raw
from tests.contest.shopper import Shopper

CONNECTIONS = int(os.environ.get("RAW_CONNECTIONS", "500"))
"""``RAW_CONNECTIONS``: so many clients, half from the same seeds as always, half from new ones."""
SEED = os.environ.get("RAW_SEED")
"""``RAW_SEED``: throw this one alone."""
SECONDS = 30
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
OF_THE_SERVER = {501, 505}
"""A method of transfer or a version that no part of gunicorn speaks; no line of the shop ran."""
HEARD_ENOUGH = {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}
"""What a client runs into when the server has answered and closed before all was sent: the last of them
when that was between its last bytes and its word that there are no more."""


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with open_market({"ticket": 5}, hold_seconds=600, worker=False, WEB_CONCURRENCY="1") as market:
        yield market


def everything(market: Market) -> tuple[object, ...]:
    """All that the shop and its Stripe keep."""
    store = market.store
    return (
        store.stock.levels(),
        market.orders(),
        [(job.name, job.at) for job in store.due.jobs()],
        list(store.ledger.walk()),
        market.stripe.sessions(),
    )


def answered(address: tuple[str, int], sent: bytes) -> bytes:
    """All that comes back when a client has sent this and has no more to say."""
    back = b""
    with socket.create_connection(address, SECONDS) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                back += part
        except OSError as error:
            if error.errno not in HEARD_ENOUGH:
                raise
    return back


def wrong(back: bytes) -> list[str]:
    """What no answer may hold."""
    found = [f"{code.decode()}" for code in STATUS.findall(back) if int(code) >= 500]
    found = [code for code in found if int(code) not in OF_THE_SERVER]
    leaks = (b"Traceback", b'File "/', b"site-packages", b"root:")
    found += [leak.decode() for leak in leaks if leak in back]
    heads = b"".join(part.split(b"\r\n\r\n")[0] for part in back.split(b"HTTP/1.")[1:])
    return found + (["another's host in a header"] if b"evil.example" in heads else [])


def seeds() -> list[int]:
    if SEED:
        return [int(SEED)]
    fixed = CONNECTIONS - CONNECTIONS // 2
    first = random.SystemRandom().randrange(fixed, 10**9)
    print(f"seeds 0 to {fixed - 1} and {first} to {first + CONNECTIONS // 2 - 1}")
    return [*range(fixed), *range(first, first + CONNECTIONS // 2)]


def test_no_bytes_make_the_shop_fail_or_change(market: Market) -> None:
    shopper = Shopper(market.shop.url)
    link = urlsplit(shopper.order_link(shopper.hold("ticket"))).path
    before, parts = everything(market), urlsplit(market.shop.url)
    address = (str(parts.hostname), int(parts.port or 0))
    codes: Counter[str] = Counter()
    for seed in seeds():
        sent = Raw(random.Random(seed), [link.encode()[:-1], b"/orders/" + b"a" * 30]).connection()
        back = answered(address, sent)
        codes.update(code.decode() for code in STATUS.findall(back) or [b"none"])
        found = wrong(back)
        again = f"RAW_SEED={seed} python -m pytest {__file__}"
        assert not found, f"{found} for {sent[:3000]!r}\nanswered {back[:2000]!r}\nAgain: {again}"
        assert market.shop.alive
    print(codes)
    assert everything(market) == before
    assert requests.get(f"{market.shop.url}/readyz", timeout=SECONDS).status_code == 200
    market.quiet_logs()
    if not SEED:
        assert {"200", "400", "404"} <= set(codes)


def test_an_answer_that_failed_or_tells_of_the_inside_is_seen() -> None:
    """The negative control of ``wrong``."""
    assert wrong(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello") == []
    assert wrong(b"HTTP/1.1 400 Bad\r\n\r\nHTTP/1.1 500 Internal Server Error\r\n\r\n") == ["500"]
    assert wrong(b"HTTP/1.1 200 OK\r\n\r\nTraceback (most recent call last):") == ["Traceback"]
    assert wrong(b"HTTP/1.1 303 See Other\r\nLocation: http://evil.example/\r\n\r\n") != []


def test_a_change_is_seen(market: Market) -> None:
    """The negative control of ``everything``."""
    before = everything(market)
    assert everything(market) == before
    shopper = Shopper(market.shop.url, "eve")
    link = shopper.order_link(shopper.hold("ticket"))
    assert everything(market) != before
    shopper.cancel(link)
    assert everything(market) != before
