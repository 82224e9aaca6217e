"""All that may go back of goods that were paid, as moves of a machine with a model of its own.

Hypothesis chooses what the operator wants sent back, and what Stripe tells of it and when, between all else
that may happen to paid orders.
"""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from storefront.domain.orders import Plan
from tests.storage.choices import times
from tests.storage.machine_bought import SKUS, Bought, baskets, keys, orders, units
from tests.storage.model_bought import PlanModel
from tests.storage.steps import PRICE

STATUSES = ("succeeded", "succeeded", "pending", "failed")

payments = st.sampled_from([1, 1, 1, 1, 2])
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


class GoingBack(Bought):
    """Paid orders, and refunds of them."""

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
