"""Stripe's form encoding: ``a[b][0][c]=1`` to nested dicts. All leaves stay strings."""

import re
from typing import Any
from urllib.parse import parse_qsl

from .errors import invalid

KEY = re.compile(r"[^\[\]]+(\[[^\[\]]*\])*")
PARTS = re.compile(r"\[([^\[\]]*)\]")
MOST_FIELDS = 20_000


def decode(encoded: str) -> dict[str, Any]:
    """The request's parameters; lists are dicts whose keys are their positions, in order."""
    root: dict[str, Any] = {}
    try:
        pairs = parse_qsl(
            encoded, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise invalid("Invalid request body: it is no form in UTF-8.") from None
    for key, value in pairs:
        if not KEY.fullmatch(key):
            raise invalid(f"Received unknown parameter: {key}", key, "parameter_unknown")
        if "[" not in key:
            parts = [key]
        else:
            parts = [key[: key.index("[")], *PARTS.findall(key)]
        node = root
        for part in parts[:-1]:
            child = node.setdefault(part or str(len(node)), {})
            if not isinstance(child, dict):
                raise invalid(f"Invalid object: {key}", key)
            node = child
        last = parts[-1] or str(len(node))
        if isinstance(node.get(last), dict):
            raise invalid(f"Invalid string: {key}", key)
        node[last] = value
    return root
