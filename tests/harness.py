"""Starts the shop's real processes for a test: Redis, the Stripe stand-in, gunicorn, the worker.

Each start is a context manager that takes a free port, ends exactly the process that it started,
and adds the end of that process's log to the failure of a test inside it or beside it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import redis
import requests
from redis.backoff import NoBackoff
from redis.retry import Retry

from storefront.environment import Environment
from storefront.settings import read_settings
from storefront.storage import embedded
from tests import forked

ROOT = Path(__file__).resolve().parent.parent

WAIT_SECONDS = 60
"""How long a process may take on a busy machine; nothing waits that long when all is well."""

LOG_SHOWN = 4000
"""Characters of the end of a process's log, beside a failure."""

WEBHOOK_SECRET = "whsec_of_the_tests"

Answer = TypeVar("Answer")

running: list["Running"] = []
"""What the tests of this process have started and not yet ended."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(question: Callable[[], Answer], what: str, seconds: float = WAIT_SECONDS) -> Answer:
    """The first true answer to a question that is asked again and again; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return answer


def clean_environment(folder: Path) -> dict[str, str]:
    """What a process needs to run, with every setting of the shop empty.

    Empty is not set for the shop, and goes before a developer's own ``.env``.
    """
    settings = Environment({})
    read_settings(settings, folder)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        **dict.fromkeys(settings.read, ""),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "SHOP_INSTANCE": str(folder),
    }


@dataclass
class Running:
    """A process that a test started. Only its own pid is ever signalled."""

    command: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    """Its log, and what it keeps."""
    url: str = ""
    process: subprocess.Popen[bytes] | forked.Process = field(init=False, repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def name(self) -> str:
        """The beginning of its command."""
        return " ".join(self.command[:5])

    @property
    def log(self) -> str:
        """All it has printed, on stdout and stderr."""
        path = self.folder / "log.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Starts it, or starts it again after it ended."""
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command),
                env=dict(self.env),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_for(self, question: Callable[[], Answer], what: str) -> Answer:
        """As ``wait_until``, but fails at once when the process ends."""

        def ask() -> Answer:
            assert self.alive, f"ended with {self.process.returncode} before: {what}"
            return question()

        return wait_until(ask, what)

    def answers(self, path: str = "") -> bool:
        """Whether its address gives a page without an error."""
        try:
            return requests.get(self.url + path, timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """Ends it as a crash would, with SIGKILL."""
        self.process.kill()
        self.process.wait()

    @property
    def children(self) -> list[int]:
        """The processes that it started itself, such as gunicorn's web processes."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    def kill_all(self) -> None:
        """Ends it and its children as a power cut would: none gets to do anything more."""
        children = self.children
        self.kill()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(runs, children)), "its children are gone")

    def stop(self, seconds: float = 30) -> int:
        """Asks it to end, with SIGTERM, and gives its exit code; ends it by force if it does not."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"did not end within {seconds} s of SIGTERM") from None
        return self.process.wait()


def runs(pid: int) -> bool:
    """Whether a process is still there, and more than what remains until someone asks for it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@contextmanager
def started(process: Running) -> Iterator[Running]:
    """Runs it for a block; a failure inside shows the end of its log."""
    running.append(process)
    try:
        process.start()
        yield process
    except BaseException as failure:
        failure.add_note(f"--- {process.name}\n{process.log[-LOG_SHOWN:]}")
        raise
    finally:
        running.remove(process)
        if process.alive:
            process.process.terminate()
            try:
                process.process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass
class Forked(Running):
    """A Python program, which begins in a moment."""

    def start(self) -> None:
        self.process = forked.start(self.command, self.env, self.folder / "log.txt")


@dataclass
class RedisServer(Running):
    """A private Redis whose every acknowledged write is on the disk."""

    def start(self) -> None:
        super().start()
        self.wait_for(self._ready, "Redis answers")

    def client(self) -> redis.Redis:
        """A client that never repeats a command."""
        return redis.Redis.from_url(self.url, decode_responses=True, retry=Retry(NoBackoff(), 0))

    def restart(self) -> None:
        """Kills it and starts it again over the data that it wrote."""
        self.kill()
        self.start()

    def _ready(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


@contextmanager
def start_redis(**options: str) -> Iterator[RedisServer]:
    """A private server on a free loopback port; ``options`` as in redis.conf, with _ for -."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        settings = {
            "bind": "127.0.0.1",
            "port": str(port),
            "dir": name,
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            **{option.replace("_", "-"): value for option, value in options.items()},
        }
        arguments = [text for key, value in settings.items() for text in (f"--{key}", value)]
        server = RedisServer(
            [*embedded.programs()[0], *arguments],
            {"PATH": os.environ["PATH"]},
            Path(name),
            f"redis://127.0.0.1:{port}/0",
        )
        with started(server):
            yield server


@contextmanager
def start_standin(
    webhook_url: str = "", secret: str = WEBHOOK_SECRET, *arguments: str
) -> Iterator[Running]:
    """The Stripe stand-in, which sends its events to ``webhook_url`` signed with ``secret``."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="standin-") as name:
        command = [sys.executable, "-m", "storefront.standin"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        command += ["--data", str(Path(name) / "standin.sqlite3")]
        command += ["--public-url", url, "--webhook-url", webhook_url]
        command += ["--webhook-secret", secret, *arguments]
        standin = Forked(command, clean_environment(Path(name)), Path(name), url)
        with started(standin):
            standin.wait_for(lambda: "ready http" in standin.log, "the stand-in is ready")
            yield standin


@contextmanager
def start_shop(
    env: Mapping[str, str], port: int | None = None, application: str = "wsgi:app"
) -> Iterator[Running]:
    """The shop under gunicorn, one web process, no worker, with these settings.

    Set at least REDIS_URL, and STRIPE_API_BASE with STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET,
    or everything that development fills in is started too. Take ``port`` from ``free_port`` when
    the stand-in must know the shop's address first. ``application`` is another WSGI application
    to serve in the shop's place.
    """
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="shop-") as name:
        shop = Forked(
            [sys.executable, "-m", "gunicorn", application],
            {
                **clean_environment(Path(name)),
                "PORT": str(port),
                "WEB_CONCURRENCY": "1",
                "SHOP_WORKER": "off",
                **env,
            },
            Path(name),
            f"http://127.0.0.1:{port}",
        )
        with started(shop):
            shop.wait_for(lambda: shop.answers("/healthz"), "the shop serves")
            yield shop


def shop_command(env: Mapping[str, str], *arguments: str) -> tuple[int, Any]:
    """Exit code and document of ``flask shop … --json`` with the settings of a running shop.

    In this process, which costs a tenth of a new one; ``tests/test_cli.py`` runs real ones.
    """
    from storefront.app import create_app
    from storefront.settings import load_settings

    app = create_app(load_settings(env, Path(env["SHOP_INSTANCE"])))
    done = app.test_cli_runner().invoke(args=["shop", *arguments, "--json"])
    assert done.stdout, done.output
    return done.exit_code, json.loads(done.stdout)


@contextmanager
def start_worker(env: Mapping[str, str]) -> Iterator[Running]:
    """One ``flask shop worker`` with these settings; give it the shop's REDIS_URL and SECRET_KEY."""
    with tempfile.TemporaryDirectory(prefix="worker-") as name:
        worker = Forked(
            [sys.executable, "-m", "flask", "--app", "wsgi", "shop", "worker"],
            {**clean_environment(Path(name)), **env},
            Path(name),
        )
        with started(worker):
            worker.wait_for(lambda: "worker started" in worker.log, "the worker has started")
            yield worker
