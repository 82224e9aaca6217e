"""Mistakes in hearing and doing: webhooks, the list of what is due, the walk through Stripe."""

from collections.abc import Iterator
from typing import Any

from storefront.domain.events import Event, from_event
from storefront.domain.payments import RefundFact
from storefront.services import events, reconciliation, work
from storefront.services.shop import Shop
from storefront.storage.connection import UNREACHABLE
from tests.fakes.stripe import FakeStripe
from tests.simulation.bugs.bug import Bug


def note_before_taking(shop: Shop, event: Event) -> str:
    if shop.store.orders.seen(event.id):
        return "repeat"
    shop.store.orders.mark_seen(event.id)
    return ""


def always_200(shop: Shop, body: bytes, signature: str) -> str:
    event = from_event(shop.stripe.event(body, signature))
    try:
        return events._repeat(shop, event) or events._take(shop, event)
    except UNREACHABLE:
        return "failed"


def drop(shop: Shop, job: Any, order: str, *_rest: Any) -> None:
    shop.store.scripts.finish_due(job, order=order)


def nothing_refunded(_fake: Any, _earliest: int, _latest: int) -> Iterator[RefundFact]:
    return iter(())


def known_already(*_payment: Any) -> bool:
    return False


def leave_open(*_payment: Any) -> str:
    return "known"


BUGS = (
    Bug(
        "notes an event before it is taken",
        swaps=((events, "_repeat", note_before_taking),),
        town={
            "redis": 0.1,
            "crash": 0.04,
            "lost": 0.0,
            "late": 0.0,
            "workers": 0,
            "reconciling": False,
            "steps": 160,
        },
    ),
    Bug("answers 200 though nothing was stored", swaps=((events, "receive", always_200),)),
    Bug("drops a job that fails", swaps=((work, "_again_or_review", drop),)),
    Bug("never gives a lease back", swaps=((work, "LEASE_MS", 10**11),)),
    Bug(
        "walks past the refunds that were made in Stripe's dashboard",
        swaps=((FakeStripe, "refunds_between", nothing_refunded),),
    ),
    Bug(
        "walks past what was paid unheard",
        swaps=((reconciliation, "_news", known_already),),
    ),
    Bug(
        "walks past a session that an order went on without",
        swaps=((reconciliation, "_open", leave_open),),
    ),
)
