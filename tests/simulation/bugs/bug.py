"""What a mistake is, and the ground of a shop that has it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from storefront.domain.orders import Order, Reason
from storefront.services.shop import Shop
from storefront.storage.answers import Settled
from tests.fakes.faults import Fault
from tests.simulation.plan import Fixed
from tests.simulation.town import Ground

Change = tuple[str, str, str]
"""Script, text, other text."""
Swap = tuple[Any, str, Any]
"""Module or class, name, what stands there instead."""


CALM: Fixed = {
    "operator": True,
    "steps": 160,
    "stripe": 0.0,
    "redis": 0.0,
    "crash": 0.0,
    "workers": 0,
    "restarts": 0,
}
"""A town where an operator has time for many orders, as little else befalls them."""
SPENT: Fixed = {
    "stripe": 0.5,
    "faults": (Fault.SPENT_BEFORE, Fault.SPENT_AFTER),
    "outages": False,
}
"""A town where Stripe answers every other request with an error, and again for the same key."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One mistake."""

    name: str
    lua: tuple[Change, ...] = ()
    swaps: tuple[Swap, ...] = ()
    town: Fixed = field(default_factory=dict)
    """What all towns have in common in which it is looked for: where it could hardly show, a seed is lost."""


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
