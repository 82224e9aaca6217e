"""Shoppers who come again and again while processes die, and what the shop has told them.

Whatever the shop told anybody must be so for ever after: an order whose payment page was shown exists,
one that was called paid keeps its goods. A shopper whom nobody answers, or who reads 503, tries again
or goes; any other error is one.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from storefront.domain.orders import GOODS, Order
from tests.contest.crowd import PAYING_LATE_SECONDS
from tests.contest.shopper import Shopper
from tests.web.browsing import read

FATES = {
    "pay": 10,
    "pay and return": 5,
    "leave": 2,
    "cancel": 3,
    "late": 2,
    "decline": 1,
    "delayed_succeed": 1,
    "delayed_fail": 1,
}
"""What shoppers do with a hold, and how often among 25: all are dealt before any is dealt anew."""
WEBHOOKS = ["normal", "normal", "doubled", "reordered", "delayed", "lost"]
BACK_SECONDS = 0.05
"""Until somebody whom nobody answered tries again."""
LATER_SECONDS = 0.25
"""Until somebody who gave up comes again; sooner would only keep busy who is coming back to life."""


class Away(Exception):
    """The shop says that it cannot help just now: 503."""


@dataclass(frozen=True)
class Told:
    """What the shop told its shoppers."""

    shown: frozenset[str]
    """Sessions whose payment page it led to."""
    called_paid: frozenset[str]
    """Sessions whose order's page said that it is paid."""
    paid_late: frozenset[str]
    """Sessions that had ended, or ended just then, and were paid all the same."""

    def forgotten(self, orders: list[Order]) -> list[str]:
        """What these orders, read later, do not say, one sentence each."""
        by_session = {session: order for order in orders for session in order.sessions}
        lost = [
            f"{session} was shown and is forgotten" for session in self.shown - by_session.keys()
        ]
        return lost + [
            f"order {by_session[session].id} was called paid and is {by_session[session].state}"
            for session in self.called_paid & by_session.keys()
            if by_session[session].state not in GOODS
        ]


@dataclass
class Regulars:
    """So many shoppers at once after these products."""

    shop: str
    slugs: list[str]
    number: int
    seed: int
    answers: Counter[str] = field(default_factory=Counter)
    """To checkouts, by status, and those who got none."""
    done: Counter[str] = field(default_factory=Counter)
    """Visits that went to their end, by fate."""
    wrong: list[str] = field(default_factory=list)
    """Answers that no shopper may ever get."""
    _shown: set[str] = field(default_factory=set)
    _called_paid: set[str] = field(default_factory=set)
    _paid_late: set[str] = field(default_factory=set)
    _deck: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def about(self) -> Iterator[None]:
        """They shop while the block runs; then each ends the visit in hand."""
        with ThreadPoolExecutor(self.number) as pool:
            running: list[Future[None]] = [
                pool.submit(self._come_and_go, number) for number in range(self.number)
            ]
            try:
                yield
            finally:
                self._over.set()
        for one in running:
            one.result()

    @property
    def holds(self) -> int:
        """How many have come to a payment page."""
        return len(self._shown)

    def told(self) -> Told:
        """All that the shop told anybody until now."""
        with self._lock:
            return Told(*map(frozenset, (self._shown, self._called_paid, self._paid_late)))

    def _come_and_go(self, number: int) -> None:
        dice = random.Random(f"{self.seed} {number}")
        visit = 0
        while not self._over.is_set():
            visit += 1
            try:
                self._visit(Shopper(self.shop, f"regular-{number}-{visit}"), dice)
            except (requests.RequestException, Away) as failure:
                self._count(self.answers, type(failure).__name__)
                self._over.wait(LATER_SECONDS)

    def _visit(self, shopper: Shopper, dice: random.Random) -> None:
        page = self._heard(shopper.get(f"/products/{dice.choice(self.slugs)}"), 200)
        form = read(page.text).one("form", id="buy").fields
        clicks = dice.choice([1, 1, 3])
        pay_url = self._click(shopper, form, clicks)
        if not pay_url:
            self._over.wait(BACK_SECONDS)
            return
        fate = self._deal(dice)
        try:
            self._use(shopper, pay_url, fate, dice.choice(WEBHOOKS))
        except BaseException:
            with self._lock:
                self._deck.append(fate)  # somebody died: the next one does it
            raise
        self._count(self.done, fate)

    def _deal(self, dice: random.Random) -> str:
        with self._lock:
            if not self._deck:
                self._deck = [fate for fate, number in FATES.items() for _ in range(number)]
                dice.shuffle(self._deck)
            return self._deck.pop()

    def _click(self, shopper: Shopper, form: dict[str, str], tries: int) -> str:
        """The payment page, or nothing; who gets no answer sends the same form again."""
        while True:
            try:
                answer = self._heard(shopper.send(form), 303, 409)
                break
            except (requests.RequestException, Away):
                tries -= 1
                if not tries:
                    raise
                time.sleep(BACK_SECONDS)
        self._count(self.answers, str(answer.status_code))
        led_to = answer.headers.get("Location", "")
        if "/c/pay/" not in led_to:
            return ""
        with self._lock:
            self._shown.add(session_of(led_to))
        return led_to

    def _use(self, shopper: Shopper, pay_url: str, fate: str, webhooks: str) -> None:
        if fate == "leave":
            return
        link = shopper.order_link(pay_url)
        if fate == "cancel":
            page = read(self._heard(shopper.get(link), 200).text)
            forms = [f for f in page.all("form") if f.attributes["action"].endswith("/cancel")]
            for form in forms[:1]:
                self._heard(shopper.post(form.attributes["action"], form.fields), 303, 409)
            return
        if fate == "late":
            with self._lock:
                self._paid_late.add(session_of(pay_url))
        filled = "pay" if fate == "pay and return" else fate
        shopper.pay(pay_url, filled, webhooks, PAYING_LATE_SECONDS)
        if fate == "pay and return":
            answer = self._heard(shopper.get(f"{link}.json"), 200)
            if answer.json()["state"] == "paid":
                with self._lock:
                    self._called_paid.add(session_of(pay_url))

    def _heard(self, answer: requests.Response, *allowed: int) -> requests.Response:
        """The answer, if it is one that a shopper may get."""
        if answer.status_code == 503:
            raise Away
        if answer.status_code not in allowed:
            said = f"{answer.request.method} {answer.request.path_url}: {answer.status_code}"
            with self._lock:
                self.wrong.append(said)
            raise Away
        return answer

    def _count(self, counter: Counter[str], name: str) -> None:
        with self._lock:
            counter[name] += 1


def session_of(pay_url: str) -> str:
    return pay_url.rpartition("/")[2]
