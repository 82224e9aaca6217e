"""What an account has for sale at Stripe, in the few calls that a shop needs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from storefront.clients.stripe_connection import (
    Connection,
    each,
    harmless_keys,
    plain,
    replayed,
)
from storefront.domain.errors import StripeKeyMismatch, StripeRefused, StripeSpent
from storefront.domain.sold_at_stripe import (
    PriceFact,
    ProductFact,
    from_price,
    from_product,
)

IDS_IN_ONE_QUESTION = 40
"""Products asked for at once: more would make an address that servers refuse for its length."""


class Catalogue(Connection):
    """An account's products and prices."""

    def product(self, product_id: str) -> ProductFact | None:
        """What a product is now; None when there is none, or none any more."""
        try:
            with self._call("product_retrieve"):
                found = plain(self._client.v1.products.retrieve(product_id))
                return None if found.get("deleted") else from_product(found)
        except StripeRefused as refused:
            if refused.status == 404:
                return None
            raise

    def products(self, ids: Sequence[str]) -> Iterator[ProductFact]:
        """Those of these products that exist, archived ones too."""
        for start in range(0, len(ids), IDS_IN_ONE_QUESTION):
            some = list(ids[start : start + IDS_IN_ONE_QUESTION])
            yield from self._product_list({"ids": some, "limit": 100})

    def active_products(self) -> Iterator[ProductFact]:
        """Every product of the account but archived ones, the newest first.

        Stripe makes an archived product for each line of each session that names no product, so a
        list of all would be as long as the shop's history.
        """
        yield from self._product_list({"active": True, "limit": 100})

    def _product_list(self, params: Mapping[str, Any]) -> Iterator[ProductFact]:
        with self._call("product_list"):
            page = self._client.v1.products.list(cast("Any", dict(params)))
            yield from map(from_product, each(page))

    def create_product(self, product_id: str, product: Mapping[str, Any], *, key: str) -> None:
        """Make a product under an id of ours; one that exists already stays as it is.

        ``product`` are Stripe's parameters: name, description, images, metadata. ``key`` begins the
        idempotency keys. Harmless to repeat.
        """
        params = {"id": product_id, **product}
        try:
            self._write(
                "product_create",
                key,
                lambda options: self._client.v1.products.create(cast("Any", params), options),
            )
        except StripeRefused as refused:
            if refused.code != "resource_already_exists":
                raise

    def update_product(self, product_id: str, product: Mapping[str, Any], *, key: str) -> None:
        """Write some of a product, and some of its metadata. Raises StripeRefused when it is gone.

        ``product`` are Stripe's parameters; an empty text takes away what was there. ``key`` begins
        the idempotency keys. Harmless to repeat.
        """
        self._write(
            "product_update",
            key,
            lambda options: self._client.v1.products.update(
                product_id, cast("Any", dict(product)), options
            ),
        )

    def prices(self, product_id: str) -> list[PriceFact]:
        """Every active price of a product, the newest first."""
        return list(self._price_list({"product": product_id, "active": True, "limit": 100}))

    def active_prices(self) -> Iterator[PriceFact]:
        """Every price of the account but archived ones, the newest first."""
        yield from self._price_list({"active": True, "limit": 100})

    def _price_list(self, params: Mapping[str, Any]) -> Iterator[PriceFact]:
        with self._call("price_list"):
            page = self._client.v1.prices.list(cast("Any", dict(params)))
            yield from map(from_price, each(page))

    def create_price(
        self,
        product_id: str,
        *,
        unit_amount: int,
        currency: str,
        metadata: Mapping[str, str],
        key: str,
    ) -> PriceFact:
        """Make a price (minor units) of a product, or get, as it is now, what this key made before.

        Raises StripeSpent when the key only replays a saved error: the product's prices tell what it
        made. https://docs.stripe.com/api/prices/create
        """
        params = {
            "product": product_id,
            "unit_amount": unit_amount,
            "currency": currency,
            "metadata": dict(metadata),
        }
        create = self._client.v1.prices.create
        price, is_old = self._made("price_create", create, params, key, from_price)
        if not is_old:
            return price
        with self._call("price_retrieve"):
            return from_price(plain(self._client.v1.prices.retrieve(price.id)))

    def archive_price(self, price_id: str) -> None:
        """Let a price be sold no more; sessions that are open keep it. Harmless to repeat."""
        self._write(
            "price_archive",
            f"price:{price_id}:archive",
            lambda options: self._client.v1.prices.update(price_id, {"active": False}, options),
        )

    def _write(self, call: str, key: str, write: Callable[[Any], Any]) -> None:
        """Write under the first key that does not only repeat what was answered before."""
        for name in harmless_keys():
            with suppress(StripeSpent, StripeKeyMismatch), self._call(call):
                if not replayed(write({"idempotency_key": f"{key}:{name}"})):
                    return
        raise StripeSpent(f"{key} was answered with saved answers only")
