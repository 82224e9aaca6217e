"""What a visitor's signed cookie keeps: who they are to us, their bag, and their running hold."""

import hashlib
import secrets
import time
from dataclasses import dataclass

from flask import current_app, session

VISITOR = "visitor"
BAG = "bag"
HOLD = "hold"

MAX_BAG = 30
"""Different SKUs in one bag: a cookie has room for 4 kB, a SKU up to 64 bytes."""


def visitor() -> str:
    """This browser's random id, made at its first act.

    Two clicks of a new browser come with the same cookie, so both must lead to the same id: it
    follows from the random secret that every form's CSRF check has put into the cookie before.
    """
    known = session.get(VISITOR)
    if not isinstance(known, str):
        seed = session.get(current_app.config["WTF_CSRF_FIELD_NAME"])
        known = hashlib.sha256(f"visitor:{seed}".encode()).hexdigest()[:24]
        if not isinstance(seed, str):
            known = secrets.token_urlsafe(12)
        session[VISITOR] = known
        session.permanent = True
    return known


def bag() -> dict[str, int]:
    """Units by SKU in this browser's bag."""
    kept = session.get(BAG)
    return dict(kept) if isinstance(kept, dict) else {}


def keep_bag(units: dict[str, int]) -> None:
    """Keep these units as the bag; none at all forgets it."""
    visitor()
    if units:
        session[BAG] = units
    else:
        session.pop(BAG, None)


@dataclass(frozen=True, slots=True)
class RunningHold:
    """The hold this browser took last, for the way back to it."""

    token: str
    until: int
    """Milliseconds since 1970: when the hold ends."""
    from_bag: bool


def remember_hold(token: str, until: int, *, from_bag: bool) -> None:
    """Keep the way back to the order that was just begun; costs no trip to Redis."""
    session[HOLD] = [token, until, from_bag]


def prolong_hold(token: str, until: int) -> None:
    """Keep that this hold, if it is the remembered one, ends later now."""
    hold = remembered_hold()
    if hold and hold.token == token:
        remember_hold(token, until, from_bag=hold.from_bag)


def remembered_hold() -> RunningHold | None:
    """The hold this browser took last, running or not."""
    match session.get(HOLD):
        case [str(token), int(until), bool(from_bag)]:
            return RunningHold(token, until, from_bag)
    return None


def running_hold() -> RunningHold | None:
    """The hold this browser took last, while it runs."""
    hold = remembered_hold()
    return hold if hold and hold.until > time.time() * 1000 else None


def forget_hold() -> None:
    """The order is decided: no way back is offered any more."""
    session.pop(HOLD, None)
