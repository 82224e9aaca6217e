"""Turns what Stripe sends into what it might send, and into what it never would."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

Path = tuple[str | int, ...]

WORDS = """
succeeded pending failed canceled requires_action requires_capture requires_payment_method processing
complete open expired paid unpaid no_payment_required paused SUCCEEDED succeeded\x00 usd eur jpy xyz USD
""".split()
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2**31,
        2**53,
        2**53 + 1,
        2**64,
        10**13,
        10**14,
        10**400,
        -(10**400),
    ),
    *(0.0, -0.0, 0.1, 2500.0, 1e308, float("nan"), float("inf"), float("-inf")),
    *("", " ", "0", "2500", "null", "NaN", "a" * 256, "a" * 6000, "\x00", "a\r\nX-Fuzzed: 1", "ﬀ"),
    *(
        "\ud800",
        "a\udfff",
        "\udfff\ud800",
        "\U0001f600",
        "é" * 300,
        "<i>fuzz</i>",
        "{{7*7}}",
        "' or 1=1--",
    ),
    *("popup:order:x", "../../x", "x:y:z", "%s%n", "[]", "{}", "\u202e", "１２３"),
    *(
        [],
        {},
        [None],
        [[]],
        ["a"],
        {"id": "x"},
        {"id": 5},
        {"a": {}},
        [{}],
        {"": ""},
        {"\ud800": 1},
    ),
)
"""Values for any place."""
READ = """
id type created livemode data data.object data.object.id data.object.object data.object.status
data.object.payment_status data.object.payment_intent data.object.amount_total data.object.amount
data.object.currency data.object.livemode data.object.customer_details
data.object.customer_details.email data.object.receipt_email data.object.url data.object.created
data.object.client_reference_id data.object.metadata data.object.metadata.order
data.object.metadata.shop data.object.metadata.reason data.object.mode
""".split()
"""Where the shop looks."""


class Raw(str):
    """Text that stands in the JSON as it is."""

    __slots__ = ()


class Mutator:
    """Draws its choices from one random source, so that a seed is one event."""

    def __init__(
        self,
        chance: random.Random,
        first: Sequence[Mapping[str, Any]],
        events: Sequence[Mapping[str, Any]],
    ) -> None:
        """``first`` are the events to change, ``events`` all that there are to borrow from."""
        self._chance, self._first, self._events = chance, first, events
        self._kinds = sorted({event["type"] for event in events})

    def body(self) -> bytes:
        """The body of one webhook: an event, changed in up to four ways."""
        event = deepcopy(dict(self._chance.choice(self._first)))
        if self._chance.random() < 0.8:
            event["id"] = f"evt_fuzz_{self._chance.randrange(10**6)}"
        for _ in range(self._chance.choice((0, 1, 1, 1, 1, 1, 2, 2, 3, 4))):
            self._change(event)
        return self._written(event)

    def _change(self, event: dict[str, Any]) -> None:
        changes: tuple[tuple[int, Callable[[dict[str, Any]], None]], ...] = (
            (30, self._odd),
            (10, self._absent),
            (10, self._word),
            (12, self._money),
            (12, self._foreign),
            (6, self._kind),
            (6, self._splice),
            (4, self._deep),
            (4, self._double),
            (3, self._mode),
        )
        weights, run = zip(*changes, strict=True)
        self._chance.choices(run, weights)[0](event)

    def _place(self, event: dict[str, Any]) -> Path:
        """Mostly a place that the shop reads, else any."""
        if self._chance.random() < 0.75:
            return tuple(self._chance.choice(READ).split("."))
        places = list(_places(event))
        return self._chance.choice(places) if places else ("id",)

    def _odd(self, event: dict[str, Any]) -> None:
        value = self._chance.choice(ODD)
        if self._chance.random() < 0.1:
            value = Raw(
                self._chance.choice(("1e999", "-0", "1" * 4000, "1" * 5000, "0.1e-5", "NaN"))
            )
        _put(event, self._place(event), deepcopy(value))

    def _absent(self, event: dict[str, Any]) -> None:
        *above, last = self._place(event)
        holder = _at(event, above)
        if isinstance(holder, dict):
            holder.pop(last, None)
        elif isinstance(holder, list) and isinstance(last, int) and last < len(holder):
            holder.pop(last)

    def _word(self, event: dict[str, Any]) -> None:
        name = self._chance.choice(("status", "payment_status", "currency", "object", "mode"))
        _put(event, ("data", "object", name), self._chance.choice(WORDS))

    def _money(self, event: dict[str, Any]) -> None:
        found = _at(event, ("data", "object"))
        name = "amount_total" if isinstance(found, dict) and "amount_total" in found else "amount"
        was = found.get(name) if isinstance(found, dict) else None
        if isinstance(was, int):
            to = self._chance.choice((was + 1, was - 1, was * 2, was * 100, 0, 1, was // 2, 10**13))
            _put(event, ("data", "object", name), to)

    def _foreign(self, event: dict[str, Any]) -> None:
        """A fact of another event, another order or another shop."""
        other = self._chance.choice(self._events)["data"]["object"]
        place = self._chance.choice(
            (
                ("metadata", "order"),
                ("metadata", "shop"),
                ("client_reference_id",),
                ("payment_intent",),
                ("id",),
            )
        )
        value = _at(other, place)
        if place == ("id",) and self._chance.random() < 0.3:
            value = self._chance.choice(self._events)["id"]
            _put(event, ("id",), value)
            return
        if value is None or self._chance.random() < 0.2:
            value = self._chance.choice(
                ("other", "nobody1234567890", "pi_none", "cs_test_99", "popup ")
            )
        _put(event, ("data", "object", *place), value)
        if place == ("payment_intent",) and self._chance.random() < 0.3:
            status = self._chance.choice(WORDS)
            _put(event, ("data", "object", *place), {"id": value, "status": status})

    def _kind(self, event: dict[str, Any]) -> None:
        made = ("checkout.session.renamed", "charge.refund.updated", "refund.failed", "refund", "x")
        event["type"] = self._chance.choice((*self._kinds, *made))

    def _splice(self, event: dict[str, Any]) -> None:
        """Another event's object, or some part of it."""
        other = self._chance.choice(self._events)
        place = self._chance.choice((("data", "object"), self._place(event)))
        _put(event, place, deepcopy(_at(other, place)))

    def _deep(self, event: dict[str, Any]) -> None:
        # Around a thousand levels Python's reader gives up, and where exactly depends on its caller.
        levels = self._chance.choice((2, 20, 200, 5000, 20_000))
        opening, closing = self._chance.choice((("[", "]"), ('{"a":', "}")))
        _put(event, self._place(event), Raw(opening * levels + "1" + closing * levels))

    def _double(self, event: dict[str, Any]) -> None:
        """The same name twice, in which case the last one counts."""
        *above, last = self._place(event)
        holder = _at(event, above)
        if isinstance(holder, dict) and isinstance(last, str):
            twin = json.dumps(self._chance.choice(ODD), allow_nan=True)
            holder[Raw(f'"{last}":{twin},"{last}"')] = holder.pop(last, "x")

    def _mode(self, event: dict[str, Any]) -> None:
        where = self._chance.choice((("livemode",), ("data", "object", "livemode")))
        _put(event, where, self._chance.choice((True, False, None, 1, "true", [])))

    def _written(self, event: dict[str, Any]) -> bytes:
        text = _json(event)
        if self._chance.random() < 0.2:
            text = json.dumps(event, ensure_ascii=False, indent=2) if _plain(event) else text
        body = text.encode("utf-8", "surrogatepass")
        if self._chance.random() < 0.08:
            body = self._damaged(body)
        return body

    def _damaged(self, body: bytes) -> bytes:
        at = self._chance.randrange(len(body) + 1)
        match self._chance.randrange(9):
            case 0:
                return body[:at]
            case 1:
                return body[:at] + bytes([self._chance.randrange(256)]) + body[at + 1 :]
            case 2:
                return body[:at] + self._chance.randbytes(3) + body[at:]
            case 3:
                return b"\xef\xbb\xbf" + body
            case 4:
                return body.decode("utf-8", "replace").encode("utf-16")
            case 5:
                return body + self._chance.choice((b"x", b"{}", b"\x00", b"\n\n "))
            case 6:
                return b"[" + body + b"]"
            case 7:
                return self._chance.randbytes(40)
            case _:
                return body + b" " * self._chance.choice((1000, 256 * 1024 - len(body), 256 * 1024))


def _json(value: Any) -> str:
    """JSON with Raw texts standing as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        rows = (
            f"{k if isinstance(k, Raw) else json.dumps(k)}: {_json(v)}" for k, v in value.items()
        )
        return "{" + ", ".join(rows) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value)


def _plain(value: Any) -> bool:
    if isinstance(value, Raw):
        return False
    if isinstance(value, dict):
        return all(_plain(k) and _plain(v) for k, v in value.items())
    return all(map(_plain, value)) if isinstance(value, list) else True


def _places(value: Any, above: Path = ()) -> list[Path]:
    rows = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        rows = enumerate(value)
    found: list[Path] = []
    for name, inner in rows:
        found += [(*above, name), *_places(inner, (*above, name))]
    return found


def _at(value: Any, place: Sequence[str | int]) -> Any:
    for name in place:
        try:
            value = value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _put(event: dict[str, Any], place: Sequence[str | int], value: Any) -> None:
    *above, last = place
    holder = _at(event, above)
    if isinstance(holder, dict) or (isinstance(holder, list) and isinstance(last, int)):
        holder[last] = value
