"""Loads the Lua scripts of a shop and asks them."""

import json
from importlib.resources import files
from typing import Any

import redis

from storefront.storage.keys import Keys

WITH_BOOKS = (
    "hold_stock",
    "attach_session",
    "renew_session",
    "settle_payment",
    "authorize_payment",
    "void_payment",
    "mark_processing",
    "release_hold",
    "review_order",
    "record_refund",
    "note_email",
    "mail_orders",
    "restock",
    "publish_catalogue",
    "restore_order",
    "recount_stock",
    "open_shop",
)
ALONE = ("claim_due", "finish_due", "read_door", "read_returns")
WITH_DOOR = (
    "hold_stock",
    "publish_catalogue",
    "open_shop",
    "read_door",
    "claim_due",
    "finish_due",
)


class Asking:
    """The scripts of one shop, each loaded when it is first needed."""

    def __init__(self, client: "redis.Redis", keys: Keys) -> None:
        self._keys = keys
        self._scripts = {
            name: client.register_script(text_of(name)) for name in (*WITH_BOOKS, *ALONE)
        }

    def _ask(
        self, script: str, order: str, event: str = "", *, seen: str = "", **question: Any
    ) -> list[str]:
        """Ask a script that begins with the books; ``seen`` is a key in the place of seen:EVENT."""
        keys = [
            *self._keys.books(),
            seen or self._keys.seen(event),
            self._keys.order(order),
            self._keys.hold(order),
        ]
        question["order"] = order
        if event:
            question["event"] = event
        answer: list[str] = self._scripts[script](keys, [json.dumps(question)])
        return answer


def text_of(script: str) -> str:
    """A script as Redis gets it, with what stands in front of it."""
    parts = [
        *(["books"] if script in WITH_BOOKS else []),
        *(["door"] if script in WITH_DOOR else []),
        script,
    ]
    folder = files(__package__) / "lua"
    return "".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)
