"""The line for what is sold out, and those who come by, as moves of a machine with a model of its own.

Hypothesis chooses who joins, confirms, leaves, takes what is offered, lets it pass, or wants to buy past
them, each late or doubled. After each call the counters, the line, its places, the offers and the jobs
are held against the model: freed units go to those who joined first, and to nobody else.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.books import broken
from tests.storage.choices import times
from tests.storage.steps import AGAIN_MS, LAPSE_MS, Book
from tests.storage.walker import Walker

SKU = "poster"

places = st.sampled_from(["ada", "ada", "bob", "bob", "cyd", "dan", "eve"])
orders = st.sampled_from([0, 0, 0, 1, 1, 2, 3])
"""Which order, counted from the newest."""


@dataclass
class PlaceModel:
    """One place in the line."""

    number: int
    orders: list[str]
    offered: int = 0
    state: str = "unconfirmed"


@dataclass
class OrderModel:
    """One order; ``place`` is empty for a passer-by's."""

    units: int
    state: str
    at: str = "held"
    place: str = ""


class InLine(Walker):
    """One SKU of one shop, wanted by more people than there are units."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(self.store)
        self.available = 0
        self.places: dict[str, PlaceModel] = {}
        self.orders: dict[str, OrderModel] = {}
        self.due: set[str] = set()
        self.made = 0
        self.joined = 0
        self.sound = True

    def _call(self, send: Callable[[], str], expect: Callable[[], str], repeats: int = 1) -> None:
        """Send a call as often as its reply was lost; the model says each answer."""
        self.sound = False
        for number in range(repeats):
            self._move_clock()
            before = self.store.snapshot()
            assert send() == expect()
            after = self.store.snapshot()
            assert not number or replace(after, now=0) == replace(before, now=0)
        self.sound = True

    # The line, as the model sees it.

    def _waiting(self) -> list[str]:
        """Who waits, in the order of joining."""
        found = [(one.number, name) for name, one in self.places.items() if one.state == "waiting"]
        return [name for _, name in sorted(found)]

    def _pass_on(self) -> None:
        """What is there goes to those who wait, a unit and an offer each."""
        while self.available and (line := self._waiting()):
            place = self.places[line[0]]
            order = place.orders[place.offered]
            self.orders[order] = OrderModel(1, "offered", place=line[0])
            self.due |= {f"mail:offer:{order}", f"expire:{order}"}
            self.available -= 1
            place.offered += 1
            if place.offered == len(place.orders):
                place.state = "offered"

    def _end(self, name: str, how: str) -> None:
        self.places[name].state = how
        self.due -= {f"lapse:{name}", f"mail:waitlist:{name}"}

    # The shelf.

    @initialize(units=st.integers(1, 3), taken=st.booleans())
    def shelve(self, units: int, taken: bool) -> None:
        self.book.shelve(**{SKU: units})
        self.available = units
        if taken:
            self.hold(units)

    @rule(units=st.sampled_from([1, 1, 2]))
    def hold(self, units: int) -> None:
        """A passer-by, for whom nothing is there while anyone waits."""
        self.made += 1
        order = f"o{self.made:03}"

        def expect() -> str:
            if units > self.available or self._waiting():
                return "short"
            self.available -= units
            self.orders[order] = OrderModel(units, "pending")
            self.due |= {f"ask:{order}", f"expire:{order}"}
            return "held"

        self._call(lambda: self.book.hold(order, {SKU: units}).word, expect)

    @rule(units=st.sampled_from([1, 1, 2, 3]))
    def restock(self, units: int) -> None:
        self.made += 1
        key = f"key-{self.made:05}"

        def send() -> str:
            ask = {"delta": units, "reason": "found", "who": "tests", "key": key}
            return self.store.scripts.restock(SKU, **ask)

        def expect() -> str:
            self.available += units
            self.due.add(f"mirror:{SKU}")
            self._pass_on()
            return "done"

        self._call(send, expect)

    @precondition(lambda self: self.orders)
    @rule(which=orders, passes=st.booleans(), repeats=times)
    def release(self, which: int, passes: bool, repeats: int) -> None:
        """An order that nobody pays: its time is over, or its shopper does not want it."""
        order = self._order(which)
        one = self.orders[order]
        reason = "expired" if passes else "cancelled"
        version = 0 if one.state == "offered" else 1

        def expect() -> str:
            if one.state not in {"offered", "pending"}:
                return "already" if one.state == "released" else "kept"
            self.due -= {f"ask:{order}", f"expire:{order}", f"mail:offer:{order}"}
            if one.state == "offered":
                place = self.places.get(one.place)
                if place and order in place.orders:
                    self._end(one.place, "missed" if passes else "left")
                self.due |= {f"mail:offer-missed:{order}"} if passes else set()
            one.state, one.at = "released", "none"
            self.available += one.units
            self._pass_on()
            return "released"

        send = self.book.release
        self._call(lambda: send(order, "", version=version, reason=reason), expect, repeats)

    @precondition(lambda self: self.orders)
    @rule(which=orders, repeats=times)
    def settle(self, which: int, repeats: int) -> None:
        """The money of an order is there."""
        order = self._order(which)
        one = self.orders[order]
        if one.state not in {"pending", "paid"}:
            return

        def expect() -> str:
            if one.state == "paid":
                return "already"
            one.state, one.at = "paid", "sold"
            self.due -= {f"ask:{order}", f"expire:{order}"}
            self.due.add(f"mail:confirmed:{order}")
            return "sold"

        settle = self.book.settle
        self._call(lambda: settle(order, f"pi_{order}", session="", email=""), expect, repeats)

    # The line.

    @rule(name=places, units=st.sampled_from([1, 1, 2, 3]), renew=st.booleans(), repeats=times)
    def join(self, name: str, units: int, renew: bool, repeats: int) -> None:
        self.made += 1
        theirs = [f"{name}-{self.made:03}-{unit}" for unit in range(units)]
        before = self.places.get(name)
        renews = renew and before is not None and before.state == "offered"

        def expect() -> str:
            place = self.places.get(name)
            renewed = place is not before
            if place and place.state in {"unconfirmed", "waiting"}:
                return "already"
            if place and place.state == "offered" and (not renews or renewed):
                return "already"
            self.places[name] = PlaceModel(self._number(), theirs)
            self.due |= {f"mail:waitlist:{name}", f"lapse:{name}"}
            return "joined"

        def send() -> str:
            return self.store.scripts.join_line(
                name,
                sku=SKU,
                email=f"{name}@example.com",
                orders=theirs,
                renew=renews,
                again_ms=AGAIN_MS,
                lapse_ms=LAPSE_MS,
            )

        self._call(send, expect, repeats)

    def _number(self) -> int:
        """The number of who joins now."""
        self.joined += 1
        return self.joined

    @rule(name=places, repeats=times)
    def confirm(self, name: str, repeats: int) -> None:
        def expect() -> str:
            place = self.places.get(name)
            if place is None:
                return "unknown_place"
            if place.state != "unconfirmed":
                return "already"
            place.state = "waiting"
            self.due -= {f"lapse:{name}", f"mail:waitlist:{name}"}
            self._pass_on()
            return "confirmed"

        self._call(lambda: self.book.confirm(name), expect, repeats)

    @rule(name=places, how=st.sampled_from(["left", "left", "stopped", "lapsed"]), repeats=times)
    def leave(self, name: str, how: str, repeats: int) -> None:
        def expect() -> str:
            place = self.places.get(name)
            if place is None:
                return "unknown_place"
            may = {"unconfirmed"} if how == "lapsed" else {"unconfirmed", "waiting", "offered"}
            if place.state not in may:
                return "already"
            self._end(name, how)
            if how == "lapsed":
                del self.places[name]
            return "gone"

        self._call(lambda: self.book.leave(name, how), expect, repeats)

    @precondition(lambda self: self.orders)
    @rule(which=orders, repeats=times)
    def take(self, which: int, repeats: int) -> None:
        """Who was offered a unit goes to pay for it."""
        order = self._order(which)
        one = self.orders[order]

        def expect() -> str:
            if one.state != "offered":
                return "already"
            one.state = "pending"
            self.due.discard(f"mail:offer:{order}")
            self.due |= {f"ask:{order}", f"expire:{order}"}
            return "taken"

        self._call(lambda: self.book.take(order).word, expect, repeats)

    def _order(self, which: int) -> str:
        """An order that exists, counted from the newest."""
        names = list(self.orders)
        return names[-1 - which % len(names)]

    # What must be true after each of them.

    @invariant()
    def the_books_are_as_the_model_says(self) -> None:
        snapshot = self.store.snapshot()
        if SKU not in snapshot.levels:
            return
        level = snapshot.levels[SKU]
        held, sold = (
            sum(one.units for one in self.orders.values() if one.at == at)
            for at in ("held", "sold")
        )
        assert (level.available, level.held, level.sold) == (self.available, held, sold)
        assert level.stocked == self.available + held + sold
        assert min(self.available, held, sold) >= 0
        assert snapshot.states == {name: one.state for name, one in self.orders.items()}
        assert set(snapshot.due) == self.due
        assert self.book.line(SKU) == self._waiting()
        assert not (self.available and self._waiting())
        assert {
            place.id: (place.state, place.offered, list(place.orders)) for place in snapshot.places
        } == {name: (one.state, one.offered, one.orders) for name, one in self.places.items()}

    def teardown(self) -> None:
        """At the end of a run that went well: every index, mark and ledger entry."""
        if self.sound and (self.available or self.orders):
            assert broken(self.store) == []
