"""The books of an empty shop."""

from collections.abc import Iterator

import fakeredis
import pytest
import redis

from storefront.storage.store import Store
from tests.harness import start_redis
from tests.storage.steps import Book


@pytest.fixture
def book(store: Store) -> Iterator[Book]:
    """An empty shop's books, on fakeredis and on a real server; they must agree at the end."""
    book = Book(store)
    yield book
    book.check()


@pytest.fixture(params=["fakeredis", "real"])
def quick_client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """An empty Redis: once fakeredis with real Lua, once a real server that writes nothing down."""
    if request.param == "fakeredis":
        server = fakeredis.FakeServer(version=(7, 0))
        with fakeredis.FakeRedis(server=server, decode_responses=True) as client:
            yield client
        return
    with start_redis(appendonly="no") as server, server.client() as client:
        yield client
