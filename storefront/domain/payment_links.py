"""A payment link: an address at Stripe that sells units of one SKU out of an allotment of its own."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storefront.domain import fields
from storefront.domain.orders import Line, basket_of

ALLOTMENT = "link:"
"""Before a link's id: the name under which its units are counted, beside those of orders."""
ID_LENGTH = 16
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""A link's id; it stands in names of keys and jobs, which are cut at their colons."""


class LinkState(StrEnum):
    """Where a link stands. Units are set aside for it until it is closed."""

    MAKING = "making"
    """Stripe has not confirmed it yet."""
    OPEN = "open"
    CLOSING = "closing"
    """It is to sell no more, and Stripe has not confirmed yet that nobody can pay."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PaymentLink:
    """A payment link as it is stored. Its price is the one of the moment when it was made."""

    id: str
    sku: str
    units: int
    """How many it was made for; its limit of completed sessions at Stripe."""
    left: int
    """Units that are still set aside for it."""
    state: LinkState
    unit_amount: int
    """Minor units."""
    currency: str
    created: int
    """Milliseconds."""
    name: str = ""
    slug: str = ""
    image: str = ""
    capture: str = ""
    """``manual``: its payments are authorised first."""
    version: int = 1
    """Numbers the idempotency key of its creation."""
    stripe: str = ""
    """The Payment Link's id; empty until Stripe has told it."""
    url: str = ""
    returned: int = 0
    """Units that went back on sale when it was closed."""
    why: str = ""
    """Why it was ended."""

    @property
    def active(self) -> bool:
        """Whether it sells."""
        return self.state is LinkState.OPEN

    @property
    def sold(self) -> int:
        """Units that sessions of it have taken."""
        return self.units - self.left - self.returned

    @property
    def allotment(self) -> str:
        """The name under which its units are counted."""
        return ALLOTMENT + self.id

    @property
    def line(self) -> Line:
        """What one session of it buys."""
        return Line(self.sku, 1, self.unit_amount, self.name, self.slug, self.image)


@dataclass(frozen=True, slots=True)
class LinkFact:
    """What Stripe says about one of its Payment Links."""

    id: str
    url: str
    active: bool
    livemode: bool = False
    shop: str = ""
    link: str = ""
    """The id that this shop gave it."""
    limit: int = 0
    """How many sessions may be completed; 0 when it has no limit."""
    count: int = 0
    """How many were."""
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


def from_link(found: Mapping[str, Any]) -> LinkFact:
    """The facts in a Payment Link. Raises Malformed.

    https://docs.stripe.com/api/payment-link/object
    """
    fields.required(found, "id", "url", "active")
    metadata = fields.texts(fields.part(found, "metadata"))
    completed = fields.part(fields.part(found, "restrictions"), "completed_sessions")
    return LinkFact(
        id=fields.identity(found),
        url=fields.line(found, "url"),
        active=fields.flag(found, "active"),
        livemode=fields.flag(found, "livemode"),
        shop=metadata.get("shop", ""),
        link=metadata.get("link", ""),
        limit=fields.whole(completed, "limit"),
        count=fields.whole(completed, "count"),
        metadata=metadata,
    )


def order_of(session: str) -> str:
    """The id of the order of a session that was opened through a link.

    All sessions of a link share its metadata, so the id follows from the session's own, and from
    nothing that changes: a key that is rolled must not make a second order of one payment.
    """
    digest = hashlib.sha256(b"order of " + session.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:ID_LENGTH]


def basket(link: PaymentLink) -> str:
    """What one session buys, as the books write it."""
    return basket_of({link.sku: 1})
