"""Pictures that were uploaded: their names say how large they are and in which sizes they are kept."""

import re
from dataclasses import dataclass

WIDTHS = (400, 800, 1600)
"""Pixels; a picture is kept in each of these up to its own width."""
UPLOADED = re.compile(
    r"([0-9a-f]{16})-([1-9][0-9]{0,3})x([1-9][0-9]{0,3})(-[1-9][0-9]{2})?\.webp", re.ASCII
)
"""What such a file is called: ``0123456789abcdef-1600x1067.webp``, and a smaller one ``…-400.webp``."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a page shows it."""

    name: str
    """Of the file that is its largest."""
    width: int
    height: int
    sizes: tuple[tuple[str, int], ...] = ()
    """Its files with their widths in pixels, the smallest first; empty for one that has no others."""

    @property
    def smallest(self) -> str:
        """The file for where it is shown small."""
        return self.sizes[0][0] if self.sizes else self.name


def picture(name: str) -> Picture:
    """The picture with this file name. One that came with a catalogue counts as a square."""
    found = UPLOADED.fullmatch(name)
    if not found or found[4]:
        return Picture(name, 800, 800)
    width, height = int(found[2]), int(found[3])
    smaller = tuple((sized(name, one), one) for one in WIDTHS if one < width)
    return Picture(name, width, height, (*smaller, (name, width)))


def sized(name: str, width: int) -> str:
    """What the file of an uploaded picture is called that is only so wide."""
    return f"{name.removesuffix('.webp')}-{width}.webp"


def largest(file: str) -> str | None:
    """The name of the picture that an uploaded file is one size of; None for any other file."""
    found = UPLOADED.fullmatch(file)
    return f"{found[1]}-{found[2]}x{found[3]}.webp" if found else None
