"""Every script is among the moves of a machine, or is named here with what proves it instead."""

import hashlib
from collections.abc import Callable
from typing import Any

from hypothesis import Phase

from storefront.storage.asking import ALONE, WITH_BOOKS, text_of
from tests.simulation.memory import Memory
from tests.storage.machine import Storage
from tests.storage.machine_account import Entering
from tests.storage.machine_line import InLine
from tests.storage.machine_links import LinkSales
from tests.storage.machine_returns import GoingBack
from tests.storage.walks import SEED, Clock, Kind, walk

SCRIPTS = (*WITH_BOOKS, *ALONE)
MACHINES: tuple[Kind, ...] = (Storage, LinkSales, InLine, Entering, GoingBack)
RUNS = 80
"""Of each machine: enough for its rarest move."""
RESTARTS = "only after a restart or a loss: tests/services/test_recovery.py and test_rebuild.py, and the towns"
IN_NONE = {
    "choose_way": "before any payment: every town of the simulator that sends goods, and two tabs there",
    "correct_stock": "one form of one operator: its own tests, many at once in tests/races, and the fuzz",
    "offer_units": "ends what another script began; the simulator takes it off the list with every offer",
    "open_shop": RESTARTS,
    "read_returns": "only reads",
    "read_units": "only reads",
    "recount_stock": RESTARTS,
    "restore_link": RESTARTS,
    "restore_order": RESTARTS,
    "undo_entry": "one form of one operator: its own test, and the fuzz",
}
"""Scripts that no machine calls, and why, or where else they are called in any order."""


def called(kind: Kind) -> set[str]:
    """The scripts that a machine calls in a few runs, the same each time."""
    names = {hashlib.sha1(text_of(name).encode()).hexdigest()[:8]: name for name in SCRIPTS}
    assert len(names) == len(SCRIPTS)
    clock = Clock()
    memory = Memory(clock.now)
    found: set[str] = set()

    def note(command: str, run: Callable[[], Any]) -> Any:
        found.update({names[command]} if command in names else ())
        return run()

    memory.line = note
    walk(kind, memory, SEED, RUNS, [Phase.generate], tick=clock.tick)
    return found


def test_every_script_is_in_a_machine_or_is_named_with_the_reason() -> None:
    found = {kind: called(kind) for kind in MACHINES}
    assert set(SCRIPTS) - set().union(*found.values()) == IN_NONE.keys()
    # Without a machine, what it alone calls would be missing.
    for kind, script in ((Entering, "use_code"), (GoingBack, "plan_refund")):
        assert [one for one in MACHINES if script in found[one]] == [kind]
