"""Deliveries: which event is still to be sent to which webhook endpoint, and when next.

A row lives from the transaction that made the event until the endpoint has answered 2xx, over
restarts too: an event is sent at least once, unless its fate is to be lost.
"""

from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from gevent.event import Event

from .state import Json, State

SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL,
    answer TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (due) WHERE status = 'pending';
"""
PAUSES = (1, 5, 30, 120, 600, 3600)
"""Seconds before the second, third, … try; the last repeats, until three days have passed."""
TRIED_SECONDS = 3 * 24 * 3600
REORDER_SECONDS = 0.3
MODES = ("normal", "lost", "doubled", "delayed", "reordered")


@dataclass(frozen=True)
class Fate:
    """What becomes of the webhooks of a payment.

    `normal`: sent at once · `lost`: never sent · `doubled`: every fact as two events · `delayed`:
    sent `seconds` later · `reordered`: what happened together is sent last first.
    """

    mode: str = "normal"
    seconds: float = 0


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: int
    event: str
    endpoint: str
    attempts: int


class Deliveries:
    """Keeps what is still to be sent."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.wake = Event()  # set when there may be something new to send
        state.db.executescript(SCHEMA)

    def schedule(self, told: list[tuple[Json, Fate]], now: float) -> None:
        """Puts the events of one transaction on their way to every endpoint that wants them."""
        if not told:
            return
        endpoints = [e for e in self.state.find("webhook_endpoint") if e["status"] == "enabled"]
        for index, (event, fate) in enumerate(told):
            due = now
            if fate.mode == "delayed":
                due += fate.seconds
            elif fate.mode == "reordered":
                due += REORDER_SECONDS * (len(told) - 1 - index)
            status = "lost" if fate.mode == "lost" else "pending"
            for endpoint in endpoints:
                if {"*", event["type"]} & set(endpoint["enabled_events"]):
                    self.state.db.execute(
                        "INSERT INTO deliveries (event, endpoint, due, status) VALUES (?, ?, ?, ?)",
                        (event["id"], endpoint["id"], due, status),
                    )

    def due(self, now: float, limit: int = 200) -> list[Delivery]:
        """What is to be sent by now, longest overdue first."""
        rows = self.state.db.execute(
            "SELECT id, event, endpoint, attempts FROM deliveries"
            " WHERE status = 'pending' AND due <= ? ORDER BY due, id LIMIT ?",
            (now, limit),
        )
        return [Delivery(*row) for row in rows]

    def delivered(self, delivery: Delivery, answer: str) -> None:
        """Ends a delivery: the endpoint has taken the event."""
        self.state.db.execute(
            "UPDATE deliveries SET status = 'delivered', attempts = attempts + 1, answer = ?"
            " WHERE id = ?",
            (answer, delivery.id),
        )

    def refused(self, delivery: Delivery, answer: str, now: float) -> None:
        """Plans the next try, or gives up after three days."""
        pauses = chain(PAUSES, repeat(PAUSES[-1]))
        spent = sum(pause for pause, _ in zip(pauses, range(delivery.attempts), strict=False))
        pause = PAUSES[min(delivery.attempts, len(PAUSES) - 1)]
        status = "pending" if spent < TRIED_SECONDS else "failed"
        self.state.db.execute(
            "UPDATE deliveries SET status = ?, attempts = attempts + 1, answer = ?, due = ?"
            " WHERE id = ?",
            (status, answer, now + pause, delivery.id),
        )

    def again(self, event: str, now: float) -> None:
        """Sends an event once more, whatever became of it."""
        self.state.db.execute(
            "UPDATE deliveries SET status = 'pending', due = ? WHERE event = ?", (now, event)
        )

    def pending(self, event: str) -> int:
        """How many endpoints have not taken the event."""
        row = self.state.db.execute(
            "SELECT count(*) FROM deliveries WHERE event = ? AND status <> 'delivered'", (event,)
        ).fetchone()
        return int(row[0])

    def of(self, event: str) -> list[Json]:
        """The event's deliveries, for people."""
        rows = self.state.db.execute(
            "SELECT endpoint, status, attempts, answer, due FROM deliveries WHERE event = ?",
            (event,),
        )
        names = ("endpoint", "status", "attempts", "answer", "due")
        return [dict[str, Any](zip(names, row, strict=True)) for row in rows]

    def forget(self) -> None:
        """Removes deliveries whose events are forgotten."""
        self.state.db.execute("DELETE FROM deliveries WHERE event NOT IN (SELECT id FROM objects)")
