"""Walk what Stripe has, settle whatever was missed, and restore what was lost.

In one order: units that nobody can pay for any more go back; who has paid gets the goods; then those
who are still paying get them held, as far as they go. Any other order would send money back to people
whose goods were there.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from storefront.domain.errors import StripeError
from storefront.domain.orders import HOLDING, Order, State
from storefront.domain.payment_links import LinkFact
from storefront.domain.payments import DisputeFact, Payment, RefundFact, Verdict, verdict
from storefront.services import (
    link_sessions,
    lost_links,
    mirroring,
    payment_links,
    refunds,
    restoring,
    sessions,
    settlement,
)
from storefront.services.restoring import Told
from storefront.services.shop import Shop
from storefront.storage.answers import Disputed, Recorded, Settled

JOB = "reconcile:all"
WINDOW_SECONDS = 3 * 24 * 3600
"""How far back the worker looks: as long as Stripe repeats its webhooks."""
AHEAD_SECONDS = 120
"""How much later than ours Stripe's clock may be."""

NOTHING_NEW = frozenset(
    {Settled.ALREADY, Settled.KEPT, Settled.OTHER_ORDER, Settled.OPEN, Settled.LATER}
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a walk found."""

    sessions: int
    """Sessions of this shop that were looked at."""
    settled: int
    """Orders that were brought further."""
    ended: int
    """Sessions that were ended because their order went on without them."""
    refunds: int
    """Refunds that were not known, or not as they are by now."""
    unknown: int
    """Sessions of this shop that name no order, or whose order is not here and cannot be read."""
    restored: int = 0
    """Orders that were lost and are here again."""
    disputes: int = 0
    """Disputes that were not known."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What Stripe keeps of a shop."""

    sessions: Mapping[str, list[Payment]]
    """By order, the newest first."""
    refunds: Mapping[str, list[RefundFact]]
    """By PaymentIntent, the newest first; of the whole account."""
    disputes: Sequence[DisputeFact] = ()
    """As they were when they were opened, the newest first; of the whole account."""
    links: Sequence[LinkFact] = ()
    """Payment links that sell, as they were before the sessions were read."""


def reconcile(
    shop: Shop,
    since: int | None = None,
    *,
    told: Told = lambda _: False,
    step: Callable[[], None] = lambda: None,
) -> Reconciled:
    """Bring every order to what Stripe's sessions and refunds since a time (seconds) say.

    Without ``since``, those of the last three days. ``told`` says of restored orders which mails need
    not go out again; ``step`` is called now and then. Safe to repeat and to run beside everything
    else. Raises StripeError.
    """
    whole = usual(shop)
    kept = gather(shop, whole if since is None else since, step)
    done = settle(shop, kept, told=told, step=step)
    if since is None or since <= whole:
        shop.store.note_reconciled()
    return done


def gather(shop: Shop, since: int, step: Callable[[], None] = lambda: None) -> Kept:
    """What Stripe keeps of this shop since a time (seconds). Raises StripeError."""
    earliest, latest = since, shop.store.now() // 1000 + AHEAD_SECONDS
    links = payment_links.of_this_shop(shop)
    by_order: defaultdict[str, list[Payment]] = defaultdict(list)
    for payment in sessions.between(shop, earliest, latest):
        by_order[payment.order].append(payment)
        step()
    refunded: defaultdict[str, list[RefundFact]] = defaultdict(list)
    for fact in shop.stripe.refunds_between(earliest, latest):
        refunded[fact.payment_intent].append(fact)
        step()
    disputes = list(shop.stripe.disputes_between(earliest, latest))
    return Kept(dict(by_order), dict(refunded), disputes=disputes, links=links)


def settle(shop: Shop, kept: Kept, *, told: Told, step: Callable[[], None]) -> Reconciled:
    """Bring every order to what Stripe keeps of it. Raises StripeError."""
    by_order, refunded = dict(kept.sessions), kept.refunds
    found = Counter(sessions=sum(map(len, by_order.values())))
    if nameless := by_order.pop("", None):
        log.error("%d sessions of this shop name no order", len(nameless))
        found["unknown"] += len(nameless)
    # First what is known to be paid: units that went back with their money may be another's by now.
    for again in (False, True):
        if again:
            for number in _walk(shop, by_order, refunded, told, kept.links):
                found[number] += 1
                step()
        for fact in (fact for facts in refunded.values() for fact in facts):
            found["refunds"] += _refund(shop, fact)
            step()
    for dispute in kept.disputes:
        found["disputes"] += _dispute(shop, dispute)
        step()
    names = ("sessions", "settled", "ended", "refunds", "unknown", "restored", "disputes")
    done = Reconciled(**{name: found[name] for name in names})
    log.info("reconciled: %s", done)
    return done


def _refund(shop: Shop, fact: RefundFact) -> bool:
    """Note a refund on the order whose payment it is of; whether it was news."""
    order_id = shop.store.orders.by_payment(fact.payment_intent)
    order = shop.store.orders.get(order_id) if order_id else None
    if order is None or (fact.id, fact.status) in {(r.id, r.status) for r in order.refunds}:
        return False
    if fact.payment_intent not in order.payments:
        shop.store.due.schedule(f"refund:{order.id}:{fact.payment_intent}", shop.store.now())
        return False
    return refunds.record(shop, order, fact) is not Recorded.ALREADY


def _dispute(shop: Shop, opened: DisputeFact) -> bool:
    """Note a dispute that no webhook told of, as it is by now; whether it was news."""
    order_id = shop.store.orders.by_payment(opened.payment_intent)
    order = shop.store.orders.get(order_id) if order_id else None
    if order is None or any(known.id == opened.id for known in order.disputes):
        return False
    now = shop.stripe.read_dispute(opened.id)
    return shop.store.scripts.record_dispute(order.id, now) is not Disputed.ALREADY


def usual(shop: Shop) -> int:
    """From when on (seconds) sessions are walked unless one says otherwise."""
    return shop.store.now() // 1000 - WINDOW_SECONDS


def reconcile_when_due(shop: Shop, _all: str) -> int:
    """The due job ``reconcile``, which comes again every ``RECONCILE_SECONDS``.

    It looks after the mirror of the stock too.
    """
    try:
        reconcile(shop)
        if skus := mirroring.mirror_again(shop):
            log.warning("other numbers at Stripe than here, written again: %s", ", ".join(skus))
    except StripeError as error:
        log.warning("reconciling was cut short: %s", error)
    return shop.settings.reconcile_seconds * 1000


def _walk(
    shop: Shop,
    sessions: Mapping[str, list[Payment]],
    refunded: Mapping[str, list[RefundFact]],
    told: Told,
    links: Sequence[LinkFact],
) -> Iterator[str]:
    """Settle or restore every order in its turn; answers which number each session counts for."""
    oldest_first = list(sessions)[::-1]
    known = {order.id: order for order in shop.store.orders.each(oldest_first)}
    # A payment that came too late waits for those that were in time.
    by_claim = sorted(oldest_first, key=lambda one: one in known and known[one].units == "none")
    describe = restoring.describing(shop) if len(known) < len(sessions) else lambda _: None
    for turn in (_over, _complete, _still_open):
        if turn is _complete:
            lost_links.end_inactive(shop, links)
        if turn is _still_open:  # a link's units are set aside once everyone who paid has the goods
            lost_links.restore(shop, links)
        for order_id in by_claim:
            if order_id in known:
                for payment in filter(turn, reversed(sessions[order_id])):
                    yield _session(shop, payment)
            elif sessions[order_id][0].link and not _is_lost(shop, sessions[order_id][0]):
                for payment in filter(turn, sessions[order_id]):
                    yield link_sessions.walk(shop, payment)
            elif turn is _turn_of(sessions[order_id]):
                done = restoring.restore(shop, sessions[order_id], refunded, describe, told)
                yield from ["restored"] if done else ["unknown"] * len(sessions[order_id])


def _is_lost(shop: Shop, payment: Payment) -> bool:
    """Whether a link's completed session has no order here because that was lost with its link."""
    complete = payment.session_status == "complete"
    return complete and payment_links.find(shop, payment.link) is None


def _over(payment: Payment) -> bool:
    return verdict(payment) in {Verdict.EXPIRED, Verdict.DECLINED}


def _still_open(payment: Payment) -> bool:
    return verdict(payment) is Verdict.OPEN


def _complete(payment: Payment) -> bool:
    return not _over(payment) and not _still_open(payment)


def _turn_of(sessions: Sequence[Payment]) -> Callable[[Payment], bool]:
    """When a lost order's turn is: what was paid for counts more than what is open."""
    return next(turn for turn in (_complete, _still_open, _over) if any(map(turn, sessions)))


def _session(shop: Shop, payment: Payment) -> str:
    """Settle one session of a known order; answers which number it counts for."""
    order = shop.store.orders.get(payment.order)
    if order is None:
        return "unknown"
    order = settlement.recall(shop, order, payment)
    if order.state in {State.PENDING, State.OFFERED}:
        # Its process died before it could note the session, or is about to; or Redis was restarted
        # and has lost that an offer was taken.
        shop.store.scripts.attach_session(order.id, session=payment.session, url=payment.url)
        order = shop.store.orders.get(order.id) or order
    stands = verdict(payment)
    if stands is Verdict.OPEN:
        return _open(shop, order, payment)
    if not _news(order, payment, stands):
        return "known"
    outcome = settlement.apply(shop, order, payment, in_turn=True)
    return "known" if outcome in NOTHING_NEW else "settled"


def _open(shop: Shop, order: Order, payment: Payment) -> str:
    """End an open session that its order went on without."""
    if order.state in HOLDING and order.session == payment.session:
        return "known"
    try:
        settlement.end_stray(shop, order.id, payment.session)
    except (
        StripeError
    ):  # one that cannot be ended just now must not keep the others from being seen
        shop.store.due.schedule(f"stray:{order.id}:{payment.session}", shop.store.now())
        return "known"
    return "ended"


def _news(order: Order, payment: Payment, stands: Verdict) -> bool:
    """Whether a session that is not open can say anything that the order does not know."""
    if stands is Verdict.PAID:
        return payment.paid_with not in {*order.payments, *order.voided}
    if stands is Verdict.AUTHORIZED:
        return payment.payment_intent not in order.authorizations
    return order.state in HOLDING or payment.payment_intent in order.authorizations
