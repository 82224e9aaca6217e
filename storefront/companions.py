"""The processes beside the web processes: embedded Redis, Stripe stand-in and worker.

``python -m storefront.companions`` is started by gunicorn.conf.py. It starts what the settings ask
for, prints ``ready`` (or ``failed:`` and a sentence) on stdout and starts again whatever dies. When
its stdin ends, because gunicorn stops or was killed, it ends everything in order: worker, stand-in,
Redis. What a killed run left behind is ended at the next start.
"""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from storefront import instance
from storefront.environment import SettingsError
from storefront.settings import ROOT, Settings, load_settings
from storefront.storage import embedded

DEMO = ROOT / "demo" / "catalogue.toml"
RECORD = "companions.json"

LOOK_SECONDS = 0.5
"""How often the processes are looked at."""
START_SECONDS = 60
STOP_SECONDS = 30
"""How long a process may take to end by itself: a job in hand may wait for Stripe."""
STEADY_SECONDS = 60
"""A process that lived so long is started again at once."""


class CannotStart(Exception):
    """A companion cannot be started. The text says why, in one sentence."""


@dataclass
class Companion:
    """One process that is kept running."""

    name: str
    command: list[str]
    record: Callable[[], None]
    environ: dict[str, str] = field(default_factory=dict)
    log: Path | None = None
    """Where it prints; None for where we print."""
    process: subprocess.Popen[bytes] | None = None
    _started: float = 0
    _failures: int = 0

    def start(self) -> None:
        """Starts it."""
        output = self.log.open("wb") if self.log else sys.stderr.fileno()
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        if not isinstance(output, int):
            output.close()
        self._started = time.monotonic()
        self.record()

    def keep(self) -> None:
        """Starts it again when it died: at once the first time, then after longer and longer."""
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self._started
        if lived > STEADY_SECONDS:
            self._failures = 0
        if self._failures and lived < min(2**self._failures, STEADY_SECONDS / 2):
            return
        code = self.process.returncode
        print(f"The {self.name} ended (exit code {code}); it is started again.", file=sys.stderr)
        self._failures += 1
        self.start()

    def stop(self) -> None:
        """Ends it: asked first, forced when it does not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Companions:
    """What the settings ask for beside the web processes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.redis: embedded.Embedded | None = None
        self.running: list[Companion] = []

    def start(self) -> None:
        """Starts all; a shop without products and without a Stripe account gets the demo's."""
        if not self.settings.redis_url:
            self.redis = embedded.ensure_running(self.settings.instance)
            if self.redis.banner:
                print(self.redis.banner, file=sys.stderr)
        # After Redis, so that it is adopted and not stopped by its last user and started again.
        end_leftovers(self.settings.instance)
        if self.settings.standin:
            self._start_standin()
            if DEMO.exists():
                import_demo()
        if self.settings.shop_worker:
            self._start(Companion("worker", [*FLASK, "shop", "worker"], self._record))

    def keep(self) -> None:
        """Starts again what died."""
        if self.redis and not self.redis.alive:
            print("The Redis server ended; it is started again.", file=sys.stderr)
            before, self.redis = self.redis, embedded.ensure_running(self.settings.instance)
            before.stop()
        for companion in self.running:
            companion.keep()

    def stop(self) -> None:
        """Ends all: first who uses the others."""
        for companion in reversed(self.running):
            companion.stop()
        if self.redis:
            self.redis.stop()
        (self.settings.instance / RECORD).unlink(missing_ok=True)

    def _start(self, companion: Companion) -> None:
        self.running.append(companion)
        companion.start()

    def _start_standin(self) -> None:
        settings = self.settings
        log = settings.instance / "standin.log"
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        own = "127.0.0.1" if host in {"0.0.0.0", "[::]"} else host  # noqa: S104 (compared only)
        command = [sys.executable, "-m", "storefront.standin"]
        command += ["--host", "127.0.0.1", "--port", str(settings.standin_port)]
        command += ["--data", str(settings.instance / "standin.sqlite3")]
        command += ["--public-url", settings.stripe_api_base]
        command += ["--webhook-url", f"http://{own}:{settings.port}/webhooks/stripe"]
        standin = Companion(
            "Stripe stand-in",
            command,
            self._record,
            # By the environment, since everybody can read a command line.
            {"STANDIN_WEBHOOK_SECRET": settings.stripe_webhook_secrets[0]},
            log,
        )
        self._start(standin)
        deadline = time.monotonic() + START_SECONDS
        while "ready http" not in log.read_text(errors="replace"):
            if standin.process is None or standin.process.poll() is not None:
                raise CannotStart(
                    f"The Stripe stand-in did not start: {log.read_text(errors='replace').strip()} "
                    "Set STANDIN_PORT, or set STRIPE_SECRET_KEY to use Stripe itself."
                )
            if time.monotonic() > deadline:
                raise CannotStart(f"The Stripe stand-in is not ready after {START_SECONDS} s.")
            time.sleep(0.05)

    def _record(self) -> None:
        """Notes who runs, so that the next start can end them should all of us be killed."""
        pids = [c.process.pid for c in self.running if c.process]
        text = json.dumps([[pid, birth(pid)] for pid in pids])
        instance.replace(self.settings.instance, RECORD, text)


FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]


def needed(settings: Settings) -> bool:
    """Whether these settings ask for any process beside the web processes."""
    return not settings.redis_url or settings.standin or settings.shop_worker


def import_demo() -> None:
    """Puts the demo's goods on the shelf of a shop that has none."""
    command = [*FLASK, "shop", "import", "--if-empty", str(DEMO)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"The demo's goods were not imported: {done.stderr.strip()}", file=sys.stderr)


def end_leftovers(folder: Path) -> None:
    """Ends what a killed run left behind, and nothing else: pid and time of birth must agree."""
    with suppress(ValueError, TypeError):
        for pid, born in json.loads(instance.read(folder, RECORD) or "[]"):
            for number in (signal.SIGTERM, signal.SIGKILL):
                if not born or birth(pid) != born:
                    break
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                deadline = time.monotonic() + STOP_SECONDS
                while birth(pid) == born and time.monotonic() < deadline:
                    time.sleep(0.05)


def birth(pid: int) -> str:
    """When a process was born, as text to compare; empty when there is none (or its remains)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keeps a second run off this instance folder; one that is just ending is waited for."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "companions.lock").open("a") as lock:
        deadline = time.monotonic() + STOP_SECONDS + 5
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    print(f"Waiting for the shop of {folder} to stop.", file=sys.stderr, flush=True)
                    told = True
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"The shop of {folder} runs already: stop it, or set SHOP_INSTANCE to "
                        "another folder."
                    ) from None
            time.sleep(0.1)
        yield


def main() -> int:
    """Runs until stdin ends or SIGTERM comes; the exit code is 1 when the start failed."""
    with suppress(PermissionError):
        os.setsid()  # Ctrl-C in the terminal is for gunicorn, which then ends us in order
    stopping = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        settings = load_settings()
        with alone(settings.instance):
            companions = Companions(settings)
            try:
                companions.start()
                print("ready", flush=True)
                while not stopping:
                    if select.select([sys.stdin], [], [], LOOK_SECONDS)[0]:
                        break
                    companions.keep()
            finally:
                companions.stop()
    except (SettingsError, CannotStart, embedded.EmbeddedFailed) as error:
        print(f"failed: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
