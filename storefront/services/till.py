"""What the counter took and gave back: money that Stripe knows nothing of, so only the books tell."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from storefront.domain import counter
from storefront.domain.balance import Kind
from storefront.domain.orders import Form, Order, Refund
from storefront.services.shop import Shop


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that went from hand to hand."""

    at: datetime
    """When the sale was begun, or the money was given back."""
    kind: Kind
    form: Form
    order: str
    payment: str
    refund: str
    """Empty for a sale."""
    currency: str
    amount: int
    """Minor units, below 0 when it was given back."""


@dataclass(frozen=True, slots=True)
class Sums:
    """One way to pay at the counter, in one currency. Amounts are minor units."""

    form: Form
    currency: str
    sold: int
    given_back: int

    @property
    def kept(self) -> int:
        """What should be there more than before."""
        return self.sold - self.given_back


def look(shop: Shop, start: int, end: int) -> list[Movement]:
    """What moved from a time on (ms) until another, the oldest first.

    Read are the sales of this time, and the orders of which money went back since.
    """
    zone = shop.settings.zone
    found = []
    known = shop.store.orders
    names = {*known.paid_at_counter(start, end), *known.given_back_since(start)}
    for order in shop.store.orders.each(sorted(names)):
        for at, kind, payment, refund, amount in _moved(order):
            if start <= at < end:
                moment = datetime.fromtimestamp(at / 1000, zone)
                about = (order.form, order.id, payment, refund, order.currency, amount)
                found.append(Movement(moment, kind, *about))
    return sorted(found, key=lambda one: (one.at, one.order, one.refund))


def sums(movements: Iterable[Movement]) -> Sequence[Sums]:
    """The same added up."""
    totals: dict[tuple[Form, str], list[int]] = {}
    for one in movements:
        total = totals.setdefault((one.form, one.currency), [0, 0])
        total[one.kind is not Kind.SOLD] += abs(one.amount)
    return [Sums(*about, *total) for about, total in sorted(totals.items())]


def _moved(order: Order) -> Iterator[tuple[int, Kind, str, str, int]]:
    for payment, amount in order.payments.items():
        if counter.form_of(payment):
            yield order.created, Kind.SOLD, payment, "", amount
    for refund in order.refunds:
        if counter.form_of(refund.payment_intent):
            at = _given_back(order, refund)
            yield at, Kind.REFUNDED, refund.payment_intent, refund.id, -refund.amount


def _given_back(order: Order, refund: Refund) -> int:
    """When a person said that they give the money back (ms)."""
    plans = (plan.at for plan in order.plans if plan.refund == refund.id)
    return next(plans, 0) or order.times.get("refund_due", order.updated)
