"""Reading what a form sent, strictly: nothing is guessed, trimmed or rounded."""

import re
import secrets
from collections.abc import Sequence
from itertools import chain
from typing import IO, Any

import flask
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.formparser import FormDataParser

from storefront.domain.errors import BadInput
from storefront.languages import mark

MAX_LINES = 100
"""Line items in one Checkout Session (https://docs.stripe.com/api/checkout/sessions/create)."""
MAX_DIGITS = 6
MAX_SKU = 64
TOKEN = re.compile(r"[A-Za-z0-9_-]{8,128}")


class Parser(FormDataParser):
    """Reads forms as Werkzeug does, and refuses what that leaves to fail later."""

    def parse(self, *args: Any, **options: Any) -> Any:
        """Raises BadRequest for a part that has no name, which Werkzeug calls None.

        No file that was begun stays open but those that are handed on.
        """
        begun: list[IO[bytes]] = []
        make = self.stream_factory

        def begin(*about: Any, **more: Any) -> IO[bytes]:
            begun.append(make(*about, **more))
            return begun[-1]

        self.stream_factory = begin
        kept: list[IO[bytes]] = []
        try:
            stream, form, files = super().parse(*args, **options)
            if None in form or None in files:
                raise BadRequest
            kept = [file.stream for file in chain.from_iterable(files.listvalues())]
        finally:
            for one in begun:
                if not any(one is other for other in kept):
                    one.close()
        return stream, form, files


class Request(flask.Request):
    """A request whose form is read so."""

    form_data_parser_class = Parser


def new_token() -> str:
    """A one-time token for a form: who sends the same one twice did the same thing twice."""
    return secrets.token_urlsafe(18)


def form_token(form: MultiDict[str, str]) -> str:
    """The form's one-time token, or a fresh one when it has none.

    Raises BadInput when there is one that this shop never made.
    """
    return one_time(form.get("token", ""))


def one_time(sent: str) -> str:
    """The one-time token as sent, or a fresh one when it is empty; BadInput when it is damaged."""
    if not sent:
        return new_token()
    if not TOKEN.fullmatch(sent):
        raise BadInput("The form's one-time token is damaged. Reload the page and try again.")
    return sent


def whole_number(text: str, what: str) -> int:
    """The number that ``text`` writes in plain ASCII digits: no sign, space, point or exponent.

    Raises BadInput with a sentence that names ``what``.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise BadInput(
            "%(what)s must be a whole number like 1: at most %(most)s digits.",
            what=what,
            most=MAX_DIGITS,
        )
    return int(text)


def signed_number(text: str, what: str) -> int:
    """Like ``whole_number``, with a minus allowed in front."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
        raise BadInput(f"{what} must be a whole number like 12 or -3: {MAX_DIGITS} digits at most.")
    return int(text)


def sku(text: str) -> str:
    """One SKU as sent. Raises BadInput when it is empty or absurdly long."""
    if not text:
        raise BadInput("Choose what you want to buy first.")
    if len(text) > MAX_SKU or not text.isprintable():
        raise BadInput("That is no article number of this shop.")
    return text


def wanted(skus: Sequence[str], quantities: Sequence[str]) -> dict[str, int]:
    """Units by SKU, from a form's ``sku`` and ``quantity`` fields in their order.

    Several lines of one SKU are added up. Raises BadInput when they do not pair up, when a
    quantity is no whole number of 1 or more, or when there are more lines than Stripe takes.
    """
    if len(skus) != len(quantities):
        raise BadInput("Each article needs one quantity.")
    if len(skus) > MAX_LINES:
        raise BadInput("One order has at most %(most)s lines.", most=MAX_LINES)
    units: dict[str, int] = {}
    for article, text in zip(skus, quantities, strict=True):
        quantity = whole_number(text, mark("The quantity"))
        if quantity < 1:
            raise BadInput("The quantity must be 1 or more.")
        name = sku(article)
        units[name] = units.get(name, 0) + quantity
    return units
