"""The fake account's products keep Stripe's contract."""

import pytest

from storefront.domain.errors import StripeRefused, StripeUnreachable
from tests.fakes.description import flat, load, wanted
from tests.fakes.faults import Fault
from tests.fakes.stripe import FakeStripe

METADATA = {"shop": "test", "sku": "a"}


@pytest.fixture
def stripe() -> FakeStripe:
    return FakeStripe()


def test_a_product_is_made_under_the_given_id_once(stripe: FakeStripe) -> None:
    for name in ("A", "B"):
        stripe.create_product("test_a", {"name": name, "metadata": METADATA}, key=f"k{name}")
    found = stripe.product("test_a")
    assert found
    assert (found.name, found.metadata, found.active) == ("A", METADATA, True)


def test_an_update_merges_the_metadata(stripe: FakeStripe) -> None:
    stripe.create_product("test_a", {"name": "A", "metadata": METADATA}, key="k")
    stripe.update_product("test_a", {"name": "B", "metadata": {"sku": "", "stocked": "1"}}, key="u")
    found = stripe.product("test_a")
    assert found
    assert (found.name, found.metadata) == ("B", {"shop": "test", "stocked": "1"})


def test_a_repeat_of_a_write_writes_again(stripe: FakeStripe) -> None:
    stripe.create_product("test_a", {"name": "A", "metadata": METADATA}, key="k")
    for _ in range(7):
        stripe.catalogue["test_a"]["name"] = "changed by hand"
        stripe.update_product("test_a", {"name": "B", "metadata": METADATA}, key="u")
        assert stripe.catalogue["test_a"]["name"] == "B"


def test_what_is_gone_cannot_be_updated(stripe: FakeStripe) -> None:
    stripe.create_product("test_a", {"name": "A", "metadata": METADATA}, key="k")
    stripe.delete("test_a")
    assert stripe.product("test_a") is None
    with pytest.raises(StripeRefused) as refused:
        stripe.update_product("test_a", {"name": "A", "metadata": METADATA}, key="u")
    assert refused.value.status == 404


def test_active_ones_are_listed_the_newest_first_and_others_by_id(stripe: FakeStripe) -> None:
    for name in "abc":
        stripe.create_product(f"test_{name}", {"name": name, "metadata": METADATA}, key=name)
    stripe.archive("test_b")
    assert [p.id for p in stripe.active_products()] == ["test_c", "test_a"]
    assert [p.id for p in stripe.products(["test_a", "test_b", "test_x"])] == ["test_b", "test_a"]


def test_calls_fail_as_planned(stripe: FakeStripe) -> None:
    stripe.fault("create_product", Fault.LOST_REPLY)
    with pytest.raises(StripeUnreachable):
        stripe.create_product("test_a", {"name": "A", "metadata": METADATA}, key="k")
    assert stripe.product("test_a")
    with pytest.raises(StripeRefused):
        stripe.create_product("test_b", {"name": "B", "metadata": {"k" * 41: ""}}, key="b")


def test_its_products_are_as_stripe_describes_them(stripe: FakeStripe) -> None:
    import stripe as library

    stripe.create_product("test_a", {"name": "A", "metadata": METADATA}, key="k")
    product = stripe.catalogue["test_a"]
    assert set(product) <= set(library.Product.__annotations__)
    if description := load():
        from urllib.parse import urlencode

        assert description.check_response("product", product) == []
        for path, params in (
            ("/v1/products", {"id": "test_a", "name": "A", "metadata": METADATA}),
            ("/v1/products/test_a", {"name": "A", "metadata": METADATA}),
        ):
            assert description.check_request("POST", path, urlencode(list(flat(params)))) == []


def test_its_prices_are_as_stripe_describes_them(stripe: FakeStripe) -> None:
    import stripe as library

    stripe.create_product("test_a", {"name": "A", "metadata": METADATA}, key="k")
    params = {"product": "test_a", "unit_amount": 100, "currency": "usd", "metadata": METADATA}
    stripe.create_price("test_a", unit_amount=100, currency="usd", metadata=METADATA, key="a price")
    [price] = stripe.all_prices.values()
    assert set(price) <= set(library.Price.__annotations__)
    takes = library.params.PriceCreateParams.__annotations__
    assert set(params) <= set(takes)
    if description := load():
        from urllib.parse import urlencode

        assert description.check_response("price", price) == []
        for path, sent in (
            ("/v1/prices", params),
            ("/v1/prices/price_1", {"active": "false"}),
            ("/v1/products/test_a", {"default_price": "price_1"}),
            ("/v1/products/test_a", {"description": "", "images": ""}),
        ):
            assert description.check_request("POST", path, urlencode(list(flat(sent)))) == []


def test_an_archived_price_is_listed_and_sold_no_more(stripe: FakeStripe) -> None:
    stripe.create_product("test_a", {"name": "A", "metadata": METADATA}, key="k")
    made = stripe.create_price("test_a", unit_amount=1, currency="usd", metadata={}, key="p")
    assert [price.id for price in stripe.prices("test_a")] == [made.id]
    stripe.archive_price(made.id)
    assert stripe.prices("test_a") == []
    with pytest.raises(StripeRefused, match="inactive"):
        stripe.create_session(wanted(line_items=[{"price": made.id, "quantity": 1}]), "s")
