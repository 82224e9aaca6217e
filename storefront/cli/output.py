"""How commands answer: a table for people, one JSON document for machines."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else."
)


def example(*lines: str) -> str:
    """The end of a command's help; the sign in its first line keeps click from joining lines."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


def document(data: Any) -> None:
    """Prints one JSON document."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints columns, as wide as they must be; numbers stand to the right."""
    lines = [list(row) for row in rows]
    texts = [list(head), *([str(cell) for cell in line] for line in lines)]
    widths = [max(len(text[column]) for text in texts) for column in range(len(head))]
    right = [
        bool(lines) and all(isinstance(line[n], int) for line in lines) for n in range(len(head))
    ]
    for text in texts:
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(text, widths, right, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def spreadsheet(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints CSV (RFC 4180). No cell can be taken for a formula by a spreadsheet."""
    writer = csv.writer(sys.stdout)
    writer.writerow(head)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])


def harmless(cell: object) -> object:
    """Text that begins as a formula would, with an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell
