"""Counters and shoppers after the same units at the same moment, every counter's form sent twice."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from storefront.clients.mail import Mailer
from storefront.domain.errors import NotEnoughStock
from storefront.domain.orders import Form, State
from storefront.services import counter
from storefront.services.shop import Shop
from storefront.settings import Settings, load_settings
from storefront.storage.answers import Held
from tests.books import broken
from tests.races.clients import Act, Clients
from tests.races.conftest import Figure
from tests.races.sizes import CLIENTS, ROUNDS
from tests.storage.steps import Book

UNITS = 12
FORMS = SHOPPERS = CLIENTS // 4
"""Each form is sent by two clients, so some of the units are left for each side."""

Key = Callable[[int], str]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environ = {
        "SECRET_KEY": "the-tests-own-key",
        "PUBLIC_URL": "https://shop.example",
        "STRIPE_SECRET_KEY": "sk_test_x",
        "STRIPE_WEBHOOK_SECRET": "whsec_x",
        "SHOP_ID": "test",
    }
    return load_settings(environ, tmp_path / "instance")


def sell(settings: Settings, key: str) -> Act[str]:
    """One unit for cash; the shop has no Stripe that could be asked."""

    def act(book: Book) -> str:
        nobody = cast("Any", None)
        shop = Shop(settings, book.store, nobody, Mailer("", "", settings.instance / "mail"))
        try:
            return counter.sell(
                shop, wanted={"poster": 1}, form=Form.CASH, key=key, who="ada"
            ).order.id
        except NotEnoughStock:
            return "short"

    return act


def shop_for(number: int) -> Act[str]:
    return lambda book: str(book.hold(f"shopper-{number}", {"poster": 1}).word)


def evening(clients: Clients, settings: Settings, key: Key, units: int) -> tuple[int, int]:
    """How many units were sold at the counter, and held by shoppers."""
    book = clients.fresh()
    book.shelve(poster=units)
    acts = [sell(settings, key(n // 2)) for n in range(2 * FORMS)]
    acts += [shop_for(n) for n in range(SHOPPERS)]
    answers = clients.at_once(acts[::2] + acts[1::2])
    assert broken(book.store) == []
    _, held, sold, _, stocked = book.level("poster")
    assert (held, stocked) == (answers.count(Held.HELD), units)
    states = Counter(order.state for order in book.store.orders.walk())
    assert states == Counter({State.FULFILLED: sold, State.PENDING: held})
    return sold, held


def test_counters_and_shoppers_never_get_more_than_there_is_and_no_form_sells_twice(
    clients: Clients, settings: Settings, figure: Figure
) -> None:
    for _ in range(ROUNDS):
        sold, held = evening(clients, settings, lambda form: f"form-number-{form}", UNITS)
        assert sold + held == UNITS
        assert UNITS - SHOPPERS <= sold <= FORMS
    figure(
        f"counter: {ROUNDS} evenings of {2 * FORMS + SHOPPERS} after {UNITS} units, no form sold twice"
    )


def test_forms_without_a_token_of_their_own_sell_twice(
    clients: Clients, settings: Settings
) -> None:
    """The control: with units enough, each of the two clients of a form would be sold one."""
    numbers = count()
    sold, _ = evening(clients, settings, lambda _: f"click-number-{next(numbers)}", CLIENTS)
    assert sold == 2 * FORMS
