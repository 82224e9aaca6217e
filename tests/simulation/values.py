"""Values between Redis, Lua and Python, and places in lists and streams."""

import json
from functools import lru_cache
from typing import Any

from lupa import lua51


def text(value: Any) -> str:
    """A value as Redis stores it: Lua's whole numbers without a point."""
    return str(value) if isinstance(value, str) else f"{value:.17g}"


@lru_cache(maxsize=10_000)
def parsed(text: str) -> Any:
    """What a JSON text says, which nobody may change."""
    return json.loads(text)


def told(answer: Any) -> Any:
    """A script's answer as redis-py hands it over."""
    if lua51.lua_type(answer) == "table":
        return [told(answer[index]) for index in range(1, len(answer) + 1)]
    if isinstance(answer, bool):
        return 1 if answer else None
    return int(answer) if isinstance(answer, float) else answer


def plain(value: Any, null: object) -> Any:
    if value is null:
        return None
    if lua51.lua_type(value) != "table":
        return value
    rows = dict(value.items())
    if all(isinstance(key, int) for key in rows) and sorted(rows) == list(range(1, len(rows) + 1)):
        return [plain(rows[key], null) for key in sorted(rows)] if rows else {}
    return {str(key): plain(item, null) for key, item in rows.items()}


def without_null(value: Any, null: object) -> Any:
    if value is None:
        return null
    if isinstance(value, list):
        return [without_null(item, null) for item in value]
    if isinstance(value, dict):
        return {key: without_null(item, null) for key, item in value.items()}
    return value


def span(rows: list[Any], start: int, end: int) -> list[Any]:
    return rows[start:] if end == -1 else rows[start : end + 1]


def flat(rows: list[tuple[float, str]], scores: bool) -> list[str]:
    if scores:
        return [part for score, member in rows for part in (member, f"{score:.17g}")]
    return [member for _, member in rows]


def place(entry: str) -> tuple[int, int]:
    ms, _, number = entry.partition("-")
    return int(ms), int(number or 0)


def above(entry: str, low: str) -> bool:
    if low == "-":
        return True
    bound = place(low.lstrip("("))
    return place(entry) > bound if low[0] == "(" else place(entry) >= bound


def below(entry: str, high: str) -> bool:
    if high == "+":
        return True
    bound = place(high.lstrip("("))
    return place(entry) < bound if high[0] == "(" else place(entry) <= bound
