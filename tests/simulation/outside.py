"""What befalls a shop from outside: banks, and a Stripe that is away or has a session too many."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from storefront.domain.orders import Form, Order
from storefront.services import sessions
from tests.fakes.account import order_named
from tests.simulation.acts import Act

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


class Bank:
    """Delayed money and slow refunds come to their end."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._coming: list[str] = []
        self._refused: set[str] = set()

    def await_money(self, session: str) -> None:
        self._coming.append(session)

    def acts(self) -> Iterator[Act]:
        if self._coming:
            yield 0.3, self._money
        if self._sim.plan.slow_refunds and self._pending():
            yield 0.3, lambda: self._refund(self._sim.random.choice(self._pending()))
        if self._sim.plan.unwilling and (agreed := self._agreed()):
            yield self._sim.plan.unwilling, lambda: self._back_out(self._sim.random.choice(agreed))

    def finish(self) -> None:
        """Everything that is on its way arrives."""
        while self._coming:
            self._money()
        for refund in self._pending():
            self._refund(refund)

    def _money(self) -> None:
        sim = self._sim
        session = self._coming.pop(sim.random.randrange(len(self._coming)))
        if sim.random.random() < 0.7:
            sim.tell("bank", f"the money of {session} comes")
            sim.town.stripe.money_comes(session)
        else:
            sim.trouble("money on its way does not come")
            sim.tell("bank", f"the money of {session} does not come")
            sim.truth.in_time.discard(order_named(sim.promises.view.session(session)))
            sim.town.stripe.money_fails(session)

    def _pending(self) -> list[str]:
        refunds = self._sim.town.stripe.all_refunds.values()
        return [refund["id"] for refund in refunds if refund["status"] == "pending"]

    def _refund(self, refund: str) -> None:
        sim = self._sim
        found = sim.town.stripe.all_refunds[refund]
        fails = sim.random.random() < 0.25
        sim.tell("bank", f"{refund} {'fails' if fails else 'succeeds'}")
        if fails:
            sim.trouble("a refund fails later")
            charge = sim.town.stripe.charges[found["payment_intent"]]
            sim.truth.for_a_person.add(sim.town.stripe.order_paid(charge))
        sim.town.stripe.refund_ends(refund, "failed" if fails else "succeeded")

    def _agreed(self) -> list[str]:
        """Authorisations that the bank has not backed out of before."""
        agreed = self._sim.promises.view.agreed()
        return [intent for intent in agreed if intent not in self._refused]

    def _back_out(self, intent: str) -> None:
        sim = self._sim
        sim.trouble("a bank will not pay what it has agreed to")
        sim.tell("bank", f"will not pay {intent}")
        self._refused.add(intent)
        sim.truth.let_go.add(sim.promises.view.order_of(sim.town.stripe.intents[intent]))
        sim.town.stripe.back_out(intent)


class Mishaps:
    """What befalls a shop from outside: Stripe is away, or has a session too many."""

    LONGEST = 2
    """So many of each in one seed."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._outages = self.LONGEST if sim.plan.outages else 0
        self._twins = self.LONGEST if sim.plan.twins else 0
        self.away_until = 0
        """Stripe cannot be reached before (ms)."""

    def acts(self) -> Iterator[Act]:
        if self._outages and self.away_until <= self._sim.now():
            yield 0.4, self._go_away
        if self._twins and self._open():
            yield 1.5, self._twin

    def _go_away(self) -> None:
        self._outages -= 1
        seconds = self._sim.random.choice((60, 1000, 4000, 20_000))
        self._sim.tell("Stripe", f"cannot be reached for {seconds} s")
        self._sim.trouble("Stripe goes away")
        self.away_until = self._sim.now() + seconds * 1000

    def _open(self) -> list[str]:
        own = [one["id"] for one in self._sim.promises.view.sessions() if not one["payment_link"]]
        return [session for session in own if self._sim.is_open(session)]

    def _twin(self) -> None:
        sim = self._sim
        self._twins -= 1
        first = sim.random.choice(self._open())
        of = sim.promises.view.session(first)["metadata"]["order"]
        order = sim.shop.store.orders.get(of)
        if order is None or order.undecided:  # lost, or the choice without which none is made is
            return
        if "restored" in sim.promises.view.orders()[of]:  # nobody asks for another session of it
            return
        twin = self._made_for(order)
        sim.truth.twins.add(twin)
        sim.trouble("a second session")
        sim.tell("Stripe", f"has {twin} for {order.id} beside {first}")
        sim.show(order.visitor, twin)

    def _made_for(self, order: Order) -> str:
        sim = self._sim
        if order.form is Form.ELEMENTS:
            return str(sim.town.stripe._open_intent(sessions.intent_params(sim.shop, order))["id"])
        asked = sessions.params(sim.shop, order) | {"expires_at": sim.now() // 1000 + 1920}
        return str(sim.town.stripe._open_session(asked)["id"])
