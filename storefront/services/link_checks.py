"""What each payment link must agree with: the units set aside for it, and what is due."""

from collections.abc import Iterator

from storefront.domain.payment_links import LinkState
from storefront.domain.payments import Payment, Verdict, verdict
from storefront.services import payment_links
from storefront.services.checks import Check, Faults
from storefront.services.shop import Shop
from storefront.storage.payment_links import LinkSeen
from storefront.storage.snapshot import Snapshot

CHUNK = 500
"""Links read in one round trip."""
LATE_MS = 120_000
"""A job that is due for so long is late: nobody is bound to do it soon."""
JOBS = {
    LinkState.MAKING: "link",
    LinkState.OPEN: "link",
    LinkState.CLOSING: "unlink",
}
"""What must be on the list of what is due for a link, by its state."""


def examine(shop: Shop, snapshot: Snapshot) -> Check:
    """The half that asks Redis alone."""
    faults = Faults("I3 links", "each payment link has the units set aside that it has left")
    for link in sorted(snapshot.allotments.keys() - set(snapshot.links)):
        faults.found.append(f"link {link} has units, and does not exist")
    for start in range(0, len(snapshot.links), CHUNK):
        some = snapshot.links[start : start + CHUNK]
        seen = shop.store.links.examine(some)
        for link in sorted(set(some) - {one.link.id for one in seen}):
            faults.found.append(f"link {link} is listed but not stored")
        for one in seen:
            faults.found += [f"link {one.link.id} {fault}" for fault in _wrong(one)]
    return faults.check()


def _wrong(seen: LinkSeen) -> Iterator[str]:
    link = seen.link
    wanted = f"held {link.sku}={link.left}" if link.left else ""
    if seen.counted != wanted:
        yield f"has {link.left} left, its units are {seen.counted or 'none'}"
    if link.left < 0 or link.returned < 0 or link.sold < 0:
        yield f"has {link.left} of {link.units} left, sold {link.sold}, returned {link.returned}"
    if link.state is LinkState.CLOSED and link.left:
        yield f"is closed and has {link.left} left"
    job = f"{JOBS[link.state]}:{link.id}" if link.state in JOBS else ""
    if job and job not in seen.due:
        yield f"is {link.state} and nothing is due for it"


def without_order(shop: Shop, payment: Payment) -> str:
    """What is wrong with a link's session that has no order here; empty when nothing is.

    Most visits come to nothing. One that was completed must become an order, and one of a link that
    sells no more must end: as long as the link's own job is not late, that is on its way.
    """
    stands = verdict(payment)
    if stands is Verdict.EXPIRED:
        return ""
    seen = next(iter(shop.store.links.examine([payment.link])), None)
    if seen is None:
        return f"session {payment.session} is of an unknown link"
    soon = any(at > shop.store.now() - LATE_MS for at in seen.due.values())
    if stands is Verdict.OPEN:
        ended = seen.link.state is LinkState.CLOSED
        return f"session {payment.session} of a closed link can be paid" if ended else ""
    return "" if soon else f"session {payment.session} has no order"


def compare(shop: Shop) -> Check:
    """Whether the links that sell here are those that sell at Stripe. Raises StripeError."""
    faults = Faults("stripe: links", "the payment links that sell are the same at Stripe")
    there = {fact.link: fact for fact in payment_links.of_this_shop(shop)}
    links = shop.store.links.ids()
    for seen in shop.store.links.examine(links):
        link, fact = seen.link, there.pop(seen.link.id, None)
        if any(at > shop.store.now() - LATE_MS for at in seen.due.values()):
            continue  # whatever differs, its job sees to it
        if link.state is LinkState.CLOSED and fact is not None and fact.id == link.stripe:
            faults.found.append(f"link {link.id} is closed, and sells at Stripe")
        elif link.state is not LinkState.CLOSED:
            faults.found.append(f"link {link.id} is {link.state}, and nobody looks after it")
    faults.found += [f"link {link} sells at Stripe and is not here" for link in sorted(there)]
    return faults.check()
