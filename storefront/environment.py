"""Reads settings from text: one method for each kind of value, one sentence for each mistake."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


class SettingsError(Exception):
    """A setting is wrong. One sentence: its name, what was found and what is allowed."""


class Environment:
    """The variables a process was started with. An empty variable counts as not set."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.read: list[str] = []
        """Every name that was asked for, in order: what the documents must list."""

    def get(self, name: str) -> str:
        """The variable's text without space around it, or an empty text."""
        if name not in self.read:
            self.read.append(name)
        return self._variables.get(name, "").strip()

    def text(self, name: str, default: str, *, longest: int = 200) -> str:
        """One line of text, at most ``longest`` characters."""
        value = self.get(name) or default
        if len(value) > longest or not value.isprintable():
            raise wrong(name, value[:40], f"one line of at most {longest} characters")
        return value

    def matching(self, name: str, default: str, pattern: str, allowed: str) -> str:
        """Text that fits a pattern; the mistake's sentence shows what was found."""
        value = self.get(name) or default
        if value and not re.fullmatch(pattern, value, re.ASCII):
            raise wrong(name, value[:80], allowed)
        return value

    def secret(self, name: str, pattern: str, allowed: str) -> str:
        """Text that fits a pattern and is never shown, not even when it is wrong."""
        value = self.get(name)
        if value and not re.fullmatch(pattern, value, re.ASCII):
            raise SettingsError(
                f"{name} is set, but to something else ({len(value)} characters, not shown): "
                f"allowed is {allowed}."
            )
        return value

    def secrets(self, name: str, pattern: str, allowed: str) -> tuple[str, ...]:
        """Several secrets, separated by commas."""
        parts = tuple(part.strip() for part in self.get(name).split(",") if part.strip())
        for part in parts:
            if not re.fullmatch(pattern, part, re.ASCII):
                raise SettingsError(
                    f"{name} holds something else ({len(part)} characters, not shown): "
                    f"allowed is {allowed}, several separated by commas."
                )
        return parts

    def number(self, name: str, default: int, least: int, most: int, what: str) -> int:
        """A whole number within bounds; ``what`` names its unit."""
        value = self.get(name)
        if not value:
            return default
        plain = re.fullmatch(r"[0-9]{1,9}", value)
        if not plain or not least <= int(value) <= most:
            raise wrong(name, value[:40], f"a whole number of {what} from {least} to {most}")
        return int(value)

    def switch(self, name: str, *, default: bool) -> bool:
        """A thing that is on or off."""
        value = self.get(name).lower()
        if value in {"on", "true", "yes", "1"}:
            return True
        if value in {"off", "false", "no", "0"}:
            return False
        if value:
            raise wrong(name, value[:40], "on or off")
        return default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        value = (self.get(name) or default).lower()
        if value not in choices:
            raise wrong(name, value[:40], " or ".join(choices))
        return value

    def address(self, name: str, default: str, *, path: bool = False) -> str:
        """An ``http`` or ``https`` address of a host (or with a path); no slash at its end."""
        value = (self.get(name) or default).rstrip("/")
        if not value:
            return ""
        parts = split(value)
        if (
            not parts
            or parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.query
            or parts.fragment
            or parts.username is not None
            or (parts.path and not path)
        ):
            raise wrong(name, shown(value), "an address like https://shop.example.org")
        return f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        """An address with one of these schemes, which may hold a password and so is never shown."""
        value = self.get(name) or default
        if not value:
            return ""
        parts = split(value)
        place = parts and (parts.path.strip("/") if parts.scheme == "unix" else parts.hostname)
        if not parts or parts.scheme not in schemes or not place:
            raise SettingsError(
                f"{name} is set, but to something else (not shown, it may hold a password): "
                f"allowed is an address that begins with {' or '.join(s + '://' for s in schemes)}."
            )
        return value


def wrong(name: str, found: str, allowed: str) -> SettingsError:
    """The sentence for a value that may be shown."""
    return SettingsError(f"{name} is {found!r}: allowed is {allowed}.")


def split(value: str) -> SplitResult | None:
    """The address in parts, or None when it cannot be one."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return None if re.search(r"[\s\x00-\x1f]", value) else parts


def shown(address: str) -> str:
    """An address as it may be printed: without the name and password it might hold."""
    return re.sub(r"//[^/@]*@", "//…@", address)[:80]


def public(address: str) -> bool:
    """Whether an address (``https://shop.example``) can be reached from elsewhere, by its looks."""
    parts = split(address)
    host = (parts.hostname or "") if parts else ""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal"))


def loopback(address: str) -> bool:
    """Whether an address (``http://localhost:8000``) is of this machine only."""
    parts = split(address)
    host = (parts.hostname or "") if parts else ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
