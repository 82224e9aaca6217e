"""What only an onlooker knows: who paid when, and what people did with their own hands."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from storefront.domain.counter import form_of

SOLD_OUT_VOID = "an authorisation is cancelled for lack of stock"
SOLD_OUT_REFUND = "a refund for lack of stock"
HAND_REFUND = "a refund of what was captured by hand though nothing was left"
LOST_REFUND = "a refund for what Redis lost of what the operator did"


class Broken(Exception):
    """A promise was broken."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}")
        self.promise = promise


@dataclass(frozen=True, slots=True)
class Wished:
    """A refund that the operator asked for on the order's page."""

    order: str
    intent: str
    amount: int
    units: Mapping[str, int]
    to: str


@dataclass
class Truth:
    """Kept beside the shop, never shown to it."""

    troubles: Counter[str] = field(default_factory=Counter)
    """How often what kind of trouble really happened."""
    opening: dict[str, int] = field(default_factory=dict)
    """Units there were at the start, by SKU."""
    restocks: dict[str, tuple[str, int]] = field(default_factory=dict)
    """SKU and delta of each restock that was tried, by its key."""
    in_time: set[str] = field(default_factory=set)
    """Orders whose shopper paid, or is paying, while their units were held."""
    by_hand: set[str] = field(default_factory=set)
    """Orders that an operator released, or tried to."""
    for_a_person: set[str] = field(default_factory=set)
    """Orders with a dispute or a failed refund."""
    let_go: set[str] = field(default_factory=set)
    """Orders with an authorisation that a bank, time or someone in Stripe's dashboard ended."""
    crossed: set[str] = field(default_factory=set)
    """Orders that were authorised while a request to cancel the open PaymentIntent was on its way."""
    called_off: set[str] = field(default_factory=set)
    """Authorised orders that the operator cancelled, or tried to."""
    captured_by_hand: set[str] = field(default_factory=set)
    """PaymentIntents that someone captured in Stripe's dashboard."""
    voids: set[str] = field(default_factory=set)
    """PaymentIntents that were cancelled because nothing was left."""
    refunds: dict[str, str] = field(default_factory=dict)
    """Refunds that were made because nothing was left, and of which kind each is."""
    lossy: bool = False
    """Whether Redis ever lost something."""
    twins: set[str] = field(default_factory=set)
    """Sessions that were made behind the shop's back."""
    astray: set[str] = field(default_factory=set)
    """Sessions whose request reached Stripe after Redis may have lost that it was sent."""
    overtaken: bool = False
    """Whether what a product shows reached Stripe late, and perhaps after newer numbers."""
    back_by_hand: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Minor units refunded in Stripe's dashboard, by PaymentIntent."""
    wishes: dict[str, Wished] = field(default_factory=dict)
    """What the operator wanted sent back, by the form's key, whether it was taken or not."""
    taken: set[str] = field(default_factory=set)
    """Keys of wishes that the shop said it would carry out."""
    switched_on: set[str] = field(default_factory=set)
    """Payment links that somebody switched on again at Stripe."""
    ways: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """How an order's shopper asked to get it on the shop's own page, in whichever tab."""
    confirmed: set[str] = field(default_factory=set)
    """Places in line whose mail's link was followed."""
    revived: set[str] = field(default_factory=set)
    """Orders that hold their units again as Redis has lost that they gave them back: till their time is over."""
    forms: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """The forms that a visitor sent for a basket."""
    at_counter: dict[str, list[dict[str, int]]] = field(default_factory=lambda: defaultdict(list))
    """What each form of the counter asked for (units by SKU), each time it was sent, by its key."""
    sold_at_counter: dict[str, str] = field(default_factory=dict)
    """The order that each of these forms was told it had sold, by its key."""

    @property
    def units_lost(self) -> bool:
        """Whether Redis may have lost the units that were sold, or which of two payments bought them."""
        moved = self.restocks or self.by_hand or self.back_by_hand or self.twins or self.revived
        # That units were given back at the counter, only Redis knows.
        given_back = any(form_of(wish.intent) for wish in self.wishes.values())
        return self.lossy and bool(moved or given_back)

    def excuses(self, order: str, fields: Mapping[str, str]) -> bool:
        """Whether a person or a bank decided otherwise about an order that was paid in time."""
        if self.units_lost:
            return True
        theirs = any(f"payment:{intent}" in fields for intent in self.back_by_hand)
        theirs |= any(wish.order == order for wish in self.wishes.values())
        beyond = self.by_hand | self.called_off | self.for_a_person | self.let_go | self.crossed
        return theirs or order in beyond

    def tally(self) -> None:
        """Count how those came off for whom nothing was left."""
        self.troubles[SOLD_OUT_VOID] += len(self.voids)
        self.troubles.update(self.refunds.values())
