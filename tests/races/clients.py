"""Many clients of one Redis, each on a connection of its own, that act at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import TracebackType
from typing import Self, TypeVar

import redis

from storefront.storage.connection import connect
from storefront.storage.store import open_store
from tests.storage.steps import Book

WAIT_SECONDS = 60
"""How long the clients wait for each other before a test fails."""

Answer = TypeVar("Answer")
Act = Callable[[Book], Answer]


class Clients:
    """Opens ``number`` connections, as the shop's processes do, and a thread for each.

    Threads are enough: each waits for Redis without the interpreter's lock, and the controls show
    that what is not atomic goes wrong among them.
    """

    def __init__(self, url: str, number: int) -> None:
        self._redis = [connect(url) for _ in range(number)]
        self._books = [Book(open_store(client, "test")) for client in self._redis]
        self._threads = ThreadPoolExecutor(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
        for client in self._redis:
            client.close()

    @property
    def book(self) -> Book:
        """The first client's, to prepare and to look with."""
        return self._books[0]

    @property
    def redis(self) -> redis.Redis:
        """The first client's connection."""
        return self._redis[0]

    def fresh(self) -> Book:
        """Empties the server."""
        self.redis.flushall()
        return self.book

    def at_once(self, acts: Sequence[Act[Answer]]) -> list[Answer]:
        """What each act answered, all begun at the same moment, one for each client."""
        assert len(acts) <= len(self._books)
        gate = Barrier(len(acts))

        def go(act: Act[Answer], book: Book) -> Answer:
            gate.wait(WAIT_SECONDS)
            return act(book)

        futures = [
            self._threads.submit(go, act, book)
            for act, book in zip(acts, self._books, strict=False)
        ]
        return [future.result(WAIT_SECONDS) for future in futures]
