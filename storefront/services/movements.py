"""A day's movements of money, walked through step by step: what Stripe says and what the shop says.

A movement counts on the day on which Stripe booked it, and is held against the order that it is of; a
sale counts on the day on which its units were sold, and must be among Stripe's movements of that day or
of the hours around it. Only refunds that the shop alone knows are not looked for here: ``flask shop
audit --stripe`` finds them.

A step costs the same however much moved on the day. What a walk keeps in between are the names of the
day's payments, a tenth of a kilobyte for each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from storefront.domain import counter, days
from storefront.domain.balance import Entry, Kind
from storefront.domain.orders import Order
from storefront.services.shop import Shop
from storefront.storage.orders import Told

EDGE_MS = 6 * 3600 * 1000
"""A payment that Stripe booked before midnight may be settled after it, by a worker that was down."""
MOVEMENTS = 500
"""Movements that a step looks at: Stripe tells a hundred in one answer."""
ENTRIES = 4000
"""Entries of the ledger that a step looks at."""


@dataclass(frozen=True, slots=True)
class Row:
    """One movement as both know it. Amounts are minor units, below 0 when money went back."""

    at: int
    """Milliseconds."""
    kind: Kind
    order: str
    """Empty when the shop knows none."""
    payment: str
    source: str
    """The charge or refund at Stripe; empty when Stripe has none."""
    currency: str
    theirs: int | None
    ours: int | None
    fee: int | None
    """What Stripe kept, in ``fee_currency``."""
    fee_currency: str

    @property
    def differs(self) -> bool:
        """Whether one knows of another amount than the other, or of none."""
        return self.theirs != self.ours


class Stage(StrEnum):
    """What is walked through."""

    STRIPE = "stripe"
    """Stripe's movements, the newest first."""
    LEDGER = "ledger"
    """The shop's own sales, the oldest first: those that Stripe has not told of are differences."""
    DONE = "done"


@dataclass
class Walk:
    """A walk through one day, as of the moment at which it began."""

    day: date
    asked: int
    """When it began (ms). What the shop sold since is not looked for at Stripe."""
    stage: Stage = Stage.STRIPE
    last: str = ""
    """The movement, or the ledger's entry, that was read last; empty at a stage's begin."""
    reached: int = 0
    """The time (ms) of that one."""
    charged: set[str] = field(default_factory=set)
    """Payments that Stripe, or a row, has told of."""

    def step(self, shop: Shop) -> list[Row]:
        """The rows of the next few movements. Raises StripeError, and can then be tried again."""
        zone = shop.settings.zone
        begin, end = days.begin_of(self.day, zone), days.end_of(self.day, zone)
        if self.stage is Stage.STRIPE:
            return self._ask_stripe(shop, begin, end)
        if self.stage is Stage.LEDGER:
            return self._ask_ledger(shop, begin, min(end - 1, self.asked))
        return []

    def _ask_stripe(self, shop: Shop, begin: int, end: int) -> list[Row]:
        span = ((begin - EDGE_MS) // 1000, (end + EDGE_MS) // 1000)
        entries = list(shop.stripe.entries_between(*span, after=self.last, most=MOVEMENTS))
        payers = shop.store.orders.payers(sorted({e.payment_intent for e in entries} - {""}))
        told = shop.store.orders.told_of(
            [(payers.get(e.payment_intent) or "", e.payment_intent, e.source) for e in entries]
        )
        rows = []
        for entry, said in zip(entries, told, strict=True):
            foreign = said is None and entry.shop != shop.settings.shop_id
            if entry.kind is Kind.OTHER or foreign:
                continue
            if entry.kind is Kind.SOLD:
                self.charged.add(entry.payment_intent)
            if begin <= entry.at * 1000 < end:
                rows.append(_row(entry, said))
        if len(entries) < MOVEMENTS:
            self.stage, self.last, self.reached = Stage.LEDGER, "", begin
        else:
            self.last, self.reached = entries[-1].id, entries[-1].at * 1000
        return rows

    def _ask_ledger(self, shop: Shop, begin: int, until: int) -> list[Row]:
        entries = shop.store.ledger.some(begin, until, after=self.last, most=ENTRIES)
        sold: dict[str, int] = {}
        for entry in entries:
            if entry.what in {"sell", "retake"} and entry.why != "restored":
                sold.setdefault(entry.order, entry.at)
        rows: list[Row] = []
        for order in shop.store.orders.each(sorted(sold)):
            rows += self._untold(order, sold[order.id])
        if len(entries) < ENTRIES:
            self.stage, self.last, self.reached = Stage.DONE, "", until
        else:
            self.last, self.reached = entries[-1].id, entries[-1].at
        return sorted(rows, key=lambda row: row.at)

    def _untold(self, order: Order, at: int) -> Iterator[Row]:
        """The payments that the shop counts and Stripe does not, each once."""
        for payment, amount in order.payments.items():
            if amount and payment not in self.charged and not counter.form_of(payment):
                self.charged.add(payment)
                about = (order.id, payment, "", order.currency)
                yield Row(at, Kind.SOLD, *about, None, amount, None, "")


def _row(entry: Entry, said: Told | None) -> Row:
    return Row(
        at=entry.at * 1000,
        kind=entry.kind,
        order=said.order if said else "",
        payment=entry.payment_intent,
        source=entry.source,
        currency=entry.charged_in,
        theirs=-entry.charged if entry.kind is Kind.REFUNDED else entry.charged,
        ours=_ours(entry, said) if said else None,
        fee=entry.fee,
        fee_currency=entry.currency,
    )


def _ours(entry: Entry, said: Told) -> int | None:
    """What the order says of a movement; None when it knows nothing of it."""
    if entry.kind is Kind.SOLD:
        return said.paid
    refund = said.refund
    if refund is None:
        return None
    if entry.kind is Kind.REFUNDED:
        return -refund.amount
    return refund.amount if refund.status in {"failed", "canceled"} else None
