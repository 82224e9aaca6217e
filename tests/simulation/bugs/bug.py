"""What a mistake is, and the ground of a shop that has it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from storefront.domain.orders import Order, Reason
from storefront.services.shop import Shop
from storefront.storage.answers import Settled
from tests.simulation.town import Ground

Change = tuple[str, str, str]
"""Script, text, other text."""
Swap = tuple[Any, str, Any]
"""Module or class, name, what stands there instead."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One mistake."""

    name: str
    lua: tuple[Change, ...] = ()
    swaps: tuple[Swap, ...] = ()


@contextmanager
def ground_with(bug: Bug) -> Iterator[Ground]:
    """The ground of a shop that has this mistake."""
    ground = Ground()
    for name, old, new in bug.lua:
        script: Any = ground.store.scripts._scripts[name]
        assert old in script.script, f"{bug.name}: {name}.lua has no {old!r} any more"
        script.script = script.script.replace(old, new)
    with ExitStack() as stack:
        for owner, name, other in bug.swaps:
            stack.enter_context(patch.object(owner, name, other))
        yield ground


def release(shop: Shop, order: Order, reason: Reason) -> Settled:
    """Give units back, as a mistake does: on nobody's word."""
    return shop.store.scripts.release_hold(
        order.id, session=order.session, version=order.session_version, reason=reason
    )
