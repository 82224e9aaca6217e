"""What nearly every test builds anew, built once for each process: templates, and the addresses of routes.

Each test assembles a shop of its own. Most of that was compiling the same templates and routes again.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Templates(BytecodeCache):
    """The code of each template, by its name and text."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


def routes(make: Callable[..., Any]) -> Callable[..., Any]:
    """Makes the function that writes a route's addresses once: it knows nothing of its map."""
    kept: dict[Any, Any] = {}

    def build(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return make(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in kept:
            kept[key] = make(rule, append_unknown)
        return kept[key]

    return build


def build_once() -> None:
    """For all tests of this process."""
    Flask.jinja_options = {"bytecode_cache": Templates()}
    Rule._compile_builder = routes(Rule._compile_builder)  # type: ignore[method-assign]
