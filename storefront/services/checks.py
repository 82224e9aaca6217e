"""One invariant, held against what was found: what ``audit`` is made of."""

from dataclasses import dataclass, field

SHOWN = 5
"""So many faults of one kind are named; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: whether it holds, and in a sentence what was found."""

    name: str
    ok: bool
    detail: str


@dataclass
class Faults:
    """What was found against one invariant."""

    name: str
    fine: str
    """What is said when nothing was."""
    found: list[str] = field(default_factory=list)

    def check(self) -> Check:
        """The verdict, with the first faults named."""
        if not self.found:
            return Check(self.name, True, self.fine)
        more = f" and {len(self.found) - SHOWN} more" if len(self.found) > SHOWN else ""
        return Check(self.name, False, "; ".join(self.found[:SHOWN]) + more)
