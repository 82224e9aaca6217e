"""Payment links: the operator makes and closes them, and people pay through them.

Whether a seed has any, and how many, is decided apart, so that the other seeds stay what they were.
"""

from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

from storefront.domain.errors import StripeUnreachable
from storefront.services import payment_links
from tests.fakes.account import order_named
from tests.simulation.acts import Act

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

OFTEN = 4
"""One seed in so many has links."""
MOST_TRIES = 5


class Links:
    """The operator with his links, and whoever scans their codes."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        random = Random(f"links {sim.seed}")
        has = sim.seed % OFTEN == 2
        self._makes = random.choice((1, 1, 2)) if has else 0
        self._visits = random.choice((3, 6, 9)) if has else 0
        self._closes = random.choice((0, 1, 2)) if has else 0
        self._switches = random.choice((0, 0, 1, 2)) if has else 0
        self._late = random.choice((0, 0, 1)) if has else 0
        self._hasty = random.choice((0.5, 1.5, 4.0))
        self._pages: list[str] = []

    def acts(self) -> Iterator[Act]:
        if self._makes:
            yield 2.0, self._make
        if self._visits and self._active():
            yield 2.0, self._visit
        if any(map(self._sim.is_open, self._pages)):
            yield self._hasty, self._pay
        if self._late and self._ended():
            yield 0.5, self._pay_too_late
        if self._closes and self._known():
            yield 0.3, self._close
        if self._switches and self._sim.town.stripe.links:
            yield 0.3, self._switch

    @property
    def waits(self) -> bool:
        """Whether anybody may still do something once time has passed."""
        return bool(self._makes) or any(map(self._sim.is_open, self._pages))

    def finish(self) -> None:
        """Everything works; the operator closes what still sells."""
        self._close_now(self._known())

    def finish_new(self, before: Container[str]) -> None:
        """Close what a walk has brought back of links that Redis had lost; ``before`` were there."""
        self._close_now([link for link in self._known() if link not in before])

    def _close_now(self, links: Iterable[str]) -> None:
        for link in links:
            for _ in range(MOST_TRIES):
                with suppress(
                    StripeUnreachable
                ):  # a key that replays an error gives way to the next
                    payment_links.close(self._sim.shop, link, "operator")
                    break
            self._sim.promises.check()

    def _make(self) -> None:
        sim = self._sim
        self._makes -= 1
        sku = sim.random.choice(sorted(sim.plan.stock))
        units = sim.random.randint(1, sim.plan.stock[sku])
        key = f"link-{self._makes}"
        sim.trouble("a payment link is made")

        def run() -> object:
            return payment_links.create(sim.shop, sku=sku, units=units, key=key, who="operator")

        for _ in range(sim.random.choice((1, 1, 2))):
            sim.request(f"operator makes a link for {units} of {sku} ({key})", run)

    def _visit(self) -> None:
        sim = self._sim
        self._visits -= 1
        orders = sorted(sim.promises.view.orders())
        reference = sim.random.choice(orders) if orders and sim.random.random() < 0.3 else ""
        link = sim.random.choice(self._active())
        session = sim.town.stripe.visit(link, reference)
        sim.tell("somebody", f"scans the code of {link}: {session}")
        self._pages.append(session)

    def _pay(self) -> None:
        sim, stripe = self._sim, self._sim.town.stripe
        session = sim.random.choice([page for page in self._pages if sim.is_open(page)])
        order = order_named(stripe.sessions[session])
        if sim.random.random() < 0.15:
            sim.tell("somebody", f"is declined in {session}")
            stripe.decline(session)
            return
        automatic = sim.plan.capture == "automatic"
        later = automatic and sim.plan.delayed and sim.random.random() < 0.5
        if not (stripe.pay_later if later else stripe.pay)(session):
            return
        in_time = sim.promises.has_unit(session)
        sim.tell("somebody", f"pays {session} {'later' if later else 'now'}, in time: {in_time}")
        sim.trouble("paid through a link" if in_time else "paid through a link that is sold out")
        if in_time:
            sim.truth.in_time.add(order)
        else:
            self._crowded(session)
        if later:
            sim.bank.await_money(session)
        if sim.random.random() < 0.5:
            name = f"somebody returns from {session}"
            sim.request(name, lambda: payment_links.thank(sim.shop, session))

    def _pay_too_late(self) -> None:
        self._late -= 1
        session = self._sim.random.choice(self._ended())
        self._sim.trouble("paid through a link that is closed")
        self._sim.tell("somebody", f"pays {session} though it was ended")
        self._sim.town.stripe.pay_too_late(session)
        self._crowded(session)

    def _crowded(self, session: str) -> None:
        """More sessions are completed than the link has units: nobody can say who was first."""
        stripe = self._sim.town.stripe
        link = stripe.sessions[session]["payment_link"]
        for one in stripe.sessions.values():
            if one["payment_link"] == link:
                self._sim.truth.in_time.discard(order_named(one))

    def _close(self) -> None:
        sim = self._sim
        self._closes -= 1
        link = sim.random.choice(self._known())
        sim.trouble("a payment link is closed")
        run = lambda: payment_links.close(sim.shop, link, "operator")  # noqa: E731
        sim.request(f"operator closes link {link}", run)

    def _switch(self) -> None:
        sim, stripe = self._sim, self._sim.town.stripe
        self._switches -= 1
        link = sim.random.choice(sorted(stripe.links))
        found = stripe.links[link]
        completed = found["restrictions"]["completed_sessions"]
        on = not found["active"] and completed["count"] < completed["limit"]
        sim.trouble(f"a payment link is switched {'on' if on else 'off'} at Stripe")
        if on:
            sim.truth.switched_on.add(link)
        stripe.switch_by_hand(link, on)

    def _active(self) -> list[str]:
        """Links that sell, and whose address the shop has ever shown."""
        shown = {fields.get("stripe") for fields in self._sim.promises.view.links().values()}
        links = self._sim.town.stripe.links.items()
        return [name for name, link in links if link["active"] and name in shown]

    def _ended(self) -> list[str]:
        """Sessions that were ended while a first payment may have been under way.

        Of one with a PaymentIntent Stripe has said that it is canceled, and that is for ever.
        """
        sessions = self._sim.town.stripe.sessions
        ended = [page for page in self._pages if sessions[page]["status"] == "expired"]
        return [page for page in ended if not sessions[page]["payment_intent"]]

    def _known(self) -> list[str]:
        return sorted(self._sim.promises.view.links())
