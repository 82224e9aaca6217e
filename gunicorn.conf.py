"""gunicorn's settings, and what it starts beside the web processes in development."""

# Before anything else is imported: what waits for the network must let others work meanwhile.
from gevent import monkey

monkey.patch_all()

# ruff: noqa: E402 (for the line above)
import resource
import signal
import sys
import time
from contextlib import suppress
from typing import Any

import gevent
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from storefront import instance, logs
from storefront.companions import needed
from storefront.environment import SettingsError
from storefront.settings import load_settings
from storefront.storage.connection import UNREACHABLE, connect, durability
from storefront.tether import CompanionsFailed, Tether

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(str(error))


class ShopLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines, in the shop's format."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.formatter(settings.log_format))


wsgi_app = "wsgi:app"
host = f"[{settings.host}]" if ":" in settings.host else settings.host
bind = f"{host}:{settings.port}"
workers = settings.web_concurrency
worker_class = "gevent"
worker_connections = 20_000  # every open page keeps a stream, so the default of 1,000 is too few
timeout = 60  # seconds without a sign of life from a web process
graceful_timeout = 8  # for a call to Stripe in hand; streams would last for ever
keepalive = 2  # an idle connection keeps a stopping process alive for so long
control_socket_disable = True  # or gunicorn writes a socket into the home folder
forwarded_allow_ips = ""  # X-Forwarded-… count by TRUSTED_PROXIES, and by nothing else
logger_class = ShopLogger
loglevel = "warning"

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
wanted = 65_536 if hard == resource.RLIM_INFINITY else min(65_536, hard)
with suppress(ValueError, OSError):
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))

REDIS_SECONDS = 10
"""How long production waits for its Redis at the start."""

tether = Tether()


def on_starting(server: Any) -> None:
    """Refuses to start on a Redis that may forget; starts the companions."""
    for warning in settings.warnings():
        server.log.warning(warning)
    if settings.env == "production":
        require_durable_redis()
    if needed(settings):
        try:
            tether.start()
        except CompanionsFailed as failure:
            sys.exit(str(failure))


def when_ready(server: Any) -> None:
    """Keeps the companions alive, and says where everything is."""
    if needed(settings):
        gevent.spawn(tether.keep, server.log.error)
    if settings.env == "development":
        announce()


def post_fork(_server: Any, _worker: Any) -> None:
    """A web process has no part in the companions."""
    tether.let_go()


def post_worker_init(worker: Any) -> None:
    """Ctrl-C reaches every process of the terminal; a web process waits for gunicorn's word."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gevent.spawn(end_streams, worker)


def end_streams(worker: Any) -> None:
    """Open pages are followed for as long as they are open, so a stop must tell them so."""
    while worker.alive:
        gevent.sleep(0.2)
    worker.cfg.set("keepalive", 0)  # or each ended stream would wait for a next request
    if joined := getattr(worker.wsgi, "extensions", {}).get("storefront"):
        joined.streams.stop()


def on_exit(_server: Any) -> None:
    """Ends the companions after the web processes."""
    tether.stop()


def require_durable_redis() -> None:
    """Ends the start with one sentence unless Redis answers and keeps what it acknowledges."""
    deadline = time.monotonic() + REDIS_SECONDS
    with connect(settings.redis_url) as client:
        while True:
            try:
                problems = durability(client, strict=True)
                break
            except UNREACHABLE as failure:
                if time.monotonic() > deadline:
                    sys.exit(f"REDIS_URL: Redis cannot be reached ({failure}).")
                time.sleep(0.5)
    if problems:
        sys.exit(f"REDIS_URL: {' '.join(problems)}")


def announce() -> None:
    """Prints the addresses, and the admin's password when it was made just now."""
    lines = [f"Shop    {settings.public_url}"]
    password = None if settings.admin_password_hash else instance.first_password(settings.instance)
    if password:
        lines.append(f"Admin   {settings.public_url}/admin/  password: {password}")
        lines.append("        shown only this once; `flask shop set-password` sets another")
    else:
        lines.append(f"Admin   {settings.public_url}/admin/")
    if settings.standin:
        lines.append(f"Stripe  {settings.stripe_api_base}  (stand-in: no real money moves)")
    print("\n".join(lines), flush=True)
