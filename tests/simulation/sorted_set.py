"""Redis' sorted set, as much of it as the shop uses."""

from bisect import bisect_left, bisect_right


class SortedSet:
    """Members with scores, read far more often than written."""

    __slots__ = ("_rows", "scores")

    def __init__(self) -> None:
        self.scores: dict[str, float] = {}
        self._rows: list[tuple[float, str]] | None = []

    def copy(self) -> "SortedSet":
        other = SortedSet()
        other.scores, other._rows = dict(self.scores), None
        return other

    def add(self, member: str, score: float) -> bool:
        self._rows = None
        fresh = member not in self.scores
        self.scores[member] = score
        return fresh

    def remove(self, member: str) -> bool:
        if self.scores.pop(member, None) is None:
            return False
        self._rows = None
        return True

    def rows(self) -> list[tuple[float, str]]:
        """By score, then by name, as Redis has them."""
        if self._rows is None:
            self._rows = sorted((score, member) for member, score in self.scores.items())
        return self._rows

    def lex(self, low: str, high: str) -> list[str]:
        """The members between ``[a`` and ``(b`` of a set in which all scores are the same."""
        names = [member for _, member in self.rows()]
        find_low = bisect_left if low[0] == "[" else bisect_right
        find_high = bisect_right if high[0] == "[" else bisect_left
        return names[find_low(names, low[1:]) : find_high(names, high[1:])]
