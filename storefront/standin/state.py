"""What the stand-in remembers: Stripe's objects as JSON rows in one SQLite file.

Every request is one transaction, and its commit comes before its answer. With the write-ahead log
and ``synchronous=NORMAL`` a commit is one write to the operating system: ending the process with
``kill -9`` loses nothing that was answered; a power cut may lose the last moments.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Json = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    status TEXT, active INTEGER, type TEXT,
    payment_intent TEXT, charge TEXT, payment_link TEXT, product TEXT,
    due REAL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_age ON objects (kind, created, seq);
CREATE INDEX IF NOT EXISTS by_status ON objects (kind, status, created, seq)
    WHERE status IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_payment ON objects (payment_intent) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_link ON objects (payment_link) WHERE payment_link IS NOT NULL;
CREATE INDEX IF NOT EXISTS by_due ON objects (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
COLUMNS = ("status", "active", "type", "payment_intent", "charge", "payment_link", "product")
PUT = f"""
INSERT INTO objects (id, kind, created, {", ".join(COLUMNS)}, due, body)
VALUES ({", ".join("?" * (len(COLUMNS) + 5))})
ON CONFLICT (id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in COLUMNS)},
    due = excluded.due, body = excluded.body
"""  # noqa: S608 - the names of our own columns


class State:
    """Stores objects durably, one transaction at a time.

    An object is a dict with `id`, `object` and `created`. Its key ``_`` holds what the stand-in
    alone needs to know; `public` leaves it out. ``_["due"]`` is the time, in seconds of Stripe's
    clock, at which something happens to the object by itself.
    """

    def __init__(self, path: str) -> None:
        """Opens or makes the file; sqlite3.OperationalError when another process has it."""
        self.db = sqlite3.connect(path, isolation_level=None, timeout=0.5)
        # Exclusive: two stand-ins on one file would each answer from half of the truth.
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Stores all changes made inside, or none.

        Nothing inside may wait for the network: the whole process is one thread, so what runs
        between begin and commit runs alone.
        """
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def put(self, obj: Json) -> None:
        """Stores the object, new or changed."""
        row = [obj.get(name) for name in COLUMNS]
        own = obj.get("_", {})
        created = obj["created"] if "created" in obj else own["created"]  # payment links have none
        body = json.dumps(obj, separators=(",", ":"))
        self.db.execute(PUT, (obj["id"], obj["object"], created, *row, own.get("due"), body))

    def get(self, kind: str, id: str) -> Json | None:  # noqa: A002
        """The object, or None."""
        row = self.db.execute(
            "SELECT body FROM objects WHERE id = ? AND kind = ?", (id, kind)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def remove(self, id: str) -> None:  # noqa: A002
        """Forgets the object."""
        self.db.execute("DELETE FROM objects WHERE id = ?", (id,))

    def find(self, kind: str, **fields: Any) -> list[Json]:
        """Every object of the kind whose columns have these values, oldest first."""
        return self.page(kind, [(f"{name} = ?", value) for name, value in fields.items()])[::-1]

    def page(
        self,
        kind: str,
        conditions: list[tuple[str, Any]],
        *,
        limit: int = -1,
        oldest_first: bool = False,
    ) -> list[Json]:
        """Objects that meet all conditions, newest first unless told otherwise."""
        where = "".join(f" AND {sql}" for sql, _ in conditions)
        values: list[Any] = []
        for _, value in conditions:
            values.extend(value if isinstance(value, tuple) else (value,))
        order = "ASC" if oldest_first else "DESC"
        rows = self.db.execute(
            f"SELECT body FROM objects WHERE kind = ?{where}"  # noqa: S608 - fixed column names
            f" ORDER BY created {order}, seq {order} LIMIT ?",
            (kind, *values, limit),
        )
        return [json.loads(row[0]) for row in rows]

    def position(self, kind: str, id: str) -> tuple[int, int] | None:  # noqa: A002
        """Where the object stands in the order of lists."""
        row = self.db.execute(
            "SELECT created, seq FROM objects WHERE id = ? AND kind = ?", (id, kind)
        ).fetchone()
        return (row[0], row[1]) if row else None

    def due(self, now: float, limit: int = 200) -> list[Json]:
        """Objects to which something happens by now, longest overdue first."""
        rows = self.db.execute(
            "SELECT body FROM objects WHERE due <= ? ORDER BY due LIMIT ?", (now, limit)
        )
        return [json.loads(row[0]) for row in rows]

    def forget(self, kind: str, before: int) -> None:
        """Removes objects of the kind that are older than `before`."""
        self.db.execute("DELETE FROM objects WHERE kind = ? AND created < ?", (kind, before))

    def setting(self, name: str, default: Any) -> Any:
        """A value that outlives the process."""
        row = self.db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def set(self, name: str, value: Any) -> None:
        """Keeps a value over restarts."""
        self.db.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = ?2",
            (name, json.dumps(value)),
        )

    def close(self) -> None:
        """Ends the use of the file."""
        self.db.close()


def public(obj: Mapping[str, Any]) -> Json:
    """The object as Stripe shows it."""
    return {name: value for name, value in obj.items() if name != "_"}
