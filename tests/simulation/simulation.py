"""One seed: who acts next, what becomes of each call, when time passes; and then the rest."""

import random as randomness
import re
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

from storefront.domain.orders import State
from storefront.services import audit, mirroring, reconciliation, work
from tests.fakes.faults import Fault
from tests.simulation.acts import Act, check_answer
from tests.simulation.counter import Counter
from tests.simulation.links import Links
from tests.simulation.outside import Bank, Mishaps
from tests.simulation.plan import Fixed, Plan, draw
from tests.simulation.post import Post
from tests.simulation.promises import Promises
from tests.simulation.rebuilds import rebuild
from tests.simulation.restarts import Restarts
from tests.simulation.shopper import Shopper
from tests.simulation.staff import Operator, Worker
from tests.simulation.story import Story
from tests.simulation.tasks import Fate, Task
from tests.simulation.town import OPENING, Ground, Town
from tests.simulation.truth import Broken, Truth
from tests.simulation.waiter import Waiter

NAMES = ("ada", "bob", "cyd", "dee")
MOST_JOBS = 600
"""More than the longest seed leaves to do."""
SOON_MS = 7 * 24 * 3600_000
"""By then everything is done, a hold's deadline and a mail server's longest pause included."""
WHILES = (1000, 1000, 20_000, 20_000, 300_000, 300_000, 3600_000, 40 * 3600_000)
"""How long nothing may happen (ms)."""
READS = re.compile("h?get|time|zrange|exists|hmget")
RARE = re.compile("create_refund|refunds$|cancel_intent|void_payment|record_refund|voided|capture ")
LONGEST_FLIGHT_MS = 12 * 3600_000
"""No request is on its way to Stripe for so long."""
LAST_CRASHES = 3
"""So much more often the last worker ends: refunds are mostly its work."""
MOST_TASKS = 6
"""Requests at once."""
AGAIN_AND_AGAIN = frozenset({reconciliation.JOB, mirroring.JOB})
"""What is always due again."""
Ended = Callable[[Task], None]


class Simulation:
    """A run that depends on nothing but its seed."""

    def __init__(
        self, ground: Ground, seed: int, fixed: Fixed | None = None, *, story: bool = False
    ) -> None:
        self.seed = seed
        self.random = Random(seed)
        randomness.seed(seed)  # the shop's own jitter
        self.plan: Plan = draw(self.random, fixed)
        self.steps = 0
        self.tasks: list[Task] = []
        self._ended: dict[Task, Ended] = {}
        self._faulty = True
        self._audited = -1
        """At which change of the books the shop checked them last."""
        ground.line.running = None
        self.town = Town(ground, self.plan, self._mail_fails)
        self.shop = self.town.shop
        self.story = Story(self) if story else None
        ground.line.heard = self.story.heard if self.story else None
        self.truth = Truth(opening=dict(self.plan.stock))
        self.promises = Promises(self.town, self.truth)
        self.town.stripe.wire.choose = self._fault
        if self.plan.slow_refunds:
            self.town.stripe.refund_status = self.random.choice(("pending", "succeeded"))
        addresses = [f"192.0.2.{self.random.choice((1, n))}" for n in range(self.plan.shoppers)]
        self.bank = Bank(self)
        self.post = Post(self)
        self._shoppers = [
            Shopper(self, name, address) for name, address in zip(NAMES, addresses, strict=False)
        ]
        self._links = Links(self)
        self._counter = Counter(self)
        self._waiters = [Waiter(self, one) for one in self._shoppers if self.plan.waiting]
        self._mishaps = Mishaps(self)
        self.restarts = Restarts(self)
        self._workers = [Worker(self, f"worker {n + 1}") for n in range(self.plan.workers)]
        self._operators = [Operator(self)] if self.plan.operator else []
        if self.plan.reconciling and self.plan.workers:
            work.begin(self.shop)
        if not self.plan.workers:
            self.trouble("neither worker nor reconciler")
        self.trouble(f"a shop with {self.plan.capture} capture on a page {self.plan.ui}")

    def run(self) -> None:
        """Raises Broken at the first promise that is."""
        self.promises.check()
        for _ in range(self.plan.steps):
            if not self._turn():
                break
            self.steps += 1
            self.post.collect()
            self.promises.check()
            if self.seed % 16 == 5 and self.town.redis.changes != self._audited:
                self._audited = self.town.redis.changes
                self._audit(with_stripe=False)
        self._quiet()
        self.truth.tally()

    # For the actors.

    def now(self) -> int:
        return self.town.clock.ms

    def due_at(self) -> float:
        """When the next job is due (ms)."""
        return min(self.promises.view.zset("due").values(), default=float("inf"))

    @property
    def stripe_away_until(self) -> int:
        """Stripe cannot be reached before (ms)."""
        return self._mishaps.away_until

    def is_open(self, session: str) -> bool:
        """Whether Stripe would still take a payment in it."""
        found = self.promises.view.session(session)
        return found["status"] == "open" and found["expires_at"] * 1000 > self.now()

    def given_away(self) -> bool:
        """Whether units were given back by hand whose payment page may still be open."""
        view = self.promises.view
        return any(view.units_at(order) == "none" for order in self.truth.by_hand)

    def show(self, visitor: str, session: str) -> None:
        """The visitor has this payment page open."""
        for one in self._shoppers:
            if one.name == visitor:
                one.show(session)

    def cut_off(self) -> None:
        """Redis ends: of what is asked of it at this moment, some is never answered."""
        for task in [task for task in self.tasks if task.call and task.call[0] == "redis"]:
            if self.random.random() < 0.5:
                self._step(task, Fate.LOST_REQUEST)

    def pass_on(self, ms: int) -> None:
        """So much time passes."""
        self._move_to(self.now() + ms)

    def trouble(self, kind: str) -> None:
        """Something went wrong, or happened at a bad moment."""
        self.truth.troubles[kind] += 1

    def request(self, name: str, run: Callable[[], Any], ended: Ended = check_answer) -> None:
        """A web process takes a request."""
        web = f"web {self.random.randint(1, self.plan.webs)}"
        if any(task.process.startswith("web") and task.process != web for task in self.tasks):
            self.trouble("two web processes at work")
        self.begin(Task(name, web, run), ended)

    def begin(self, task: Task, ended: Ended) -> None:
        self.tell(task.process, f"begins: {task.name}")
        self.tasks.append(task)
        self._ended[task] = ended
        self._step(task, Fate.DONE)

    def tell(self, who: str, what: str) -> None:
        if self.story:
            self.story.tell(who, what)

    # One step.

    def _turn(self) -> bool:
        """Do one thing; False when there is nothing left to do."""
        if not self.tasks and not self._anything_ahead():
            return False
        acts: list[Act] = [(4.0, partial(self._go_on, task)) for task in self.tasks]
        if len(self.tasks) < MOST_TASKS:
            acts += self._offers()
        if not self.tasks or self.random.random() < self.plan.stall:
            acts.append((1.0, self._pass_time))
        if self.town.stripe.wire._in_flight:
            acts.append((0.5, self._arrive))
        _, act = self.random.choices(acts, [weight for weight, _ in acts])[0]
        act()
        return True

    def _anything_ahead(self) -> bool:
        if (
            any(one.waits for one in (*self._shoppers, *self._waiters, self._links, self._counter))
            or self.post.times()
        ):
            return True
        if self._workers and self.due_at() < self.now() + SOON_MS:
            return True
        return bool(self._operators and self.promises.view.zset("holds"))

    def _offers(self) -> Iterator[Act]:
        yield from self.post.acts()
        yield from self.bank.acts()
        yield from self._mishaps.acts()
        yield from self.restarts.acts()
        yield from self._links.acts()
        yield from self._counter.acts()
        for actor in (*self._shoppers, *self._waiters, *self._workers, *self._operators):
            yield from actor.acts()

    def _go_on(self, task: Task, crashing: float = 1) -> None:
        self.town.clock.ms += self.random.choice((0, 0, 1, 20, 300))
        where, name = task.call or ("", "")
        chance = self.random.random
        # A process that only read leaves nothing half done.
        crashing *= 0.3 if where == "redis" and READS.match(name) else 2
        # Refunds and voids are rare, and what ends a process in the midst of one must not be.
        crashing *= 6 if RARE.match(name) else 1
        if chance() < self.plan.crash * crashing:
            self.crash(task.process)
        elif where == "redis" and chance() < self.plan.redis:
            fate = self.random.choice((Fate.LOST_REQUEST, Fate.LOST_REPLY, Fate.RESET))
            self.trouble(f"Redis: {fate}")
            self._step(task, fate)
        else:
            self._step(task, Fate.DONE)

    def crash(self, process: str) -> None:
        """The process ends, with all its threads; what they had sent may still arrive."""
        self.tell(process, "crashes")
        for task in [task for task in self.tasks if task.process == process]:
            fate = self.random.choice((Fate.CRASH_BEFORE, Fate.CRASH_AFTER))
            where, name = task.call or ("", "")
            self.trouble(f"{fate} {where} {name.split()[0]}")
            self._step(task, fate)

    def _step(self, task: Task, fate: Fate) -> None:
        self.town.line.step(task, fate)
        if not task.over:
            return
        self.tasks.remove(task)
        if self.story:
            self.story.ended(task)
        self._ended.pop(task)(task)

    def _arrive(self) -> None:
        self.tell("Stripe", "gets a late request")
        known = {session["id"] for session in self.promises.view.sessions()}
        late = self.town.stripe.wire.arrive()
        self.truth.overtaken |= any(key.startswith("product:") for key in late)
        if self.truth.lossy:
            made = {session["id"] for session in self.promises.view.sessions()}
            self.truth.astray |= made - known

    def _pass_time(self) -> None:
        """Up to what comes next, exactly to it or a moment beside it, or just for a while."""
        now = self.now()
        if self.tasks:
            self.trouble("a process is paused")
        moments = [now + self.random.choice(WHILES)]
        due = self.due_at()
        if due > now and due != float("inf"):
            moments += [int(due)] * 3
        for deadline in self.promises.view.zset("holds").values():
            moments.append(int(deadline) + self.random.choice((-1, 0, 1, 1000, 400_000, 400_000)))
        for session in self.town.stripe.sessions.values():
            if session["status"] == "open":
                end = session["expires_at"] * 1000
                moments += [end + self.random.choice((-1000, -1, 0, 1))] * 2
        for until in self.town.stripe._authorized.values():
            moments.append(until * 1000 + self.random.choice((-1000, 0)))
        for fields in self.promises.view.orders().values():
            if fields["state"] == State.PENDING:
                # Stripe takes the request for its session no more, now or soon.
                soon = self.random.choice((1_809_000, 1_801_000, 1_800_000, 1_769_000))
                moments += [int(fields["expires_at"]) * 1000 - soon] * 2
        moments += [at for at in self.post.times() if at > now]
        if self._mishaps.away_until > now:
            moments.append(self._mishaps.away_until)
        self._move_to(self.random.choice([moment for moment in moments if moment >= now] or [now]))

    def _move_to(self, at: int) -> None:
        if at > self.now():
            if at - self.now() > LONGEST_FLIGHT_MS and self.town.stripe.wire._in_flight:
                self._arrive()
            self.town.clock.ms = at
            self.town.stripe._age()
            self.tell("time", "passes")

    def _fault(self, call: str) -> Fault | None:
        if not self._faulty:
            return None
        if self.now() < self._mishaps.away_until:
            self.trouble("Stripe is away")
            return Fault.LOST_REQUEST
        # Refunds are rare, and what goes wrong with them must not be; nor what comes late.
        chance = self.plan.stripe * (3 if call == "create_refund" else 1)
        if self.random.random() >= chance:
            return None
        fault = self.random.choice(self.plan.faults)
        if (
            call == "create_session"
            and Fault.LATE in self.plan.faults
            and self.random.random() < 0.3
        ):
            fault = Fault.LATE
        self.trouble(f"Stripe: {fault}")
        return fault

    def _mail_fails(self) -> bool:
        fails = self._faulty and self.random.random() < self.plan.mail
        if fails:
            self.trouble("a mail cannot go out")
        return fails

    # The end: nothing goes wrong any more, and all that is left to do is done.

    def _quiet(self) -> None:
        self.tell("everybody", "leaves; what has begun is brought to its end")
        self._end_tasks()
        for _ in range(self.random.choice((0, 5, 20))):  # the last faults hit a worker at work
            if (at := self.due_at()) > self.now() + SOON_MS:
                break
            self._move_to(int(at))
            run = partial(work.run_due, self.shop, 1)
            self.begin(Task("the last worker works", "worker 9", run), check_answer)
            while self.tasks:
                self._go_on(self.tasks[0], crashing=LAST_CRASHES)
                self.promises.check()
        self._faulty = False
        self.town.stripe.wire.choose = None
        self.tell("everything", "works from here")
        self._arrive()
        self.bank.finish()
        self.town.stripe.refund_status = "succeeded"
        self.post.collect()
        self.promises.check()
        self.restarts.finish()
        self._links.finish()
        if not self.plan.silent_end:
            self.post.deliver_all(again=False)
        self._work_to_rest()
        self._counter.finish()
        self._end_tasks()
        self._work_to_rest()
        disputed = self.truth.troubles["a payment is disputed"]
        if self.truth.back_by_hand or self.truth.twins or self.restarts.losses or disputed:
            # A refund made in Stripe's dashboard asks nothing of the shop, nor does a dispute, nor a
            # session that it does not know: when the webhooks were lost, only the walk through what
            # Stripe has, which every worker does, can find them.
            reconciliation.reconcile(self.shop, since=OPENING // 1000)
            self._links.finish()  # it brings links back, too, of which Redis lost everything
            self._work_to_rest()
        if self.restarts.losses or self.truth.overtaken:
            mirroring.mirror_again(self.shop)
            self._work_to_rest()
        self.promises.rest()
        if self.seed % 4 == 0:
            self._afterwards()
        elif self.seed % 4 == 1:
            rebuild(self, self._work_to_rest)
            self._work_to_rest()
            self.promises.rest()

    def _end_tasks(self) -> None:
        while self.tasks:
            self._step(self.random.choice(self.tasks), Fate.DONE)
            self.promises.check()

    def _work_to_rest(self) -> None:
        """A worker that nothing stops does what is due until nothing is."""
        since = self.now()
        for _ in range(MOST_JOBS):
            jobs = self.promises.view.zset("due")
            left = [at for job, at in jobs.items() if job not in AGAIN_AND_AGAIN]
            if not left:
                return
            if (at := min(left)) > self.now():
                if at > since + SOON_MS:
                    raise Broken("never at rest", f"due in {int(at - since)} ms: {sorted(jobs)}")
                self._move_to(int(at))
                self.promises.late(since)
            if self.story:
                self.tell("worker", f"does {min(jobs, key=lambda job: (jobs[job], job))}")
            links = frozenset(self.promises.view.links())
            work.run_due(self.shop, 1)
            self.promises.check()
            if self.restarts.losses:  # one that sells is looked at every minute, until it is closed
                self._links.finish_new(links)
        raise Broken("never at rest", f"still due: {sorted(self.promises.view.zset('due'))}")

    def _afterwards(self) -> None:
        """Days later every event comes once more, and nothing changes; the shop agrees with us."""
        before = {sku: dict(self.promises.view.level(sku)) for sku in self.plan.stock}
        self._move_to(self.now() + 4 * 24 * 3600_000)
        self.post.deliver_all(again=True)
        self._work_to_rest()
        self.promises.rest()
        after = {sku: dict(self.promises.view.level(sku)) for sku in self.plan.stock}
        if before != after:
            raise Broken("old events", f"{before} became {after}")
        reconciliation.reconcile(self.shop)
        self._audit(with_stripe=True)

    def _audit(self, *, with_stripe: bool) -> None:
        """The shop's own check of itself agrees that no promise is broken."""
        choose, self.town.stripe.wire.choose = self.town.stripe.wire.choose, None
        failed = [check for check in audit.audit(self.shop, with_stripe) if not check.ok]
        self.town.stripe.wire.choose = choose
        for check in failed:
            # While nobody works, or Stripe is away, holds outlive their deadline, and it says so; and
            # it tells of a restock that Redis lost.
            told = set() if with_stripe else {"I7 deadlines", "mirror"}
            if self.truth.lossy:
                told.add("stripe: mirror")
            if check.name not in told:
                raise Broken(f"audit {check.name}", check.detail)
