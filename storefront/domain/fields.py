"""Reads the fields of what Stripe sends, strictly: nothing is converted, trimmed or guessed.

A field that is absent or null reads as empty; one that holds what Stripe never sends is Malformed.
"""

import re
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 5000
"""Characters in one text (https://docs.stripe.com/api: the longest that any field of ours may be)."""
LARGEST_NUMBER = 99_999_999_999_999
"""Fourteen digits: as many as Redis' JSON writes without rounding."""
ID = re.compile(r"[A-Za-z0-9_.-]{1,255}")
WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")

Fields = Mapping[str, Any]


class Malformed(ValueError):
    """Not what Stripe sends. The message names the field and never repeats what was in it."""


def identity(found: Fields, name: str = "id") -> str:
    """The id of an object, which always has one."""
    value = found.get(name)
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise Malformed(f"{name} is no id")
    return value


def reference(found: Fields, name: str) -> tuple[str, Fields]:
    """The id of another object, and that object where Stripe sent it along (else empty)."""
    value = found.get(name)
    if value is None:
        return "", {}
    if isinstance(value, Mapping):
        return identity(value), value
    return identity(found, name), {}


def text(found: Fields, name: str, longest: int = LONGEST_TEXT) -> str:
    """A text that can be stored: no half of a surrogate pair, at most ``longest`` characters."""
    value = found.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise Malformed(f"{name} is no text, or too long a one")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed(f"{name} is no Unicode text") from None
    return value


def line(found: Fields, name: str) -> str:
    """A text without line breaks and other control characters."""
    value = text(found, name)
    if not value.isprintable():
        raise Malformed(f"{name} has control characters")
    return value


def word(found: Fields, name: str, form: re.Pattern[str] = WORD) -> str:
    """One of Stripe's own words, as ``succeeded`` or ``usd``; those it may yet invent included."""
    value = text(found, name)
    if value and not form.fullmatch(value):
        raise Malformed(f"{name} is no word")
    return value


def whole(found: Fields, name: str) -> int:
    """A whole number from 0 to LARGEST_NUMBER."""
    value = found.get(name)
    if value is None:
        return 0
    # A bool is an int to Python, and NaN compares with nothing.
    if type(value) is not int or not 0 <= value <= LARGEST_NUMBER:
        raise Malformed(f"{name} is no whole number of 0 or more")
    return value


def flag(found: Fields, name: str) -> bool:
    """True or false."""
    value = found.get(name)
    if value is not None and not isinstance(value, bool):
        raise Malformed(f"{name} is neither true nor false")
    return bool(value)


def part(found: Fields, name: str) -> Fields:
    """An object inside the object."""
    value = found.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Malformed(f"{name} is no object")
    return value


def texts(found: Fields) -> dict[str, str]:
    """An object that holds nothing but texts, as metadata does."""
    for name in found:
        text({"a name": name}, "a name")
    return {name: text(found, name) for name, value in found.items() if value is not None}


def required(found: Fields, *names: str) -> None:
    """Raise Malformed when one of these is absent or null."""
    for name in names:
        if found.get(name) is None:
            raise Malformed(f"{name} is missing")
