"""Lanes: each a shop of its own on one Redis, with a client that reaches it through a proxy."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import redis

from storefront.storage import connection
from storefront.storage.store import open_store
from tests.races.acts import Act
from tests.races.proxy import REPLIES, Fault, Proxy
from tests.storage.steps import Book

PATIENCE_SECONDS = 0.1
"""How long the client behind the proxy waits for a reply; Redis needs a thousandth of it."""
TRIES = 100
"""Attempts at one question, after which something else is wrong than what the proxy does."""


@dataclass
class Tally:
    """What came of some cases."""

    cases: dict[str, Act] = field(default_factory=dict)
    lost: Counter[Fault] = field(default_factory=Counter)
    """Calls that failed because of what the proxy did."""
    wrong: list[str] = field(default_factory=list)


@dataclass
class Lane:
    """Its questions go through its proxy; what leads to them and what is looked up does not."""

    number: int
    proxy: Proxy
    near: Book
    far: Book
    calm: bool = True
    """Whether in the last case no call failed but by the proxy's doing."""

    def run(self, acts: Sequence[Act], replies: int) -> Tally:
        """Ask, lose the reply and ask again, until as many replies were lost."""
        tally, chance, number = Tally(), Random(self.number), 0
        while sum(tally.lost[fault] for fault in REPLIES) < replies:
            case = f"c{self.number:02d}x{number:04d}z"
            act = acts[(self.number + number) % len(acts)]
            faults = chance.choices(REPLIES, k=1 + (chance.random() < 0.2))
            if chance.random() < 0.2:
                faults.insert(0, Fault.UNSENT)
            tally.cases[case] = act
            act.prepare(self.near, case)
            self._ask(act, case, faults, tally)
            number += 1
        return tally

    def _ask(self, act: Act, case: str, faults: Sequence[Fault], tally: Tally) -> None:
        """Ask until there is an answer, as the shop's callers do."""
        before = self.proxy.spoilt.copy()
        self.proxy.arm(faults)
        for failed in range(TRIES):
            try:
                word = act.ask(self.far, case)
            except connection.UNREACHABLE:
                continue
            lost = self.proxy.spoilt - before
            tally.lost += lost
            # A busy machine can be late by itself, and an attempt that was given up can still
            # arrive while the next case is on: the word is certain only when that is ruled out.
            calm = failed == lost.total()
            sure = self.calm and calm and not act.looks
            expected = {act.again} if sure else {act.first, act.again}
            self.calm = calm
            if word not in expected:
                tally.wrong.append(f"{case} answered {word} after {failed} failures")
            return
        raise AssertionError(f"{case} had no answer in {TRIES} attempts")


@contextmanager
def open_lanes(url: str, number: int) -> Iterator[list[Lane]]:
    """So many lanes; the shop's own connections, only less patient behind the proxies."""
    port = int(url.partition("//")[2].partition(":")[2].partition("/")[0])
    with ExitStack() as stack:
        lanes = []
        near = stack.enter_context(connection.connect(url))
        for n in range(number):
            proxy = stack.enter_context(Proxy(port, 1.5 * PATIENCE_SECONDS))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(connection, "SECONDS", PATIENCE_SECONDS)
                far = stack.enter_context(connection.connect(f"redis://127.0.0.1:{proxy.port}/0"))
            lanes.append(Lane(n, proxy, on_shelf(near, f"lane{n}"), on_shelf(far, f"lane{n}")))
        yield lanes


def on_shelf(client: redis.Redis, shop: str) -> Book:
    return Book(open_store(client, shop))


def traces(dump: Mapping[str, Any]) -> dict[str, Counter[str]]:
    """What the books of all shops say of each case, the same for cases that went the same way.

    Times are left out, and so are the case's name and the numbers of places.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for text in _facts(dump):
        for case in {name.lower() for name in CASE.findall(text)}:
            found[case][NUMBER.sub("<number>", TIME.sub("<time>", CASE.sub("<case>", text)))] += 1
    return found


CASE = re.compile(r"c\d\dx\d{4}z", re.IGNORECASE)
TIME = re.compile(r"\b1\d{9}(\d{3})?\b")
"""In seconds or milliseconds, of this age."""
NUMBER = re.compile(r"\b0{4}\d{8}\b")
"""Of a place in a line."""


def _facts(dump: Mapping[str, Any]) -> Iterator[str]:
    """Every member of every key, as text."""
    for key, (value, expires) in dump.items():
        name = key.partition(":")[2]
        yield f"{name} expires {expires}"
        match value:
            case dict():
                yield from (f"{name} {member}: {what}" for member, what in value.items())
            case list():
                for first, second in value:
                    if isinstance(second, dict):  # the ledger; an entry's id is a time
                        yield f"{name} {second}"
                    else:
                        yield f"{name} {first}: {second:.0f}"
            case text:
                yield f"{name}: {text}"
