"""Who does what in the town. Each offers what it could do next, and the seed chooses."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storefront.domain.errors import AlreadyPaid, Refusal, StripeError
from storefront.domain.orders import basket_of
from storefront.services import checkout, events, holds, orders, restocking, sessions, work
from storefront.services.checkout import Started
from storefront.storage.connection import UNREACHABLE
from tests.simulation.tasks import Crash, Task
from tests.simulation.truth import Broken

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

Act = tuple[float, Callable[[], None]]
"""How likely, and what."""
ANSWERS: tuple[type[BaseException], ...] = (Refusal, StripeError, Crash, *UNREACHABLE)
"""How a request may end without anything being wrong with the shop."""
EXPECTED = 3


def check_answer(task: Task) -> None:
    """Whatever else a request ends with would be a 500."""
    if task.error is not None and not isinstance(task.error, ANSWERS):
        raise Broken("an unknown failure", f"{task.name}: {task.error!r}") from task.error


class Shopper:
    """Clicks, pays, pays late, clicks twice, changes their mind, looks, leaves."""

    def __init__(self, sim: "Simulation", name: str, address: str) -> None:
        self.name, self._sim, self._address = name, sim, address
        random = sim.random
        self._begins = random.choice((1, 2, 3, 5))
        self._looks = random.choice((0, 1, 3))
        self._cancels = random.choice((0, 0, 1, 2))
        self._pays = random.random() < 0.85
        self._hasty = random.choice((0.3, 1.0, 3.0))
        """How soon after the payment page the shopper pays."""
        self._twice = random.choice((0.0, 0.0, 0.4))
        self._forms = 0
        self._basket: dict[str, int] = {}
        self._pages: list[str] = []
        """Sessions whose payment page the shopper was shown."""
        self._orders: list[str] = []

    def acts(self) -> Iterator[Act]:
        if self._begins:
            yield 1.5, self._begin
        if self._orders and self._looks:
            yield 0.7, self._look
        if self._orders and self._cancels:
            yield 0.5, self._cancel
        if self._pays and any(map(self._sim.is_open, self._pages)):
            yield self._hasty, self._pay

    @property
    def waits(self) -> bool:
        """Whether the shopper may still do something once time has passed."""
        return bool(self._begins) or (self._pays and any(map(self._sim.is_open, self._pages)))

    def show(self, session: str) -> None:
        """The shopper has this payment page open, too, and pays in one after the other."""
        self._pages.append(session)
        self._hasty = 3.0

    def _begin(self) -> None:
        random, truth = self._sim.random, self._sim.truth
        self._begins -= 1
        if not self._basket or random.random() < 0.4:
            stock = self._sim.plan.stock
            skus = random.sample(sorted(stock), random.randint(1, len(stock)))
            most = random.choice((1, 1, 1, 1, 2, 3))
            spare = random.random() < 0.1  # more than there is
            self._basket = {sku: min(most, stock[sku] + spare) for sku in skus}
        basket = dict(self._basket)
        if not self._forms or random.random() < 0.6:
            self._forms += 1
        form = f"{self.name}-form-{self._forms}"
        truth.forms[self.name, basket_of(basket)].add(form)

        def run() -> Started:
            return checkout.begin(
                self._sim.shop,
                visitor=self.name,
                address=self._address,
                form_token=form,
                wanted=basket,
            )

        for _ in range(2 if random.random() < self._twice else 1):
            what = f"{self.name} checks out {basket_of(basket)} ({form})"
            self._sim.request(what, run, self._begun)

    def _begun(self, task: Task) -> None:
        check_answer(task)
        if isinstance(task.error, AlreadyPaid):
            raise Broken("an unknown failure", f"{task.name}: {task.error!r}")
        if not isinstance(task.result, Started):
            return
        order = task.result.order
        if order.visitor != self.name:
            raise Broken("privacy", f"{self.name} was sent to an order of {order.visitor}")
        if order.id not in self._orders:
            self._orders.append(order.id)
        if task.result.url == order.url:
            session = self._sim.town.stripe.sessions.get(order.session)
            if not session or session["metadata"]["order"] != order.id:
                raise Broken("I6", f"{self.name} was sent to {order.session} for {order.id}")
            if order.session not in self._pages:
                self._pages.append(order.session)

    def _look(self) -> None:
        self._looks -= 1
        order = self._sim.random.choice(self._orders)
        self._sim.request(f"{self.name} looks at {order}", lambda: self._refresh(order))

    def _cancel(self) -> None:
        self._cancels -= 1
        order = self._sim.random.choice(self._orders)
        self._sim.request(f"{self.name} cancels {order}", lambda: self._give_back(order))

    def _refresh(self, order: str) -> Any:
        shop = self._sim.shop
        found = orders.find(shop, orders.token(shop, order))
        return orders.refresh(shop, found) if found else None

    def _give_back(self, order: str) -> Any:
        shop = self._sim.shop
        found = orders.find(shop, orders.token(shop, order))
        return orders.cancel(shop, found) if found else None

    def _pay(self) -> None:
        sim, random = self._sim, self._sim.random
        session = random.choice([page for page in self._pages if sim.is_open(page)])
        order = sim.town.stripe.sessions[session]["metadata"]["order"]
        held = sim.promises.units_at(order) == "held"
        if random.random() < 0.15:
            sim.tell(self.name, f"is declined in {session}")
            sim.town.stripe.decline(session)
            return
        later = sim.plan.delayed and random.random() < 0.5
        pay = sim.town.stripe.pay_later if later else sim.town.stripe.pay
        if not pay(session, email=f"{self.name}@example.com"):
            return
        sim.tell(self.name, f"pays {session} {'later' if later else 'now'}, units held: {held}")
        if held and session not in sim.truth.twins:
            sim.truth.in_time.add(order)
        if later:
            sim.bank.await_money(session)
        if random.random() < 0.6:  # Stripe sends the shopper back to the order's page
            sim.request(f"{self.name} returns to {order}", lambda: self._refresh(order))


@dataclass
class Delivery:
    """One event on its way to the webhook."""

    event: dict[str, Any]
    at: int
    tries: int = 0


class Post:
    """Stripe's webhooks: late, twice, in no order, or never."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._read = 0
        self._waiting: list[Delivery] = []
        self._old: list[dict[str, Any]] = []

    def collect(self) -> None:
        """Take what Stripe has to tell since the last time."""
        stripe, random, plan = self._sim.town.stripe, self._sim.random, self._sim.plan
        for event in stripe.events[self._read :]:
            self._old.append(event)
            copies = [event]
            if random.random() < plan.repeated:
                copies.append(event if random.random() < 0.5 else stripe.twin(event))
            for copy in copies:
                if random.random() >= plan.lost:
                    self._waiting.append(Delivery(copy, self._sim.now() + self._delay()))
        self._read = len(stripe.events)

    def times(self) -> list[int]:
        return [delivery.at for delivery in self._waiting]

    def acts(self) -> Iterator[Act]:
        now = self._sim.now()
        ready = [delivery for delivery in self._waiting if delivery.at <= now]
        if ready:
            yield 2.0, lambda: self._deliver(self._sim.random.choice(ready))

    def deliver_all(self, *, again: bool) -> None:
        """Everything that is on its way comes now; with ``again`` everything that ever was."""
        rows = list(self._old) if again else [delivery.event for delivery in self._waiting]
        self._waiting.clear()
        self._sim.random.shuffle(rows)
        for event in rows:
            self._sim.tell("webhook", f"{event['id']} {event['type']}")
            self._receive(event)
            self._stored(event)
            self._sim.promises.check()

    def _delay(self) -> int:
        random = self._sim.random
        if random.random() < self._sim.plan.late:
            return random.choice((60_000, 3600_000, 30 * 3600_000, 3 * 24 * 3600_000))
        return random.choice((0, 0, 0, 1000, 5000))

    def _deliver(self, delivery: Delivery) -> None:
        self._waiting.remove(delivery)
        event = delivery.event

        def ended(task: Task) -> None:
            check_answer(task)
            if task.error is None:
                self._stored(event)
            elif delivery.tries < EXPECTED:  # no 2xx: Stripe sends it again
                later = self._sim.random.choice((5000, 60_000, 3600_000))
                self._waiting.append(Delivery(event, self._sim.now() + later, delivery.tries + 1))

        name = f"webhook {event['id']} {event['type']}"
        self._sim.request(name, lambda: self._receive(event), ended)

    def _receive(self, event: dict[str, Any]) -> str:
        return events.receive(self._sim.shop, *self._sim.town.stripe.signed(event))

    def _stored(self, event: dict[str, Any]) -> None:
        """Stripe was told 200."""
        if f"{{test}}:seen:{event['id']}" not in self._sim.town.redis.data:
            raise Broken("I9", f"{event['id']} {event['type']} was acknowledged and is not noted")
        found = event["data"]["object"]
        if found["object"] == "payment_intent" and found["status"] == "succeeded":
            intent = found["id"]
        elif found["object"] == "checkout.session" and found["payment_status"] == "paid":
            intent = found["payment_intent"]
        else:
            return
        order = self._sim.promises.orders().get(found["metadata"]["order"])
        if order is not None and f"payment:{intent}" not in order:
            raise Broken("I9", f"{event['id']}: 200 for {intent}, which is not stored")


class Bank:
    """Delayed money and slow refunds come to their end."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._coming: list[str] = []

    def await_money(self, session: str) -> None:
        self._coming.append(session)

    def acts(self) -> Iterator[Act]:
        if self._coming:
            yield 0.3, self._money
        if self._sim.plan.slow_refunds and self._pending():
            yield 0.3, lambda: self._refund(self._sim.random.choice(self._pending()))

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
            sim.tell("bank", f"the money of {session} does not come")
            sim.truth.in_time.discard(sim.town.stripe.sessions[session]["metadata"]["order"])
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
            charge = sim.town.stripe.charges[found["payment_intent"]]
            sim.truth.for_a_person.add(charge["metadata"]["order"])
        sim.town.stripe.refund_ends(refund, "failed" if fails else "succeeded")


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
            yield 0.2, self._go_away
        if self._twins and self._open():
            yield 1.5, self._twin

    def _go_away(self) -> None:
        self._outages -= 1
        seconds = self._sim.random.choice((60, 1000, 4000, 20_000))
        self._sim.tell("Stripe", f"cannot be reached for {seconds} s")
        self.away_until = self._sim.now() + seconds * 1000

    def _open(self) -> list[str]:
        return [one for one in self._sim.town.stripe.sessions if self._sim.is_open(one)]

    def _twin(self) -> None:
        sim = self._sim
        self._twins -= 1
        first = sim.random.choice(self._open())
        order = sim.shop.store.orders.get(sim.town.stripe.sessions[first]["metadata"]["order"])
        if order is None:
            return
        asked = sessions.params(sim.shop, order) | {"expires_at": sim.now() // 1000 + 1920}
        twin = sim.town.stripe._open_session(asked)["id"]
        sim.truth.twins.add(twin)
        sim.tell("Stripe", f"has {twin} for {order.id} beside {first}")
        sim.show(order.visitor, twin)


class Operator:
    """Restocks, refunds in Stripe's dashboard, releases what is overdue."""

    def __init__(self, sim: "Simulation") -> None:
        self._sim = sim
        self._restocks = sim.random.choice((0, 1, 2))
        self._refunds = sim.random.choice((0, 1, 2))
        self._disputes = sim.random.choice((0, 0, 0, 1))
        self._releases = sim.random.choice((0, 1, 3))

    def acts(self) -> Iterator[Act]:
        if self._restocks:
            yield 0.3, self._restock
        if self._refunds and self._kept():
            yield 0.3, self._refund
        if self._disputes and self._kept():
            yield 0.1, self._dispute
        if self._releases and (late := self._overdue()):
            yield 2.0, lambda: self._release(self._sim.random.choice(late))

    def _restock(self) -> None:
        random = self._sim.random
        self._restocks -= 1
        sku = random.choice(sorted(self._sim.plan.stock))
        delta = random.choice((1, 2, -1))
        key = f"restock-{self._restocks}"
        self._sim.truth.restocks[key] = (sku, delta)

        def run() -> Any:
            return restocking.restock(
                self._sim.shop, sku=sku, delta=delta, reason="counted", who="operator", key=key
            )

        for _ in range(random.choice((1, 2))):
            self._sim.request(f"operator restocks {delta:+d} {sku} ({key})", run)

    def _kept(self) -> list[str]:
        charges = self._sim.town.stripe.charges.items()
        return [i for i, c in charges if c["amount_refunded"] < c["amount"] and not c["disputed"]]

    def _refund(self) -> None:
        sim = self._sim
        self._refunds -= 1
        intent = sim.random.choice(self._kept())
        charge = sim.town.stripe.charges[intent]
        left = charge["amount"] - charge["amount_refunded"]
        amount = sim.random.choice((left, left, max(1, left // 3)))
        status = (
            sim.random.choice(("succeeded", "pending")) if sim.plan.slow_refunds else "succeeded"
        )
        sim.tell("operator", f"refunds {amount} of {intent} in the dashboard: {status}")
        sim.truth.back_by_hand[intent] += amount
        sim.town.stripe.refund_by_hand(intent, amount, status=status)

    def _dispute(self) -> None:
        sim = self._sim
        self._disputes -= 1
        intent = sim.random.choice(self._kept())
        sim.tell("buyer's bank", f"disputes {intent}")
        sim.truth.for_a_person.add(sim.town.stripe.charges[intent]["metadata"]["order"])
        sim.town.stripe.dispute(intent)

    def _overdue(self) -> list[str]:
        grace = self._sim.shop.settings.hold_grace_seconds * 1000
        until = self._sim.now() - grace
        held = self._sim.promises._zset("holds").items()
        return [order for order, deadline in held if deadline <= until]

    def _release(self, order: str) -> None:
        self._releases -= 1
        self._sim.truth.by_hand.add(order)
        self._sim.request(
            f"operator releases {order}",
            lambda: holds.release_by_hand(self._sim.shop, order, "operator"),
        )


class Worker:
    """One worker's thread: a job at a time."""

    def __init__(self, sim: "Simulation", name: str) -> None:
        self._sim, self._name = sim, name

    def acts(self) -> Iterator[Act]:
        busy = any(task.process == self._name for task in self._sim.tasks)
        if not busy and self._sim.due_at() <= self._sim.now():
            yield 1.5, self._work

    def _work(self) -> None:
        run = lambda: work.run_due(self._sim.shop, 1)  # noqa: E731
        self._sim.begin(Task(f"{self._name} works", self._name, run), check_answer)
