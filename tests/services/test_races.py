"""Whatever one process does, another may do something at any moment: the order comes out right.

Each race does one thing, and at its first call to Redis or Stripe, then at its second, and so on,
something else happens from beginning to end. Then the shop is left to its worker and must come to
rest with everything in order.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest

from storefront.domain.errors import AlreadyPaid, Refusal, StripeError
from storefront.domain.orders import GOODS, Order, State
from storefront.services import holds, orders
from tests.fakes.faults import Fault
from tests.services.conftest import Build
from tests.services.sweeping import MOST_CALLS
from tests.services.town import Fuse, Town

Act = Callable[[Town], object]


def first(town: Town) -> Order:
    """Ada's first order."""
    return next(order for order in town.orders() if order.visitor == "ada")


def again(town: Town) -> None:
    """Ada sends the same form once more."""
    town.begin({"poster": 2})


def changes(town: Town) -> None:
    """Ada sends another basket."""
    town.begin({"zine": 1}, token="other")


def pays(town: Town) -> None:
    """Ada pays, if Stripe lets her, and Stripe tells the shop."""
    for order in town.orders():
        if order.session:
            town.stripe.pay(order.session)
    town.deliver()


def pays_unheard(town: Town) -> None:
    """Ada pays, if Stripe lets her, and nobody tells the shop."""
    for order in town.orders():
        if order.session:
            town.stripe.pay(order.session)
    town.lose_events()


def pays_later(town: Town) -> None:
    """Ada finishes with a delayed method, if Stripe lets her."""
    town.stripe.pay_later(first(town).session)
    town.deliver()


def hears(town: Town) -> None:
    """Stripe tells the shop what is new."""
    town.deliver()


def cancels(town: Town) -> None:
    """Ada gives her hold back."""
    orders.cancel(town.shop, first(town))


def returns(town: Town) -> None:
    """Ada opens the page of her order."""
    orders.refresh(town.shop, first(town))


def works(town: Town) -> None:
    """A worker does what is due."""
    town.work()


def by_hand(town: Town) -> None:
    """The operator releases what is overdue."""
    for late in holds.overdue(town.shop):
        holds.release_by_hand(town.shop, late.id, "operator")


def bob_buys(town: Town) -> None:
    """Bob wants all posters that are left, and pays at once."""
    available, _, _ = town.level()
    with suppress(Refusal, StripeError):
        started = town.begin({"poster": max(available, 4)}, visitor="bob", address="192.0.2.9")
        town.stripe.pay(started.order.session)
        town.deliver()


def started(town: Town) -> None:
    """Ada has two posters on hold."""
    town.begin({"poster": 2})


def over(town: Town) -> None:
    """Ada's hold has reached its deadline; her session is open still."""
    started(town)
    town.skip(61)


def overdue(town: Town) -> None:
    """Ada's hold has outlived its grace; her session is open still."""
    started(town)
    town.skip(60 + 301)


def left(town: Town) -> None:
    """Ada's hold has no payment page, and its request is too old to be repeated."""
    town.stripe.fault("create_session", Fault.LOST_REQUEST)
    with suppress(StripeError):
        started(town)
    town.skip(115)


def nothing(_town: Town) -> None:
    """The shop has just opened."""


RACES: list[tuple[Act, Act, Act]] = [
    (prepare, one, other)
    for prepare, acts in (
        (nothing, (again, bob_buys)),
        (started, (again, changes, cancels, returns, pays, pays_unheard, pays_later, bob_buys)),
        (over, (works, again, cancels, pays, bob_buys)),
        (left, (again, works, cancels)),
        (overdue, (by_hand, works, returns, pays)),
    )
    for one in acts
    for other in acts
    if one is not pays_unheard
]


@pytest.mark.parametrize(
    ("prepare", "one", "other"),
    RACES,
    ids=lambda act: act.__name__,
)
def test_whatever_happens_meanwhile_the_order_comes_out_right(
    build: Build, prepare: Act, one: Act, other: Act
) -> None:
    for at in range(1, MOST_CALLS):
        town = build(HOLD_SECONDS="60")
        prepare(town)

        def meanwhile(town: Town = town) -> None:
            # Nobody is there yet when the shop has just opened.
            with suppress(Refusal, StripeError, AlreadyPaid, StopIteration):
                other(town)

        with town.fused(Fuse(at, meanwhile)) as fuse, suppress(Refusal, StripeError):
            one(town)
        try:
            town.check()
            paid = settle(town)
            town.rest()
            assert all(town.order(order).state in GOODS for order in paid)
        except BaseException as failure:
            failure.add_note(f"at call {at} of {fuse.calls}")
            raise
        if not fuse.reached:
            return
    raise AssertionError("makes more calls than expected")


def settle(town: Town) -> list[str]:
    """Delayed money comes after four hours; answers the orders whose units were held all the while."""
    kept = []
    waiting = [
        session["id"]
        for session in town.stripe.sessions.values()
        if session["status"] == "complete" and session["payment_status"] == "unpaid"
    ]
    town.pass_time(4 * 3600)
    for session in waiting:
        order = town.stripe.sessions[session]["metadata"]["order"]
        if town.order(order).state is State.PROCESSING:
            kept.append(order)
        town.stripe.money_comes(session)
    town.lose_events()
    return kept
