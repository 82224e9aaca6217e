"""Payment links, what is sold through them and beside them, and holds that last longer, as moves.

A second machine beside ``machine.py``, with a model of its own, so that each of them stays dense. Hypothesis
chooses the calls: late, doubled, out of order, for links and orders that do not exist. After each one the
counters, the links with their allotments, the orders and the jobs are held against the model.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from storefront.domain.orders import Line
from storefront.domain.payment_links import LinkState, PaymentLink
from storefront.storage.answers import Limits, Wanted
from tests.books import broken
from tests.storage.choices import HOUR, LEASE_MS, PRICE, times
from tests.storage.walker import Walker

SKU = "a"
LINKS = ("l1", "l2", "l3")
MINUTE = 60_000

named = st.sampled_from([*LINKS, "l1", "l1", "nobodys"])
orders = st.sampled_from([0, 0, 0, 1, 1, 2, 3])
"""Which order, counted from the newest."""
sold = st.sampled_from([1, 1, 1, 2])


@dataclass
class LinkModel:
    """One link."""

    units: int
    left: int
    state: str = "making"
    stripe: str = ""
    returned: int = 0


@dataclass
class OrderModel:
    """One order; ``link`` is empty for one that was begun on the shelf."""

    units: int
    state: str
    at: str
    deadline: int = 0
    link: str = ""
    session: str = ""
    extended: bool = False


class LinkSales(Walker):
    """One SKU of one shop, sold through links and from the shelf."""

    def __init__(self) -> None:
        super().__init__()
        self.available = 0
        self.links: dict[str, LinkModel] = {}
        self.orders: dict[str, OrderModel] = {}
        self.due: set[str] = set()
        self.made = 0
        self.sound = True

    def _call(self, send: Callable[[], str], expect: Callable[[], str], repeats: int) -> None:
        """Send a call as often as its reply was lost; the model says each answer."""
        self.sound = False
        for number in range(repeats):
            self._move_clock()
            before = self.store.snapshot()
            assert send() == expect()
            after = self.store.snapshot()
            assert not number or replace(after, now=0) == replace(before, now=0)
        self.sound = True

    # The shelf.

    @initialize(units=st.integers(2, 8))
    def stock(self, units: int) -> None:
        self.store.scripts.publish_catalogue({}, {SKU: units}, version="v", who="tests")
        self.available = units
        self.due.add(f"mirror:{SKU}")

    @rule(units=st.sampled_from([1, 1, 2, 9]), open_it=st.booleans())
    def hold(self, units: int, open_it: bool) -> None:
        """A passer-by, who gets no unit that is set aside."""
        order = self._new()
        line = Line(SKU, units, PRICE)

        def send() -> str:
            answer = self.store.scripts.hold_stock(
                order,
                [Wanted(line, 10, 0)],
                basket=f"{SKU}={units}",
                currency="usd",
                amount=units * PRICE,
                visitor="",
                address="",
                limits=Limits(0, 0),
                hold_ms=HOUR,
                grace_ms=HOUR,
                session_seconds=1920,
                ask_ms=HOUR,
            )
            return answer.word

        def expect() -> str:
            if order in self.orders:
                return "already"
            if units > self.available:
                return "short"
            self.available -= units
            found = self.store.orders.get(order)
            assert found
            self.orders[order] = OrderModel(units, "pending", "held", found.deadline)
            self.due |= {f"ask:{order}", f"expire:{order}"}
            return "held"

        self._call(send, expect, 1)
        if open_it and order in self.orders:
            self.attach_session(0)

    @precondition(lambda self: self.orders)
    @rule(which=orders)
    def attach_session(self, which: int) -> None:
        order = self._order(which)
        one = self.orders[order]
        if one.link or one.state != "pending":
            return
        self.store.scripts.attach_session(order, session=f"cs_{order}", url="https://x")
        one.state, one.session = "open", f"cs_{order}"
        self.due.discard(f"ask:{order}")

    @precondition(lambda self: self.orders)
    @rule(which=orders, more=st.sampled_from([-MINUTE, 0, MINUTE, MINUTE]), repeats=times)
    def extend_hold(self, which: int, more: int, repeats: int) -> None:
        """More time to pay: once, and only while the page is open."""
        order = self._order(which)
        one = self.orders[order]
        until = one.deadline + more

        def expect() -> str:
            if one.extended:
                return "already"
            if one.state != "open":
                return "too_late"
            if more <= 0:
                return "no_room"
            one.deadline, one.extended = until, True
            return "extended"

        extend = self.store.scripts.extend_hold
        self._call(lambda: extend(order, until_ms=until, grace_ms=HOUR), expect, repeats)

    @precondition(lambda self: self.orders)
    @rule(which=orders, repeats=times)
    def settle(self, which: int, repeats: int) -> None:
        """The money of an order is there, in time or late."""
        order = self._order(which)
        one = self.orders[order]

        def expect() -> str:
            if one.state in {"paid", "refund_due"}:
                return "already"
            held = one.at == "held"
            self.due -= {f"ask:{order}", f"expire:{order}"} if held else set()
            if not held and self.available < one.units:
                self.due.add(f"refund:{order}:pi_{order}")
                one.state = "refund_due"
                return "oversold"
            self.available -= 0 if held else one.units
            self.due.add(f"mail:confirmed:{order}")
            one.state, one.at = "paid", "sold"
            return "sold" if held else "retaken"

        def send() -> str:
            return self.store.scripts.settle_payment(
                order,
                payment_intent=f"pi_{order}",
                session=one.session,
                amount=one.units * PRICE,
                email="",
            )

        self._call(send, expect, repeats)

    @precondition(lambda self: self.orders)
    @rule(which=orders, repeats=times)
    def release(self, which: int, repeats: int) -> None:
        """Stripe says that an order cannot be paid any more; a link's unit goes to the shelf."""
        order = self._order(which)
        one = self.orders[order]

        def expect() -> str:
            if one.at != "held":
                return "already" if one.state == "released" else "kept"
            self.due -= {f"ask:{order}", f"expire:{order}"}
            self.available += one.units
            one.state, one.at = "released", "none"
            return "released"

        def send() -> str:
            return self.store.scripts.release_hold(
                order, session=one.session, version=1, reason="expired", who=""
            )

        self._call(send, expect, repeats)

    # Links.

    @rule(link=st.sampled_from(LINKS), units=st.sampled_from([1, 2, 3, 9]), repeats=times)
    def open_link(self, link: str, units: int, repeats: int) -> None:
        asked = PaymentLink(link, SKU, units, units, LinkState.MAKING, PRICE, "usd", created=0)

        def expect() -> str:
            if link in self.links:
                return "already"
            if units > self.available:
                return "not_enough"
            self.available -= units
            self.links[link] = LinkModel(units, units)
            self.due.add(f"link:{link}")
            return "opened"

        def send() -> str:
            return self.store.scripts.open_link(asked, who="tests", ask_ms=HOUR)[0]

        self._call(send, expect, repeats)

    @rule(link=named, number=sold, repeats=times)
    def attach_link(self, link: str, number: int, repeats: int) -> None:
        stripe = f"plink_{link}_{number}"

        def expect() -> str:
            one = self.links.get(link)
            if one is None:
                return "unknown_link"
            if one.stripe:
                return "already" if one.stripe == stripe else "other"
            one.stripe = stripe
            one.state = "open" if one.state == "making" else one.state
            return "attached"

        attach = self.store.scripts.attach_link
        self._call(lambda: attach(link, stripe=stripe, url="https://x"), expect, repeats)

    @rule(link=named, units=sold, repeats=times)
    def take_unit(self, link: str, units: int, repeats: int) -> None:
        """A session of a link was completed, more of them than it has units perhaps."""
        order = self._new()

        def expect() -> str:
            if order in self.orders:
                return "already"
            self.due.add(f"ask:{order}")
            one = self.links.get(link)
            session = f"cs_{order}"
            if one is None or one.left < units:
                self.orders[order] = OrderModel(
                    units, "released", "none", link=link, session=session
                )
                return "short"
            one.left -= units
            self.orders[order] = OrderModel(units, "processing", "held", link=link, session=session)
            if one.left == 0 and one.state == "open":
                one.state = "closing"
                self.due.add(f"unlink:{link}")
            return "taken"

        def send() -> str:
            return self.store.scripts.take_unit(
                order,
                Line(SKU, units, PRICE),
                link=link,
                session=f"cs_{order}",
                currency="usd",
                expires_at=0,
                email="",
                ask_ms=HOUR,
            )

        self._call(send, expect, repeats)

    @rule(link=named, repeats=times)
    def end_link(self, link: str, repeats: int) -> None:
        def expect() -> str:
            one = self.links.get(link)
            if one is None:
                return "unknown_link"
            if one.state in {"closing", "closed"}:
                return "already"
            one.state = "closing"
            self.due.add(f"unlink:{link}")
            return "ending"

        end = self.store.scripts.end_link
        self._call(lambda: end(link, why="by_hand", who="tests"), expect, repeats)

    @rule(
        link=named,
        restarted=st.sampled_from([False, False, False, True]),
        unheard=st.sampled_from([False, False, False, True]),
        repeats=times,
    )
    def close_link(self, link: str, restarted: bool, unheard: bool, repeats: int) -> None:
        """Stripe says that nobody can pay through it, before or after the server was another one.

        ``unheard``: it was asked before anybody knew which link it had made.
        """
        _, now = self.store.scripts.read_door()
        run = "of-another-server" if restarted else now
        known = self.links.get(link)
        stripe = known.stripe if known and not unheard else ""

        def expect() -> str:
            one = self.links.get(link)
            if one is None:
                return "unknown_link"
            if one.state == "closed":
                return "already"
            if restarted:
                return "restarted"
            if one.stripe != stripe:
                return "other"
            self.available += one.left
            self.links[link] = replace(one, left=0, returned=one.left, state="closed")
            self.due -= {f"link:{link}", f"unlink:{link}"}
            return "closed"

        close = self.store.scripts.close_link
        self._call(lambda: close(link, why="gone", stripe=stripe, run=run), expect, repeats)

    @rule()
    def claim(self) -> None:
        """A worker takes what is due, and puts it back."""
        self.store.scripts.claim_due(limit=50, lease_ms=LEASE_MS)

    def _new(self) -> str:
        self.made += 1
        return f"o{self.made:03}"

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
        held = sum(one.units for one in self.orders.values() if one.at == "held")
        held += sum(link.left for link in self.links.values())
        given = sum(one.units for one in self.orders.values() if one.at == "sold")
        assert (level.available, level.held, level.sold) == (self.available, held, given)
        assert min(self.available, held, given) >= 0
        assert level.stocked == self.available + held + given
        assert snapshot.allotments == {
            name: {SKU: link.left} for name, link in self.links.items() if link.left
        }
        assert snapshot.states == {name: one.state for name, one in self.orders.items()}
        assert set(snapshot.due) == self.due
        assert {
            link.id: (link.units, link.left, link.state, link.stripe, link.returned)
            for link in self.store.links.all()
        } == {
            name: (link.units, link.left, link.state, link.stripe, link.returned)
            for name, link in self.links.items()
        }
        for order in self.store.orders.get_many(list(self.orders)):
            one = self.orders[order.id]
            if not one.link:
                assert order.deadline == one.deadline
                if one.at == "held":
                    assert snapshot.holds[order.id] == one.deadline
                    assert one.state == "pending" or snapshot.due[f"expire:{order.id}"]

    def teardown(self) -> None:
        """At the end of a run that went well: every index, mark and ledger entry."""
        if self.sound and self.available + len(self.orders):
            assert broken(self.store) == []
