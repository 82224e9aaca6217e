"""Redis' append-only file: what is in it, and copies that end too early."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = "appendonlydir"
"""Where Redis 7 keeps it, in the folder that is set as ``dir``."""


@dataclass(frozen=True)
class Command:
    """One command, and where the bytes after it begin."""

    words: tuple[str, ...]
    end: int

    @property
    def name(self) -> str:
        return self.words[0].upper()


@dataclass
class Change:
    """What Redis does whole or not at all: MULTI to EXEC, or one command."""

    start: int
    commands: list[Command] = field(default_factory=list)
    transaction: bool = False

    @property
    def end(self) -> int:
        return self.commands[-1].end

    def within(self, cut: int) -> bool:
        """Whether a file cut here has a part of it."""
        return self.start < cut < self.end


def last_file(folder: Path) -> Path:
    """The file that Redis writes to, by the manifest: the last one of type i."""
    [manifest] = (folder / FOLDER).glob("*.manifest")
    names = [
        line.split()[1] for line in manifest.read_text().splitlines() if line.endswith("type i")
    ]
    return folder / FOLDER / names[-1]


def changes(data: bytes) -> Iterator[Change]:
    """Everything in a file that is whole."""
    change = Change(0)
    for command in _commands(data):
        change.commands.append(command)
        if command.name == "MULTI":
            change.transaction = True
        elif command.name == "EXEC" or not change.transaction:
            yield change
            change = Change(command.end)


def _commands(data: bytes) -> Iterator[Command]:
    """RESP arrays of bulk strings: *2\\r\\n$6\\r\\nSELECT\\r\\n$1\\r\\n0\\r\\n"""
    at = 0

    def number(mark: bytes) -> int:
        nonlocal at
        assert data[at : at + 1] == mark
        line_end = data.index(b"\r\n", at)
        value = int(data[at + 1 : line_end])
        at = line_end + 2
        return value

    while at < len(data):
        words = []
        for _ in range(number(b"*")):
            length = number(b"$")
            words.append(data[at : at + length].decode())
            at += length + 2
        yield Command(tuple(words), at)


def cut_copy(folder: Path, target: Path, cut: int) -> None:
    """The data folder as it is when only the first ``cut`` bytes of the last file reached the disk."""
    shutil.copytree(folder / FOLDER, target / FOLDER)
    with last_file(target).open("r+b") as file:
        file.truncate(cut)
