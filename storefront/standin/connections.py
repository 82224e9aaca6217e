"""The HTTP server, and connections that break off like those of a real network."""

import socket
import struct
from typing import Any

from gevent.pywsgi import WSGIHandler, WSGIServer

SOCKET = "standin.socket"
DROPPED = "standin.dropped"


class Handler(WSGIHandler):  # type: ignore[misc] # gevent has no types
    """Serves one connection and gives the application its socket."""

    def handle(self) -> None:
        """Serves the connection without waiting to fill its packets."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle()

    def get_environ(self) -> dict[str, Any]:
        """The request's environment, with the socket in it."""
        environ: dict[str, Any] = super().get_environ()
        environ[SOCKET] = self.socket
        return environ

    def process_result(self) -> None:
        """Sends the answer; a dropped connection gets none."""
        if self.environ.get(DROPPED):
            self.close_connection = True
        else:
            super().process_result()

    def log_request(self) -> None:
        """Requests are kept under /_standin/requests, not printed."""


def drop(environ: dict[str, Any]) -> None:
    """Breaks the connection off with a reset, as a router or a crash does."""
    connection = environ.get(SOCKET)
    if connection is not None:
        environ[DROPPED] = True
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def serve(listener: Any, application: Any, log: Any) -> WSGIServer:
    """A started server."""
    server = WSGIServer(listener, application, handler_class=Handler, log=None, error_log=log)
    server.start()
    return server
