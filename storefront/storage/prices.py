"""What the shop knows of its Prices at Stripe, and what Stripe was told of the stock."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import redis

from storefront.domain.sold_at_stripe import KnownPrice
from storefront.storage.keys import Keys


class Prices:
    """The Price of each SKU of one shop."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._prices = keys.name("prices")
        self._numbers = keys.name("price_numbers")
        self._shown = keys.name("shown")

    def known(self) -> dict[str, KnownPrice]:
        """The Price of each SKU that has one, by SKU."""
        return {sku: read_price(text) for sku, text in self._client.hgetall(self._prices).items()}

    def note(self, sku: str, price: KnownPrice) -> None:
        """Keep which Price stands for what the SKU costs: new holds name it."""
        self._client.hset(self._prices, sku, json.dumps(asdict(price)))

    def forget(self, sku: str) -> None:
        """Keep that there is none which could be sold: new holds name their amount."""
        self._client.hdel(self._prices, sku)

    def number(self, sku: str) -> int:
        """The number in the idempotency key under which the SKU's next Price is made."""
        return 1 + int(self._client.hget(self._numbers, sku) or 0)

    def next_number(self, sku: str) -> None:
        """Store, before it is used, the next number: the key before will never say more."""
        self._client.hincrby(self._numbers, sku, 1)

    def shown(self) -> Mapping[str, int]:
        """Units of each SKU that Stripe was last told to be available."""
        return {sku: int(units) for sku, units in self._client.hgetall(self._shown).items()}

    def note_shown(self, sku: str, units: int) -> None:
        """Keep what Stripe was told to be available."""
        self._client.hset(self._shown, sku, units)


def read_price(text: str) -> KnownPrice:
    """The Price that ``note`` wrote."""
    return KnownPrice(**json.loads(text))
