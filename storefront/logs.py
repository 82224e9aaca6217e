"""One line for each thing that happened, for people or for machines, without secrets.

An order is named by its id, in a field of its own: ``log.info("paid", extra={"order": order.id})``.
Mail addresses, names, tokens and keys are never given to a logger.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

FIELDS = ("order", "sku", "event", "job")
"""What a line may carry besides its text, passed by ``extra``."""

QUIET = ("stripe", "urllib3", "werkzeug")
"""Libraries that say more than is worth a line, or more than should be kept."""


class Text(logging.Formatter):
    """For people: time, level, who, what, and the fields that are there."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; an error's traceback follows it."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
        line = f"{time} {record.levelname.lower():7} {record.name}: {record.getMessage()}"
        line += "".join(f" {name}={value}" for name, value in fields(record).items())
        trace = traceback_of(self, record)
        return f"{line}\n{trace}" if trace else line


class Json(logging.Formatter):
    """For machines: one JSON object on a line, its time ISO 8601 in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the text holds."""
        data: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields(record),
        }
        if trace := traceback_of(self, record):
            data["traceback"] = trace
        return json.dumps(data, ensure_ascii=False)


def set_up(log_format: str) -> None:
    """Sends what every logger says to stderr, in ``text`` or ``json``; calling it again is fine.

    Stdout stays free for what a command answers.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h.formatter, Text | Json)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def formatter(log_format: str) -> logging.Formatter:
    """The formatter for ``text`` or ``json``."""
    return Json() if log_format == "json" else Text()


def fields(record: logging.LogRecord) -> dict[str, str]:
    """The fields that this line carries."""
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {name: str(value) for name, value in found.items() if value is not None}


def traceback_of(own: logging.Formatter, record: logging.LogRecord) -> str:
    """How the error came about, or an empty text."""
    return own.formatException(record.exc_info) if record.exc_info else ""
