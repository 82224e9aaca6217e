"""Shoppers over real HTTP: each wants one unit, and does with its hold as a seed says."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from storefront.rehearsal.processes import KEY

AT_ONCE = 64
"""Shoppers at one moment; more threads would measure this process and not the shop."""
PATIENCE_SECONDS = 60
WAYS = {
    "pay": 50,
    "decline": 10,
    "leave": 10,
    "cancel": 10,
    "pay late": 10,
    "pay and ask back": 10,
}
"""What a shopper does with its hold, of 100: ``decline``: the bank says no, and it leaves.

Who pays and asks for the money back gets it from the operator, in Stripe's dashboard.
"""


@dataclass(frozen=True)
class Ware:
    """What can be wanted."""

    slug: str
    sku: str
    units: int


@dataclass
class Told:
    """What happened to the shoppers, as they saw it."""

    ways: Counter[str] = field(default_factory=Counter)
    """What the holds were used for."""
    held: int = 0
    refused: int = 0
    too_slow: int = 0
    """Holds that had ended by themselves before their shopper paid."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Answers that no shopper should get."""
    checkout_ms: list[float] = field(default_factory=list)
    page_ms: list[float] = field(default_factory=list)
    late: list["Shopper"] = field(default_factory=list)
    """Those who pay after their hold has ended."""
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Fields(HTMLParser):
    """The hidden and chosen fields of one form, and the link back from a payment page."""

    def __init__(self, action: str) -> None:
        """``action``: how the form's address ends."""
        super().__init__()
        self.found: dict[str, str] = {}
        self.action = ""
        self.back = ""
        self._ends = action
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what belongs to the form."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = bool(self._ends) and given.get("action", "").endswith(self._ends)
            self.action = given["action"] if self._inside else self.action
        elif tag == "a" and given.get("id") == "back":
            self.back = given["href"]
        elif tag == "input" and self._inside and given.get("type") == "hidden":
            self.found[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Notes where the form ends."""
        self._inside = self._inside and tag != "form"


class Shopper:
    """One shopper with cookies of its own."""

    def __init__(self, shop: str, number: int) -> None:
        self.shop = shop
        self.email = f"shopper-{number}@rehearsal.example"
        self.pay_url = ""
        self.order = ""
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, method: str, path: str, data: dict[str, str] | None = None) -> requests.Response:
        """One request; a redirection is not followed."""
        try:
            return self._session.request(
                method,
                urljoin(self.shop, path),
                data=data,
                timeout=PATIENCE_SECONDS,
                allow_redirects=False,
            )
        finally:
            self._session.close()

    def fields(self, path: str, action: str) -> Fields:
        """What a page has of a form."""
        parser = Fields(action)
        parser.feed(self.ask("GET", path).text)
        return parser

    def pay(self, fate: str) -> int:
        """Fill in the payment page, and look at the order afterwards; the page's status."""
        answer = self.ask("POST", self.pay_url, {"email": self.email, "fate": fate})
        if answer.status_code == 303:
            self.ask("GET", self.order)
        return answer.status_code

    def get_back(self) -> int:
        """Its money is sent back in the stand-in's dashboard; the answer's status."""
        session = self.pay_url.rpartition("/")[2]
        paid = self._session.get(
            urljoin(self.pay_url, f"/v1/checkout/sessions/{session}"),
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=PATIENCE_SECONDS,
        ).json()
        address = urljoin(self.pay_url, f"/dashboard/payments/{paid['payment_intent']}/refund")
        return self.ask("POST", address).status_code

    def state(self) -> str:
        """Its order's, as its page tells."""
        state: str = self.ask("GET", f"{self.order}.json").json()["state"]
        return state


def shop_all(
    url: str,
    wares: Sequence[Ware],
    shoppers: int,
    *,
    seed: int,
    until: float,
    progress: Callable[[int], None],
) -> Told:
    """Let all of them shop; those that have not begun at ``until`` (monotonic seconds) stay away."""
    dice = random.Random(seed)  # noqa: S311 - deals fates, guards nothing
    dealt = [
        (dice.choice(wares), dice.choices(list(WAYS), list(WAYS.values()))[0])
        for _ in range(shoppers)
    ]
    told = Told()

    def one(number: int) -> None:
        if time.monotonic() < until:
            try:
                _shop(Shopper(url, number), *dealt[number], told)
            except (requests.RequestException, KeyError, ValueError) as error:
                with told.lock:
                    told.wrong[type(error).__name__] += 1
        with told.lock:
            told.done += 1
            progress(told.done)

    with ThreadPoolExecutor(min(AT_ONCE, shoppers)) as pool:
        try:
            list(pool.map(one, range(shoppers)))
        except BaseException:  # somebody ends us: who has not begun yet stays away
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for shopper in told.late:
        _pay_late(shopper, told, until)
    return told


def _shop(shopper: Shopper, ware: Ware, way: str, told: Told) -> None:
    began = time.perf_counter()
    form = shopper.fields(f"/products/{ware.slug}", "/checkout")
    read = time.perf_counter()
    answer = shopper.ask("POST", "/checkout", {**form.found, "sku": ware.sku, "quantity": "1"})
    asked = time.perf_counter()
    with told.lock:
        told.page_ms.append((read - began) * 1000)
        told.checkout_ms.append((asked - read) * 1000)
        if answer.status_code == 409:
            told.refused += 1
        elif answer.status_code != 303:
            told.wrong[f"checkout {answer.status_code}"] += 1
        else:
            told.held += 1
            told.ways[way] += 1
    if answer.status_code != 303:
        return
    shopper.pay_url = answer.headers["Location"]
    shopper.order = shopper.fields(shopper.pay_url, "").back
    if way == "cancel":
        page = shopper.fields(shopper.order, "/cancel")
        if page.action:
            _expect(shopper.ask("POST", page.action, page.found).status_code, {303}, "cancel", told)
    elif way == "pay late":
        with told.lock:
            told.late.append(shopper)
    elif way == "pay and ask back":
        _ask_back(shopper, told)
    elif way != "leave":
        _expect(shopper.pay(way), {303 if way == "pay" else 402}, way, told)


def _ask_back(shopper: Shopper, told: Told) -> None:
    """The shopper pays, gets the money back, and the shop hears of it."""
    if not _expect(shopper.pay("pay"), {303}, "pay", told):
        return
    _expect(shopper.get_back(), {303}, "ask back", told)
    if not _comes_to(shopper, "refunded", time.monotonic() + PATIENCE_SECONDS):
        with told.lock:
            told.wrong["money that went back unheard of"] += 1


def _pay_late(shopper: Shopper, told: Told, until: float) -> None:
    """The shop has ended the session, and a payment under way goes through all the same."""
    try:
        if _comes_to(shopper, "released", until):
            _expect(shopper.pay("late"), {303}, "pay late", told)
        else:
            told.wrong["a hold that did not end"] += 1
    except (requests.RequestException, KeyError, ValueError) as error:
        told.wrong[type(error).__name__] += 1


def _comes_to(shopper: Shopper, state: str, until: float) -> bool:
    """Whether its order came into a state before ``until`` (monotonic seconds)."""
    while shopper.state() != state:
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def _expect(status: int, good: set[int], what: str, told: Told) -> bool:
    """Notes an answer, and says whether it was a good one."""
    with told.lock:
        if status == 409:
            told.too_slow += 1
        elif status not in good:
            told.wrong[f"{what} {status}"] += 1
    return status in good
