"""``python -m storefront.storage.fleeting``: the last resort, a server that keeps nothing.

It is fakeredis behind a socket, for a machine where no real server can run. It takes the options of
a real one, listens at ``--unixsocket`` and ends when that file is taken away.
"""

import argparse
import itertools
import os
import socket
from pathlib import Path
from typing import Any

from fakeredis import TcpFakeServer


class Fleeting(TcpFakeServer):
    """fakeredis' server on a socket of the file system."""

    address_family = socket.AF_UNIX

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers = itertools.count(1)
        path.unlink(missing_ok=True)
        super().__init__(str(path))  # type: ignore[arg-type]  # for this address family a path is right
        self.daemon_threads = True

    def server_bind(self) -> None:
        os.umask(0o077)
        super().server_bind()

    def get_request(self) -> tuple[socket.socket, Any]:
        # Clients are told apart by their address, and on such a socket they have none.
        connection, _ = super().get_request()
        return connection, ("client", next(self._numbers))

    def service_actions(self) -> None:
        if not self._path.exists():
            os._exit(0)


def main() -> None:
    """Serves until the socket's file is taken away."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--unixsocket", type=Path, required=True)
    options, _ = parser.parse_known_args()
    Fleeting(options.unixsocket).serve_forever()


if __name__ == "__main__":
    main()
