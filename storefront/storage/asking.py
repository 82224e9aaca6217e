"""Loads the Lua scripts of a shop and asks them."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

import redis

from storefront.domain.orders import Line, Plan
from storefront.storage.answers import Terms
from storefront.storage.catalogue import Catalogues
from storefront.storage.keys import Keys

BOOKS = ("books", "orders", "line", "payments", "answer")
"""What stands in front of every script that writes in the books."""
WITH_BOOKS = (
    "hold_stock",
    "attach_session",
    "renew_session",
    "choose_way",
    "extend_hold",
    "settle_payment",
    "authorize_payment",
    "void_payment",
    "mark_processing",
    "release_hold",
    "review_order",
    "record_refund",
    "note_email",
    "note_order",
    "mail_orders",
    "forget_customer",
    "plan_refund",
    "hand_over",
    "take_back",
    "cancel_authorized",
    "record_dispute",
    "end_review",
    "restock",
    "correct_stock",
    "undo_entry",
    "publish_catalogue",
    "restore_order",
    "recount_stock",
    "open_shop",
    "join_line",
    "confirm_place",
    "leave_line",
    "take_offer",
    "offer_units",
    "open_link",
    "attach_link",
    "take_unit",
    "end_link",
    "close_link",
    "restore_link",
)
ALONE = (
    "claim_due",
    "finish_due",
    "read_door",
    "read_returns",
    "number_key",
    "note_ending",
    "read_units",
    "count_try",
    "use_code",
    "confirm_codes",
)
LINE = "line"
"""What a script answers before its first write, when it has to know who is next in line."""
ROUNDS = 3
"""How often it may, should the line change meanwhile; then it goes on, and the rest is due."""


class Asking:
    """The scripts of one shop, each loaded when it is first needed."""

    def __init__(
        self, client: "redis.Redis", keys: Keys, catalogue: Catalogues, terms: Terms
    ) -> None:
        self._keys = keys
        self._catalogue = catalogue
        self._terms = terms
        self._scripts = {
            name: client.register_script(text_of(name)) for name in (*WITH_BOOKS, *ALONE)
        }

    def _ask(
        self,
        script: str,
        order: str,
        event: str = "",
        *,
        seen: str = "",
        own: tuple[str, str] | None = None,
        **question: Any,
    ) -> list[str]:
        """Ask a script that begins with the books.

        ``seen`` is a key in the place of seen:EVENT, ``own`` are two in that of order:ID and hold:ID.
        """
        keys = [
            *self._keys.books(),
            seen or self._keys.seen(event),
            *(own or (self._keys.order(order), self._keys.hold(order))),
        ]
        question["order"] = order
        if event:
            question["event"] = event
        return self._send(script, keys, question)

    def _send(self, script: str, keys: Sequence[str], question: dict[str, Any]) -> list[str]:
        """Ask a script, and once more with those who are next in line when it has to know them.

        While nobody waits it is one question. Each script is checked before its first write, so a
        question that is answered ``line`` changed nothing.
        """
        answer: list[str] = self._scripts[script](list(keys), [json.dumps(question)])
        for asked in range(1, ROUNDS + 1):
            if answer[0] != LINE:
                break
            orders, skus = answer[1::2], answer[2::2]
            named = [key for one in orders for key in (self._keys.order(one), self._keys.hold(one))]
            question |= asdict(self._terms)
            question["offers"] = self._offers(orders, skus, len(keys) + 1)
            question["last"] = asked == ROUNDS
            answer = self._scripts[script]([*keys, *named], [json.dumps(question)])
        return answer

    def _offers(self, orders: Sequence[str], skus: Sequence[str], at: int) -> dict[str, Any]:
        """What each order next in line would be, at today's price; no line for what is not sold."""
        catalogue = self._catalogue.current()
        offers: dict[str, Any] = {}
        for number, (order, sku) in enumerate(zip(orders, skus, strict=True)):
            offers[order] = {"at": at + 2 * number}
            if found := catalogue.by_sku(sku):
                product, variant = found
                line = Line(
                    sku, 1, variant.price, product.name_of(variant), product.slug, product.image
                )
                offers[order] |= {"line": asdict(line), "opens_at": product.opens_at or 0}
        return offers


@cache
def text_of(script: str) -> str:
    """A script as Redis gets it, with what stands in front of it."""
    parts = [
        "door",
        *(BOOKS if script in WITH_BOOKS else ()),
        script,
    ]
    folder = files(__package__) / "lua"
    return "".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)


def units_of(plan: Plan) -> list[dict[str, Any]]:
    """A planned refund's units, as scripts are asked."""
    return [{"sku": sku, "quantity": number} for sku, number in sorted(plan.units.items())]
