"""The promises, checked after every step: on what Redis holds, against what Stripe did.

Each fault is named after the invariant of docs/never-oversell.md that it breaks. What is promised of
stock, of orders and of money stands in a file of its own.
"""

from tests.simulation.counter_promises import CounterPromises
from tests.simulation.line_promises import LinePromises
from tests.simulation.link_promises import LinkPromises
from tests.simulation.money_promises import MoneyPromises
from tests.simulation.order_promises import OrderPromises
from tests.simulation.stock_promises import StockPromises
from tests.simulation.town import Town
from tests.simulation.truth import Broken, Truth
from tests.simulation.view import View
from tests.simulation.way_promises import WayPromises
from tests.simulation.wish_promises import WishPromises


class Promises:
    """Checks one town, and remembers what it has seen."""

    def __init__(self, town: Town, truth: Truth) -> None:
        self.view = view = View(town)
        self._truth = truth
        self._changes = (-1, -1)
        self._stock = StockPromises(view, truth)
        self._orders = OrderPromises(view, truth)
        self._line = LinePromises(view, truth)
        self._money = MoneyPromises(view, truth)
        self._wishes = WishPromises(view, truth)
        self._links = LinkPromises(view, truth)
        self._ways = WayPromises(view, truth)
        self._counter = CounterPromises(view, truth)

    def restarted(self, *, lossy: bool) -> None:
        """Redis was restarted: what was seen before may have been lost."""
        self._truth.lossy |= lossy
        self._stock.restarted(lossy=lossy)
        self._orders.restarted(lossy=lossy)
        self._line.restarted(lossy=lossy)
        self._ways.restarted(lossy=lossy)

    def check(self) -> None:
        """Raises Broken when something that is always true is not."""
        if broken := self.view.redis.broken:
            raise Broken("a script failed", broken[0])
        changes = (self.view.redis.changes, len(self.view.stripe.events))
        if changes == self._changes:
            return
        self._changes = changes
        orders = self.view.orders()
        self._truth.let_go |= self.view.lapsed()
        self._stock.check(orders)
        self._orders.check(orders)
        self._line.check(orders)
        self._money.check(orders)
        self._wishes.check(orders)
        self._links.check()
        self._ways.check(orders)
        self._counter.check(orders)

    def rest(self) -> None:
        """Raises Broken when something is not as it must be once nothing is due any more."""
        self._changes = (-1, -1)
        self.check()
        orders = self.view.orders()
        self._money.rest(orders)
        self._wishes.rest(orders)
        self._links.rest(orders)
        self._counter.rest(orders)
        self._orders.rest(orders)
        self._line.rest(orders)
        self._stock.rest(orders)

    def has_unit(self, session: str) -> bool:
        """Whether a session that was completed just now has a unit of its link's allotment."""
        return self._links.has_unit(session)

    def late(self, since: int) -> None:
        """Raises Broken when a hold stands long after a worker could have ended it.

        ``since`` (ms) is when everything worked again.
        """
        self._orders.late(since)
        self._line.late(since)
