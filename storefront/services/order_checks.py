"""What each order must agree with itself, with its lists, and with what is due.

An order is read at one moment with all that is due. What was read before or after it is compared only
where it never changes, or only grows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from storefront.domain.orders import GOODS, HOLDING, Order, Reason, State
from storefront.services.checks import Check, Faults
from storefront.services.shop import Shop
from storefront.storage.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class _Seen:
    """An order, and what was due when it was read."""

    order: Order
    due: set[str]


Look = Callable[[Order, set[str]], None]


def examine(
    shop: Shop, snapshot: Snapshot, newest: int | None, look: Look = lambda *_: None
) -> list[Check]:
    """Every check of orders, over all of them or the ``newest``.

    ``look`` is shown each order on the way, with the names of all jobs that were due when it was read.
    """
    ids = snapshot.orders if newest is None else snapshot.orders[-newest:]
    some = f" (of the newest {len(ids)} orders)" if len(ids) < snapshot.total else ""
    places = Faults("I3 places", f"each order's units are where its state says{some}")
    money = Faults("I4 money", f"each payment has goods, a refund, or one that is due{some}")
    sessions = Faults("I6 payments", f"no session or payment serves two orders{some}")
    refunds = Faults("I10 refunds", f"no more was refunded than paid, nor less paid than due{some}")
    notices = Faults("I12 notices", f"each notice is sent or due{some}")
    waiting = Faults("due", f"every order that waits for something is on the list{some}")
    rules: tuple[tuple[Faults, Callable[[_Seen], Iterable[str]]], ...] = (
        (places, _place),
        (money, _money),
        (refunds, _amounts),
        (notices, _notices),
        (waiting, _waiting),
    )
    owner: dict[str, str] = {}
    left = set(ids)
    for orders, due in shop.store.orders.examine(ids):
        payers = shop.store.orders.payers([p for order in orders for p in order.payments])
        filed = _filed_under(shop, snapshot, orders)
        for order in orders:
            left.discard(order.id)
            look(order, due)
            for faults, rule in rules:
                faults.found += [f"order {order.id} {fault}" for fault in rule(_Seen(order, due))]
            places.found += _filed(shop, order, filed)
            for payment in order.payments:
                if payers[payment] != order.id:
                    sessions.found.append(
                        f"{payment} of {order.id} is listed for {payers[payment]}"
                    )
            for session in order.sessions:
                if owner.setdefault(session, order.id) != order.id:
                    sessions.found.append(f"{session} is of {owner[session]} and of {order.id}")
    places.found += [f"order {order} is listed but not stored" for order in sorted(left)]
    return [one.check() for one in (places, money, sessions, refunds, notices, waiting)]


def _filed_under(shop: Shop, snapshot: Snapshot, orders: Sequence[Order]) -> set[str]:
    """Which of the orders are listed under their state, as far as one look can tell."""
    if not snapshot.whole:
        return shop.store.orders.filed(orders)
    return {order.id for order in orders if order.state == snapshot.states.get(order.id)}


def _filed(shop: Shop, order: Order, filed: set[str]) -> Iterator[str]:
    """Whether the order's state is what the lists say."""
    if order.id not in filed:  # it may have moved on: look again, at once
        state, listed = shop.store.orders.listed_in(order.id)
        if listed != [state]:
            yield f"order {order.id} is {state}, and listed as {', '.join(listed) or 'nothing'}"


def _place(seen: _Seen) -> Iterator[str]:
    order = seen.order
    allowed = {"held", "sold", "none"} if order.state is State.REVIEW else {"none"}
    if order.state in HOLDING:
        allowed = {"held"}
    if order.state in GOODS:
        allowed = {"sold"} if order.own else {"none"}  # or all of them went back, and not all money
    if order.units not in allowed:
        yield f"is {order.state}, its units are {order.units}"
    if order.units != "none" and order.counted != order.own:
        yield f"is of {order.own}, its units are {order.counted}"
    for sku, number in order.handed.items():
        if not 0 <= number <= order.own.get(sku, 0):
            yield f"has {order.own.get(sku, 0)} of {sku}, and {number} were handed over"
    if order.state is State.FULFILLED and order.to_hand_over:
        yield f"is fulfilled, and {order.to_hand_over} is still to be handed over"


def _kept(seen: _Seen) -> dict[str, int]:
    """Payments that did not go back and are not due to; a job that only asks about one is no reason."""
    order = seen.order
    due = {p for p in order.refund_reasons if f"refund:{order.id}:{p}" in seen.due}
    taken = {
        payment: amount
        for payment, amount in order.payments.items()
        if payment not in due and (order.sent_back(payment) < amount or amount == 0)
    }
    # What a bank has only agreed to pay is captured next, or let go.
    agreed = {
        payment: amount
        for payment, amount in order.authorizations.items()
        if f"void:{order.id}:{payment}" not in seen.due
    }
    return taken | agreed


def _money(seen: _Seen) -> Iterator[str]:
    order, kept = seen.order, len(_kept(seen))
    if order.state is State.REVIEW:
        return
    if order.state in GOODS and kept != 1:
        yield f"is {order.state} with {kept} payments kept"
    if order.state not in GOODS and kept:
        yield f"is {order.state} and keeps {kept} payments"


def _amounts(seen: _Seen) -> Iterator[str]:
    order = seen.order
    for payment in {*order.payments, *(r.payment_intent for r in order.refunds)}:
        paid, back = order.payments.get(payment, 0), order.sent_back(payment)
        if back > paid:
            yield f"was paid {paid} by {payment} and refunded {back}"
    if order.state in GOODS:
        for payment, paid in _kept(seen).items():
            if paid != order.amount:
                yield f"costs {order.amount} and was paid {paid} by {payment}"
    untaxed = order.goods - order.discount + order.shipping
    if order.amount - untaxed not in {0, order.tax}:
        parts = f"{order.discount} off, {order.shipping} for delivery and {order.tax} of tax"
        yield f"costs {order.amount}, its lines {order.goods} with {parts}"


def _notices(seen: _Seen) -> Iterator[str]:
    order = seen.order
    wanted = [f"refunded:{r.id}" for r in order.refunds if r.status in {"pending", "succeeded"}]
    wanted += [f"voided:{payment}" for payment in order.voided]
    if order.state in {State.PAID, State.FULFILLED}:
        wanted.append("confirmed")
    if order.state is State.FULFILLED and any(o.sent and not o.undone for o in order.handovers):
        wanted.append("sent")
    if order.state is State.PROCESSING:
        wanted.append("processing")
    if order.state is State.RELEASED and order.reason == Reason.DECLINED:
        wanted.append("declined")
    if order.state is State.REVIEW:
        wanted.append("review")
    if order.state is State.OFFERED:
        wanted.append("offer")
    if order.place and not order.taken and order.reason == Reason.EXPIRED:
        wanted.append("offer-missed")
    for kind in wanted:
        what, _, about = kind.partition(":")
        job = f"mail:{what}:{order.id}" + (f":{about}" if about else "")
        if kind not in order.notices and job not in seen.due:
            yield f"owes its mail {what}"


def _waiting(seen: _Seen) -> Iterator[str]:
    order, due = seen.order, seen.due
    needed: dict[State, Callable[[], bool]] = {
        State.OFFERED: lambda: f"expire:{order.id}" in due,
        State.PENDING: lambda: bool({f"ask:{order.id}", f"expire:{order.id}"} & due),
        State.OPEN: lambda: f"expire:{order.id}" in due,
        State.PROCESSING: lambda: f"ask:{order.id}" in due,
        State.REFUND_DUE: lambda: any(f"refund:{order.id}:{p}" in due for p in order.payments),
        State.AUTHORIZED: lambda: any(
            f"capture:{order.id}:{p}" in due for p in order.authorizations
        ),
        State.VOID_DUE: lambda: any(f"void:{order.id}:{p}" in due for p in order.authorizations),
    }
    for plan in order.plans:
        if plan.waits and f"refund:{order.id}:{plan.payment_intent}" not in due:
            yield f"is to send {plan.amount} back and nothing is due for it"
    if order.state in needed and not needed[order.state]():
        yield f"is {order.state} and nothing is due for it"
