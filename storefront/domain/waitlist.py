"""A place in the waitlist for one SKU, and what may be written where its address is asked for."""

import re
from dataclasses import dataclass
from enum import StrEnum

from storefront.domain.errors import BadInput

MOST_UNITS = 10
"""Units that one place may wait for; each becomes an offer of its own."""
LONGEST_ADDRESS = 254
"""Characters of a mail address (RFC 5321, 4.5.3.1.3)."""
ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+",
    re.ASCII,
)
"""As a browser's ``<input type="email">`` takes it, with a dot in the domain.

https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
"""


class PlaceState(StrEnum):
    """Where a place stands. Only ``waiting`` ones count."""

    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    OFFERED = "offered"
    """Every unit that it waited for was offered to it."""
    MISSED = "missed"
    """An offer was not taken in time, so it waits no more."""
    LEFT = "left"
    STOPPED = "stopped"
    """The operator ended it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place as it is stored. Times are milliseconds since 1970, UTC, by Redis' clock."""

    id: str
    sku: str
    state: PlaceState
    number: str
    """Text that sorts in the order of joining."""
    orders: tuple[str, ...]
    """Ids of the orders that its offers have or will have, one for each unit."""
    offered: int
    """So many of them were made."""
    joined: int
    mailed: int
    """When the mail with its link was due last."""
    confirmed: int
    """0 before it was."""
    email: str = ""
    """Forgotten when the place ends."""
    language: str = ""
    """In which it was joined, and in which its mails are."""

    @property
    def offers(self) -> tuple[str, ...]:
        """Ids of the orders that were offered to it."""
        return self.orders[: self.offered]


def mail_address(text: str) -> str:
    """A mail address as it was sent, without spaces around it. Raises BadInput."""
    found = text.strip()
    if len(found) > LONGEST_ADDRESS or not ADDRESS.fullmatch(found) or ".." in found:
        raise BadInput("Write your mail address like name@example.org.")
    return found
