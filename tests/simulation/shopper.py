"""People who want something."""

import json
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from storefront.domain.errors import AlreadyPaid
from storefront.domain.orders import basket_of
from storefront.domain.terms import Way
from storefront.services import checkout, choosing, orders
from storefront.services.checkout import Started
from tests.simulation import extras
from tests.simulation.acts import Act, check_answer
from tests.simulation.tasks import Task
from tests.simulation.truth import Broken

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

AT_ONCE_MS = 1000
"""Two things so close together happen in either order."""


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
        self._extends = sum(name.encode()) % 2  # no draw, so that old seeds begin as before
        """How often the shopper asks for more time."""
        self._forms = 0
        self._basket: dict[str, int] = {}
        self._pages: list[str] = []
        """Sessions whose payment page the shopper was shown."""
        self._orders: list[str] = []
        self._asked: list[str] = []
        """Orders whose shopper was asked how they are to reach them, and may still say so."""

    def acts(self) -> Iterator[Act]:
        if self._begins:
            yield 4.0 if self._sim.given_away() else 1.5, self._begin
        if self._orders and self._looks:
            yield 0.7, self._look
            if self._sim.plan.ui == "elements":
                yield 0.7, self._reload
        if self._orders and self._cancels:
            yield 0.5, self._cancel
        if self._orders and self._extends:
            yield 0.5, self._extend
        if self._asked:
            yield 2.0, self._choose
        if self._pays and any(map(self._sim.is_open, self._pages)):
            yield self._haste(), self._pay

    @property
    def waits(self) -> bool:
        """Whether the shopper may still do something once time has passed."""
        pays = self._pays and any(map(self._sim.is_open, self._pages))
        return bool(self._begins) or bool(self._asked) or pays

    def show(self, session: str) -> None:
        """The shopper has this payment page open, too, and pays in one after the other."""
        self._pages.append(session)
        self._hasty = 3.0

    def ask(self, order: str) -> None:
        """The shopper is asked how an order is to reach them."""
        if order not in self._asked:
            self._asked.append(order)

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

        clicks = 2 if random.random() < self._twice else 1
        if clicks > 1:
            self._sim.trouble("a double click")
        for _ in range(clicks):
            what = f"{self.name} checks out {basket_of(basket)} ({form})"
            self._sim.request(what, run, self._begun)

    def _begun(self, task: Task) -> None:
        check_answer(task)
        if isinstance(task.error, AlreadyPaid):
            raise Broken("an unknown failure", f"{task.name}: {task.error!r}")
        if not isinstance(task.result, Started):
            return
        order = task.result.order
        if order.visitor not in {self.name, ""}:
            raise Broken("privacy", f"{self.name} was sent to an order of {order.visitor}")
        if order.id not in self._orders:
            self._orders.append(order.id)
        if order.undecided:
            self.ask(order.id)
        if task.result.url == order.url:
            session = self._sim.promises.view.find(order.session)
            if not session or session["metadata"]["order"] != order.id:
                raise Broken("I6", f"{self.name} was sent to {order.session} for {order.id}")
            if order.session not in self._pages:
                self._pages.append(order.session)

    def _choose(self) -> None:
        """In one tab, or in two that say different things; and the form may be sent again later."""
        sim, random = self._sim, self._sim.random
        order = random.choice(self._asked)
        if random.random() < 0.7:
            self._asked.remove(order)
        for _ in range(2 if random.random() < 0.3 else 1):
            way = random.choice(tuple(Way))
            sim.truth.ways[order].add(way)
            sim.trouble(f"a shopper chooses {way}")
            what = f"{self.name} chooses {way} for {order}"
            sim.request(what, partial(self._settle_on, order, way), self._begun)

    def _settle_on(self, order: str, way: Way) -> Started | None:
        shop = self._sim.shop
        found = orders.find(shop, orders.token(shop, order))
        to = extras.ADA if way is Way.DELIVERY else None
        return choosing.choose(shop, found, way, to) if found else None

    def _look(self) -> None:
        self._looks -= 1
        order = self._sim.random.choice(self._orders)
        self._sim.request(f"{self.name} looks at {order}", lambda: self._refresh(order))

    def _reload(self) -> None:
        """Their tab with the shop's own payment page is opened once more."""
        self._looks -= 1
        order = self._sim.random.choice(self._orders)
        self._sim.trouble("the shop's own payment page is opened again")
        self._sim.request(f"{self.name} opens the page of {order}", lambda: self._pay_page(order))

    def _pay_page(self, order: str) -> Any:
        shop = self._sim.shop
        found = orders.find(shop, orders.token(shop, order))
        if found is None:
            return None
        found, payable = orders.payable(shop, found)
        if payable and payable.payment_intent not in self._pages:
            if payable.order == order and (found.way or self._sim.truth.lossy):
                # The process that took the choice died before it could say where to pay; or the order
                # was paid in a session that the shop did not know, and Redis has lost that it was.
                self._pages.append(payable.payment_intent)
                return found
            raise Broken("I6", f"{self.name} is shown {payable.payment_intent} for {order}")
        return found

    def _cancel(self) -> None:
        self._cancels -= 1
        order = self._sim.random.choice(self._orders)
        self._sim.trouble("a shopper cancels")
        self._sim.request(f"{self.name} cancels {order}", lambda: self._give_back(order))

    def _extend(self) -> None:
        order = self._sim.random.choice(self._orders)
        clicks = 2 if self._sim.random.random() < self._twice else 1
        self._extends = 0 if self._sim.random.random() < 0.5 else 1
        self._sim.trouble("a shopper asks for more time")
        for _ in range(clicks):
            what = f"{self.name} asks for more time for {order}"
            self._sim.request(what, lambda: self._prolong(order), check_answer)

    def _prolong(self, order: str) -> Any:
        shop = self._sim.shop
        found = orders.find(shop, orders.token(shop, order))
        return orders.extend(shop, found) if found else None

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
        order = sim.promises.view.session(session)["metadata"]["order"]
        held = sim.promises.view.units_at(order) == "held"
        if random.random() < 0.15:
            sim.trouble("a card is declined")
            sim.tell(self.name, f"is declined in {session}")
            sim.town.stripe.decline(session)
            return
        # Money that comes days later can not be authorised first.
        automatic = sim.plan.capture == "automatic"
        later = automatic and sim.plan.delayed and random.random() < 0.5
        later = extras.fill_in(sim, session) and later
        pay = sim.town.stripe.pay_later if later else sim.town.stripe.pay
        if not pay(session, email=f"{self.name}@example.com"):
            return
        sim.tell(self.name, f"pays {session} {'later' if later else 'now'}, units held: {held}")
        self._look_at_the_clock(session, order, held)
        if held and session not in sim.truth.twins:
            sim.truth.in_time.add(order)
        if later:
            sim.trouble("the money comes days later")
            sim.bank.await_money(session)
        if random.random() < 0.6:  # Stripe sends the shopper back to the order's page
            sim.request(f"{self.name} returns to {order}", lambda: self._refresh(order))

    def _last_moment(self) -> bool:
        """Whether a page of the shopper's is about to end."""
        now, view = self._sim.now(), self._sim.promises.view
        ends = [view.session(page)["expires_at"] * 1000 for page in self._pages]
        ends += [view.deadline(order) or 0 for order in self._orders]
        return any(abs(end - now) <= AT_ONCE_MS for end in ends)

    def _haste(self) -> float:
        """How likely a payment is now: most of all when it is nearly, or really, too late."""
        view = self._sim.promises.view
        orders = {
            view.session(page)["metadata"]["order"]
            for page in self._pages
            if self._sim.is_open(page)
        }
        late = [order for order in orders if view.units_at(order) == "none"]
        there = view.hash("stock:available")
        if self._last_moment() or any(
            int(there.get(line["sku"], 0)) < line["quantity"]
            for order in late
            for line in json.loads(view.hash(f"order:{order}").get("lines", "[]"))
        ):
            return 6.0
        return 0.3 if late else self._hasty  # others may still take what was given back

    def _look_at_the_clock(self, session: str, order: str, held: bool) -> None:
        """Note the bad moments to pay."""
        sim = self._sim
        ends = sim.promises.view.session(session)["expires_at"] * 1000
        deadline = sim.promises.view.deadline(order)
        if not held:
            sim.trouble("paid after the release")
        if deadline is not None and abs(deadline - sim.now()) <= AT_ONCE_MS:
            sim.trouble("paid at the hold's deadline")
        if ends - sim.now() <= AT_ONCE_MS:
            sim.trouble("paid as the session expires")
        calls = [name for where, name in filter(None, (task.call for task in sim.tasks))]
        if any(name.startswith(f"expire_session session:{session}:") for name in calls):
            sim.trouble("paid while the shop ends the session")
        cancelling = f"void:{session}:"
        if any(name.startswith(f"cancel_intent {cancelling}") for name in calls) or any(
            key.startswith(cancelling) for key in sim.town.stripe.wire._in_flight
        ):
            sim.trouble("paid while the shop cancels the PaymentIntent")
            sim.truth.crossed.add(order)
