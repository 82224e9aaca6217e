"""Goods that were paid, and all that may go back of them, as moves of a machine with a model of its own.

Hypothesis chooses what the operator wants sent back, what Stripe tells of it and when, what is handed over
meanwhile, taken back, disputed, looked at by a person or forgotten: late, doubled, out of order. After each
call the counters, orders, plans and jobs are held against the model.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from storefront.domain.orders import UNDO_MS, Plan
from storefront.domain.payments import DisputeFact
from tests.books import broken
from tests.storage.choices import times
from tests.storage.model_returns import BoughtModel, PlanModel, ReturnsModel
from tests.storage.steps import PRICE, Book
from tests.storage.walker import Walker

SKUS = ("a", "b")
STATUSES = ("succeeded", "succeeded", "pending", "failed")

orders = st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2, -1])
"""Which order, counted from the newest; -1: one that does not exist."""
payments = st.sampled_from([1, 1, 1, 1, 2])
keys = st.sampled_from(["k1", "k1", "k2", "k3"])
baskets = st.sampled_from([{"a": 2}, {"a": 2, "b": 1}, {"a": 3}, {"a": 1, "b": 2}])
units = st.dictionaries(st.sampled_from(SKUS), st.sampled_from([1, 1, 2, 3]), max_size=2)
parts = st.sampled_from([1, PRICE, PRICE, 2 * PRICE, 3 * PRICE])
"""Minor units: of a unit's price up to an order's."""
targets = st.sampled_from(["available", "available", "written_off", "sold"])
refunds = st.sampled_from([1, 1, 2])
STORIES = (
    "want one, pending, told",
    "want one, told, second",
    "want one, want one, told first",
    "want one, review, want one",
    "want all, hand all, told",
    "want all, pending, told",
    "want one, dashboard",
    "hand one, want one, told",
    "hand all, want one, told, take back",
    "hand all, review, resume",
    "hand all, forget, pay twice",
    "dispute, resume, won, resume",
    "pay twice, want the second",
    "want one, number, note, note",
)
"""Of an order's life after it was paid."""
steps = sorted({step for story in STORIES for step in story.split(", ")})
stories = st.one_of(
    st.sampled_from(STORIES).map(lambda story: story.split(", ")),
    st.lists(st.sampled_from(steps), min_size=3, max_size=8),
)


class GoingBack(Walker):
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

    # Money.

    def _plan(
        self, order: str, key: str, number: int, amount: int, units: dict[str, int], to: str
    ) -> tuple[Plan, PlanModel]:
        """What the operator wants, as they see the order now."""
        one = self.model.orders.get(order)
        handed = dict(one.handed) if one else {}
        payment = f"pi_{order}_{number}"
        plan = Plan(key, payment, amount, units, to, reason="torn", who="admin", handed=handed)
        return plan, PlanModel(payment, amount, units, to, handed)

    @rule(
        which=orders,
        key=keys,
        number=payments,
        amount=parts,
        units=units,
        to=targets,
        repeats=times,
    )
    def plan_refund(self, which: int, key: str, repeats: int, **ask: Any) -> None:
        order = self._order(which)
        plan, expected = self._plan(order, key, **ask)

        def send() -> tuple[Any, ...]:
            answer = self.store.scripts.plan_refund(order, plan)
            match answer.word:
                case "too_much":
                    return answer.word, answer.left
                case "too_many":
                    return answer.word, answer.sku, answer.left
            return (answer.word,)

        self._call(send, lambda: self.model.plan_refund(order, key, expected), repeats)

    @rule(
        which=orders,
        sku=st.sampled_from(SKUS),
        most=st.sampled_from([1, 1, 2]),
        money=st.sampled_from(["its price", "its price", "all that is left"]),
        to=targets,
        ending=st.sampled_from(["none", "none", "pending", "succeeded"]),
    )
    def want_some_back(
        self, which: int, sku: str, most: int, money: str, to: str, ending: str
    ) -> None:
        """Some units of an order, for their price or all its money; Stripe may tell of it at once."""
        if (one := self.model.orders.get(self._order(which))) is None:
            return
        number = min(most, one.own().get(sku, 0))
        left = one.owed()[one.paid_by] - one.wanted(one.paid_by)
        amount = min(left, number * PRICE) if money == "its price" else left
        if amount > 0:
            units = {sku: number} if number else {}
            key = f"w{len(one.plans) + 1}"
            self.plan_refund(which, key, 2, number=1, amount=amount, units=units, to=to)
            if ending != "none":
                self.hear_of_a_plan(which, 0, 1, ending, 1)

    @rule(lines=baskets, steps=stories, to=targets)
    def sell_and_take_back(self, lines: dict[str, int], steps: list[str], to: str) -> None:
        """A new order, and what usually happens to one; each step may come in any order."""
        self.sell(lines)
        sku = min(lines)
        for step in steps:
            match step:
                case "want one" | "want all":
                    money = "all that is left" if step == "want all" else "its price"
                    self.want_some_back(0, sku, 1, money, to, "none")
                case "told" | "told first":
                    self.hear_of_a_plan(0, int(step != "told"), 1, "succeeded", 1)
                case "pending":
                    self.hear_of_a_plan(0, 0, 1, "pending", 1)
                case "second":
                    self.hear_of_a_plan(0, 0, 2, "pending", 1)
                case "dashboard":
                    self.hear_of_a_refund(0, "", False, 1, 1, 3 * PRICE, "succeeded", 1)
                case "hand one" | "hand all":
                    self.hand_over(0, step, {sku: 1} if step == "hand one" else {}, 1)
                case "take back":
                    self.take_back(0, "hand all", 1)
                case "review":
                    self.review_order(0, 0, 1)
                case "resume":
                    self._end_review(self._order(0))
                case "pay twice":
                    self.pay_twice(0, "bob@example.com")
                case "want the second":
                    ask = {"number": 2, "amount": PRICE, "units": {}, "to": to}
                    self.plan_refund(0, step, 1, **ask)
                case "dispute" | "won":
                    status = "won" if step == "won" else "needs_response"
                    self.record_dispute(0, 1, status, 1)
                case "number" | "note":
                    self.do_something_rare(0, step, "k1", 1)
                case "forget":
                    self.do_something_rare(0, "mails", "", 1)
                    self.do_something_rare(0, "forget", "", 1)

    @rule(
        which=orders,
        plan=st.sampled_from([0, 0, 1]),
        refund=refunds,
        status=st.sampled_from(STATUSES),
        repeats=times,
    )
    def hear_of_a_plan(self, which: int, plan: int, refund: int, status: str, repeats: int) -> None:
        """Stripe's word of a refund that an operator wanted; a second one is somebody's mistake."""
        order = self._order(which)
        if order in self.model.orders and (plans := self.model.orders[order].plans):
            key = list(plans)[-1 - plan % len(plans)]
            one = plans[key]
            told = Plan(key, one.payment, one.amount, one.units, one.to, "torn", "admin")
            name = f"re_{order}_{key}_{refund}"
            self._refund(order, name, one.payment, one.amount, status, told, repeats)

    @rule(
        which=orders,
        key=keys,
        lost=st.sampled_from([True, False, False]),
        number=payments,
        refund=refunds,
        amount=parts,
        status=st.sampled_from(STATUSES),
        repeats=times,
    )
    def hear_of_a_refund(
        self,
        which: int,
        key: str,
        lost: bool,
        number: int,
        refund: int,
        amount: int,
        status: str,
        repeats: int,
    ) -> None:
        """One that was made in Stripe's dashboard, or whose plan was lost; of all that is left."""
        order = self._order(which)
        payment = f"pi_{order}_{number}"
        told = Plan(key, payment, amount, {"a": 1}, "available", "torn") if lost else None
        name = f"re_{order}_{number}_{refund}"
        one = self.model.orders.get(order)
        if one and payment in one.payments and amount == 3 * PRICE:
            amount = max(1, one.owed()[payment])
        self._refund(order, name, payment, amount, status, told, repeats)

    def _refund(
        self,
        order: str,
        refund: str,
        payment: str,
        amount: int,
        status: str,
        plan: Plan | None,
        repeats: int,
    ) -> None:
        told = {"key": plan.key if plan else "", "plan": None}
        if plan:
            told["plan"] = PlanModel(payment, amount, plan.units, plan.to, {})
        self._call(
            lambda: self.book.refund(
                order, refund, payment, amount=amount, status=status, plan=plan
            ),
            lambda: self.model.record_refund(order, refund, payment, amount, status, **told),
            repeats,
        )

    @rule(which=orders, email=st.sampled_from(["ada@example.com", "bob@example.com"]))
    def pay_twice(self, which: int, email: str) -> None:
        """A second payment, which goes back whole."""
        order = self._order(which)
        if one := self.model.orders.get(order):
            payment, amount = f"pi_{order}_2", one.payments[one.paid_by]
            ask = {"amount": amount, "email": email}
            self._call(
                lambda: self.book.settle(order, payment, session="", **ask),
                lambda: self.model.settle_payment(order, payment=payment, **ask),
                2,
            )

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

    def _number_refund(self, order: str) -> None:
        """A key that says no more; each number is another."""

        def expect() -> int:
            if (one := self.model.orders.get(order)) is None:
                return 0
            one.numbers[one.paid_by] += 1
            return one.numbers[one.paid_by]

        self._call(lambda: self.store.scripts.number_refund(order, f"pi_{order}_1"), expect)

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
