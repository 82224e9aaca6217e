"""The account's products and prices: made under ids of the shop's own, updated, archived and deleted by hand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from storefront.clients.stripe_catalogue import IDS_IN_ONE_QUESTION
from storefront.clients.stripe_connection import HARMLESS_KEYS
from storefront.domain.errors import StripeKeyMismatch, StripeRefused, StripeSpent
from storefront.domain.sold_at_stripe import (
    PriceFact,
    ProductFact,
    from_price,
    from_product,
)
from tests.fakes.account import Account
from tests.fakes.checks import check_metadata
from tests.fakes.faults import Wire

PRODUCT: dict[str, Any] = {
    "object": "product",
    "active": True,
    "default_price": None,
    "description": None,
    "images": [],
    "marketing_features": [],
    "package_dimensions": None,
    "shippable": None,
    "statement_descriptor": None,
    "tax_code": None,
    "tax_details": None,
    "type": "service",
    "unit_label": None,
    "url": None,
}


PRICE: dict[str, Any] = {
    "object": "price",
    "active": True,
    "billing_scheme": "per_unit",
    "custom_unit_amount": None,
    "lookup_key": None,
    "metadata": {},
    "nickname": None,
    "recurring": None,
    "tax_behavior": "unspecified",
    "tiers_mode": None,
    "transform_quantity": None,
    "type": "one_time",
}


class Products(Account):
    """What the shop calls, and what people do in Stripe's dashboard."""

    wire: Wire
    catalogue: dict[str, dict[str, Any]]
    """The account's products by id, the oldest first."""
    all_prices: dict[str, dict[str, Any]]
    """Its prices by id, the oldest first."""

    # What the shop calls: methods of clients.stripe_api.Stripe.

    def product(self, product_id: str) -> ProductFact | None:
        found = self.wire.get("product", lambda: self.catalogue.get(product_id))
        return from_product(found) if found else None

    def products(self, ids: Sequence[str]) -> Iterator[ProductFact]:
        """Those of these products that exist, archived ones too."""
        for start in range(0, len(ids), IDS_IN_ONE_QUESTION):
            some = ids[start : start + IDS_IN_ONE_QUESTION]
            yield from self._list(lambda p, some=some: p["id"] in some)

    def active_products(self) -> Iterator[ProductFact]:
        """Every product but archived ones, the newest first."""
        yield from self._list(lambda product: product["active"])

    def create_product(self, product_id: str, product: Mapping[str, Any], *, key: str) -> None:
        try:
            self._post("create_product", key, {"id": product_id, **product}, self._create)
        except StripeRefused as refused:
            if refused.code != "resource_already_exists":
                raise

    def update_product(self, product_id: str, product: Mapping[str, Any], *, key: str) -> None:
        self._post("update_product", key, {"id": product_id, **product}, self._update)

    def prices(self, product_id: str) -> list[PriceFact]:
        return list(self._price_list(lambda price: price["product"] == product_id))

    def active_prices(self) -> Iterator[PriceFact]:
        """Every price but archived ones, the newest first."""
        yield from self._price_list(lambda _: True)

    def create_price(
        self,
        product_id: str,
        *,
        unit_amount: int,
        currency: str,
        metadata: Mapping[str, str],
        key: str,
    ) -> PriceFact:
        """As the real one: a replay is answered with what the price is now."""
        params = {
            "product": product_id,
            "unit_amount": unit_amount,
            "currency": currency,
            "metadata": dict(metadata),
        }
        made = self.wire.post("create_price", key, params, lambda: self.make_price(params))
        return from_price(self.all_prices[made.body["id"]])

    def archive_price(self, price_id: str) -> None:
        key = f"price:{price_id}:archive"
        self._post("archive_price", key, {"id": price_id}, self._archive_price)

    # What people do.

    def archive(self, product_id: str) -> None:
        self.catalogue[product_id]["active"] = False

    def delete(self, product_id: str) -> None:
        del self.catalogue[product_id]

    def make_price(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """A new price, as somebody makes it in the dashboard too."""
        if params["product"] not in self.catalogue:
            raise StripeRefused("No such product", "resource_missing", 404)
        check_metadata(params.get("metadata") or {})
        price = {
            **PRICE,
            **params,
            "unit_amount_decimal": str(params["unit_amount"]),
            "id": self._id("price"),
            "created": self._seconds(),
            "livemode": self.livemode,
        }
        self.all_prices[price["id"]] = price
        return price

    def archive_price_by_hand(self, price_id: str) -> None:
        """Somebody makes another price the product's default, and archives this one."""
        product = self.catalogue[self.all_prices[price_id]["product"]]
        if product["default_price"] == price_id:
            product["default_price"] = None
        self._archive_price({"id": price_id})

    # Inside Stripe.

    def _lines(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """As named Prices say; refuses those that are not for sale."""
        return [self._line(item) if "price" in item else dict(item) for item in items]

    def _line(self, item: Mapping[str, Any]) -> dict[str, Any]:
        price = self.all_prices.get(item["price"])
        if price is None:
            raise StripeRefused(f"No such price: '{item['price']}'", "resource_missing")
        product = self.catalogue.get(price["product"])
        if not price["active"] or product is None or not product["active"]:
            raise StripeRefused(f"The price specified is inactive: {price['id']}")
        data = {"currency": price["currency"], "unit_amount": price["unit_amount"]}
        named = {**data, "product_data": {"name": product["name"]}}
        return {"quantity": item["quantity"], "price_data": named}

    def _list(self, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[ProductFact]:
        every = self.catalogue.values()
        found = self.wire.get("products", lambda: [p for p in reversed(every) if wanted(p)])
        yield from map(from_product, found)

    def _price_list(self, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[PriceFact]:
        every = self.all_prices.values()
        found = self.wire.get(
            "prices", lambda: [p for p in reversed(every) if p["active"] and wanted(p)]
        )
        yield from map(from_price, found)

    def _archive_price(self, params: Mapping[str, Any]) -> dict[str, Any]:
        price = self.all_prices[params["id"]]
        if self.catalogue[price["product"]]["default_price"] == price["id"]:
            raise StripeRefused("This price cannot be archived: it is a product's default price.")
        price["active"] = False
        return price

    def _post(
        self,
        call: str,
        key: str,
        params: Mapping[str, Any],
        run: Callable[[Mapping[str, Any]], dict[str, Any]],
    ) -> None:
        """As the real one: keys that only replay an answer are passed over, the last is a new one."""
        for name in (*range(1, HARMLESS_KEYS), f"fresh-{len(self.wire.calls)}"):
            try:
                done = self.wire.post(call, f"{key}:{name}", dict(params), lambda: run(params))
            except (StripeSpent, StripeKeyMismatch):
                continue
            if not done.replayed:
                return
        raise StripeSpent(f"{key} was answered with saved answers only")

    def _create(self, params: Mapping[str, Any]) -> dict[str, Any]:
        check_metadata(params["metadata"])
        if params["id"] in self.catalogue:
            raise StripeRefused("Product already exists.", "resource_already_exists")
        at = self._seconds()
        made = {**PRODUCT, **params, "created": at, "updated": at, "livemode": self.livemode}
        self.catalogue[params["id"]] = made
        return made

    def _update(self, params: Mapping[str, Any]) -> dict[str, Any]:
        check_metadata(params.get("metadata", {}))
        found = self.catalogue.get(params["id"])
        if found is None:
            raise StripeRefused(f"No such product: '{params['id']}'", "resource_missing", 404)
        merged = {**found["metadata"], **params.get("metadata", {})}
        changes: dict[str, Any] = {
            name: ([] if name == "images" else None) if value == "" else value
            for name, value in params.items()
            if name not in {"id", "metadata"}
        }
        if changes.get("default_price", "") not in {"", *self.all_prices}:
            raise StripeRefused("No such price", "resource_missing", 404)
        kept = {name: value for name, value in merged.items() if value != ""}
        found.update(changes, metadata=kept, updated=self._seconds())
        return found
