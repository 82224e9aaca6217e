"""The process: one server, one sender of webhooks, one round of upkeep."""

import logging
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import gevent
from gevent import socket

from .account import Account
from .api import Api
from .clock import Clock
from .connections import serve
from .deliveries import Fate
from .faults import Faults
from .options import Options
from .pages import create_pages
from .request_log import RequestLog
from .state import State
from .upkeep import forget_old, sweep
from .webhook_endpoints import set_default
from .webhooks import Sender

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 0.25
FORGET_SECONDS = 600
STOP_SECONDS = 3


def run(options: Options) -> int:
    """Serves until SIGTERM or SIGINT; the exit status."""
    logging.basicConfig(level=logging.INFO, format="standin: %(levelname)s %(message)s")
    try:
        state = open_state(options.data)
        listener = listen(options.host, options.port)
    except (OSError, sqlite3.Error) as error:
        print(f"The Stripe stand-in cannot start: {error}.", file=sys.stderr)
        return 2
    here = f"http://{options.host}:{listener.getsockname()[1]}"
    account = Account(state, Clock(state.setting("ahead", 0.0)), options.public_url or here)
    configure(account, options)
    faults, log = Faults(), RequestLog()
    faults.latency_ms = options.latency_ms
    application = joined(Api(account, faults, log), create_pages(account, faults, log))
    server = serve(listener, application, logger)
    background = [gevent.spawn(Sender(account).run), gevent.spawn(keep_up, account)]
    stopping = gevent.event.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stopping.set)
    print(f"ready {here}", flush=True)
    stopping.wait()
    server.stop(timeout=STOP_SECONDS)
    gevent.killall(background)
    state.close()
    return 0


def open_state(path: str) -> State:
    """The state in its file, whose folder is made when it is missing."""
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        return State(path)
    except sqlite3.OperationalError as error:
        raise OSError(f"{path}: {error} (another stand-in may be using it)") from error


def listen(host: str, port: int) -> Any:
    """A listening socket; OSError names the address when it is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise OSError(f"{host}:{port} cannot be listened on ({error.strerror})") from error
    listener.listen(1024)
    return listener


def configure(account: Account, options: Options) -> None:
    """Writes what the command line says over what was set before."""
    set_default(account, options.webhook_url, options.webhook_secret)
    with account.state.transaction():
        if options.webhooks:
            account.state.set("fate", {"mode": Fate(options.webhooks).mode, "seconds": 5})
        if options.refunds:
            account.state.set("refunds_start", options.refunds)
        if options.link_limit:
            account.state.set("link_limit", options.link_limit)


def keep_up(account: Account) -> None:
    """Does by itself what is due, whether or not anyone asks."""
    rounds = 0
    while True:
        try:
            sweep(account)
            if rounds % int(FORGET_SECONDS / SWEEP_SECONDS) == 0:
                forget_old(account)
        except Exception:
            logger.exception("upkeep failed")
        rounds += 1
        gevent.sleep(SWEEP_SECONDS)


def joined(api: Api, pages: Any) -> Any:
    """One application: the API under /v1, pages for people everywhere else."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path == "/v1" or path.startswith("/v1/"):
            return api(environ, start_response)
        return pages(environ, start_response)

    return application
