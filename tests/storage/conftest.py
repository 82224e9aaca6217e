"""The books of an empty shop."""

from collections.abc import Iterator

import pytest

from storefront.storage.store import Store
from tests.storage.steps import Book


@pytest.fixture
def book(store: Store) -> Iterator[Book]:
    """An empty shop's books, on fakeredis and on a real server; they must agree at the end."""
    book = Book(store)
    yield book
    book.check()
