"""Products and prices."""

from typing import Any
from uuid import uuid4

import pytest
import stripe

from storefront.clients.stripe_api import Stripe
from tests.standin.conftest import Standin


def test_a_product_keeps_what_it_was_given(standin: Standin):
    product = standin.client.v1.products.create(
        {
            "name": "Poster",
            "description": "Screen print",
            "images": ["https://shop.test/poster.png"],
            "metadata": {"shop": "popup", "sku": "poster-red", "stocked": "40"},
        }
    )
    found = standin.client.v1.products.retrieve(product.id)
    assert (found.name, found.description, found.active) == ("Poster", "Screen print", True)
    assert found.images == ["https://shop.test/poster.png"]
    assert found.metadata.to_dict() == {"shop": "popup", "sku": "poster-red", "stocked": "40"}


def test_a_product_can_have_an_id_of_the_shops_choice_once(standin: Standin):
    chosen = f"popup-{uuid4().hex}"
    assert standin.client.v1.products.create({"id": chosen, "name": "Poster"}).id == chosen
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.products.create({"id": chosen, "name": "Poster"})
    assert caught.value.code == "resource_already_exists"
    assert standin.client.v1.products.retrieve(chosen).name == "Poster"


@pytest.mark.parametrize("chosen", ["", " ", "a/b", "a b", "x" * 5001])
def test_an_id_that_no_address_can_hold_is_refused(standin: Standin, chosen: str):
    answer = standin.api("POST", "products", {"id": chosen, "name": "Poster"})
    assert answer.status_code == 400


def test_a_product_can_be_changed_and_unset(standin: Standin):
    products = standin.client.v1.products
    product = products.create(
        {"name": "Poster", "description": "old", "images": ["https://x.test/1.png"]}
    )
    changed = products.update(
        product.id, {"name": "Print", "active": False, "description": "", "images": ""}
    )
    assert (changed.name, changed.active, changed.description) == ("Print", False, None)
    assert changed.images == []
    assert changed.updated >= product.updated


def test_products_are_found_by_state_and_id(standin: Standin):
    products = standin.client.v1.products
    one, two = (products.create({"name": name}) for name in ("One", "Two"))
    products.update(two.id, {"active": False})
    active = {p.id for p in products.list({"active": True, "limit": 100}).data}
    assert one.id in active
    assert two.id not in active
    found = products.list({"ids": [one.id, two.id]}).data
    assert [p.id for p in found] == [two.id, one.id]


def test_the_shop_s_own_client_makes_writes_and_finds_its_products_here(standin: Standin):
    shop = Stripe("sk_test_x", api_base=standin.url)
    ids = [f"mirror_{number}.x" for number in range(105)]
    assert shop.product(ids[0]) is None
    for product_id in ids:
        shop.create_product(product_id, {"name": "P", "metadata": {"stocked": "1"}}, key=product_id)
    for _ in range(2):  # under a key that was used, and nothing goes wrong
        shop.create_product(ids[0], {"name": "Other"}, key=ids[0])
        metadata = {"stocked": "2", "sku": "x"}
        shop.update_product(ids[0], {"name": "Q", "metadata": metadata}, key="u")
    found = shop.product(ids[0])
    assert found
    assert (found.name, found.metadata) == ("Q", {"stocked": "2", "sku": "x"})
    standin.client.v1.products.update(ids[1], {"active": False})
    assert {product.id for product in shop.products(ids)} == set(ids)
    active = [product.id for product in shop.active_products()]
    assert len(active) == len(set(active))
    assert set(ids) - set(active) == {ids[1]}


def test_a_product_made_for_one_sale_is_not_active(standin: Standin):
    session = standin.open_session()
    item = standin.client.v1.checkout.sessions.line_items.list(session.id).data[0]
    assert item.price
    active = {p.id for p in standin.client.v1.products.list({"active": True, "limit": 100}).data}
    assert item.price.product not in active


def test_a_default_price_is_made_with_its_product(standin: Standin):
    product = standin.client.v1.products.create(
        {
            "name": "Mug",
            "default_price_data": {"currency": "EUR", "unit_amount": 900},
            "expand": ["default_price"],
        }
    )
    assert isinstance(product.default_price, stripe.Price)
    price = product.default_price
    assert (price.unit_amount, price.currency, price.product) == (900, "eur", product.id)


def test_a_price_is_found_by_its_product_and_lookup_key(standin: Standin):
    product = standin.client.v1.products.create({"name": "Mug"})
    key = uuid4().hex
    prices = standin.client.v1.prices
    price = prices.create(
        {"currency": "usd", "unit_amount": 900, "product": product.id, "lookup_key": key}
    )
    assert [p.id for p in prices.list({"product": product.id}).data] == [price.id]
    assert [p.id for p in prices.list({"lookup_keys": [key], "currency": "usd"}).data] == [price.id]
    assert prices.list({"product": product.id, "active": False}).data == []
    with pytest.raises(stripe.InvalidRequestError) as caught:
        prices.create(
            {"currency": "usd", "unit_amount": 1, "product": product.id, "lookup_key": key}
        )
    assert caught.value.code == "resource_already_exists"
    assert prices.update(price.id, {"active": False}).active is False


def test_an_exact_decimal_amount_is_taken(standin: Standin):
    product = {"name": "Mug"}
    price = standin.client.v1.prices.create(
        {"currency": "usd", "unit_amount_decimal": "900", "product_data": product}  # type: ignore[typeddict-item]
    )
    assert price.unit_amount == 900


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"unit_amount": 5, "product": "prod_x"}, "currency"),
        ({"currency": "usd", "product_data": {"name": "x"}}, "unit_amount"),
        ({"currency": "usd", "unit_amount": 5}, "product"),
        ({"currency": "usd", "unit_amount": 5, "product": "prod_none"}, "product"),
        ({"currency": "usd", "unit_amount": -5, "product_data": {"name": "x"}}, "unit_amount"),
        ({"currency": "usd", "unit_amount_decimal": "0.5", "product_data": {"name": "x"}}, "unit_amount_decimal"),
        ({"currency": "usd", "unit_amount": 5, "product_data": {"name": "x"}, "recurring": {"interval": "month"}}, "recurring"),
        ({"currency": "usd", "unit_amount": 5, "unit_amount_decimal": "5", "product_data": {"name": "x"}}, "unit_amount"),
    ],
)  # fmt: skip
def test_what_stripe_refuses_of_a_price_is_refused(standin: Standin, params: Any, param: str):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.prices.create(params)
    assert caught.value.param == param


def test_a_product_has_eight_pictures_at_most(standin: Standin):
    images = [f"https://x.test/{n}.png" for n in range(9)]
    assert standin.client.v1.products.create({"name": "x", "images": images[:8]})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        standin.client.v1.products.create({"name": "x", "images": images})
    assert caught.value.param == "images"


def test_the_shop_s_own_client_makes_finds_and_archives_its_prices_here(own_standin: Any):
    """Of a stand-in of its own: others leave prices behind of which the shop can read nothing."""
    with own_standin() as standin:
        _make_find_and_archive(Stripe("sk_test_x", api_base=standin.url))


def _make_find_and_archive(shop: Stripe) -> None:
    own = f"priced-{uuid4().hex}"
    picture = "https://shop.test/pictures/a.svg"
    shown = {"name": "P", "description": "D", "images": [picture], "metadata": {"sku": "a"}}
    shop.create_product(own, shown, key=own)
    made = [
        shop.create_price(
            own, unit_amount=amount, currency="usd", metadata={"sku": "a"}, key=f"{own}:{amount}"
        )
        for amount in (2500, 3000, 2500)
    ]
    assert made[0] == made[2]
    assert made[0].product == own
    assert (made[0].unit_amount, made[0].currency, made[0].once) == (2500, "usd", True)
    assert [price.id for price in shop.prices(own)] == [made[1].id, made[0].id]
    assert {made[0], made[1]} <= set(shop.active_prices())
    shop.update_product(
        own, {"default_price": made[1].id, "description": "", "images": ""}, key="d"
    )
    found = shop.product(own)
    assert found
    assert (found.default_price, found.description, found.images) == (made[1].id, "", ())
    shop.archive_price(made[0].id)
    assert shop.prices(own) == [made[1]]
    again = shop.create_price(
        own, unit_amount=2500, currency="usd", metadata={"sku": "a"}, key=f"{own}:2500"
    )
    assert (again.id, again.active) == (made[0].id, False)


def test_a_default_price_cannot_be_archived_before_another_one_is(standin: Standin):
    prices, products = standin.client.v1.prices, standin.client.v1.products
    product = products.create(
        {"name": "P", "default_price_data": {"currency": "usd", "unit_amount": 100}}
    )
    with pytest.raises(stripe.InvalidRequestError, match="default price"):
        prices.update(str(product.default_price), {"active": False})
    other = prices.create({"product": product.id, "currency": "usd", "unit_amount": 200})
    products.update(product.id, {"default_price": other.id})
    assert not prices.update(str(product.default_price), {"active": False}).active


@pytest.mark.parametrize("archived", ["price", "product"])
def test_what_is_archived_cannot_be_sold(standin: Standin, archived: str):
    product = standin.client.v1.products.create({"name": "P"})
    price = standin.client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 100}
    )
    lines = [{"price": price.id, "quantity": 1}]
    assert standin.open_session(line_items=lines).amount_total == 100
    if archived == "price":
        standin.client.v1.prices.update(price.id, {"active": False})
    else:
        standin.client.v1.products.update(product.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="active"):
        standin.open_session(line_items=lines)
