"""Any run of calls to the scripts answers and leaves what a simple model of a shop says.

Hypothesis chooses the calls: late, doubled, out of order, for orders that do not exist, with sessions
that are not the order's. After each one the counters, orders, holds, ledger and due jobs are held
against the model, and the invariants I1 to I3 and I11 are counted anew.
"""

import os
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import hypothesis
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from storefront.domain.orders import Line, basket_of, total
from storefront.storage.answers import HoldAnswer, Job, Limits, Wanted
from storefront.storage.store import Store, open_store
from tests.books import broken, dump
from tests.storage.model import COUNTERS, IMPOSSIBLE, MOST_OVERDUE, ShopModel, Span

PRICE = 100
NOW, HOUR = 0, 3_600_000
NEVER_OPENS = 9_000_000_000_000
LEASE_MS = 600_000
UNKNOWN = "nobody's"

Mutate = Callable[[str, str], str]
Calls = list[tuple[Callable[[], None], bool]]

skus = st.sampled_from(["a", "b", "c"])
units = st.integers(1, 3)
amounts = st.sampled_from([PRICE, 2 * PRICE, 3 * PRICE])
events = st.sampled_from(["", "", "evt_1", "evt_2"])
emails = st.sampled_from(["", "ada@example.com", "bob@example.com"])
numbers = st.integers(1, 2)
reasons = st.sampled_from(["expired", "declined", "cancelled"])
waits = st.sampled_from([NOW, HOUR])
times = st.sampled_from([1, 1, 1, 2])
"""How often a call is sent: its answer may be lost on the way."""


def _session(order: str, number: int) -> str:
    """One of the order's sessions; 0 is none."""
    return f"cs_{order}_{number}" if number else ""


def _payment(order: str, number: int) -> str:
    """One of the order's PaymentIntents; 0 is none."""
    return f"pi_{order}_{number}" if number else ""


def _compare(answer: HoldAnswer, expected: tuple[Any, ...]) -> None:
    """Hold an answer to ``hold_stock`` against the model's."""
    word, *more = expected
    assert answer.word == word
    match word:
        case "unknown_sku":
            assert [answer.sku] == more
        case "over_limit" | "not_open":
            assert [answer.sku, answer.number] == more
        case "visitor_limit":
            assert [answer.order] == more
        case "address_limit":
            assert more[0].lo <= answer.number <= more[0].hi
        case "short":
            shortages = [
                (s.sku, s.wanted, s.available, s.held, s.returns_at) for s in answer.shortages
            ]
            assert shortages == more[0]
            assert set(answer.overdue) <= more[1]
            assert len(answer.overdue) >= MOST_OVERDUE or set(answer.overdue) == more[1]


class Storage(RuleBasedStateMachine):
    """One shop's storage and the model of it, through the same calls."""

    client: ClassVar[redis.Redis]
    mutate: ClassVar[Mutate | None] = None
    """Changes a script's text, by its name."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.store: Store = open_store(self.client, "test")
        if self.mutate is not None:
            scripts = self.store.scripts._scripts
            for name, script in scripts.items():
                changed = type(self).mutate(name, str(script.script))
                scripts[name] = self.client.register_script(changed)
        self.model = ShopModel()
        self.earlier: Calls = []
        self.jobs: list[Job] = []
        self.replayed: dict[str, Counter[str]] = {}
        self.read_to = "-"
        self.sound = True

    def _call(self, send: Callable[[], Any], expect: Callable[[Span], Any], event: str = "") -> Any:
        """Send a call, ask the model what its answer must be, and compare them."""
        before = self.store.now()
        try:
            got = send()
        except redis.ResponseError:
            got = IMPOSSIBLE
        expected = expect(Span(before, self.store.now()))
        assert got == expected
        if event and got != IMPOSSIBLE:
            self.model.seen.add(event)
        return got

    def _send(self, call: Callable[[], None], repeats: int = 1, *, same: bool = True) -> None:
        """Make a call, and at once again if its reply was lost: that must change nothing.

        Unless it is not the ``same``, because it notes a time.
        """
        self.sound = False
        call()
        self.earlier.append((call, same))
        for _ in range(repeats - 1 if same else 0):
            picture = self._picture()
            call()
            assert self._picture() == picture
        self.sound = True

    def _picture(self) -> dict[str, Any]:
        """Every key but the figures, and the marks of events, which a repeat sets again."""
        found = dump(self.client)
        return {name: value for name, value in found.items() if ":seen:" not in name}

    def _ask(self, script: str, order: str, repeats: int, event: str = "", **ask: Any) -> None:
        """Call a script about an order; ``event`` is the Stripe event that brought it."""
        more = {"event": event} if event else {}

        def call() -> None:
            self._call(
                lambda: getattr(self.store.scripts, script)(order, **ask, **more),
                lambda now: getattr(self.model, script)(now, order, **ask),
                event,
            )

        self._send(call, repeats)

    # Goods.

    @initialize(stock=st.dictionaries(skus, st.integers(0, 4), min_size=1))
    def publish_first(self, stock: dict[str, int]) -> None:
        self.publish(stock, 1)

    @rule(stock=st.dictionaries(skus, st.integers(0, 4)), repeats=times)
    def publish(self, stock: dict[str, int], repeats: int) -> None:
        def call() -> None:
            publish = self.store.scripts.publish_catalogue
            self._call(
                lambda: set(publish({}, stock, version="v", who="tests")),
                lambda now: self.model.publish_catalogue(now, stock),
            )

        self._send(call, repeats)

    @rule(
        sku=skus,
        delta=st.integers(-4, 3).filter(bool),
        key=st.sampled_from(["k1", "k2", "k3", "k4"]),
        repeats=times,
    )
    def restock(self, sku: str, delta: int, key: str, repeats: int) -> None:
        def call() -> None:
            ask = {"delta": delta, "reason": "found", "who": "tests", "key": key}
            self._call(
                lambda: self.store.scripts.restock(sku, **ask),
                lambda now: self.model.restock(now, sku, **ask),
            )

        self._send(call, repeats)

    # The life of an order.

    @rule(
        target=orders,
        wanted=st.dictionaries(skus, units, min_size=1, max_size=2),
        visitor=st.sampled_from(["", "ada", "bob"]),
        address=st.sampled_from(["", "home"]),
        visitor_limit=st.sampled_from([0, 0, 1]),
        address_limit=st.sampled_from([0, 0, 2]),
        limit=st.sampled_from([3, 3, 3, 2]),
        opens_at=st.sampled_from([0, 0, 0, NEVER_OPENS]),
        hold_ms=waits,
        ask_ms=waits,
        repeats=times,
    )
    def hold_stock(
        self,
        wanted: dict[str, int],
        limit: int,
        opens_at: int,
        repeats: int,
        **ask: Any,
    ) -> Any:
        order = f"o{len(self.earlier):03}"
        lines = [Line(sku, number, PRICE) for sku, number in wanted.items()]

        def call() -> None:
            before = self.store.now()
            answer = self.store.scripts.hold_stock(
                order,
                [Wanted(line, limit, opens_at) for line in lines],
                basket=basket_of(wanted),
                currency="usd",
                amount=total(lines),
                visitor=ask["visitor"],
                address=ask["address"],
                limits=Limits(ask["visitor_limit"], ask["address_limit"]),
                hold_ms=ask["hold_ms"],
                grace_ms=HOUR,
                session_seconds=1920,
                ask_ms=ask["ask_ms"],
            )
            now = Span(before, self.store.now())
            found = self.store.orders.get(order)
            if answer.word == "held":
                assert found is not None
                assert now.lo <= found.created <= now.hi
            expected = self.model.hold_stock(
                now,
                order,
                wanted=[(sku, number, limit, opens_at) for sku, number in wanted.items()],
                created=found.created if found else 0,
                **ask,
            )
            _compare(answer, expected)

        self._send(call, repeats)
        return order if order in self.model.orders else multiple()

    @rule(target=orders)
    def nobodys_order(self) -> str:
        return UNKNOWN

    @rule(order=orders, number=numbers, repeats=times)
    def attach_session(self, order: str, number: int, repeats: int) -> None:
        call_url = f"https://pay.example/{order}"

        def call() -> None:
            session = _session(order, number)
            self._call(
                lambda: self.store.scripts.attach_session(order, session=session, url=call_url),
                lambda now: self.model.attach_session(now, order, session=session),
            )

        self._send(call, repeats)

    @rule(order=orders, version=numbers, repeats=times)
    def renew_session(self, order: str, version: int, repeats: int) -> None:
        renew = self.store.scripts.renew_session

        def call() -> None:
            self._call(
                lambda: renew(order, version=version, session_seconds=1920),
                lambda now: self.model.renew_session(now, order, version=version),
            )

        # The answer to a repeat is that somebody went on, which is true.
        self._send(call, repeats)

    @rule(
        order=orders,
        number=numbers,
        session=st.integers(0, 2),
        amount=amounts,
        email=emails,
        event=events,
        repeats=times,
    )
    def settle_payment(
        self, order: str, number: int, session: int, repeats: int, event: str, **ask: Any
    ) -> None:
        self._ask(
            "settle_payment",
            order,
            repeats,
            event,
            payment_intent=_payment(order, number),
            session=_session(order, session),
            **ask,
        )

    @rule(
        order=orders,
        number=numbers,
        session=numbers,
        email=emails,
        ask_ms=waits,
        event=events,
        repeats=times,
    )
    def mark_processing(
        self, order: str, number: int, session: int, repeats: int, event: str, **ask: Any
    ) -> None:
        self._ask(
            "mark_processing",
            order,
            repeats,
            event,
            payment_intent=_payment(order, number),
            session=_session(order, session),
            **ask,
        )

    @rule(
        order=orders,
        session=st.integers(0, 2),
        version=numbers,
        reason=reasons,
        who=st.sampled_from(["", "", "", "admin"]),
        event=events,
        repeats=times,
    )
    def release_hold(self, order: str, session: int, repeats: int, event: str, **ask: Any) -> None:
        self._ask("release_hold", order, repeats, event, session=_session(order, session), **ask)

    @rule(order=orders, number=st.integers(0, 2), amount=amounts, email=emails, event=events)
    def review_order(self, order: str, number: int, event: str, **ask: Any) -> None:
        payment = _payment(order, number)
        ask["amount"] = ask["amount"] if payment else 0
        self._ask("review_order", order, 2, event, reason="look", payment_intent=payment, **ask)

    @rule(
        order=orders,
        number=numbers,
        refund=numbers,
        amount=amounts,
        status=st.sampled_from(["pending", "requires_action", "succeeded", "succeeded", "failed"]),
        again_ms=waits,
        event=events,
        repeats=times,
    )
    def record_refund(
        self, order: str, number: int, refund: int, repeats: int, event: str, **ask: Any
    ) -> None:
        self._ask(
            "record_refund",
            order,
            repeats,
            event,
            payment_intent=_payment(order, number),
            refund=f"re_{order}_{number}_{refund}",
            reason="asked for",
            **ask,
        )

    @rule(order=orders, reason=st.sampled_from(["", "cancelled", "replaced"]))
    def note_ending(self, order: str, reason: str) -> None:
        if one := self.model.orders.get(order):
            self.store.orders.note_ending(order, reason)
            one.ending = reason

    @rule(order=orders)
    def hand_over(self, order: str) -> None:
        """As the script that does so will."""
        one = self.model.orders.get(order)
        if one is None or one.state != "paid":
            return
        keys = self.store.keys
        fields = {"state": "fulfilled", "at:fulfilled": "1"}
        self.client.hset(keys.order(order), mapping=fields)
        self.client.zrem(keys.name("states"), f"paid:{one.created}:{order}")
        self.client.zadd(keys.name("states"), {f"fulfilled:{one.created}:{order}": 0})
        one.state, one.handed_over = "fulfilled", True

    # What is due.

    @rule(limit=st.integers(1, 5), lease_ms=st.sampled_from([NOW, LEASE_MS]))
    def claim_due(self, limit: int, lease_ms: int) -> None:
        before = self.store.now()
        jobs = self.store.scripts.claim_due(limit=limit, lease_ms=lease_ms)
        now = Span(before, self.store.now())
        names = [job.name for job in jobs]
        for job in jobs:
            assert (now + lease_ms).lo <= job.lease <= (now + lease_ms).hi
        lease = jobs[0].lease if jobs else 0
        assert self.model.claim(now, names, lease, limit) == ""
        for job in jobs:
            assert job.tries == self.model.tries[job.name]
            assert job.late_ms >= 0
        self.jobs += jobs

    @precondition(lambda self: self.jobs)
    @rule(which=st.integers(0, 99), notice=st.booleans(), repeats=times)
    def finish_due(self, which: int, notice: bool, repeats: int) -> None:
        job = self.jobs[which % len(self.jobs)]
        field = "mail:confirmed" if notice else ""
        order = job.name.split(":")[1 if not job.name.startswith("mail") else 2]

        def call() -> None:
            self._call(
                lambda: self.store.scripts.finish_due(job, order=order, field=field),
                lambda now: self.model.finish(
                    now, job.name, job.lease, order, field, delay_ms=0, fresh=True
                ),
            )

        self._send(call, repeats, same=not notice)

    @precondition(lambda self: self.jobs)
    @rule(which=st.integers(0, 99), fresh=st.booleans(), repeats=times)
    def postpone_due(self, which: int, fresh: bool, repeats: int) -> None:
        job = self.jobs[which % len(self.jobs)]

        def call() -> None:
            postpone = self.store.scripts.postpone_due
            self._call(
                lambda: postpone(job, order=UNKNOWN, delay_ms=HOUR, fresh=fresh),
                lambda now: self.model.finish(
                    now, job.name, job.lease, UNKNOWN, "", delay_ms=HOUR, fresh=fresh
                ),
            )

        self._send(call, repeats)

    # Repeats.

    @precondition(lambda self: self.earlier)
    @rule(which=st.integers(0, 99), repeats=times)
    def repeat_an_earlier_call(self, which: int, repeats: int) -> None:
        call, same = self.earlier[which % len(self.earlier)]
        self._send(call, repeats, same=same)

    # What must be true after each of them.

    @invariant()
    def the_books_are_as_the_model_says(self) -> None:
        snapshot = self.store.snapshot()
        levels = {
            sku: {name: getattr(level, name) for name in COUNTERS}
            for sku, level in snapshot.levels.items()
        }
        assert levels == self.model.levels
        self._check_counters(levels)
        orders = self.model.orders
        assert snapshot.states == {name: one.state for name, one in orders.items()}
        assert snapshot.units == {
            name: (one.at, dict(one.lines)) for name, one in orders.items() if one.at != "none"
        }
        assert snapshot.holds == {
            name: one.deadline for name, one in orders.items() if one.at == "held"
        }
        assert snapshot.due.keys() == self.model.due.keys()
        for job, at in snapshot.due.items():
            assert self.model.due[job].lo <= at <= self.model.due[job].hi

    def _check_counters(self, levels: dict[str, dict[str, int]]) -> None:
        """I1 to I3 as counted from the orders, and I11 as replayed from the ledger."""
        for sku, level in levels.items():
            assert min(level.values()) >= 0
            parts = level["available"] + level["held"] + level["sold"] + level["written_off"]
            assert level["stocked"] == parts
            for at in ("held", "sold"):
                kept = [one.lines.get(sku, 0) for one in self.model.orders.values() if one.at == at]
                assert level[at] == sum(kept)
        said = []
        for entry, fields in self.client.xrange(self.store.keys.name("ledger"), self.read_to):
            now = self.replayed.setdefault(fields["sku"], Counter())
            quantity = int(fields["quantity"])
            now[fields["origin"] or "stocked"] += -quantity if fields["origin"] else quantity
            now[fields["target"]] += quantity
            assert {name: now[name] for name in COUNTERS} == {n: int(fields[n]) for n in COUNTERS}
            moved = (fields["origin"], fields["target"], fields["order"])
            said.append((fields["what"], fields["sku"], quantity, *moved))
            self.read_to = f"({entry}"
        assert sorted(said) == sorted(self.model.ledger)
        self.model.ledger.clear()
        for sku, level in levels.items():
            assert level == {name: self.replayed.get(sku, Counter())[name] for name in COUNTERS}

    @invariant()
    def the_orders_are_as_the_model_says(self) -> None:
        for order in self.store.orders.get_many(list(self.model.orders)):
            one = self.model.orders[order.id]
            assert (order.state, order.reason, order.units) == (one.state, one.reason, one.at)
            assert (order.session, list(order.sessions)) == (one.session, one.sessions)
            assert (order.session_version, order.email) == (one.version, one.email)
            assert order.payments == one.payments
            assert order.refund_reasons == one.refund_reasons
            refunds = {r.id: (r.payment_intent, r.amount, r.status) for r in order.refunds}
            assert refunds == one.refunds
            assert order.notices.keys() == {n.removeprefix("mail:") for n in one.notices}

    def teardown(self) -> None:
        """At the end of a run that went well: every index, mark and time to live."""
        if not self.sound:
            return
        assert broken(self.store) == []
        for name, one in self.model.orders.items():
            left = self.client.pttl(self.store.keys.hold(name))
            assert one.hold == ("timed" if left > 0 else {-1: "kept", -2: "gone"}[left])
        assert {job.name: job.tries for job in self.store.due.jobs() if job.tries} == (
            self.model.tries
        )
        keys = self.store.keys
        for mark, names in (("seen:", self.model.seen), ("restock:", self.model.restocked)):
            found = set(self.client.scan_iter(keys.name(f"{mark}*")))
            assert found == {keys.name(mark + name) for name in names}


def limits(examples: int, **more: Any) -> settings:
    """How long Hypothesis looks."""
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        # Not Phase.explain: tracing every line would make it ten times slower.
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        **more,
    )


def machine(redis_client: redis.Redis, mutate: Mutate | None = None) -> type[Storage]:
    """The machine over this Redis, with scripts whose texts were changed."""
    return type("Machine", (Storage,), {"client": redis_client, "mutate": staticmethod(mutate)})


def test_the_same_runs_as_always_leave_what_the_model_says(redis_client: redis.Redis) -> None:
    run_state_machine_as_test(machine(redis_client), settings=limits(60, derandomize=True))


def test_fresh_runs_leave_what_the_model_says(
    redis_client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("STATE_MACHINE_SEED") or secrets.randbits(32))
    with capsys.disabled():
        print(f"\nSTATE_MACHINE_SEED={seed}")
    fresh = hypothesis.seed(seed)(machine(redis_client))
    run_state_machine_as_test(fresh, settings=limits(60))
