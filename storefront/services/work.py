"""Do what is due: one job at a time, each safe to do twice, none ever dropped."""

import logging
import random
from collections.abc import Callable

from storefront.domain.door import LOST, Door
from storefront.domain.errors import StripeError, StripeRefused
from storefront.services import (
    captures,
    forgetting,
    mirroring,
    notices,
    payment_links,
    pricing,
    reconciliation,
    recovery,
    refunds,
    settlement,
    waitlist,
    waitlist_mails,
)
from storefront.services.shop import Shop
from storefront.storage.answers import Job
from storefront.storage.connection import UNREACHABLE

LEASE_MS = 60_000
"""Longer than any job: a call to Stripe ends within 17 s. After it another worker takes the job."""
LONGEST_MS = 30_000
"""Stripe is asked again at least so often, so that all settles soon after it is back."""
LONGEST_MAIL_MS = 3600_000
REFUSALS = 6
"""So many tries when Stripe clearly says no, or our own code fails; then a person must look."""
KEY_REFUSED = frozenset({401, 403})
SILENCES = 8640
"""So many tries while Stripe is silent: three days, as long as it repeats its webhooks."""

log = logging.getLogger(__name__)

Work = Callable[..., int | None]
WORK: dict[str, Work] = {
    "ask": settlement.ask_when_due,
    "expire": settlement.end_when_due,
    "stray": settlement.end_stray,
    "look": settlement.look_when_due,
    "refund": refunds.send_back_when_due,
    "capture": captures.capture_when_due,
    "void": captures.void_when_due,
    "reconcile": reconciliation.reconcile_when_due,
    "mirror": mirroring.mirror,
    "show": mirroring.show,
    "available": mirroring.mirror_available,
    "price": pricing.keep_price,
    "offer": waitlist.pass_on_when_due,
    "lapse": waitlist.lapse_when_due,
    "link": payment_links.look_when_due,
    "unlink": payment_links.close_when_due,
    "forget": forgetting.forget_when_due,
}
OF_THE_SHOP = frozenset(
    "reconcile mirror show available price offer lapse link unlink forget".split()
)
"""Jobs that are about no order: there is nothing to review, so they are tried for ever."""
LONGEST_OF_THE_SHOP_MS = 300_000


def begin(shop: Shop) -> None:
    """Put what comes again and again on the list; each worker does so when it starts."""
    shop.store.due.schedule(reconciliation.JOB, shop.store.now())
    shop.store.due.schedule(mirroring.JOB, shop.store.now())
    if shop.settings.retention_days:
        shop.store.due.schedule(forgetting.JOB, shop.store.now())


def run_due(shop: Shop, limit: int) -> int:
    """Do at most ``limit`` jobs that are due now; answers how many were taken.

    Any number of workers may run at once: a job is leased to one of them. Raises the store's errors
    when Redis is gone; the jobs then come back by themselves.
    """
    door = recovery.stands(shop)
    if door in LOST:
        return 0  # nothing here can be trusted with anyone's units or money until it is rebuilt
    if door is Door.RESTARTED:
        recovery.recover_when_closed(shop)
    jobs = shop.store.scripts.claim_due(limit=limit, lease_ms=LEASE_MS)
    for job in jobs:
        _run(shop, job)
    return len(jobs)


def _run(shop: Shop, job: Job) -> None:
    kind, order, *rest = job.name.split(":")
    try:
        if kind == "mail":
            # mail:<what>:<order>[:<refund or payment>]: the kind of mail comes before the order
            what, (order, *about) = order, rest
            if what == waitlist_mails.KIND:  # about a place, which is no order yet
                again = waitlist_mails.send_when_due(shop, order)
            else:
                again = notices.send_when_due(shop, what, order, *about)
            field = ":".join(["mail", what, *about])
        else:
            again = WORK[kind](shop, order, *rest)
            field = ""
    except UNREACHABLE:
        raise
    except StripeError as error:
        # A secret key that is not accepted says nothing about the order: it is being rolled.
        clear = isinstance(error, StripeRefused) and error.status not in KEY_REFUSED
        most = REFUSALS if clear else SILENCES
        _again_or_review(shop, job, order, f"{kind}: {error}", most)
    except Exception as error:  # one job's fault must never stop the others
        log.exception("job %s failed", job.name, extra=_about(job, order))
        if kind == "mail":
            _postpone(shop, job, order, LONGEST_MAIL_MS)
        else:
            _again_or_review(shop, job, order, f"{kind}: {type(error).__name__}", REFUSALS)
    else:
        if again is None:
            shop.store.scripts.finish_due(job, order=order, field=field)
        else:
            shop.store.scripts.postpone_due(job, order=order, delay_ms=again, fresh=True)


def _again_or_review(shop: Shop, job: Job, order: str, why: str, most: int) -> None:
    if _of_the_shop(job):
        log.warning("job %s, try %d: %s", job.name, job.tries, why)
        _postpone(shop, job, order, LONGEST_OF_THE_SHOP_MS)
        return
    if job.tries < most:
        _postpone(shop, job, order, LONGEST_MS)
        return
    shop.store.scripts.review_order(order, reason=f"given up after {job.tries} tries: {why}")
    shop.store.scripts.finish_due(job, order=order)
    log.error("order %s: %s, given up", order, why, extra={"order": order})


def _of_the_shop(job: Job) -> bool:
    return job.name.partition(":")[0] in OF_THE_SHOP


def _about(job: Job, order: str) -> dict[str, str]:
    """What a line of the log says it is about."""
    return {} if _of_the_shop(job) else {"order": order}


def _postpone(shop: Shop, job: Job, order: str, longest_ms: int) -> None:
    delay = min(longest_ms, 500 * 2 ** min(job.tries, 20))
    jittered = int(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
    shop.store.scripts.postpone_due(job, order=order, delay_ms=jittered)
    log.info("job %s comes again in %d ms", job.name, jittered, extra=_about(job, order))
