"""What is said of a place in the waitlist, in words that are true at that moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from storefront.domain.orders import AWAITING, GOODS, State
from storefront.domain.waitlist import PlaceState
from storefront.languages import mark
from storefront.services.waitlist import Standing
from storefront.web.states import Told


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed into the form that joins a line, and what is wrong with it."""

    sku: str
    email: str
    quantity: str
    error: str


GONE = Told(
    "neutral",
    "refresh",
    mark("This place is gone"),
    mark(
        "It was not confirmed within two days, or the line was begun anew. You can join again on the "
        "product's page."
    ),
)

ENDED: Mapping[PlaceState, Told] = {
    PlaceState.MISSED: Told(
        "neutral",
        "refresh",
        mark("Your offer has passed"),
        mark(
            "It was not taken in time, so the unit went to the next in line. You can join again on the "
            "product's page."
        ),
    ),
    PlaceState.LEFT: Told(
        "neutral",
        "refresh",
        mark("You have left the line"),
        mark("Nothing is kept for you, and nothing is due."),
    ),
    PlaceState.STOPPED: Told(
        "neutral",
        "refresh",
        mark("Your place was ended"),
        mark("We have ended this place in line. Nothing was charged."),
    ),
}

UNCONFIRMED = Told(
    "waiting",
    "mail",
    mark("Confirm your place"),
    mark("It counts from the moment you joined, once you have confirmed it here."),
)
OFFER = Told(
    "waiting",
    "ticket",
    mark("It is your turn"),
    mark(
        "A unit is held in your name. Take it to pay for it: you then have the time that every shopper "
        "has. If you do not, it goes to the next in line."
    ),
)
PAYING = Told(
    "waiting",
    "clock",
    mark("You have taken it"),
    mark("It is held for you until it is paid or its time is over."),
)
BOUGHT = Told(
    "good", "check", mark("It is yours"), mark("You took what was offered, and it is paid.")
)
ON_ITS_WAY = Told(
    "waiting",
    "clock",
    mark("Your bank is still sending the money"),
    mark("Its order says how that stands."),
)
OVER = Told(
    "neutral",
    "refresh",
    mark("What you took was not paid"),
    mark(
        "Its time ran out or you gave it back, so it went to the next in line. You can join again on "
        "the product's page."
    ),
)


def tell(standing: Standing | None) -> Told:
    """The words for a place as it stands, in the current language."""
    return _tell(standing).said()


def _tell(standing: Standing | None) -> Told:
    if standing is None:
        return GONE
    states = {order.state for order in standing.offers}
    if State.OFFERED in states and standing.place.state in {PlaceState.WAITING, PlaceState.OFFERED}:
        return OFFER
    if states & AWAITING:
        return PAYING
    match standing.place.state:
        case PlaceState.UNCONFIRMED:
            return UNCONFIRMED
        case PlaceState.WAITING:
            return _waiting(standing.ahead)
        case PlaceState.OFFERED if State.PROCESSING in states:
            return ON_ITS_WAY
        case PlaceState.OFFERED:
            return BOUGHT if states & GOODS else OVER
        case ended:
            return ENDED[ended]


def _waiting(ahead: int) -> Told:
    title = mark("You are in line") if ahead else mark("You are next in line")
    text = mark("When a unit comes free for you, it is held in your name and we write to you.")
    return Told("waiting", "clock", title, text)
