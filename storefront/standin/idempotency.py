"""Idempotency keys, exactly as Stripe keeps them.

The status and body of a key's first run are saved once its execution began, failures and 500s
included, in the same transaction as its effect. The same key with other parameters or at another
address is refused; while the first run is under way a second one gets a 409.
"""

from dataclasses import dataclass

from .errors import StripeError
from .state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    request TEXT NOT NULL,
    status INTEGER NOT NULL,
    answer BLOB NOT NULL,
    created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (created);
"""
KEPT_SECONDS = 25 * 3600
LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """What a key's first run answered."""

    request: str
    status: int
    body: bytes


class Answers:
    """Keeps what each key's first run answered, for at least 24 hours of Stripe's clock."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.in_flight: set[str] = set()
        state.db.executescript(SCHEMA)

    def saved(self, key: str, path: str, body: str, now: int) -> Answer | None:
        """The answer to repeat, or None for a new key; StripeError for a misused one."""
        if len(key) > LONGEST_KEY:
            raise StripeError(
                f"Idempotency keys can be up to {LONGEST_KEY} characters long.",
                type="idempotency_error",
                kept=False,
            )
        row = self.state.db.execute(
            "SELECT path, body, request, status, answer FROM answers"
            " WHERE key = ? AND created >= ?",
            (key, now - KEPT_SECONDS),
        ).fetchone()
        if row is None:
            return None
        if row[0] != path:
            raise StripeError(
                "Keys for idempotent requests can only be used for the same endpoint they were "
                f"first used for ('{path}' vs '{row[0]}'). Try using a key other than '{key}' if "
                "you meant to execute a different request.",
                type="idempotency_error",
                kept=False,
            )
        if row[1] != body:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                type="idempotency_error",
                kept=False,
            )
        return Answer(*row[2:])

    def enter(self, key: str) -> None:
        """Begins a run; StripeError 409 while another one with the key is under way."""
        if key in self.in_flight:
            raise StripeError(
                "There is currently another in-progress request using this Idempotency Key (that "
                "probably means you submitted twice, and the other request is still going "
                f"through): {key}. Please try again later.",
                status=409,
                type="idempotency_error",
                code="idempotency_key_in_use",
                kept=False,
            )
        self.in_flight.add(key)

    def leave(self, key: str) -> None:
        """Ends a run."""
        self.in_flight.discard(key)

    def save(self, key: str, path: str, body: str, answer: Answer, now: int) -> None:
        """Keeps the answer of a run."""
        self.state.db.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, path, body, answer.request, answer.status, answer.body, now),
        )

    def forget(self, now: int) -> None:
        """Removes answers whose time is over."""
        self.state.db.execute("DELETE FROM answers WHERE created < ?", (now - KEPT_SECONDS,))
