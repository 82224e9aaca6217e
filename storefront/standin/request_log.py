"""The API requests of late, for tests and people; in memory only."""

from collections import deque
from dataclasses import asdict, dataclass

from .state import Json

MOST_ENTRIES = 10_000


@dataclass
class Entry:
    """One API request; `status` is None while it runs and 0 when its connection was dropped."""

    method: str
    path: str
    params: Json
    idempotency_key: str | None
    request: str
    time: float
    status: int | None = None
    replayed: bool = False
    fault: str | None = None


class RequestLog:
    """Keeps the last requests, oldest first."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)

    def add(self, entry: Entry) -> Entry:
        """Notes a request at its arrival; the entry is completed when it is answered."""
        self.entries.append(entry)
        return entry

    def rows(self) -> list[Json]:
        """All entries, for JSON."""
        return [asdict(entry) for entry in self.entries]
