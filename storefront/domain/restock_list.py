"""Reads a list of restocks as CSV, ``sku,delta,reason``, and says what is wrong with which line.

As spreadsheets write it: UTF-8 with or without a mark at its begin, commas, semicolons or tabs, any
ends of lines, a line with the columns' names or none.
"""

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

MOST_BYTES = 32 * 1024
MOST_ROWS = 500
MOST_DIGITS = 6
MOST_SKU = 64
MOST_REASON = 200
COLUMNS = ("sku", "delta", "reason")
SEPARATORS = (",", ";", "\t")


class BadList(ValueError):
    """Nothing of the list can be read; the text is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list as it was written, or as far as it could be read."""

    number: int
    """Where it stands in the file, counted from 1."""
    sku: str
    delta: int
    """0 where it is no change."""
    reason: str
    wrong: str = ""
    """Why it cannot be done: a sentence; empty when nothing is wrong with it."""


def decode(data: bytes) -> str:
    """The list's text. Raises BadList."""
    if len(data) > MOST_BYTES:
        raise BadList(f"The list has more than {MOST_BYTES // 1024} KiB: cut it in two.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadList(
            f"Line {line} is not UTF-8. Save the list as “CSV UTF-8”, and send it again."
        ) from None
    if "\0" in text:
        raise BadList("This is no list: it holds bytes that no text has.")
    return text


def read(text: str) -> list[Row]:
    """Every row of the list, each with what is wrong with it in itself. Raises BadList."""
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    separator = next((_separator(line) for line in lines if line.strip()), SEPARATORS[0])
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        cells = _cells(number, line, separator)
        if not any(cells):
            continue
        if not rows and tuple(cell.casefold() for cell in cells) == COLUMNS:
            continue
        rows.append(_row(number, cells))
        if len(rows) > MOST_ROWS:
            raise BadList(f"The list has more than {MOST_ROWS} changes: cut it in two.")
    if not rows:
        raise BadList("The list is empty: write a line like poster-red,12,second box.")
    return _without_doubles(rows)


def _separator(first: str) -> str:
    """What stands between the cells, as the first line tells."""
    for one in SEPARATORS:
        with suppress(BadList):  # a quoted cell ends before something else, so that is it
            if len(_cells(1, first, one)) == len(COLUMNS):
                return one
    return SEPARATORS[0]


def _cells(number: int, line: str, separator: str) -> list[str]:
    """The cells of one line; no cell goes on in the next line."""
    try:
        [cells] = csv.reader([line], delimiter=separator, strict=True) if line else [[]]
    except csv.Error:
        raise BadList(f"Line {number} has a quotation mark that does not end in it.") from None
    return [cell.strip() for cell in cells]


def _row(number: int, cells: Sequence[str]) -> Row:
    sku, delta, reason = [*cells, "", "", ""][:3]
    digits = delta[1:] if delta[:1] in {"+", "-"} else delta
    whole = digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS
    row = Row(number, sku, int(delta) if whole else 0, reason)
    if len(cells) != len(COLUMNS):
        return replace(row, wrong=f"{len(cells)} cells instead of the three sku, delta, reason.")
    if not sku or len(sku) > MOST_SKU or not sku.isprintable():
        return replace(row, wrong="The first cell is no SKU.")
    if not whole:
        said = delta[:20] or "nothing"
        return replace(row, wrong=f"The change is {said}: write a number like 12 or -3.")
    if not row.delta:
        return replace(row, wrong="The change is 0.")
    if not reason:
        return replace(row, wrong="The reason is missing: it stands in the ledger.")
    if len(reason) > MOST_REASON or not reason.isprintable():
        return replace(
            row, wrong=f"The reason has more than {MOST_REASON} characters, or odd ones."
        )
    return row


def _without_doubles(rows: Sequence[Row]) -> list[Row]:
    """A line that stands there twice is a slip; two different changes of one SKU are none."""
    first: dict[tuple[str, int, str], int] = {}
    found = []
    for row in rows:
        at = first.setdefault((row.sku, row.delta, row.reason), row.number)
        double = at != row.number and not row.wrong
        found.append(replace(row, wrong=f"The same as line {at}.") if double else row)
    return found
