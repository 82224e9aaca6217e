"""A mail as it is written, without its form on the wire, which takes as long as the rest of a seed's mails."""

from typing import Any


class Mail(dict[str, Any]):
    """As much of ``EmailMessage`` as the shop writes: headers, a text, and its HTML with pictures."""

    def __init__(self, policy: object = None) -> None:
        super().__init__()
        self._parts: list[Mail] = []
        self.content: Any = ""

    def set_content(self, content: str, cte: str) -> None:
        self.add_alternative(content, "plain", cte)

    def add_alternative(self, content: str, subtype: str, cte: str) -> None:
        part = Mail()
        part.content = content
        self._parts.append(part)

    def add_related(self, content: bytes, *kind: str, **headers: str) -> None:
        part = Mail()
        part.content = content
        self._parts.append(part)

    def iter_parts(self) -> list["Mail"]:
        return self._parts
