"""What scripts are asked and what they answer: words as enums, shapes as dataclasses."""

from dataclasses import dataclass
from enum import StrEnum

from storefront.domain.errors import Shortage
from storefront.domain.orders import Line


class Held(StrEnum):
    HELD = "held"
    ALREADY = "already"
    UNKNOWN_SKU = "unknown_sku"
    OVER_LIMIT = "over_limit"
    NOT_OPEN = "not_open"
    VISITOR_LIMIT = "visitor_limit"
    ADDRESS_LIMIT = "address_limit"
    SHORT = "short"


class Attached(StrEnum):
    ATTACHED = "attached"
    ALREADY = "already"
    TOO_LATE = "too_late"


class Renewed(StrEnum):
    RENEWED = "renewed"
    STALE = "stale"


class Settled(StrEnum):
    """What became of an order when Stripe's facts were applied."""

    SOLD = "sold"
    RETAKEN = "retaken"
    OVERSOLD = "oversold"
    DUPLICATE = "duplicate"
    ALREADY = "already"
    PROCESSING = "processing"
    RELEASED = "released"
    KEPT = "kept"
    OTHER_SESSION = "other_session"
    REVIEW = "review"
    OTHER_ORDER = "other_order"
    OPEN = "open"
    UNKNOWN_ORDER = "unknown_order"


class Recorded(StrEnum):
    REFUNDED = "refunded"
    RECORDED = "recorded"
    FAILED = "failed"
    ALREADY = "already"
    UNKNOWN_ORDER = "unknown_order"


class Restocked(StrEnum):
    DONE = "done"
    ALREADY = "already"
    NOT_ENOUGH = "not_enough"
    UNKNOWN_SKU = "unknown_sku"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one hold may be; 0 switches a limit on live holds off."""

    visitor: int
    address: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line that is to be held, with what the script checks for it."""

    line: Line
    limit: int
    opens_at: int
    """Milliseconds; 0 when it is on sale at once."""


@dataclass(frozen=True, slots=True)
class HoldAnswer:
    word: Held
    sku: str = ""
    number: int = 0
    """``over_limit``: units; ``not_open``: ms; ``address_limit``: seconds."""
    order: str = ""
    """``visitor_limit``: the visitor's oldest live hold."""
    shortages: tuple[Shortage, ...] = ()
    overdue: tuple[str, ...] = ()
    """``short``: orders past their deadline that hold what is short."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something the shop must do, taken from the due list with a lease."""

    name: str
    lease: int
    tries: int
    late_ms: int
