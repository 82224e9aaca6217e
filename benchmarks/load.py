"""The load: a few connections, each of which sends its next request when the last was answered.

It stops by itself, after its seconds or when no requests are left, and an answer that is not the
expected one ends it at once: a fast wrong answer must never look like speed.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import gevent
from gevent import socket

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
SILENCE_SECONDS = 20
"""How long one answer may take on a busy machine."""
NO_LIMIT = float("inf")


class WrongAnswer(Exception):
    """A server answered with something else than it must."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What every answer must be."""

    status: int
    contains: bytes = b""


@dataclass(slots=True)
class Load:
    """What came of it."""

    seconds: float = 0.0
    answers: int = 0
    heads: list[bytes] = field(default_factory=list)
    """Each answer's status line and headers, when they were asked for."""

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


class Reader:
    """Reads HTTP/1.1 messages with a Content-Length from one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = b""

    def message(self) -> tuple[bytes, bytes] | None:
        """The next message's head and body; None when the other side has ended the connection."""
        data = self._left
        while (end := data.find(b"\r\n\r\n")) < 0:
            more = self._connection.recv(65536)
            if not more:
                return None
            data += more
        head = data[:end]
        found = LENGTH.search(head)
        if not found and not head.startswith(b"GET "):
            raise WrongAnswer(f"no Content-Length: {head[:200]!r}")
        stop = end + 4 + (int(found[1]) if found else 0)
        while len(data) < stop:
            more = self._connection.recv(65536)
            if not more:
                return None
            data += more
        self._left = data[stop:]
        return head, data[end + 4 : stop]


def drive(
    port: int,
    requests: Iterator[bytes],
    expected: Expected,
    *,
    connections: int,
    seconds: float = NO_LIMIT,
    keep_heads: bool = False,
) -> Load:
    """Send the requests to a server on this machine over so many connections.

    Ends after ``seconds`` or with the last request. Raises WrongAnswer.
    """
    load = Load()
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    started = time.perf_counter()
    end = started + seconds

    def shopper(connection: socket.socket) -> None:
        reader = Reader(connection)
        while time.perf_counter() < end and (request := next(requests, None)) is not None:
            connection.sendall(request)
            head, body = reader.message() or (b"", b"")
            check(expected, head, body)
            load.answers += 1
            if keep_heads:
                load.heads.append(head)

    shoppers = []
    try:
        for connection in opened:
            connection.settimeout(SILENCE_SECONDS)
            shoppers.append(gevent.spawn(shopper, connection))
        gevent.joinall(shoppers, raise_error=True)
    finally:
        load.seconds = time.perf_counter() - started
        gevent.killall(shoppers)
        for connection in opened:
            connection.close()
    return load


def check(expected: Expected, head: bytes, body: bytes) -> None:
    """Raises WrongAnswer unless this is the expected answer."""
    if head[9:12] != b"%d" % expected.status or expected.contains not in body:
        raise WrongAnswer(f"expected {expected}, got {head[:300]!r} {body[:300]!r}")


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A whole request as it is sent."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
