"""What each script can be asked to do, for a case that shares nothing with any other.

Every name in a case contains the case's own, so that its traces in the books can be told apart.
"""

from collections.abc import Callable
from dataclasses import dataclass

from storefront.domain.orders import Plan
from storefront.domain.payments import DisputeFact
from storefront.domain.products import Level
from storefront.domain.terms import Rate, Recipient, Terms, Way
from storefront.storage.answers import Job
from storefront.storage.charging import Charged
from tests.races import link_acts as links
from tests.storage.steps import GRACE_MS, HOLD_MS, PRICE, Book

UNITS = 2
AMOUNT = UNITS * PRICE
LEASE_MS = 3_600_000
CLAIMED: dict[str, Job] = {}
"""By case, the job as its worker knows it, which does not look again before it reports."""


@dataclass(frozen=True)
class Act:
    """One question to a script, and what leads to it."""

    prepare: Callable[[Book, str], None]
    ask: Callable[[Book, str], object]
    first: str
    """The word it answers."""
    again: str
    """The word it answers when it is asked again."""
    looks: bool = False
    """Whether it asks who is next in line before anything is done: then what was lost may be that."""


TERMS = Terms(rates=(Rate(Way.PICKUP, 0), Rate(Way.DELIVERY, 490)), countries=("GB",))
ADA = Recipient("Ada Lovelace", "12 St James's Square", country="GB")


def stocked(book: Book, case: str) -> None:
    book.stock(**{f"sku-{case}": 2 * UNITS})


def held(book: Book, case: str) -> None:
    stocked(book, case)
    hold(book, case)


def opened(book: Book, case: str) -> None:
    held(book, case)
    attach(book, case)


def released(book: Book, case: str) -> None:
    opened(book, case)
    release(book, case)


def released_and_taken(book: Book, case: str) -> None:
    """Somebody else has the units by now."""
    released(book, case)
    book.hold(f"rival-{case}", {f"sku-{case}": 2 * UNITS})


def paid(book: Book, case: str) -> None:
    opened(book, case)
    settle(book, case)


def fulfilled(book: Book, case: str) -> None:
    """The goods were handed over."""
    paid(book, case)
    hand_over(book, case)


def hand_over(book: Book, case: str) -> object:
    return book.hand_over(case, key=f"scan-{case}").word


def hand_one_over(book: Book, case: str) -> object:
    return book.hand_over(case, {f"sku-{case}": 1}, key=f"scan-{case}").word


def scan_again(book: Book, case: str) -> object:
    """With another form."""
    return book.hand_over(case, key=f"again-{case}").word


def take_back(book: Book, case: str) -> object:
    return book.take_back(case, key=f"scan-{case}")


def known_by_mail(book: Book, case: str) -> None:
    opened(book, case)
    note_email(book, case)


def oversold(book: Book, case: str) -> None:
    released_and_taken(book, case)
    settle(book, case)


def unstocked(_book: Book, _case: str) -> None:
    """Nothing leads to it."""


def to_do(book: Book, case: str) -> None:
    book.store.due.schedule(f"ask:{case}", 1)


def to_mail(book: Book, case: str) -> None:
    """A paid order, and a worker that has claimed its mail for the third time."""
    paid(book, case)
    _, run = book.store.scripts.read_door()
    job = Job(f"mail:confirmed:{case}", lease=9_000_000_000_000, tries=3, late_ms=0, run=run)
    CLAIMED[case] = job
    book.store._client.zadd(book.store.keys.name("due"), {job.name: job.lease})
    book.store._client.hset(book.store.keys.name("tries"), job.name, job.tries)


def waited_for(book: Book, case: str) -> None:
    """Two units are held while two wait for them, and one has joined who is not confirmed."""
    book.shelve(**{f"sku-{case}": UNITS})
    hold(book, case)
    attach(book, case)
    book.wait(f"first-{case}", f"second-{case}", sku=f"sku-{case}")
    book.join(f"third-{case}", f"sku-{case}")


def offered(book: Book, case: str) -> None:
    waited_for(book, case)
    release(book, case)


def offered_one(book: Book, case: str) -> None:
    waited_for(book, case)
    book.wait(f"fourth-{case}", sku=f"sku-{case}")
    release(book, case)


def join(book: Book, case: str) -> object:
    return book.join(f"last-{case}", f"sku-{case}", 2)


def confirm(book: Book, case: str) -> object:
    return book.confirm(f"third-{case}")


def confirm_at_once(book: Book, case: str) -> object:
    return book.confirm(f"only-{case}")


def joined_with_units_there(book: Book, case: str) -> None:
    book.shelve(**{f"sku-{case}": UNITS})
    book.join(f"only-{case}", f"sku-{case}", UNITS)


def leave(book: Book, case: str) -> object:
    return book.leave(f"first-{case}")


def take(book: Book, case: str) -> object:
    return book.take(f"first-{case}-1").word


def miss(book: Book, case: str) -> object:
    return book.release(f"first-{case}-1", "", version=0)


def hold(book: Book, case: str) -> object:
    return book.hold(case, {f"sku-{case}": UNITS}).word


def attach(book: Book, case: str) -> object:
    return book.attach(case, f"cs_{case}")


def attach_another(book: Book, case: str) -> object:
    return book.attach(case, f"cs_other_{case}")


def asked(book: Book, case: str) -> None:
    """Our own page asks how the goods reach the shopper."""
    stocked(book, case)
    book.hold(case, {f"sku-{case}": UNITS}, terms=TERMS, form="elements")


def choose(book: Book, case: str) -> object:
    parts = Charged(total=UNITS * PRICE + 490, shipping=490, way="delivery", recipient=ADA)
    return book.choose(case, parts)


def renew(book: Book, case: str) -> object:
    return book.store.scripts.renew_session(case, version=1, session_seconds=1920)


def extend(book: Book, case: str) -> object:
    until_ms = book.order(case).created + HOLD_MS + 600_000
    return book.store.scripts.extend_hold(case, until_ms=until_ms, grace_ms=GRACE_MS)


def settle(book: Book, case: str, payment: str = "pi") -> object:
    return book.settle(
        case,
        f"{payment}_{case}",
        session=f"cs_{case}",
        amount=AMOUNT,
        event=f"evt_{payment}_{case}",
    )


def settle_another(book: Book, case: str) -> object:
    return settle(book, case, "pi_other")


def process(book: Book, case: str) -> object:
    return book.process(case, f"cs_{case}", event=f"evt_{case}")


def release(book: Book, case: str) -> object:
    return book.release(case, f"cs_{case}", event=f"evt_expired_{case}")


def release_by_hand(book: Book, case: str) -> object:
    return book.release(case, "", reason="operator", who="ada")


def review(book: Book, case: str) -> object:
    return book.review(case, event=f"evt_{case}")


def review_payment(book: Book, case: str) -> object:
    return book.review(case, payment_intent=f"pi_{case}", amount=AMOUNT + 1)


def refund(book: Book, case: str, amount: int = AMOUNT, status: str = "succeeded") -> object:
    return book.refund(
        case, f"re_{case}", f"pi_{case}", amount=amount, status=status, event=f"evt_re_{case}"
    )


def refund_in_part(book: Book, case: str) -> object:
    return refund(book, case, amount=1)


def refund_on_its_way(book: Book, case: str) -> object:
    return refund(book, case, status="pending")


def refund_that_failed(book: Book, case: str) -> object:
    return refund(book, case, status="failed")


def authorized(book: Book, case: str) -> None:
    opened(book, case)
    book.authorize(case, f"pi_{case}", session=f"cs_{case}", amount=AMOUNT)


def planned(book: Book, case: str) -> None:
    paid(book, case)
    plan(book, case)


def reviewed(book: Book, case: str) -> None:
    paid(book, case)
    review(book, case)


def wish(book: Book, case: str, to: str = "available") -> Plan:
    return book.plan({f"sku-{case}": 1}, to=to, key=f"form-{case}-1", payment=f"pi_{case}")


def plan(book: Book, case: str) -> object:
    return book.want(wish(book, case), case).word


def carry_out(book: Book, case: str) -> object:
    return book.refund(case, f"re_{case}", f"pi_{case}", amount=PRICE, plan=wish(book, case))


def cancel(book: Book, case: str) -> object:
    return book.store.scripts.cancel_authorized(case, to="available", reason="asked", who="ada")


def dispute(book: Book, case: str) -> object:
    fact = DisputeFact(f"dp_{case}", f"pi_{case}", AMOUNT, "needs_response")
    return book.store.scripts.record_dispute(case, fact)


def resume(book: Book, case: str) -> object:
    return book.store.scripts.end_review(case)[0]


def correct(book: Book, case: str) -> object:
    """Three more were counted than the books had at first."""
    sku, first = f"sku-{case}", 2 * UNITS
    seen = Level(sku, available=first, stocked=first)
    return book.store.scripts.correct_stock(
        seen, counted=first + 3, apart=0, apart_seen=0, reason="r", who="ada", key=f"count-{case}"
    ).word


def restock(book: Book, case: str, delta: int = 3) -> object:
    return book.store.scripts.restock(
        f"sku-{case}", delta=delta, reason="delivery", who="ada", key=f"key-{case}"
    )


def write_off(book: Book, case: str) -> object:
    return restock(book, case, -1)


def note_email(book: Book, case: str) -> object:
    return book.store.scripts.note_email(case, f"{case}@example.com")


def mail_orders(book: Book, case: str) -> object:
    return book.store.scripts.mail_orders(f"{case.upper()}@example.com", pause_ms=LEASE_MS)


def publish(book: Book, case: str) -> object:
    found = book.store.scripts.publish_catalogue(
        {f"slug-{case}": "{}"}, {f"sku-{case}": 5}, version="v2", who="ada"
    )
    return "stocked" if found else "known"


def note_ending(book: Book, case: str) -> object:
    return book.store.scripts.note_ending(case, "cancelled")


def claim(book: Book, _case: str) -> object:
    jobs = book.store.scripts.claim_due(limit=1, lease_ms=LEASE_MS)
    return "claimed" if jobs else "none"


def finish(book: Book, case: str) -> object:
    return book.store.scripts.finish_due(CLAIMED[case], order=case, field="mail:confirmed")


def postpone(book: Book, case: str) -> object:
    return book.store.scripts.postpone_due(CLAIMED[case], order=case, delay_ms=LEASE_MS)


def start_afresh(book: Book, case: str) -> object:
    return book.store.scripts.postpone_due(CLAIMED[case], order=case, delay_ms=LEASE_MS, fresh=True)


SCRIPTS: dict[str, list[Act]] = {
    "hold": [Act(stocked, hold, "held", "already")],
    "attach": [
        Act(held, attach, "attached", "already"),
        Act(opened, attach_another, "too_late", "too_late"),
    ],
    "choose": [Act(asked, choose, "chosen", "already")],
    "renew": [Act(held, renew, "renewed", "stale")],
    "extend": [
        Act(opened, extend, "extended", "already"),
        Act(held, extend, "too_late", "too_late"),
    ],
    "settle": [
        Act(opened, settle, "sold", "already"),
        Act(released, settle, "retaken", "already"),
        Act(released_and_taken, settle, "oversold", "already"),
        Act(paid, settle_another, "duplicate", "already"),
    ],
    "ending": [Act(opened, note_ending, "noted", "noted")],
    "processing": [Act(opened, process, "processing", "already")],
    "release": [
        Act(opened, release, "released", "already"),
        Act(opened, release_by_hand, "released", "already"),
    ],
    "offers": [
        Act(waited_for, release, "released", "already", looks=True),
        Act(waited_for, restock, "done", "already", looks=True),
        Act(offered_one, miss, "released", "already", looks=True),
        Act(joined_with_units_there, confirm_at_once, "confirmed", "already", looks=True),
    ],
    "line": [
        Act(waited_for, join, "joined", "already"),
        Act(waited_for, confirm, "confirmed", "already"),
        Act(waited_for, leave, "gone", "already"),
        Act(offered, take, "taken", "already"),
    ],
    "review": [
        Act(opened, review, "review", "already"),
        Act(opened, review_payment, "review", "already"),
        Act(paid, review, "review", "already"),
    ],
    "refund": [
        Act(paid, refund, "refunded", "already"),
        Act(fulfilled, refund, "refunded", "already"),
        Act(oversold, refund, "refunded", "already"),
        Act(paid, refund_in_part, "recorded", "already"),
        Act(oversold, refund_on_its_way, "refunded", "already"),
        Act(paid, refund_that_failed, "failed", "already"),
    ],
    "operator's refund": [
        Act(paid, plan, "planned", "already"),
        Act(planned, carry_out, "recorded", "already"),
        Act(paid, carry_out, "recorded", "already"),
        Act(authorized, cancel, "cancelled", "already"),
    ],
    "hand over": [
        Act(paid, hand_over, "handed_over", "handed_over"),
        Act(paid, hand_one_over, "handed_over", "handed_over"),
        Act(fulfilled, scan_again, "already", "already"),
        Act(fulfilled, take_back, "taken_back", "already"),
    ],
    "dispute": [
        Act(paid, dispute, "review", "already"),
        Act(reviewed, resume, "resumed", "kept"),
    ],
    "payment links": [
        Act(links.stocked, links.make, "opened", "already"),
        Act(links.made, links.attach, "attached", "already"),
        Act(links.selling, links.attach_another, "other", "other"),
        Act(links.selling, links.take, "taken", "already"),
        Act(links.sold_one, links.take_the_last, "taken", "already"),
        Act(links.stocked, links.take_without_a_link, "short", "already"),
        Act(links.selling, links.end, "ending", "already"),
        Act(links.ended, links.close, "closed", "already"),
        Act(links.stocked, links.restore, "restored", "already"),
        Act(links.stocked, links.restore_short, "short", "already"),
    ],
    "restock": [
        Act(stocked, restock, "done", "already"),
        Act(stocked, correct, "done", "already"),
        Act(stocked, write_off, "done", "already"),
    ],
    "mail": [
        Act(opened, note_email, "noted", "noted"),
        Act(known_by_mail, mail_orders, "due", "again"),
        Act(unstocked, mail_orders, "none", "again"),
    ],
    "publish": [Act(unstocked, publish, "stocked", "known")],
    "claim": [Act(to_do, claim, "claimed", "none")],
    "finish": [
        Act(to_mail, finish, "finished", "taken"),
        Act(to_mail, postpone, "later", "taken"),
        Act(to_mail, start_afresh, "later", "taken"),
    ],
}
"""Every script, and its answers that change something."""
