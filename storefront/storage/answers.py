"""What scripts are asked and what they answer: words as enums, shapes as dataclasses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from storefront.domain.door import Door
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
    CLOSED = "closed"


class Attached(StrEnum):
    ATTACHED = "attached"
    ALREADY = "already"
    TOO_LATE = "too_late"
    UNKNOWN_ORDER = "unknown_order"


class Renewed(StrEnum):
    RENEWED = "renewed"
    STALE = "stale"
    UNKNOWN_ORDER = "unknown_order"


class Chosen(StrEnum):
    CHOSEN = "chosen"
    ALREADY = "already"
    TOO_LATE = "too_late"
    CLOSED = "closed"
    UNKNOWN_ORDER = "unknown_order"


class Extended(StrEnum):
    EXTENDED = "extended"
    ALREADY = "already"
    NO_ROOM = "no_room"
    TOO_LATE = "too_late"
    UNKNOWN_ORDER = "unknown_order"


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
    LATER = "later"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    CANCELLED = "cancelled"


class Recorded(StrEnum):
    REFUNDED = "refunded"
    RECORDED = "recorded"
    FAILED = "failed"
    ALREADY = "already"
    UNPAID = "unpaid"
    UNWANTED = "unwanted"
    UNKNOWN_ORDER = "unknown_order"


class Published(StrEnum):
    PUBLISHED = "published"
    CHANGED = "changed"


class Noted(StrEnum):
    NOTED = "noted"
    UNKNOWN_ORDER = "unknown_order"


class NoteKept(StrEnum):
    NOTED = "noted"
    ALREADY = "already"
    FULL = "full"
    UNKNOWN_ORDER = "unknown_order"


class Wished(StrEnum):
    """What became of the wish to be mailed the orders of an address."""

    DUE = "due"
    NONE = "none"
    AGAIN = "again"


class Forgot(StrEnum):
    """What became of the wish to forget an order's customer."""

    FORGOTTEN = "forgotten"
    ALREADY = "already"
    OWED = "owed"
    UNSENT = "unsent"
    UNDERWAY = "underway"
    UNKNOWN_ORDER = "unknown_order"


class Planned(StrEnum):
    PLANNED = "planned"
    ALREADY = "already"
    TOO_MUCH = "too_much"
    TOO_MANY = "too_many"
    NOT_PAID = "not_paid"
    UNKNOWN_ORDER = "unknown_order"


class Handed(StrEnum):
    """What became of handing units over."""

    HANDED_OVER = "handed_over"
    ALREADY = "already"
    TAKEN_BACK = "taken_back"
    TOO_MANY = "too_many"
    WANTED_BACK = "wanted_back"
    OTHER_WAY = "other_way"
    NOT_PAID = "not_paid"
    UNKNOWN_ORDER = "unknown_order"


class TakenBack(StrEnum):
    TAKEN_BACK = "taken_back"
    ALREADY = "already"
    TOO_LATE = "too_late"
    NOT_HANDED = "not_handed"
    UNKNOWN_ORDER = "unknown_order"


class Disputed(StrEnum):
    REVIEW = "review"
    RECORDED = "recorded"
    ALREADY = "already"
    UNKNOWN_ORDER = "unknown_order"


class Resumed(StrEnum):
    RESUMED = "resumed"
    UNDECIDED = "undecided"
    KEPT = "kept"
    UNKNOWN_ORDER = "unknown_order"


class Restocked(StrEnum):
    DONE = "done"
    ALREADY = "already"
    NOT_ENOUGH = "not_enough"
    UNKNOWN_SKU = "unknown_sku"


class Corrected(StrEnum):
    """What became of a count."""

    DONE = "done"
    SAME = "same"
    ALREADY = "already"
    STALE = "stale"
    NOT_ENOUGH = "not_enough"
    UNKNOWN_SKU = "unknown_sku"


class Undone(StrEnum):
    """What became of undoing an entry."""

    DONE = "done"
    ALREADY = "already"
    NOT_ENOUGH = "not_enough"
    NOT_BY_HAND = "not_by_hand"
    UNKNOWN_ENTRY = "unknown_entry"


class Restored(StrEnum):
    RESTORED = "restored"
    ALREADY = "already"
    SHORT = "short"


class Opened(StrEnum):
    OPENED = "opened"
    RESTARTED = "restarted"
    REBUILD = "rebuild"


class LinkOpened(StrEnum):
    OPENED = "opened"
    ALREADY = "already"
    UNKNOWN_SKU = "unknown_sku"
    NOT_ENOUGH = "not_enough"
    CLOSED = "closed"


class LinkAttached(StrEnum):
    ATTACHED = "attached"
    ALREADY = "already"
    OTHER = "other"
    UNKNOWN_LINK = "unknown_link"


class UnitTaken(StrEnum):
    TAKEN = "taken"
    SHORT = "short"
    ALREADY = "already"
    LATER = "later"


class LinkEnded(StrEnum):
    ENDING = "ending"
    ALREADY = "already"
    UNKNOWN_LINK = "unknown_link"


class LinkClosed(StrEnum):
    CLOSED = "closed"
    ALREADY = "already"
    RESTARTED = "restarted"
    OTHER = "other"
    UNKNOWN_LINK = "unknown_link"


class LinkRestored(StrEnum):
    RESTORED = "restored"
    ALREADY = "already"
    SHORT = "short"


class Recounted(StrEnum):
    DONE = "done"
    ALREADY = "already"


class Joined(StrEnum):
    JOINED = "joined"
    ALREADY = "already"
    UNKNOWN_SKU = "unknown_sku"


class Confirmed(StrEnum):
    CONFIRMED = "confirmed"
    ALREADY = "already"
    UNKNOWN_PLACE = "unknown_place"


class Left(StrEnum):
    GONE = "gone"
    ALREADY = "already"
    UNKNOWN_PLACE = "unknown_place"


class Taken(StrEnum):
    TAKEN = "taken"
    ALREADY = "already"
    LATE = "late"
    UNKNOWN_ORDER = "unknown_order"
    CLOSED = "closed"


class Passed(StrEnum):
    DONE = "done"
    LATER = "later"


class CodeUsed(StrEnum):
    """What became of a one-time code that was right."""

    USED = "used"
    SPENT = "spent"
    CHANGED = "changed"


class CodesConfirmed(StrEnum):
    ON = "on"
    ALREADY = "already"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an offer is made."""

    offer_ms: int = 7_200_000
    grace_ms: int = 300_000
    currency: str = "usd"


@dataclass(frozen=True, slots=True)
class TakeAnswer:
    word: Taken
    door: Door = Door.OPEN
    """``closed``: why."""


def read_take(answer: Sequence[str]) -> TakeAnswer:
    """What ``take_offer`` answered."""
    word = Taken(answer[0])
    return TakeAnswer(word, Door(answer[1]) if word is Taken.CLOSED else Door.OPEN)


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
    door: Door = Door.OPEN
    """``closed``: why."""


def read_hold(answer: Sequence[str]) -> HoldAnswer:
    """What ``hold_stock`` answered."""
    word, *rest = answer
    match Held(word):
        case Held.SHORT:
            shortages = tuple(
                Shortage(
                    s["sku"],
                    int(s["wanted"]),
                    int(s["available"]),
                    int(s["held"]),
                    int(s["returns_at"]) if "returns_at" in s else None,
                    bool(s.get("waited")),
                )
                for s in json.loads(rest[0])
            )
            return HoldAnswer(Held.SHORT, shortages=shortages, overdue=tuple(rest[1:]))
        case Held.VISITOR_LIMIT:
            return HoldAnswer(Held.VISITOR_LIMIT, order=rest[0])
        case Held.ADDRESS_LIMIT:
            return HoldAnswer(Held.ADDRESS_LIMIT, number=int(rest[0]))
        case Held.OVER_LIMIT | Held.NOT_OPEN as refused:
            return HoldAnswer(refused, sku=rest[0], number=int(rest[1]))
        case Held.UNKNOWN_SKU:
            return HoldAnswer(Held.UNKNOWN_SKU, sku=rest[0])
        case Held.CLOSED:
            return HoldAnswer(Held.CLOSED, door=Door(rest[0]))
        case held:
            return HoldAnswer(held)


@dataclass(frozen=True, slots=True)
class CorrectAnswer:
    word: Corrected
    number: int = 0
    """``done``: units more, or fewer; ``not_enough``: units that are available."""


@dataclass(frozen=True, slots=True)
class UndoAnswer:
    word: Undone
    sku: str = ""
    left: int = 0
    """``not_enough``: units that are still where the entry brought them."""


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    word: Planned
    left: int = 0
    """``too_much``: minor units; ``too_many``: units."""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class HandAnswer:
    word: Handed
    at: int = 0
    """``handed_over``, ``already``, ``taken_back``: when (ms)."""
    sku: str = ""
    left: int = 0
    """``too_many``: units that can be handed over."""
    state: str = ""
    """``not_paid``: of the order."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something the shop must do, taken from the due list with a lease."""

    name: str
    lease: int
    tries: int
    late_ms: int
    run: str
    """The run id of the server that gave the lease."""
