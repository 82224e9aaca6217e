"""Redis is lost altogether, when everything has come to rest; and the shop is rebuilt from Stripe."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from unittest.mock import patch

from storefront.domain.catalogue_file import CatalogueFile
from storefront.domain.orders import GOODS, State
from storefront.services import publishing, rebuilding
from tests.simulation import extras
from tests.simulation.tasks import Crash
from tests.simulation.town import GOODS as PRODUCTS
from tests.simulation.truth import Broken
from tests.simulation.view import at_counter

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


def rebuild(sim: "Simulation", rest: Callable[[], None]) -> None:
    """The books are what they were, though the rebuild may have to begin more than once.

    ``rest`` does what is due until nothing is.
    """
    orders = sim.promises.view.orders()
    sessions = [session["id"] for session in sim.promises.view.sessions()]
    if not sessions or any(o["state"] == State.REVIEW for o in orders.values()):
        return  # what a person has to decide, Stripe does not know
    if any(extras.sold_out_for_nothing(sim.town.stripe, *order) for order in orders.items()):
        return  # nothing at Stripe says that its shopper got nothing
    if sim.truth.lossy and any(map(sim.promises.view.more_at_stripe, sim.plan.stock)):
        return  # of units brought or written off, which the books lost: a rebuild takes Stripe's word
    before = picture(sim)
    sim.trouble("Redis is emptied and rebuilt")
    sim.tell("Redis", "is empty")
    sim.town.redis.empty()
    sim.promises.restarted(lossy=True)
    sim.truth.opening = {sku: before[0][sku]["stocked"] for sku in sim.plan.stock}
    catalogue = CatalogueFile(PRODUCTS, dict(sim.plan.stock))
    with patch.object(publishing.secrets, "token_hex", lambda _bytes: "rebuilt"):  # no chance here
        publishing.publish(sim.shop, catalogue)
    left = sim.random.randrange(30)

    def step() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Crash

    try:
        rebuilding.rebuild(sim.shop, step)
    except Crash:
        sim.trouble("a rebuild is cut short")
        rebuilding.rebuild(sim.shop)
    rebuilding.rebuild(sim.shop)  # there is nothing left to do
    sim.promises.check()
    if any(map(sim.is_open, sessions)):
        rest()  # one that nobody here had heard of is held again, until it is ended
    after = picture(sim)
    for order, fields in orders.items():
        if fields["state"] == State.VOIDED:  # what else was paid for it comes back as refunded
            after[1].pop(order, None)
    if after != before:
        raise Broken("rebuild", f"{before} became {after}")


def picture(sim: "Simulation") -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """What a rebuild must bring back: the counters, and what became of whoever paid.

    It knows nothing of what was sold at the counter: these units are on sale again.
    """
    view = sim.promises.view
    levels = {sku: dict(view.level(sku)) for sku in sim.plan.stock}
    orders = view.orders().items()
    paid = GOODS | {State.REFUND_DUE, State.REFUNDED}  # what was only authorised moved no money
    ends = {order: f["state"] for order, f in orders if f["state"] in paid and not at_counter(f)}
    for order, fields in orders:
        at, units = view.places().get(order, ("", {})) if at_counter(fields) else ("", {})
        for sku, number in units.items():
            levels[sku][at] -= number
            levels[sku]["available"] += number
    return levels, ends
