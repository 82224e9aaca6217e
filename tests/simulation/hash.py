"""Redis' hash, read far more often than written."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class Hash(dict[str, str]):
    """Fields that remember what was read out of them, until one of them is written.

    They are written as ``hash[field] = text`` and removed by ``pop``, and in no other way.
    """

    __slots__ = ("_read",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(fields)
        self._read: dict[Any, Any] = {}

    def __setitem__(self, field: str, text: str) -> None:
        self._read = {}
        super().__setitem__(field, text)

    def pop(self, field: str, *default: Any) -> Any:
        self._read = {}
        return super().pop(field, *default)

    def copy(self) -> "Hash":
        """Another one of the same fields, and so of what was read out of them."""
        other = Hash(self.items())
        other._read = self._read
        return other

    def read(self, how: Callable[[Mapping[str, str]], T]) -> T:
        """What ``how`` makes of the fields, which nobody may change."""
        if how not in self._read:
            self._read[how] = how(self)
        found: T = self._read[how]
        return found


def read(fields: Mapping[str, str], how: Callable[[Mapping[str, str]], T]) -> T:
    """The same for fields of any kind."""
    return fields.read(how) if isinstance(fields, Hash) else how(fields)
