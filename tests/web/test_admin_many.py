"""What the operator's pages read of Redis does not grow with the orders."""

from typing import Any

import fakeredis
import pytest

from storefront.services import integrity, searching
from storefront.services.shop import Shop
from storefront.storage import sold
from tests.storage.steps import PRICE, Book
from tests.web.browsing import Browser

FEW, MANY = 120, 360
"""Both more than a page of orders shows."""


class Meter:
    """Counts the replies of Redis, and what stands in them."""

    def __init__(self, client: Any) -> None:
        self.replies = 0
        self.characters = 0
        command, pipeline = client.execute_command, client.pipeline

        def pipe(*args: Any, **options: Any) -> Any:
            made = pipeline(*args, **options)
            execute = made.execute
            made.execute = lambda *a, **o: self._note(execute(*a, **o))
            return made

        client.execute_command = lambda *a, **o: self._note(command(*a, **o))
        client.pipeline = pipe

    def _note(self, reply: Any) -> Any:
        self.replies += 1
        self.characters += len(repr(reply))
        return reply

    def read(self) -> tuple[int, int]:
        """What was counted since it was read last."""
        found = (self.replies, self.characters)
        self.replies = self.characters = 0
        return found


def sell(shop: Shop, first: int, last: int) -> None:
    """One record for each order."""
    book = Book(shop.store)
    shop.store.scripts.restock("record", delta=last, reason="r", who="w", key=f"k{last}")
    for number in range(first, last):
        order, session = f"order{number:011d}", f"cs_{number:05d}"
        book.open(order, {"record": 1}, session)
        book.settle(order, f"pi_{number:05d}", session=session, amount=PRICE)
    jobs = [job.name for job in shop.store.due.jobs()]
    shop.store._client.zrem(shop.store.keys.name("due"), *jobs)  # the mails are sent


PAGES = {
    "/admin/": 100_000,
    "/admin/now": 100_000,
    "/admin/orders": 100_000,
    "/admin/stock": 100_000,
    "/admin/ledger": 100_000,
    "/admin/integrity": 400_000,
    "/admin/orders?text=nobody": 400_000,
    "/metrics": 100_000,
}
"""The most characters that each may read."""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_the_same_however_many_orders_there_are(
    shop: Shop,
    redis: fakeredis.FakeRedis,
    operator: Browser,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond the bound to which each may read."""
    bounds = ((integrity, "NEWEST"), (searching, "LOOKS"), (searching, "CHUNK"), (sold, "MOST"))
    for module, bound in bounds:
        monkeypatch.setattr(module, bound, FEW // 2)
    if path == "/metrics":
        operator.address = "127.0.0.1"  # from where they may be read
    sell(shop, 0, FEW)
    meter = Meter(redis)
    operator.get(path)
    meter.read()
    assert operator.get(path).status_code == 200
    replies, characters = meter.read()
    sell(shop, FEW, MANY)
    meter.read()
    assert operator.get(path).status_code == 200
    more_replies, more_characters = meter.read()
    assert more_replies == replies
    assert more_characters < characters * 1.05 + 200  # figures grow by a digit or two
    assert characters < PAGES[path]


def test_what_reads_every_order_is_found_out(shop: Shop, redis: fakeredis.FakeRedis) -> None:
    meter = Meter(redis)
    sell(shop, 0, FEW)
    meter.read()
    shop.store.snapshot()
    _, characters = meter.read()
    sell(shop, FEW, MANY)
    meter.read()
    shop.store.snapshot()
    assert meter.read()[1] > characters * 2
