"""What the pages work on: the account, the faults and the log of the process that serves them."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from .account import Account
from .faults import Faults
from .request_log import RequestLog

NAME = "standin"


@dataclass(frozen=True)
class Bound:
    """One process's parts."""

    account: Account
    faults: Faults
    log: RequestLog


def bind(app: Flask, parts: Bound) -> None:
    """Gives the application its parts."""
    app.extensions[NAME] = parts


account = cast("Account", LocalProxy(lambda: current_app.extensions[NAME].account))
faults = cast("Faults", LocalProxy(lambda: current_app.extensions[NAME].faults))
log = cast("RequestLog", LocalProxy(lambda: current_app.extensions[NAME].log))
