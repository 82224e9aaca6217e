"""Reads the catalogue, once per version and process."""

import json
from typing import Any

import redis

from storefront.domain.products import Catalogue, Product
from storefront.storage.keys import Keys


class Catalogues:
    """The catalogue of one shop, kept in memory until its version changes."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client: Any = client  # replies are text: its types also allow bytes
        self._keys = keys
        self._kept = Catalogue(version="never read")

    def current(self) -> Catalogue:
        """The catalogue as it stands, for the price of reading its version."""
        return self.at(self._client.get(self._keys.name("catalogue:version")) or "")

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
