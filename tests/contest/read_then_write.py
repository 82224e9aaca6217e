"""The shop with a take that is not atomic: it reads the stock, decides, and writes what it read.

Only the negative control serves this: ``gunicorn tests.contest.read_then_write:app``.
"""

from collections.abc import Sequence
from typing import Any

import gevent

from storefront.app import create_app
from storefront.storage.keys import Keys
from storefront.storage.scripts import HoldAnswer, Scripts, Wanted

DECIDING_SECONDS = 0.02
"""Between reading and writing, as in any program that does something with what it has read."""


def hold_stock(self: Scripts, order: str, wanted: Sequence[Wanted], **rest: Any) -> HoldAnswer:
    """Takes from the number that it read a moment ago, whatever has happened to it since."""
    keys: Keys = self._keys
    client = self._scripts["hold_stock"].registered_client
    counter = keys.name("stock:available")
    read = {line.line.sku: int(client.hget(counter, line.line.sku) or 0) for line in wanted}
    if all(read[line.line.sku] >= line.line.quantity for line in wanted):
        gevent.sleep(DECIDING_SECONDS)
        client.hset(counter, mapping=read)
    return atomic(self, order, wanted, **rest)


atomic = Scripts.hold_stock
Scripts.hold_stock = hold_stock  # type: ignore[method-assign]
app = create_app()
