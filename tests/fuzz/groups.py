"""What is thrown at the shop, by kind. One seed is one input, whatever came before it."""

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fuzz.stage import Reply, Stage


class Found(AssertionError):
    """An input did what none may do."""


@dataclass
class Attack(ABC):
    """One kind of input against one shop."""

    stage: Stage
    outcomes: Counter[str] = field(default_factory=Counter)
    """What the shop answered, so that nobody takes a fuzz that reaches nothing for a proof."""

    @abstractmethod
    def play(self, seed: int) -> None:
        """Throws one input; raises Found with all that is needed to understand it."""

    def harmless(self, reply: Reply, sent: str) -> None:
        """No failure, and nothing of the shop's inside."""
        if reply.status >= 500:
            raise Found(f"{reply.status} for {sent}\n{''.join(self.stage.ears.heard)[-3000:]}")
        for leak in (b"Traceback (most recent", b'File "/', b"werkzeug", b"jinja2", b"redis."):
            if leak in reply.body:
                raise Found(f"{leak!r} in the answer to {sent}")
        if self.stage.ears.heard:
            raise Found(f"an error in the log for {sent}\n{self.stage.ears.heard[0][-3000:]}")


Make = Callable[[Stage], Attack]


def chance_of(seed: int) -> random.Random:
    """The source of one input's choices."""
    return random.Random(seed)
