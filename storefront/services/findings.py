"""What an examination of the installation says."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    """It would break the shop's promise, or keep anybody from paying."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing, in a sentence, and how to mend it."""

    name: str
    level: Level
    detail: str
    mend: str = ""
