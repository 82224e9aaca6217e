"""What the shop promises, held against what Stripe did. For shops at rest and shops in motion."""

from collections.abc import Iterator

from storefront.domain.orders import AWAITING, GOODS, HOLDING, Order, State
from storefront.services import mirroring, reconciliation
from storefront.services.audit import audit
from storefront.services.shop import Shop
from tests.books import broken
from tests.fakes.account import order_named
from tests.fakes.stripe import FakeStripe


def always(shop: Shop, stripe: FakeStripe) -> list[str]:
    """What must be true at every moment and is not, one sentence each."""
    return [*broken(shop.store), *_sessions(shop, stripe), *_money_twice(shop, stripe)]


def at_rest(shop: Shop, stripe: FakeStripe) -> list[str]:
    """What must be true once nothing is due any more and is not, one sentence each."""
    found = always(shop, stripe)
    again = {
        reconciliation.JOB,
        mirroring.JOB,
        *(f"link:{link.id}" for link in shop.store.links.all()),
    }
    if jobs := [job for job in shop.store.due.jobs() if job.name not in again]:
        found.append(f"still due: {', '.join(job.name for job in jobs)}")
    found += [f"audit: {check.name}: {check.detail}" for check in audit(shop, True) if not check.ok]
    for order in shop.store.orders.walk():
        found += _ended(order, stripe)
    known = set(shop.store.orders.ids())
    for session in stripe.sessions.values():
        link = shop.store.links.get(session["metadata"].get("link", ""))
        if order_named(session) not in known and (link is None or session["status"] == "complete"):
            found.append(f"{session['id']} has no order")
        if session["status"] == "open" and not (link and link.active):
            found.append(f"{session['id']} can still be paid")
    for intent in stripe.intents.values():
        if "form" in intent["metadata"] and intent["status"].startswith("requires_payment"):
            found.append(f"{intent['id']} can still be paid")
        if intent["status"] == "requires_capture":
            found.append(f"{intent['id']} is authorised and neither captured nor cancelled")
    return found


def _sessions(shop: Shop, stripe: FakeStripe) -> Iterator[str]:
    """No units go back while the shopper can pay, unless ending that is due at once."""
    jobs = {job.name for job in shop.store.due.jobs()}
    for order in shop.store.orders.walk():
        sessions = {
            session["id"]: session
            for session in stripe.sessions_of(order.id)
            if session["metadata"].get("shop") == shop.settings.shop_id
        }
        for session in order.sessions:
            if session not in sessions:
                yield f"{order.id} has {session}, which Stripe does not know"
        if order.state is State.OPEN and order.session not in sessions:
            yield f"{order.id} is open without a session"
        payable = [
            session
            for session, found in sessions.items()
            if found["status"] == "open" and f"stray:{order.id}:{session}" not in jobs
        ]
        if len(payable) > 1:
            yield f"{order.id} can be paid through {payable}"
        if order.state in GOODS | {State.RELEASED} and payable:
            yield f"{order.id} is {order.state} while {payable} can be paid"


def _money_twice(shop: Shop, stripe: FakeStripe) -> Iterator[str]:
    for charge in stripe.charges.values():
        refunds = [
            refund["amount"]
            for refund in stripe.all_refunds.values()
            if refund["charge"] == charge["id"] and refund["status"] not in {"failed", "canceled"}
        ]
        if sum(refunds) > charge["amount"]:
            yield f"{charge['id']} was refunded {refunds} of {charge['amount']}"


def _ended(order: Order, stripe: FakeStripe) -> Iterator[str]:
    kept = [amount for amount in stripe.taken(order.id).values() if amount]
    if order.state in HOLDING:
        yield f"{order.id} is still {order.state}"
    left = order.amount - order.sent_back(order.payment_intent)
    if order.at_counter:  # of which Stripe never hears
        if kept or order.sessions:
            yield f"{order.id} was sold at the counter, and Stripe knows of it"
        kept = [left] * bool(order.amount) * (order.state in GOODS)
    if order.state in GOODS and kept != [left] * bool(order.amount):
        yield f"{order.id} is {order.state} of {order.amount}, Stripe kept {kept}"
    if order.state not in GOODS | {State.REVIEW} and kept:
        yield f"{order.id} is {order.state}, Stripe kept {kept}"
    if order.state in {State.REFUND_DUE, State.VOID_DUE, State.AUTHORIZED, *AWAITING}:
        yield f"{order.id} still waits in {order.state}"
    if order.state in GOODS and "confirmed" not in order.notices:
        yield f"{order.id} was never confirmed by mail"
    for payment in order.voided:
        if f"voided:{payment}" not in order.notices:
            yield f"{order.id} was never told that {payment} was cancelled"
    for refund in order.refunds:
        if refund.status == "succeeded" and f"refunded:{refund.id}" not in order.notices:
            yield f"{order.id} was never told of {refund.id}"
