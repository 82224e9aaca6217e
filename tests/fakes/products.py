"""The account's products: made under ids of the shop's own, updated, archived and deleted by hand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from storefront.clients.stripe_catalogue import IDS_IN_ONE_QUESTION
from storefront.clients.stripe_connection import HARMLESS_KEYS
from storefront.domain.errors import StripeKeyMismatch, StripeRefused, StripeSpent
from storefront.domain.products import ProductFact, from_product
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


class Products(Account):
    """What the shop calls, and what people do in Stripe's dashboard."""

    wire: Wire
    catalogue: dict[str, dict[str, Any]]
    """The account's products by id, the oldest first."""

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

    def create_product(
        self, product_id: str, *, name: str, metadata: Mapping[str, str], key: str
    ) -> None:
        params = {"id": product_id, "name": name, "metadata": dict(metadata)}
        try:
            self._post("create_product", key, params)
        except StripeRefused as refused:
            if refused.code != "resource_already_exists":
                raise

    def update_product(
        self, product_id: str, *, name: str, metadata: Mapping[str, str], key: str
    ) -> None:
        params = {"id": product_id, "name": name, "metadata": dict(metadata)}
        self._post("update_product", key, params)

    # What people do.

    def archive(self, product_id: str) -> None:
        self.catalogue[product_id]["active"] = False

    def delete(self, product_id: str) -> None:
        del self.catalogue[product_id]

    # Inside Stripe.

    def _list(self, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[ProductFact]:
        every = self.catalogue.values()
        found = self.wire.get("products", lambda: [p for p in reversed(every) if wanted(p)])
        yield from map(from_product, found)

    def _post(self, call: str, key: str, params: Mapping[str, Any]) -> None:
        """As the real one: keys that only replay an answer are passed over, the last is a new one."""
        run = {"create_product": self._create, "update_product": self._update}[call]
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
        check_metadata(params["metadata"])
        found = self.catalogue.get(params["id"])
        if found is None:
            raise StripeRefused(f"No such product: '{params['id']}'", "resource_missing", 404)
        merged = {**found["metadata"], **params["metadata"]}
        kept = {name: value for name, value in merged.items() if value != ""}
        found.update(name=params["name"], metadata=kept, updated=self._seconds())
        return found
