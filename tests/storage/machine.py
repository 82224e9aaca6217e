"""Every call to the storage's scripts, as moves of a Hypothesis state machine.

Hypothesis chooses the calls: late, doubled, out of order, for orders that do not exist, with sessions
that are not the order's. After each one the counters, orders, holds, ledger and due jobs are held
against the model, and the invariants I1 to I3 and I11 are counted anew.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import redis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from storefront.domain.orders import Line, basket_of, total
from storefront.storage.answers import HoldAnswer, Job, Limits, Wanted
from tests.books import broken, needed
from tests.storage.choices import (
    HOUR,
    LEASE_MS,
    NEVER_OPENS,
    NOW,
    PRICE,
    UNKNOWN,
    amounts,
    any_or_none,
    baskets,
    emails,
    events,
    first,
    needs_order,
    orders,
    payment_of,
    reasons,
    session_of,
    skus,
    statuses,
    times,
    waits,
)
from tests.storage.machine_authorizing import Authorizing
from tests.storage.model import COUNTERS, IMPOSSIBLE, MOST_OVERDUE, ShopModel, Span
from tests.storage.walker import Walker

READ: dict[str, Callable[[Any, str], object]] = {
    "string": lambda pipe, key: pipe.get(key),
    "hash": lambda pipe, key: pipe.hgetall(key),
    "zset": lambda pipe, key: pipe.zrange(key, 0, -1, withscores=True),
    "stream": lambda pipe, key: pipe.xrange(key),
}
"""How a key of each type is read."""


class Storage(Authorizing, Walker):
    """One shop's storage and the model of it, through the same calls."""

    def __init__(self) -> None:
        super().__init__()
        self.model = ShopModel()
        self.earlier: list[tuple[Callable[[], None], bool]] = []
        self.made = 0
        self.jobs: list[Job] = []
        self.replayed: dict[str, Counter[str]] = {}
        self.read_to = "-"
        self.sound = True

    # How a call is made.

    def _begin(self) -> int:
        """The time of a call that follows (ms)."""
        self._move_clock()
        return self.store.now()

    def _call(
        self, send: Callable[[], Any], expect: Callable[[Span], Any], event: str = ""
    ) -> None:
        """Send a call, ask the model what its answer must be, and compare them."""
        before = self._begin()
        try:
            got = send()
        except redis.ResponseError:
            got = IMPOSSIBLE
        expected = expect(Span(before, self.store.now()))
        assert got == expected
        if event and got not in {IMPOSSIBLE, "unknown_order"}:
            self.model.seen.add(event)

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
        """Every key's value and end, but the figures, and the marks that a repeat sets again."""
        keys = [
            key
            for key in sorted(self.client.keys())
            if ":seen:" not in key and not key.endswith(":metrics")
        ]
        pipe = self.client.pipeline()
        for key in keys:
            pipe.type(key)
        for key, kind in zip(keys, pipe.execute(), strict=True):
            READ[kind](pipe, key)
            pipe.pexpiretime(key)
        found = pipe.execute()
        return dict(zip(keys, zip(found[::2], found[1::2], strict=True), strict=True))

    def _order(self, which: int) -> str:
        """An order that exists, counted from the newest."""
        names = list(self.model.orders)
        return names[-1 - which % len(names)]

    def _ask(self, script: str, order: str, repeats: int = 1, event: str = "", **ask: Any) -> None:
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

    @initialize(
        a=st.integers(1, 4),
        b=st.integers(0, 4),
        c=st.sampled_from([2, 0]),
        wanted=st.lists(baskets, min_size=1, max_size=3),
        steps=st.integers(0, 4),
    )
    def open_the_shop(
        self, a: int, b: int, c: int, wanted: list[dict[str, int]], steps: int
    ) -> None:
        """Goods, and some first orders."""
        self._publish(a=a, b=b, c=c)
        for basket in wanted:
            self.begin_the_usual_way(basket, steps, HOUR)

    def _publish(self, **stock: int) -> None:
        def call() -> None:
            publish = self.store.scripts.publish_catalogue
            self._call(
                lambda: set(publish({}, stock, version="v", who="tests")),
                lambda now: self.model.publish_catalogue(now, stock),
            )

        self._send(call, 2)

    @rule(
        sku=skus,
        delta=st.sampled_from([1, 2, -1, -2, -4]),
        key=st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"]),
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
        wanted=baskets,
        limit=st.sampled_from([3, 3, 3, 2]),
        opens_at=st.sampled_from([0, 0, 0, 0, NEVER_OPENS]),
        visitor=st.sampled_from(["ada", "ada", "ada", "bob", ""]),
        address=st.sampled_from(["home", ""]),
        limits=st.sampled_from([Limits(0, 0), Limits(1, 0), Limits(1, 0), Limits(0, 1)]),
        hold_ms=waits,
        ask_ms=waits,
        repeats=times,
    )
    def hold_stock(self, **ask: Any) -> None:
        self._hold(**ask)

    @rule(wanted=baskets, steps=st.integers(0, 4), hold_ms=waits)
    def begin_the_usual_way(self, wanted: dict[str, int], steps: int, hold_ms: int) -> None:
        """A hold, and what usually follows."""
        self._hold(wanted, 3, 0, "", "", Limits(0, 0), hold_ms, HOUR, 1)
        for _ in range(steps if f"o{self.made:03}" in self.model.orders else 0):
            self.go_the_usual_way(0)

    def _hold(
        self,
        wanted: dict[str, int],
        limit: int,
        opens_at: int,
        visitor: str,
        address: str,
        limits: Limits,
        hold_ms: int,
        ask_ms: int,
        repeats: int,
    ) -> None:
        self.made += 1
        order = f"o{self.made:03}"
        lines = [Line(sku, number, PRICE) for sku, number in wanted.items()]

        def call() -> None:
            before = self._begin()
            answer = self.store.scripts.hold_stock(
                order,
                [Wanted(line, limit, opens_at) for line in lines],
                basket=basket_of(wanted),
                currency="usd",
                amount=total(lines),
                visitor=visitor,
                address=address,
                limits=limits,
                hold_ms=hold_ms,
                grace_ms=HOUR,
                session_seconds=1920,
                ask_ms=ask_ms,
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
                visitor=visitor,
                address=address,
                limits=limits,
                hold_ms=hold_ms,
                ask_ms=ask_ms,
                created=found.created if found else 0,
            )
            _compare(answer, expected)

        self._send(call, repeats)

    @needs_order
    @rule(which=orders)
    def go_the_usual_way(self, which: int) -> None:
        """An order's next step when nothing goes wrong."""
        order = self._order(which)
        match self.model.orders[order].state:
            case "pending":
                self._ask("attach_session", order, session=f"cs_{order}_1", url="https://x")
            case "open" | "processing" | "released":
                self.settle_payment(which, 1, 1, PRICE, "ada@example.com", 1, "")
            case "authorized":
                self.settle_payment(which, 1, 1, PRICE, "ada@example.com", 1, "")
            case "void_due":
                self.void_payment(which, 1, "lapsed", 1, "")
            case "paid" | "refund_due":
                self.record_refund(which, 1, 1, PRICE, "succeeded", HOUR, 1, "")

    @needs_order
    @rule(which=orders, gone=st.booleans(), number=first)
    def pay_too_late(self, which: int, gone: bool, number: int) -> None:
        """A payment for an order that was released; somebody else may have its units by then."""
        order = self._order(which)
        release = {"version": 1, "reason": "expired", "who": "admin"}
        self._ask("release_hold", order, session="", **release)
        for sku in self.model.orders[order].lines if gone else ():
            if free := self.model.levels[sku]["available"]:
                self._hold({sku: free}, free, 0, "", "", Limits(0, 0), HOUR, HOUR, 1)
        late = {"amount": 2 * PRICE, "email": "", "session": session_of(order, number)}
        self._ask("settle_payment", order, payment_intent=payment_of(order, number), **late)

    @needs_order
    @rule(
        which=orders,
        session=first,
        wrong=st.booleans(),
        of=first,
        part=st.sampled_from([PRICE, 2 * PRICE, 2 * PRICE]),
        times=st.integers(1, 2),
    )
    def pay_twice(
        self, which: int, session: int, wrong: bool, of: int, part: int, times: int
    ) -> None:
        """Two payments for one order, the second perhaps wrong; all or a part of one goes back."""
        order = self._order(which)
        paid = {"amount": 2 * PRICE, "email": ""}
        first, second = (payment_of(order, number) for number in (1, 2))
        bought = session_of(order, session)
        self._ask("settle_payment", order, payment_intent=first, session=bought, **paid)
        if wrong:
            self._ask("review_order", order, payment_intent=second, reason="look at it", **paid)
        else:
            self._ask("settle_payment", order, payment_intent=second, session=bought, **paid)
        for refund in range(1, times + 1):
            self.record_refund(which, of, refund, part, "succeeded", HOUR, 1, "")

    @precondition(lambda self: len(self.model.orders) > 1)
    @rule(which=orders, whose=orders, wrong=st.booleans())
    def pay_with_anothers_payment(self, which: int, whose: int, wrong: bool) -> None:
        """One payment buys one order, whatever its metadata say."""
        order, payment = self._order(which), payment_of(self._order(whose), 1)
        if wrong:
            more = {"reason": "look at it", "payment_intent": payment, "amount": PRICE}
            self._ask("review_order", order, email="", **more)
        else:
            more = {"session": "", "payment_intent": payment, "amount": PRICE}
            self._ask("settle_payment", order, email="", **more)

    @precondition(lambda self: self._pending())
    @rule(version=first, renewed=st.booleans())
    def hear_that_no_session_exists(self, version: int, renewed: bool) -> None:
        """Stripe's word about one key counts for that key only."""
        order = self._pending()
        if renewed:
            now = self.model.orders[order].version
            self._ask("renew_session", order, version=now, session_seconds=1920)
        release = {"session": "", "reason": "expired", "who": ""}
        self._ask("release_hold", order, version=version, **release)

    def _pending(self) -> str:
        """An order that has no session yet, if there is one."""
        orders = self.model.orders
        return next((o for o, one in orders.items() if one.state == "pending"), "")

    @needs_order
    @rule(which=orders, number=first, repeats=times, ending=st.sampled_from(["", "expired"]))
    def attach_session(self, which: int, number: int, repeats: int, ending: str) -> None:
        order = self._order(which)
        asked = {"session": session_of(order, number), "url": "https://x", "ending": ending}
        self._ask("attach_session", order, repeats, **asked)

    @needs_order
    @rule(which=orders, version=first, repeats=times)
    def renew_session(self, which: int, version: int, repeats: int) -> None:
        """The answer to a repeat is that somebody went on, which is true."""
        self._ask(
            "renew_session", self._order(which), repeats, version=version, session_seconds=1920
        )

    @needs_order
    @rule(
        which=orders,
        number=first,
        session=any_or_none,
        amount=amounts,
        email=emails,
        repeats=times,
        event=events,
    )
    def settle_payment(
        self,
        which: int,
        number: int,
        session: int,
        amount: int,
        email: str,
        repeats: int,
        event: str,
    ) -> None:
        order = self._order(which)
        self._ask(
            "settle_payment",
            order,
            repeats,
            event,
            payment_intent=payment_of(order, number),
            session=session_of(order, session),
            amount=amount,
            email=email,
        )

    @needs_order
    @rule(which=orders, number=first, email=emails, ask_ms=waits, repeats=times, event=events)
    def mark_processing(
        self, which: int, number: int, email: str, ask_ms: int, repeats: int, event: str
    ) -> None:
        order = self._order(which)
        self._ask(
            "mark_processing",
            order,
            repeats,
            event,
            payment_intent=payment_of(order, number),
            session=session_of(order, number),
            email=email,
            ask_ms=ask_ms,
        )

    @needs_order
    @rule(
        which=orders,
        session=any_or_none,
        version=first,
        reason=reasons,
        who=st.sampled_from(["", "", "", "admin"]),
        repeats=times,
        event=events,
    )
    def release_hold(self, which: int, session: int, repeats: int, event: str, **ask: Any) -> None:
        order = self._order(which)
        self._ask("release_hold", order, repeats, event, session=session_of(order, session), **ask)

    @needs_order
    @rule(which=orders, number=st.sampled_from([0, 1, 2]), email=emails, event=events)
    def review_order(self, which: int, number: int, email: str, event: str) -> None:
        order = self._order(which)
        self._ask(
            "review_order",
            order,
            2,
            event,
            reason="look at it",
            payment_intent=payment_of(order, number),
            amount=2 * PRICE if number else 0,
            email=email,
        )

    @needs_order
    @rule(
        which=orders,
        number=first,
        refund=first,
        amount=amounts,
        status=statuses,
        again_ms=waits,
        repeats=times,
        event=events,
    )
    def record_refund(
        self,
        which: int,
        number: int,
        refund: int,
        amount: int,
        status: str,
        again_ms: int,
        repeats: int,
        event: str,
    ) -> None:
        order = self._order(which)
        known = sorted(self.model.orders[order].payments)
        self._ask(
            "record_refund",
            order,
            repeats,
            event,
            payment_intent=known[number % len(known)] if known else payment_of(order, number),
            refund=f"re_{order}_{number}_{refund}",
            amount=amount,
            status=status,
            reason="asked for",
            again_ms=again_ms,
        )

    @rule(
        what=st.sampled_from(["end", "no sku", "no order", "publish", "tell", "wish"]),
        event=events,
    )
    def do_something_rare(self, what: str, event: str) -> None:
        orders = self.model.orders
        if what == "end" and orders:
            self.store.scripts.note_ending(self._order(0), "cancelled")
            orders[self._order(0)].ending = "cancelled"
        elif what == "no sku":
            self._hold({"d": 1}, 3, 0, "", "", Limits(0, 0), HOUR, HOUR, 2)
        elif what == "publish":
            self._publish(a=9, d=1)
        elif what == "tell" and orders:
            self._ask("note_email", self._order(0), 2, email="Ada@example.com")
        elif what == "wish":
            self._wish("ADA@example.com")
        else:
            self._hear_of_nobodys_order(event)

    @needs_order
    @rule(which=orders, number=first, back=st.booleans(), repeats=times)
    def hand_over(self, which: int, number: int, back: bool, repeats: int) -> None:
        """The goods are fetched, or that was a mistake."""
        order, key = self._order(which), f"scan-{number}"
        scripts = self.store.scripts

        def send() -> str:
            if back:
                return scripts.take_back(order, key=key, who="tests")
            return scripts.hand_over(order, key=key, who="tests", units={}).word

        def expect(now: Span) -> str:
            return (self.model.take_back if back else self.model.hand_over)(now, order, key)

        self._send(lambda: self._call(send, expect), repeats)

    def _wish(self, email: str) -> None:
        """To be mailed one's orders."""

        def call() -> None:
            self._call(
                lambda: self.store.scripts.mail_orders(email, pause_ms=HOUR),
                lambda now: self.model.mail_orders(now, email),
            )

        self._send(call)

    def _hear_of_nobodys_order(self, event: str) -> None:
        """No script invents an order."""
        payment = {"payment_intent": "pi_x", "email": "", "session": "cs_x"}
        self._ask("attach_session", UNKNOWN, session="cs_x", url="https://x")
        self._ask("renew_session", UNKNOWN, version=1, session_seconds=1920)
        self._ask("settle_payment", UNKNOWN, 1, event, amount=PRICE, **payment)
        self._ask("mark_processing", UNKNOWN, 1, event, ask_ms=NOW, **payment)
        agreed = {"amount": PRICE, "capture_before": 0}
        self._ask("authorize_payment", UNKNOWN, 1, event, **agreed, **payment)
        self._ask("void_payment", UNKNOWN, 1, event, payment_intent="pi_x", reason="lapsed")
        self._ask("cancel_authorized", UNKNOWN, 1, to="available", reason="x", who="admin")
        release = {"session": "cs_x", "version": 1, "reason": "expired", "who": ""}
        self._ask("release_hold", UNKNOWN, 1, event, **release)
        self._ask("note_email", UNKNOWN, email="ada@example.com")

    # What is due.

    @rule(limit=st.sampled_from([1, 2, 50]), lease_ms=st.sampled_from([NOW, LEASE_MS]))
    def claim_due(self, limit: int, lease_ms: int) -> None:
        before = self._begin()
        jobs = self.store.scripts.claim_due(limit=limit, lease_ms=lease_ms)
        now = Span(before, self.store.now())
        names = [job.name for job in jobs]
        for job in jobs:
            assert now.lo + lease_ms <= job.lease <= now.hi + lease_ms
        assert self.model.claim(now, names, jobs[0].lease if jobs else 0, limit) == ""
        for job in jobs:
            assert job.tries == self.model.tries[job.name]
            assert job.late_ms >= 0
        self.jobs += jobs

    @precondition(lambda self: self.jobs)
    @rule(
        which=orders,
        delay_ms=st.sampled_from([0, 0, HOUR]),
        notice=st.booleans(),
        fresh=st.booleans(),
        repeats=times,
    )
    def come_back_with_a_job(
        self, which: int, delay_ms: int, notice: bool, fresh: bool, repeats: int
    ) -> None:
        """A worker is done with a job that it took lately, or puts it back."""
        job = self.jobs[-1 - which % len(self.jobs)]
        order = job.name.split(":")[2 if job.name.startswith("mail:") else 1]
        stored = self.store.orders.get_many([order])
        if stored and job.name in needed(*stored):
            delay_ms = HOUR  # no worker takes a job off the list that is not done
        field = "mail:confirmed" if notice and not delay_ms else ""
        scripts = self.store.scripts

        def send() -> str:
            if delay_ms:
                return scripts.postpone_due(job, order=order, delay_ms=delay_ms, fresh=fresh)
            return scripts.finish_due(job, order=order, field=field)

        def expect(now: Span) -> str:
            return self.model.finish(now, job.name, job.lease, order, field, delay_ms, fresh)

        self._send(lambda: self._call(send, expect), repeats, same=not field)

    # Repeats.

    @precondition(lambda self: len(self.earlier) > 3)
    @rule(back=st.integers(0, 20), repeats=times)
    def repeat_an_earlier_call(self, back: int, repeats: int) -> None:
        call, same = self.earlier[-1 - back % len(self.earlier)]
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
            assert (order.authorizations, order.voided) == (one.authorizations, one.voided)
            assert order.capture_before == one.capture_before
            assert order.void_reasons == one.void_reasons
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
        keys = self.store.keys
        tries = self.client.hgetall(keys.name("tries"))
        assert {job: int(number) for job, number in tries.items()} == self.model.tries
        for mark, names in (("seen:", self.model.seen), ("restock:", self.model.restocked)):
            found = set(self.client.scan_iter(keys.name(f"{mark}*")))
            assert found == {keys.name(mark + name) for name in names}


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
