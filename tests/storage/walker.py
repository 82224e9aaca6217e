"""What every machine of the storage has: a shop on the Redis that it is given."""

from collections.abc import Callable
from typing import ClassVar

import redis
from hypothesis.stateful import RuleBasedStateMachine

from storefront.storage.store import Store, open_store

Mutate = Callable[[str, str], str]
Tick = Callable[[], object]


class Walker(RuleBasedStateMachine):
    """One shop's storage, empty at the begin of each walk."""

    client: ClassVar[redis.Redis]
    mutate: ClassVar[Mutate | None] = None
    """Changes a script's text, told its name."""
    tick: ClassVar[Tick | None] = None
    """Moves a clock that stands still on."""

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.store: Store = open_store(self.client, "test")
        if self.mutate is not None:
            scripts = self.store.scripts._scripts
            for name, script in scripts.items():
                scripts[name] = self.client.register_script(self.mutate(name, str(script.script)))

    def _move_clock(self) -> None:
        """Before each call, where time does not move by itself."""
        if self.tick is not None:
            self.tick()
