"""A crowd after too few units: each shopper tries until the shop is sold out, then does as dealt.

What a shopper does is dealt when he has won a hold, not before, so that every kind of thing happens
to the units that everybody wants, in every run.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from tests.contest.market import Market
from tests.contest.shopper import NothingToGiveBack, Shopper
from tests.harness import wait_until

LOOK_SECONDS = 0.25
"""How often the crowd sees the stock."""
LONGEST_SECONDS = 100
PAYING_LATE_SECONDS = 2.0
"""Until a delayed payment has succeeded or failed."""


@dataclass(frozen=True)
class Fate:
    """What a shopper does with his hold, and what becomes of Stripe's webhooks about it."""

    act: str
    webhooks: str = "normal"
    returns: bool = True
    """Whether he looks at his order's page after paying."""


@dataclass
class Crowd:
    """Many shoppers at once after one product."""

    market: Market
    slug: str
    shoppers: int
    deck: Sequence[Fate]
    """For the first holds; whoever comes later pays. It is used up from its end."""
    kind: type[Shopper] = Shopper
    ways: Mapping[str, "Act"] = field(default_factory=lambda: ACTS)
    statuses: Counter[int] = field(default_factory=Counter)
    """The shop's answers to checkouts."""
    acts: Counter[str] = field(default_factory=Counter)
    """What the holds were used for."""
    too_slow: int = 0
    """Holds that ended before anyone could use them."""
    _undealt: list[Fate] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _level: dict[str, int] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._undealt = list(self.deck)

    def run(self) -> None:
        """Lets all of them shop until everyone has bought, left, or seen the shop sold out."""
        self._look()
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        try:
            with ThreadPoolExecutor(self.shoppers) as pool:
                for one in [pool.submit(self._shop, number) for number in range(self.shoppers)]:
                    one.result()
        finally:
            self._over.set()
            watcher.join()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        try:
            answer = requests.get(f"{self.market.shop.url}/stock.json", timeout=20)
        except requests.RequestException:
            return
        if answer.ok:
            with self._news:
                self._level = answer.json()[self.slug]
                self._news.notify_all()

    def _wait_for(self, quantity: int, deadline: float) -> bool:
        """Until so many are available; False when they never will be."""

        def decided() -> bool:
            return self._level["available"] >= quantity or sum(self._counts()) < quantity

        with self._news:
            assert self._news.wait_for(decided, deadline - time.monotonic()), "never sold out"
            return self._level["available"] >= quantity

    def _counts(self) -> tuple[int, int]:
        return self._level["available"], self._level["held"]

    def _shop(self, number: int) -> None:
        shopper = self.kind(self.market.shop.url, f"shopper-{number}")
        quantity = 2 if number % 5 == 0 else 1
        deadline = time.monotonic() + LONGEST_SECONDS
        while self._wait_for(quantity, deadline):
            form = {**shopper.form(self.slug), "quantity": str(quantity)}
            clicks = 2 if number % 7 == 0 else 1
            pay_url = self._click(shopper, form, clicks)
            if pay_url and self._act(self._deal(), shopper, pay_url):
                return
            with self._news:
                self._news.wait(LOOK_SECONDS * 2)

    def _click(self, shopper: Shopper, form: dict[str, str], clicks: int) -> str:
        """The payment page, or nothing; several clicks on one form lead to the same page."""
        with ThreadPoolExecutor(clicks) as fingers:
            answers = list(fingers.map(lambda _: shopper.send(form), range(clicks)))
        with self._lock:
            self.statuses.update(answer.status_code for answer in answers)
        led = {answer.headers["Location"] for answer in answers if answer.status_code == 303}
        assert len(led) <= 1, f"one form, two payments: {led}"
        return led.pop() if led else ""

    def _deal(self) -> Fate:
        with self._lock:
            return self._undealt.pop() if self._undealt else Fate("pay")

    def _act(self, fate: Fate, shopper: Shopper, pay_url: str) -> bool:
        """Does as dealt; on a machine so slow that the hold is over before, another one will."""
        try:
            link = shopper.order_link(pay_url)
            self.ways[fate.act](shopper, pay_url, link, fate.webhooks)
        except (TooSlow, NothingToGiveBack):
            with self._lock:
                self.too_slow += 1
                self._undealt.append(fate)
            return False
        if fate.returns:
            shopper.order(link)
        with self._lock:
            self.acts[fate.act] += 1
        return True


class TooSlow(Exception):
    """The hold had ended by itself when the shopper came to use it."""


Act = Callable[[Shopper, str, str, str], None]


def pay(shopper: Shopper, pay_url: str, _link: str, webhooks: str) -> None:
    went_through(shopper.pay(pay_url, "pay", webhooks, 3))


def decline_then_pay(shopper: Shopper, pay_url: str, link: str, webhooks: str) -> None:
    decline(shopper, pay_url, link, webhooks)
    went_through(shopper.pay(pay_url, "pay", webhooks, 3))


def decline(shopper: Shopper, pay_url: str, _link: str, webhooks: str) -> None:
    answer = shopper.pay(pay_url, "decline", webhooks, 3)
    in_time(answer)
    assert answer.status_code == 402


def leave(_shopper: Shopper, _pay_url: str, _link: str, _webhooks: str) -> None:
    """The hold ends by itself."""


def cancel(shopper: Shopper, _pay_url: str, link: str, _webhooks: str) -> None:
    assert shopper.cancel(link).status_code == 303
    assert shopper.order(link)["state"] == "released"


def pay_too_late(shopper: Shopper, pay_url: str, link: str, webhooks: str) -> None:
    """The shop has ended the session, and a payment under way goes through all the same."""
    wait_until(lambda: shopper.order(link)["state"] == "released", "the hold has ended")
    went_through(shopper.pay(pay_url, "late", webhooks, 3))


def race_the_end(shopper: Shopper, pay_url: str, _link: str, webhooks: str) -> None:
    """Stripe ends the session and takes the payment in one instant."""
    went_through(shopper.pay(pay_url, "late", webhooks, 3))


def pay_by_transfer(shopper: Shopper, pay_url: str, _link: str, webhooks: str) -> None:
    answer = shopper.pay(pay_url, "delayed_succeed", webhooks, PAYING_LATE_SECONDS)
    went_through(answer)


def bounce(shopper: Shopper, pay_url: str, _link: str, webhooks: str) -> None:
    """The transfer fails after the shopper has finished."""
    went_through(shopper.pay(pay_url, "delayed_fail", webhooks, PAYING_LATE_SECONDS))


def in_time(answer: requests.Response) -> None:
    if answer.status_code == 409:
        raise TooSlow


def went_through(answer: requests.Response) -> None:
    in_time(answer)
    assert answer.status_code == 303, f"{answer.status_code} {answer.text[:800]}"


ACTS: dict[str, Act] = {
    "pay": pay,
    "decline then pay": decline_then_pay,
    "decline and leave": decline,
    "leave": leave,
    "cancel": cancel,
    "pay too late": pay_too_late,
    "race the end": race_the_end,
    "pay by transfer": pay_by_transfer,
    "bounce": bounce,
}
