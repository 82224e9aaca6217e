"""Money against goods, for one day: what Stripe says and what the shop says, side by side.

The day is that of the shop's time zone. A movement counts on the day on which Stripe booked it, and is
held against the order that it is of; a sale counts on the day on which its units were sold, and must
be among Stripe's movements of that day or of the hours around it. Only refunds that the shop alone
knows are not looked for here: ``flask shop audit --stripe`` finds them. What the counter took stands
apart, as Stripe has nothing to say of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from storefront.domain import counter, days
from storefront.domain.balance import Entry, Kind
from storefront.domain.orders import Order
from storefront.services import till
from storefront.services.shop import Shop
from storefront.services.till import Movement
from storefront.storage.orders import Told

EDGE_SECONDS = 6 * 3600
"""A payment that Stripe booked before midnight may be settled after it, by a worker that was down."""
MOST = 5000
"""Movements, and sales, that are looked at: Stripe tells a hundred in one answer."""
KEPT_MS = 60_000
"""A day that was looked at is shown for so long before Stripe is asked again."""


@dataclass(frozen=True, slots=True)
class Row:
    """One movement as both know it. Amounts are minor units, below 0 when money went back."""

    at: datetime
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


@dataclass(frozen=True, slots=True)
class Sums:
    """One kind of movement in one currency."""

    kind: Kind
    currency: str
    theirs: int
    ours: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day's money."""

    day: date
    rows: Sequence[Row]
    """The oldest first."""
    cut: bool
    """Whether there was more than is looked at."""
    asked: int
    """When Stripe was asked (ms)."""
    counter: Sequence[Movement] = ()
    """What was taken and given back at the counter."""
    sums: Sequence[Sums] = field(init=False)
    fees: Mapping[str, int] = field(init=False)
    """What Stripe kept, by currency, in minor units."""

    def __post_init__(self) -> None:
        totals: dict[tuple[Kind, str], list[int]] = {}
        fees: dict[str, int] = {}
        for row in self.rows:
            total = totals.setdefault((row.kind, row.currency), [0, 0])
            total[0] += row.theirs or 0
            total[1] += row.ours or 0
            if row.fee:
                fees[row.fee_currency] = fees.get(row.fee_currency, 0) + row.fee
        first = list(Kind).index
        about = sorted(totals, key=lambda one: (first(one[0]), one[1]))
        sums = [Sums(*one, *totals[one]) for one in about]
        object.__setattr__(self, "sums", sums)
        object.__setattr__(self, "fees", fees)

    @property
    def tills(self) -> Sequence[till.Sums]:
        """What the counter took and gave back, by how."""
        return till.sums(self.counter)

    @property
    def differences(self) -> list[Row]:
        """The rows about which the two disagree."""
        return [row for row in self.rows if row.differs]


def today(shop: Shop) -> date:
    """The day in the shop's time zone."""
    return days.day_of(shop.store.now(), shop.settings.zone)


class Days:
    """The days that were looked at, each kept for a minute: to tell of a full one takes Stripe long."""

    def __init__(self) -> None:
        self._kept: dict[date, Day] = {}

    def look(self, shop: Shop, day: date, *, anew: bool = False) -> Day:
        """The money of a day, Stripe asked within the last minute. Raises StripeError."""
        oldest = shop.store.now() - KEPT_MS
        self._kept = {d: kept for d, kept in self._kept.items() if kept.asked > oldest}
        if anew or day not in self._kept:
            self._kept[day] = look(shop, day)
        return self._kept[day]


def look(shop: Shop, day: date) -> Day:
    """The money of a day. Raises StripeError when Stripe cannot be asked."""
    asked = shop.store.now()
    zone = shop.settings.zone
    start, end = days.begin_of(day, zone) // 1000, days.end_of(day, zone) // 1000
    around = shop.stripe.entries_between(start - EDGE_SECONDS, end + EDGE_SECONDS)
    entries = list(islice(around, MOST + 1))
    payers = shop.store.orders.payers(sorted({e.payment_intent for e in entries} - {""}))
    told = shop.store.orders.told_of(
        [(payers.get(e.payment_intent) or "", e.payment_intent, e.source) for e in entries]
    )
    rows, charged = [], set()
    for entry, said in zip(entries, told, strict=True):
        foreign = said is None and entry.shop != shop.settings.shop_id
        if entry.kind is Kind.OTHER or foreign:
            continue
        if entry.kind is Kind.SOLD:
            charged.add(entry.payment_intent)
        if start <= entry.at < end:
            rows.append(_row(shop, entry, said))
    # Of a day that Stripe did not tell whole, nobody knows which sales it has not told of.
    sold, cut = ({}, True) if len(entries) > MOST else _sold(shop, start, end)
    for order in shop.store.orders.each(sorted(sold)):
        rows += [
            _untold(shop, order, payment, sold[order.id])
            for payment, amount in order.payments.items()
            if amount and payment not in charged and not counter.form_of(payment)
        ]
    rows.sort(key=lambda row: (row.at, row.source))
    return Day(day, rows, cut, asked, till.look(shop, start, end))


def _sold(shop: Shop, start: int, end: int) -> tuple[dict[str, int], bool]:
    """The orders whose units were sold in this time, and when (ms); whether there were more."""
    entries = shop.store.ledger.since(start * 1000, str(end * 1000 - 1))
    sales = (e for e in entries if e.what in {"sell", "retake"} and e.why != "restored")
    sold: dict[str, int] = {}
    for entry in sales:
        if len(sold) == MOST and entry.order not in sold:
            return sold, True
        sold.setdefault(entry.order, entry.at)
    return sold, False


def _row(shop: Shop, entry: Entry, said: Told | None) -> Row:
    return Row(
        at=datetime.fromtimestamp(entry.at, shop.settings.zone),
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


def _untold(shop: Shop, order: Order, payment: str, at: int) -> Row:
    """A payment that the shop counts and Stripe does not."""
    return Row(
        at=datetime.fromtimestamp(at / 1000, shop.settings.zone),
        kind=Kind.SOLD,
        order=order.id,
        payment=payment,
        source="",
        currency=order.currency,
        theirs=None,
        ours=order.payments[payment],
        fee=None,
        fee_currency="",
    )
