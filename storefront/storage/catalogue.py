"""Reads the catalogue, once per version and process."""

import json
from collections.abc import Sequence
from typing import Any

import redis

from storefront.domain.products import Catalogue, Product
from storefront.domain.sold_at_stripe import KnownPrice
from storefront.storage.keys import Keys
from storefront.storage.prices import read_price


class Catalogues:
    """The catalogue of one shop, kept in memory until its version changes."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys
        self._kept = Catalogue(version="never read")

    def current(self) -> Catalogue:
        """The catalogue as it stands, for the price of reading its version."""
        return self.at(self._client.get(self._keys.name("catalogue:version")) or "")

    def priced(self, skus: Sequence[str]) -> tuple[Catalogue, dict[str, KnownPrice]]:
        """The catalogue as it stands, and the known Prices of these SKUs, in one round trip."""
        pipe = self._client.pipeline(transaction=True)
        pipe.get(self._keys.name("catalogue:version"))
        pipe.hmget(self._keys.name("prices"), list(skus))
        version, texts = pipe.execute()
        found = {sku: read_price(text) for sku, text in zip(skus, texts, strict=True) if text}
        return self.at(version or ""), found

    def at(self, version: str) -> Catalogue:
        """The catalogue of this version; it costs a round trip only when it has changed."""
        return self._kept if self._kept.version == version else self.read()

    def read(self) -> Catalogue:
        """The catalogue as it stands in Redis."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hgetall(self._keys.name("catalogue"))
        pipe.get(self._keys.name("catalogue:version"))
        rows, version = pipe.execute()
        products = [Product.from_json(json.loads(text)) for text in rows.values()]
        products.sort(key=lambda p: (p.position, p.slug))
        self._kept = Catalogue(tuple(products), version or "")
        return self._kept
