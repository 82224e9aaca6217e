"""One shop in Redis: its scripts and its readers."""

from collections.abc import Mapping
from typing import Any

import redis

from storefront.storage import connection, glance, snapshot, sold
from storefront.storage.account import Account
from storefront.storage.additions import Additions
from storefront.storage.answers import Terms
from storefront.storage.catalogue import Catalogues
from storefront.storage.door import Doors
from storefront.storage.due import Due
from storefront.storage.glance import Glance
from storefront.storage.keys import Keys
from storefront.storage.ledger import Ledger
from storefront.storage.live import Live
from storefront.storage.orders import Orders
from storefront.storage.payment_links import PaymentLinks
from storefront.storage.prices import Prices
from storefront.storage.scripts import Scripts
from storefront.storage.snapshot import Snapshot
from storefront.storage.sold import Sold
from storefront.storage.stock import Stock
from storefront.storage.waitlist import Waitlist


class Store:
    """Everything that a shop keeps. Its methods raise ``connection.UNREACHABLE`` errors."""

    def __init__(
        self,
        client: redis.Redis,
        shop_id: str,
        listener: redis.Redis | None = None,
        terms: Terms = Terms(),  # noqa: B008 - frozen
    ) -> None:
        """``listener`` is a client for subscriptions; without one, ``client`` serves for them too.

        ``terms`` are those of offers.
        """
        self._client: Any = client  # replies are text: its types also allow bytes
        self.keys = Keys(shop_id)
        self.stock = Stock(client, self.keys)
        self.orders = Orders(client, self.keys)
        self.links = PaymentLinks(client, self.keys)
        self.catalogue = Catalogues(client, self.keys)
        self.scripts = Scripts(client, self.keys, self.catalogue, terms)
        self.waitlist = Waitlist(client, self.keys)
        self.prices = Prices(client, self.keys)
        self.due = Due(client, self.keys)
        self.ledger = Ledger(client, self.keys)
        self.door = Doors(client, self.keys)
        self.account = Account(client, self.keys)
        self.additions = Additions(client, self.keys)
        self.live = Live(client, listener or client, self.keys)

    def now(self) -> int:
        """Redis' time in milliseconds, by which every deadline counts."""
        seconds, micros = self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def ping(self) -> None:
        """Return when Redis answers."""
        self._client.ping()

    def durability(self, *, strict: bool) -> list[str]:
        """Why this Redis may lose what it has acknowledged, one sentence each."""
        return connection.durability(self._client, strict)

    def remarks(self) -> list[str]:
        """What could be safer still about this Redis, one sentence each."""
        return connection.remarks(self._client)

    def snapshot(self, newest: int | None = None) -> Snapshot:
        """The books at one moment; with ``newest`` only what does not grow with the orders."""
        return snapshot.take(self._client, self.keys, newest)

    def sold(self) -> Sold | None:
        """What is sold, counted and added up over all orders; None of more than a page may read."""
        return sold.add_up(self._client, self.keys)

    def glance(self, late_ms: int) -> Glance:
        """The shop at a glance, at a cost that does not grow with its orders.

        A job that is due for ``late_ms`` counts as late.
        """
        return glance.take(self._client, self.keys, self.now(), late_ms)

    def note_reconciled(self) -> None:
        """Keep that Stripe's sessions and refunds have been walked through now."""
        self._client.set(self.keys.name("reconciled"), self.now())

    def reconciled(self) -> int | None:
        """When that was done last (ms); None when it never was."""
        found = self._client.get(self.keys.name("reconciled"))
        return int(found) if found else None

    def count(self, metric: str, by: int = 1) -> None:
        """Add to one of the shop's counters for ``/metrics``."""
        self._client.hincrby(self.keys.name("metrics"), metric, by)

    def count_all(self, metrics: Mapping[str, int], heard: int | None = None) -> None:
        """Add to several counters, and keep when Stripe was heard (ms), in one round trip."""
        pipe = self._client.pipeline(transaction=False)
        if heard is not None:
            pipe.set(self.keys.name("heard"), heard)
        for metric, by in metrics.items():
            pipe.hincrby(self.keys.name("metrics"), metric, by)
        pipe.execute()

    def metrics(self) -> dict[str, int]:
        """The shop's counters for ``/metrics``."""
        found: dict[str, str] = self._client.hgetall(self.keys.name("metrics"))
        return {name: int(value) for name, value in found.items()}


def open_store(
    client: redis.Redis,
    shop_id: str,
    listener: redis.Redis | None = None,
    terms: Terms = Terms(),  # noqa: B008 - frozen
) -> Store:
    """The shop called ``shop_id`` on this Redis."""
    return Store(client, shop_id, listener, terms)
