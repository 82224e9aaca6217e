"""Failures on request: what the network and Stripe do to a call on a bad day."""

import re
from dataclasses import dataclass, field

KINDS = {
    "timeout_before": "held, then dropped without any effect",
    "timeout_after": "takes effect, then held and dropped without an answer",
    "slow": "held, then answered as usual: the key is in flight meanwhile",
    "error_500_saved": "a 500 that the idempotency key keeps",
    "error_500_unsaved": "a 500 without effect that no key keeps",
    "rate_limited": "a 429 without effect",
    "reset_before": "the connection breaks before any effect",
    "reset_after": "takes effect, then the connection breaks",
}
DELAY_MS = 12_000
"""Longer than a client's patience of 8 seconds or so."""
LONGEST_DELAY_MS = 120_000


@dataclass
class Fault:
    """One planned failure.

    `match` is a method and a path; ``*`` stands for one part of it and ``**`` for any rest.
    `times` counts down; None lasts until it is removed. `effect` (for `error_500_saved`) says
    whether the call takes effect although it answers 500.
    """

    match: str
    kind: str
    times: int | None = 1
    delay_ms: int = DELAY_MS
    effect: bool = False
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Checks the plan; ValueError says what is wrong."""
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if not re.fullmatch(r"[A-Z*]+ /\S*", self.match):
            raise ValueError("match must be a method and a path, such as 'POST /v1/refunds'")
        if self.times is not None and (type(self.times) is not int or self.times < 1):
            raise ValueError("times must be 1 or more, or null for always")
        if type(self.delay_ms) is not int or not 0 <= self.delay_ms <= LONGEST_DELAY_MS:
            raise ValueError(f"delay_ms must be 0 to {LONGEST_DELAY_MS}")
        if self.effect and self.kind != "error_500_saved":
            raise ValueError("effect goes with error_500_saved only")
        stars = {"**": ".*", "*": "[^/ ]+"}
        parts = re.split(r"(\*\*|\*|\{\w+\})", self.match)
        pattern = "".join(
            stars.get(part, "[^/ ]+" if part.startswith("{") else re.escape(part)) for part in parts
        )
        self.pattern = re.compile(pattern)


class Faults:
    """The planned failures, first planned first used."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.latency_ms = 0

    def plan(self, fault: Fault) -> None:
        """Adds a failure."""
        self.planned.append(fault)

    def clear(self) -> None:
        """Removes all failures."""
        self.planned.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The failure that meets this request, used up by one."""
        for fault in self.planned:
            if fault.pattern.fullmatch(f"{method} {path}"):
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self.planned.remove(fault)
                return fault
        return None
