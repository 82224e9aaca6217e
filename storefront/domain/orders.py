"""An order: one attempt to buy, from hold to goods or refund."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from storefront.domain.terms import PLAIN, Recipient, Terms, Way


class State(StrEnum):
    """Where an order stands. Stock is held, sold or neither, as the sets below say."""

    OFFERED = "offered"
    PENDING = "pending"
    OPEN = "open"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    PAID = "paid"
    FULFILLED = "fulfilled"
    RELEASED = "released"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    VOID_DUE = "void_due"
    VOIDED = "voided"
    REVIEW = "review"


class Form(StrEnum):
    """Where and how the shopper pays."""

    HOSTED = "hosted"
    """On Stripe's page: the order's session is a Checkout Session."""
    ELEMENTS = "elements"
    """On our own: its session is a PaymentIntent, the only one the order ever has."""
    CASH = "cash"
    """At the counter, from hand to hand: Stripe never hears of it."""
    READER = "reader"
    """At the counter, on a card reader that is none of Stripe's."""


COUNTER = frozenset({Form.CASH, Form.READER})
"""Sold at the counter: there is no session, and the customer has the goods at once."""

HOLDING = frozenset({State.OFFERED, State.PENDING, State.OPEN, State.PROCESSING})
"""Units are held for the shopper."""
AWAITING = frozenset({State.PENDING, State.OPEN})
"""The shopper can still pay, or be asked to."""
GOODS = frozenset({State.AUTHORIZED, State.PAID, State.FULFILLED})
"""The goods are the customer's."""
TO_PICK_UP = frozenset({State.AUTHORIZED, State.PAID})
"""The goods are the customer's and still with the shop."""
MONEY_BACK = frozenset({State.REFUND_DUE, State.REFUNDED, State.VOID_DUE, State.VOIDED})
"""The money goes back, or is back; no goods."""


class Reason(StrEnum):
    """Why an order was released or its money goes back. Free text stands in ``review`` only."""

    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    REPLACED = "replaced"
    REFUSED = "refused"
    SOLD_OUT = "sold_out"
    DUPLICATE = "duplicate"
    OPERATOR = "operator"
    """A person at the shop decided it; why is between them and the customer."""
    LAPSED = "lapsed"
    """The bank did not pay what it had authorised."""


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one SKU in an order, at the price that was frozen when they were held."""

    sku: str
    quantity: int
    unit_amount: int
    """Minor units."""
    name: str = ""
    """The product's name with the variant's options, as it was shown."""
    slug: str = ""
    image: str = ""
    price: str = ""
    """The id of the Price at Stripe that stood for this amount when they were held; empty for none."""


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund as Stripe told it last."""

    id: str
    amount: int
    status: str
    payment_intent: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment that the buyer's bank takes back, as Stripe told it last."""

    id: str
    payment_intent: str
    amount: int
    status: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A refund that the operator wants: how much, and what becomes of which units."""

    key: str
    """Of the form that asked for it."""
    payment_intent: str
    amount: int
    units: Mapping[str, int]
    """By SKU; none when the refund is for no goods."""
    to: str
    """Where they go: ``available``, ``written_off``, or ``sold`` when they stay the customer's."""
    reason: str
    who: str = ""
    refund: str = ""
    """The refund that Stripe made of it; then its units have gone."""
    handed: Mapping[str, int] = field(default_factory=dict)
    """Units by SKU that the customer had, as the operator saw it. What was handed over since is
    written off, wherever the others go."""
    at: int = 0
    """When it was wanted (ms)."""
    given_up: bool = False
    """A person looked at the order first, so it is not sent."""

    @property
    def waits(self) -> bool:
        """Whether Stripe is still to be asked for it."""
        return not self.refund and not self.given_up


UNDO_MS = 60_000
"""So long it can be taken back that goods were handed over, and the mail that they were sent waits."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Units that went to the customer at one moment."""

    key: str
    """Of the form that said so."""
    at: int
    """Milliseconds."""
    units: Mapping[str, int]
    """By SKU."""
    who: str
    sent: bool = False
    """By post."""
    undone: int = 0
    """When it was taken back (ms); 0 when it stands."""


MOST_NOTES = 50
"""Of one order."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a person wrote about an order."""

    at: int
    """Milliseconds."""
    text: str
    who: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it is stored. Times are milliseconds since 1970, UTC, by Redis' clock."""

    id: str
    state: State
    created: int
    currency: str
    amount: int
    """Minor units: all that is to be charged, or was; ``goods``, ``shipping`` and the rest are its
    parts."""
    lines: tuple[Line, ...]
    deadline: int
    """When the hold ends."""
    expires_at: int
    """Seconds: the ``expires_at`` that Stripe gets; stored before the first call."""
    session_version: int
    """Numbers the idempotency key of the session's creation."""
    extended: bool = False
    """Whether its hold was given more time, which happens once."""
    visitor: str = ""
    basket: str = ""
    form: Form = Form.HOSTED
    terms: Terms = PLAIN
    """What its payment may add or take off, as it was offered when the units were held."""
    shipping: int = 0
    """Minor units."""
    tax: int = 0
    """Minor units; part of the prices when ``tax_included``, else on top of them."""
    discount: int = 0
    """Minor units that a promotion code took off the goods."""
    way: str = ""
    """How the goods reach the customer (``pickup``, ``delivery``); empty: picked up, or not chosen
    yet."""
    recipient: Recipient | None = field(default=None, repr=False)
    """Whom they are sent to."""
    session: str = ""
    """The Checkout Session, or the PaymentIntent of our own payment page, through which it is paid."""
    url: str = ""
    sessions: tuple[str, ...] = ()
    payment_intent: str = ""
    email: str = ""
    language: str = ""
    """In which it was begun, and in which its mails are; empty where nobody chose one."""
    reason: str = ""
    ending: str = ""
    """Why its payment is being ended at Stripe, or was about to be by a process that was stopped."""
    units: str = "none"
    """Where its units are counted: ``held``, ``sold`` or ``none``."""
    counted: Mapping[str, int] = field(default_factory=dict)
    """Units by SKU that are counted there for it."""
    updated: int = 0
    place: str = ""
    """The place in the waitlist that it was offered to."""
    taken: int = 0
    """When its offer was taken."""
    erased: int = 0
    """When it was forgotten whose it was (ms); 0 when it was not."""
    payments: Mapping[str, int] = field(default_factory=dict)
    """Every payment that succeeded for it, by PaymentIntent, in minor units."""
    refunds: tuple[Refund, ...] = ()
    notices: Mapping[str, int] = field(default_factory=dict)
    """When each mail was sent, by kind (``confirmed``, ``refunded:re_1``)."""
    refund_versions: Mapping[str, int] = field(default_factory=dict)
    """Numbers the idempotency key of a payment's refund, by PaymentIntent."""
    refund_reasons: Mapping[str, str] = field(default_factory=dict)
    """Why a payment is to go back, by PaymentIntent; absent when it is not."""
    authorizations: Mapping[str, int] = field(default_factory=dict)
    """What a bank has agreed to pay and nobody has captured or cancelled yet, by PaymentIntent, in
    minor units."""
    capture_before: Mapping[str, int] = field(default_factory=dict)
    """When an authorisation runs out, by PaymentIntent, in seconds since 1970."""
    void_reasons: Mapping[str, str] = field(default_factory=dict)
    """Why an authorisation is to be cancelled, by PaymentIntent; absent when it is not."""
    voided: Mapping[str, int] = field(default_factory=dict)
    """Authorisations that ended without money, by PaymentIntent, in minor units."""
    capture_versions: Mapping[str, int] = field(default_factory=dict)
    """Numbers the idempotency key of a payment's capture, by PaymentIntent."""

    disputes: tuple[Dispute, ...] = ()
    plans: tuple[Plan, ...] = ()
    """Every refund that the operator wanted, in no order."""
    gone: Mapping[str, int] = field(default_factory=dict)
    """Units by SKU that went back by a refund of some of them."""
    handed: Mapping[str, int] = field(default_factory=dict)
    """Units by SKU of its own that are with the customer."""
    handovers: tuple[Handover, ...] = ()
    """Every time that units were handed over, the oldest first."""
    times: Mapping[str, int] = field(default_factory=dict)
    """When it came into each state, the last time (ms)."""
    events: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Stripe's events that told of it, by id, and when they were stored (ms). An order that was only
    told of is the same as before."""
    notes: tuple[Note, ...] = ()
    """The oldest first."""

    @property
    def to_pick_up(self) -> bool:
        """Whether the customer has yet to come for the goods."""
        return self.state in TO_PICK_UP and self.way != Way.DELIVERY

    @property
    def at_counter(self) -> bool:
        """Whether it was sold at the counter, for money that Stripe knows nothing of."""
        return self.form in COUNTER

    @property
    def payable(self) -> bool:
        """Whether the shopper may still be sent to the payment page."""
        return self.state in AWAITING

    @property
    def goods(self) -> int:
        """What the lines cost together, in minor units."""
        return total(self.lines)

    @property
    def tax_included(self) -> bool:
        """Whether the tax is part of the prices, so that it adds nothing."""
        return self.amount == self.goods - self.discount + self.shipping

    @property
    def undecided(self) -> bool:
        """Whether our own page must ask how the goods reach the shopper before there is a payment."""
        return self.form is Form.ELEMENTS and bool(self.terms.rates) and not self.way

    @property
    def quantities(self) -> dict[str, int]:
        """Units by SKU."""
        return {line.sku: line.quantity for line in self.lines}

    @property
    def own(self) -> dict[str, int]:
        """Units by SKU that did not go back by a refund of some of them."""
        left = {sku: number - self.gone.get(sku, 0) for sku, number in self.quantities.items()}
        return {sku: number for sku, number in left.items() if number > 0}

    @property
    def to_hand_over(self) -> dict[str, int]:
        """Units by SKU of its own that its customer has yet to get."""
        left = {sku: number - self.handed.get(sku, 0) for sku, number in self.own.items()}
        return {sku: number for sku, number in left.items() if number > 0}

    @property
    def unrefunded(self) -> dict[str, int]:
        """Units by SKU that are its own and that no refund was made or is wanted for yet."""
        left = self.quantities if self.units == "sold" else {}
        for plan in self.plans:
            if not plan.given_up:
                left = {sku: number - plan.units.get(sku, 0) for sku, number in left.items()}
        return {sku: number for sku, number in left.items() if number > 0}

    @property
    def checkout_sessions(self) -> tuple[str, ...]:
        """Every Checkout Session it ever had; none when it is paid on our own page."""
        return () if self.form is Form.ELEMENTS else self.sessions

    @property
    def refunded(self) -> int:
        """Minor units that Stripe has sent or is sending back."""
        return sum(r.amount for r in self.refunds if r.status in REFUND_TAKEN)

    def sent_back(self, payment: str) -> int:
        """Minor units of one payment that Stripe has sent or is sending back."""
        return sum(
            r.amount
            for r in self.refunds
            if r.payment_intent == payment and r.status in REFUND_TAKEN
        )

    def money_left(self, payment: str) -> int:
        """Minor units of one payment that did not go back and are not wanted back yet."""
        wanted = sum(plan.amount for plan in self.waiting(payment))
        return self.payments.get(payment, 0) - self.sent_back(payment) - wanted

    def waiting(self, payment: str) -> list[Plan]:
        """What the operator wants sent back of one payment and Stripe is still to be asked for."""
        plans = (plan for plan in self.plans if plan.waits and plan.payment_intent == payment)
        return sorted(plans, key=lambda plan: plan.key)


SESSION_MARGIN_MS = 30_000
"""A hold ends so long before Stripe's page does: the clocks differ by so much at most."""


def longest(order: Order, extension_ms: int) -> int:
    """Until when (ms) a hold may be extended; its own deadline when there is no room.

    Stripe's page dies with its session, and with it any use of the hold. Our own page does not.
    """
    if order.extended:
        return order.deadline
    until = order.deadline + extension_ms
    if order.form is Form.HOSTED:
        until = min(until, order.expires_at * 1000 - SESSION_MARGIN_MS)
    return max(until, order.deadline)


REFUND_TAKEN = frozenset({"pending", "requires_action", "succeeded"})
"""Refund states in which Stripe has the money on its way back or there."""


def total(lines: Iterable[Line]) -> int:
    """What the lines cost together, in minor units."""
    return sum(line.unit_amount * line.quantity for line in lines)


def basket_of(quantities: Mapping[str, int]) -> str:
    """One text for a basket's content, the same for the same units in any order."""
    return ",".join(f"{sku}={quantity}" for sku, quantity in sorted(quantities.items()))
