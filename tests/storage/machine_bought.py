"""Orders that were paid, as moves of a machine with a model of its own.

Hypothesis chooses what is handed over, taken back, disputed, looked at by a person, written down or
forgotten: late, doubled, out of order. After each call the counters, orders, plans and jobs are held against
the model.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from storefront.domain.orders import UNDO_MS
from storefront.domain.payments import DisputeFact
from tests.books import broken
from tests.storage.choices import times
from tests.storage.model_bought import BoughtModel
from tests.storage.model_returns import ReturnsModel
from tests.storage.steps import PRICE, Book
from tests.storage.walker import Walker

SKUS = ("a", "b")

orders = st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2, -1])
"""Which order, counted from the newest; -1: one that does not exist."""
keys = st.sampled_from(["k1", "k1", "k2", "k3"])
baskets = st.sampled_from([{"a": 2}, {"a": 2, "b": 1}, {"a": 3}, {"a": 1, "b": 2}])
units = st.dictionaries(st.sampled_from(SKUS), st.sampled_from([1, 1, 2, 3]), max_size=2)


class Bought(Walker):
    """Paid orders of one shop that has plenty."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(self.store)
        self.model = ReturnsModel()
        self.scanned: dict[tuple[str, str], int] = {}
        """When each form handed over (ms)."""
        self.sound = True

    def _call(self, send: Callable[[], Any], expect: Callable[[], Any], repeats: int = 1) -> None:
        """Send a call as often as its reply was lost; the model says each answer."""
        self.sound = False
        for number in range(repeats):
            self._move_clock()
            before = self._kept() if number else None
            assert send() == expect()
            assert not number or self._kept() == before
        self.sound = True

    def _kept(self) -> Any:
        """All that a repeat must leave as it is."""
        stored = [
            # Fields come in any order, which a server may change between two looks.
            replace(
                order,
                plans=tuple(sorted(order.plans, key=lambda plan: plan.key)),
                refunds=tuple(sorted(order.refunds, key=lambda refund: refund.id)),
                disputes=tuple(sorted(order.disputes, key=lambda dispute: dispute.id)),
                handovers=tuple(sorted(order.handovers, key=lambda handover: handover.key)),
            )
            for order in self.store.orders.get_many(list(self.model.orders))
        ]
        return replace(self.store.snapshot(), now=0), stored

    @initialize(lines=baskets)
    def open_the_shop(self, lines: dict[str, int]) -> None:
        self.book.stock(a=500, b=500)
        for sku in SKUS:
            self.model.levels[sku] = Counter(available=500, stocked=500)
        self.sell(lines)

    @rule(lines=baskets)
    def sell(self, lines: dict[str, int]) -> None:
        self._move_clock()
        order = f"o{len(self.model.orders) + 1}"
        payment, amount = f"pi_{order}_1", sum(lines.values()) * PRICE
        self.book.open(order, lines, f"cs_{order}")
        self.book.settle(order, payment, session=f"cs_{order}", amount=amount)
        self.model.orders[order] = BoughtModel(lines, payment, {payment: amount})
        self.model.due.add(f"mail:confirmed:{order}")
        for sku, number in lines.items():
            self.model.levels[sku].update(available=-number, sold=number)

    def _order(self, which: int) -> str:
        names = list(self.model.orders)
        return "nobodys" if which < 0 else names[-1 - which % len(names)]

    # Goods.

    @rule(which=orders, key=keys, units=st.one_of(st.just({}), units), repeats=times)
    def hand_over(self, which: int, key: str, units: dict[str, int], repeats: int) -> None:
        order = self._order(which)

        def send() -> tuple[Any, ...]:
            self.scanned.setdefault((order, key), self.store.now())
            answer = self.book.hand_over(order, units, key=key)
            if answer.word not in {"handed_over", "taken_back"}:
                del self.scanned[order, key]
            many = answer.word == "too_many"
            return (answer.word, answer.sku, answer.left) if many else (answer.word,)

        self._call(send, lambda: self.model.hand_over(order, key, units), repeats)

    @rule(which=orders, key=keys, repeats=times)
    def take_back(self, which: int, key: str, repeats: int) -> None:
        order = self._order(which)

        def expect() -> str:
            late = self.store.now() - self.scanned.get((order, key), 0) >= UNDO_MS
            return self.model.take_back(order, key, late=late)

        self._call(lambda: self.book.take_back(order, key=key), expect, repeats)

    # What is decided about an order.

    @rule(which=orders, number=st.sampled_from([0, 0, 2]), repeats=times)
    def review_order(self, which: int, number: int, repeats: int) -> None:
        order = self._order(which)
        payment = f"pi_{order}_{number}" if number else ""
        amount = PRICE if number else 0
        self._call(
            lambda: self.book.review(order, payment_intent=payment, amount=amount),
            lambda: self.model.review_order(order, payment=payment, amount=amount),
            repeats,
        )

    @rule(
        which=orders,
        number=st.sampled_from([1, 1, 2]),
        status=st.sampled_from(["needs_response", "under_review", "won", "won", "lost"]),
        repeats=times,
    )
    def record_dispute(self, which: int, number: int, status: str, repeats: int) -> None:
        order = self._order(which)
        dispute = DisputeFact(f"du_{order}_{number}", f"pi_{order}_1", PRICE, status)
        self._call(
            lambda: self.store.scripts.record_dispute(order, dispute),
            lambda: self.model.record_dispute(order, dispute.id, status),
            repeats,
        )

    # What is written about an order, and its customer.

    @rule(
        which=orders,
        what=st.sampled_from(["resume", "resume", "note", "number", "mails", "forget", "forget"]),
        key=keys,
        repeats=times,
    )
    def do_something_rare(self, which: int, what: str, key: str, repeats: int) -> None:
        order, scripts, model = self._order(which), self.store.scripts, self.model
        match what:
            case "resume":
                self._end_review(order)
            case "note":
                ask = {"key": key, "text": "rang", "who": "tests"}
                self._call(
                    lambda: scripts.note_order(order, **ask),
                    lambda: model.note_order(order, key),
                    repeats,
                )
            case "number":
                self._number_refund(order)
            case "mails":  # are sent
                mails = [job for job in model.due if job.startswith("mail:")]
                self.client.zrem(self.store.keys.name("due"), "mail", *mails)
                model.due.difference_update(mails)
            case _:
                self._call(
                    lambda: scripts.forget_customer(order)[0],
                    lambda: model.forget_customer(order),
                    repeats,
                )

    def _end_review(self, order: str) -> None:
        self._call(
            lambda: self.store.scripts.end_review(order), lambda: self.model.end_review(order)
        )

    def _number_refund(self, order: str) -> None:
        """A key that says no more; each number is another."""

        def expect() -> int:
            if (one := self.model.orders.get(order)) is None:
                return 0
            one.numbers[one.paid_by] += 1
            return one.numbers[one.paid_by]

        self._call(lambda: self.store.scripts.number_refund(order, f"pi_{order}_1"), expect)

    # What must be true after each of them.

    @invariant()
    def the_books_are_as_the_model_says(self) -> None:
        snapshot = self.store.snapshot()
        for sku, level in snapshot.levels.items():
            expected = self.model.levels[sku]
            kept = (level.available, level.held, level.sold, level.written_off, level.stocked)
            names = ("available", "held", "sold", "written_off", "stocked")
            assert kept == tuple(expected[name] for name in names)
        assert set(snapshot.due) == self.model.due
        for order in self.store.orders.get_many(list(self.model.orders)):
            one = self.model.orders[order.id]
            own = one.own() if one.at == "sold" else {}
            assert snapshot.units.get(order.id, ("none", {})) == (one.at, own)
            assert (order.state, order.units) == (one.state, one.at)
            assert (order.payments, set(order.refund_reasons)) == (one.payments, one.whole)
            told = {r.id: (r.payment_intent, r.amount, r.status) for r in order.refunds}
            assert told == one.refunds
            assert {
                p.key: (p.payment_intent, p.amount, dict(p.units), p.to, p.refund, p.given_up)
                for p in order.plans
            } == {
                key: (p.payment, p.amount, dict(p.units), p.to, p.refund, p.given_up)
                for key, p in one.plans.items()
            }
            assert +Counter(order.handed) == +one.handed
            assert {h.key: (dict(h.units), bool(h.undone)) for h in order.handovers} == {
                key: (dict(units), undone) for key, (units, undone) in one.scans.items()
            }
            assert {d.id: d.status for d in order.disputes} == one.disputes
            assert (len(order.notes), order.email) == (len(one.notes), one.email)
            assert order.refund_versions == one.numbers

    def teardown(self) -> None:
        """At the end of a run that went well: every index, mark and ledger entry."""
        if self.sound and self.model.orders:
            assert broken(self.store) == []
