"""The processes of a rehearsal: stand-in, gunicorn, worker. Only those started here are ever ended."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from storefront.environment import loopback
from storefront.settings import ROOT, Settings, load_settings

START_SECONDS = 60
STOP_SECONDS = 20
COMMAND_SECONDS = 120
KEY = "sk_test_rehearsal"
FLASK = (sys.executable, "-m", "flask", "--app", "wsgi", "shop")


class CannotRehearse(Exception):
    """A rehearsal cannot begin, or go on. The text says why, in one sentence."""


@dataclass(frozen=True)
class Stage:
    """The shop of a rehearsal, running."""

    url: str
    shop_id: str
    env: Mapping[str, str]

    def command(self, *arguments: str) -> str:
        """What ``flask shop … --json`` prints for this shop, whatever its exit code."""
        done = subprocess.run(
            [*FLASK, *arguments, "--json"],
            cwd=ROOT,
            env=dict(self.env),
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        if not done.stdout:
            raise CannotRehearse(
                f"`flask shop {arguments[0]}` failed: {done.stderr.strip()[-300:]}"
            )
        return done.stdout


def shop_id_for(shop_id: str) -> str:
    """Another id for each rehearsal; its keys are in no other shop's way."""
    return f"{shop_id[:40]}-rehearsal-{secrets.token_hex(4)}"


def environment(
    settings: Settings,
    redis_url: str,
    folder: Path,
    shop_id: str,
    ports: tuple[int, int],
    hold: int,
) -> dict[str, str]:
    """This installation's settings, but for what would reach a customer, Stripe, or the real shop.

    Raises CannotRehearse when these processes could reach Stripe all the same.
    """
    port, standin_port = ports
    changed = {
        "REDIS_URL": redis_url,
        "SHOP_ID": shop_id,
        "SHOP_INSTANCE": str(folder),
        "SECRET_KEY": secrets.token_urlsafe(32),
        "SECRET_KEY_FALLBACKS": "",
        "ADMIN_PASSWORD_HASH": settings.admin_password_hash,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(settings.web_concurrency),
        "STRIPE_API_BASE": f"http://127.0.0.1:{standin_port}",
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_PUBLISHABLE_KEY": "",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "STRIPE_JS_URL": "",
        "CHECKOUT_UI": "hosted",
        "SMTP_URL": "",  # mails become files in the folder, which goes away
        "SHOP_WORKER": "off",
        "RATE_LIMIT": "off",
        "TRUSTED_PROXIES": "0",
        "HOLDS_PER_IP": "0",
        "HOLD_SECONDS": str(hold),
    }
    env = {**os.environ, **changed}
    read = load_settings(env, folder)
    if read.livemode or not loopback(read.stripe_api_base):
        raise CannotRehearse("A live key would be used: a rehearsal never talks to Stripe.")
    return env


@contextmanager
def on_stage(
    settings: Settings, redis_url: str, folder: Path, shop_id: str, hold_seconds: int
) -> Iterator[Stage]:
    """Stand-in, web processes and worker of a rehearsal's shop, for a block."""
    ports = free_port(), free_port()
    env = environment(settings, redis_url, folder, shop_id, ports, hold_seconds)
    url, standin_url = env["PUBLIC_URL"], env["STRIPE_API_BASE"]
    standin = [sys.executable, "-m", "storefront.standin", "--host", "127.0.0.1"]
    standin += ["--port", str(ports[1]), "--data", str(folder / "standin.sqlite3")]
    standin += ["--public-url", standin_url, "--webhook-url", f"{url}/webhooks/stripe"]
    # By the environment, since everybody can read a command line. It refuses to play in production,
    # so that no shop of customers has it; here nobody is one.
    its_env = {**env, "SHOP_ENV": "", "STANDIN_WEBHOOK_SECRET": env["STRIPE_WEBHOOK_SECRET"]}
    with ExitStack() as stack:
        log = folder / "standin.log"
        stack.enter_context(_running(standin, its_env, log, lambda: "ready http" in _read(log)))
        web = [sys.executable, "-m", "gunicorn", "wsgi:app"]
        stack.enter_context(
            _running(web, env, folder / "web.log", lambda: _serves(f"{url}/healthz"))
        )
        its_log = folder / "worker.log"
        stack.enter_context(
            _running([*FLASK, "worker"], env, its_log, lambda: "worker started" in _read(its_log))
        )
        yield Stage(url, shop_id, env)


@contextmanager
def _running(
    command: list[str], env: Mapping[str, str], log: Path, ready: Callable[[], bool]
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotRehearse(f"{log.stem} did not start: {_read(log).strip()[-300:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _read(log: Path) -> str:
    return log.read_text(errors="replace")


def _serves(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
