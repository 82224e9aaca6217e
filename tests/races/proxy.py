"""A TCP proxy in front of Redis that spoils what a script answers, once it is told how.

Redis has done the work by then: the script ran, and only its client does not know.
"""

import selectors
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self

CHUNK = 65536
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: closing resets the connection, what was not sent yet is thrown away."""


class Fault(StrEnum):
    LOST = "lost"
    """The reply never comes, and the connection stays open."""
    LATE = "late"
    """The reply comes when its client has given up."""
    RESET = "reset"
    """The connection is reset in the place of the reply."""
    TORN = "torn"
    """Half of the reply comes, then the connection ends."""
    UNSENT = "unsent"
    """The connection is reset before Redis sees the question: the script never ran."""


REPLIES = (Fault.LOST, Fault.LATE, Fault.RESET, Fault.TORN)
"""Those that spoil the reply of a script that ran."""


class Proxy:
    """Listens on a free loopback port and passes on to Redis' port what it hears.

    ``late_seconds`` is how late a late reply is; longer than the client's patience.
    """

    def __init__(self, port: int, late_seconds: float) -> None:
        self.spoilt: Counter[Fault] = Counter()
        """How many scripts each fault has met; errors such as NOSCRIPT are let through."""
        self._redis = ("127.0.0.1", port)
        self._late_seconds = late_seconds
        self._faults: deque[Fault] = deque()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def arm(self, faults: Sequence[Fault]) -> None:
        """Spoil the next scripts, one fault for each; those after them are passed on whole."""
        self._faults = deque(faults)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._pass_on, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, client: socket.socket) -> None:
        """Serve one client until it leaves or its connection is to end."""
        with (
            client,
            socket.create_connection(self._redis) as server,
            selectors.DefaultSelector() as ready,
            suppress(OSError),
        ):
            ready.register(client, selectors.EVENT_READ, "client")
            ready.register(server, selectors.EVENT_READ, "server")
            fault: Fault | None = None
            while not self._closing.is_set():
                for key, _ in ready.select(0.1):
                    data = (client if key.data == "client" else server).recv(CHUNK)
                    if not data:
                        return
                    if key.data == "client":
                        if b"EVALSHA" in data and self._faults:
                            fault = self._faults.popleft()
                        if fault is Fault.UNSENT:
                            self._end(client, fault)
                            return
                        server.sendall(data)
                    elif fault is None or data.startswith(b"-"):
                        client.sendall(data)
                        fault = None
                    else:
                        self._spoil(client, data, fault)
                        if fault is not Fault.LOST:
                            return
                        fault = None

    def _spoil(self, client: socket.socket, reply: bytes, fault: Fault) -> None:
        match fault:
            case Fault.LOST:
                self.spoilt[fault] += 1
            case Fault.LATE:
                self.spoilt[fault] += 1
                self._closing.wait(self._late_seconds)
                client.sendall(reply)
            case Fault.TORN:
                self.spoilt[fault] += 1
                client.sendall(reply[: len(reply) // 2])
            case _:
                self._end(client, fault)

    def _end(self, client: socket.socket, fault: Fault) -> None:
        self.spoilt[fault] += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        client.close()
