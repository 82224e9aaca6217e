"""Links to orders: unguessable, stored nowhere, and valid while a key that made them is known."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from storefront.services import links
from storefront.settings import load_settings
from tests.services.town import Town

SETTINGS = load_settings({"SECRET_KEY": "the-tests-own-key"}, Path("never-made"))
ORDER = "a2b3c4d5e6f7a2b3"


def test_a_token_opens_its_order_and_nothing_else(town: Town) -> None:
    settings = town.shop.settings
    token = links.token(settings, ORDER)
    assert links.open_token(settings, token) == ORDER
    other = links.token(settings, "b" * 16)
    assert links.open_token(settings, f"{ORDER}-{other.partition('-')[2]}") is None


def test_every_single_changed_sign_closes_a_token(town: Town) -> None:
    settings = town.shop.settings
    token = links.token(settings, ORDER)
    for at, sign in enumerate(token):
        other = "a" if sign != "a" else "b"
        assert links.open_token(settings, token[:at] + other + token[at + 1 :]) is None


def test_a_token_outlives_its_key_while_the_key_is_a_fallback(town: Town) -> None:
    old = town.shop.settings
    token = links.token(old, ORDER)
    rolled = replace(old, secret_key="a-new-key", secret_key_fallbacks=(old.secret_key,))
    assert links.open_token(rolled, token) == ORDER
    assert links.token(rolled, ORDER) != token
    gone = replace(rolled, secret_key_fallbacks=())
    assert links.open_token(gone, token) is None


def test_a_pick_up_code_opens_its_order_for_the_operator(town: Town) -> None:
    settings = town.shop.settings
    address, token = links.pickup(settings, ORDER).rsplit("/", 1)
    assert address == "https://shop.example/admin/pickup"
    assert links.open_pickup(settings, token) == ORDER


def test_a_pick_up_code_is_no_link_to_an_order_nor_the_other_way_round(town: Town) -> None:
    settings = town.shop.settings
    code = links.pickup(settings, ORDER).rpartition("/")[2]
    assert links.open_token(settings, code) is None
    assert links.open_pickup(settings, links.token(settings, ORDER)) is None


def test_a_pick_up_code_outlives_its_key_while_the_key_is_a_fallback(town: Town) -> None:
    old = town.shop.settings
    code = links.pickup(old, ORDER).rpartition("/")[2]
    rolled = replace(old, secret_key="a-new-key", secret_key_fallbacks=(old.secret_key,))
    assert links.open_pickup(rolled, code) == ORDER
    assert links.open_pickup(replace(rolled, secret_key_fallbacks=()), code) is None


def test_a_link_is_built_from_the_shop_s_own_address(town: Town) -> None:
    settings = town.shop.settings
    assert links.order(settings, ORDER).startswith(f"https://shop.example/orders/{ORDER}-")


def test_the_same_parts_are_the_same_order_and_other_parts_another(town: Town) -> None:
    settings = town.shop.settings
    assert links.order_id(settings, "v", "t") == links.order_id(settings, "v", "t")
    ids = {
        links.order_id(settings, *parts)
        for parts in (("v", "t"), ("vt", ""), ("", "vt"), ("v", "t", ""), ("t", "v"), ("v:t",))
    }
    assert len(ids) == 6
    assert all(links.TOKEN.fullmatch(links.token(settings, one)) for one in ids)


@given(text=st.text(max_size=60))
def test_no_text_that_somebody_makes_up_opens_an_order(text: str) -> None:
    assert links.open_token(SETTINGS, text) is None
