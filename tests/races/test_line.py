"""Thirty-two clients at once, some in line, some passing by: no unit is sold around the line."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random
from unittest.mock import patch

import pytest

from storefront.domain.orders import State
from storefront.storage.answers import Held
from tests.books import broken
from tests.races.clients import Clients
from tests.races.conftest import Figure
from tests.races.sizes import CLIENTS, ROUNDS
from tests.storage.steps import Book

UNITS = 4
WAITERS = 12
Act = Callable[[Book], object]
CARELESS = (
    ("for sku in pairs(changed) do pass_on(sku) end", ""),
    ("local waited = anyone_waits(line.sku)", "local waited = false"),
)


def opening(book: Book) -> list[str]:
    """Every unit is held, and twelve wait; answers their places in the order of joining."""
    book.shelve(poster=UNITS)
    for number in range(UNITS):
        book.open(f"holder-{number}", {"poster": 1}, f"cs_{number}")
    places = [f"p{number:02}" for number in range(WAITERS)]
    book.wait(*places)
    return places


def release(number: int) -> Act:
    return lambda book: book.release(f"holder-{number}", f"cs_{number}")


def free(number: int) -> Act:
    """What a careless shop does instead: the unit first, then who is next."""

    def act(book: Book) -> object:
        book.release(f"holder-{number}", f"cs_{number}")
        return book.store.scripts.offer_units("poster")

    return act


def restock(number: int) -> Act:
    key = f"key-{number}"
    return lambda book: book.store.scripts.restock("poster", delta=1, reason="r", who="w", key=key)


def pass_by(number: int) -> Act:
    return lambda book: book.hold(f"passer-by-{number}", {"poster": 1}).word


def leave(place: str) -> Act:
    return lambda book: book.leave(place)


def crowd(random: Random, places: list[str]) -> tuple[list[Act], set[str]]:
    """Units come free, some leave, and more than twice as many try to buy; and who leaves."""
    leaving = set(random.sample(places, 3))
    acts: list[Act] = [release(number) for number in range(UNITS)]
    acts += [restock(number) for number in range(3)]
    acts += [leave(place) for place in leaving]
    acts += [pass_by(number) for number in range(CLIENTS - len(acts))]
    random.shuffle(acts)
    return acts, leaving


def test_no_unit_is_sold_around_the_line_and_the_first_are_offered(
    clients: Clients, figure: Figure
) -> None:
    around, offers = 0, 0
    for round_ in range(ROUNDS):
        random = Random(round_)
        book = clients.fresh()
        places = opening(book)
        acts, leaving = crowd(random, places)
        words = clients.at_once(acts)
        around += words.count(Held.HELD)
        book.store.scripts.offer_units("poster")  # what was due, had the line changed too often
        assert broken(book.store) == []
        offered = [place for place in places if book.place(place).offered]
        assert len(book.offered()) == UNITS + 3
        # Whoever stayed was passed over for nobody: only those who left may stand before an offer.
        last = places.index(offered[-1])
        assert set(places[: last + 1]) - set(offered) <= leaving
        assert book.level("poster") == (0, UNITS + 3, 0, 0, UNITS + 3)
        offers += len(offered)
    assert around == 0
    figure(f"the line: {ROUNDS} rounds of {CLIENTS} clients, {offers} offers, 0 sold around it")


@pytest.fixture
def careless(clients: Clients) -> Iterator[Clients]:
    """Clients of a shop that frees a unit first and looks who is next then."""
    with ExitStack() as stack:
        for book in clients._books:
            scripts = book.store.scripts._scripts
            stack.enter_context(patch.dict(scripts))
            for name in ("release_hold", "hold_stock"):
                text = str(scripts[name].script)
                for old, new in CARELESS:
                    text = text.replace(old, new)
                scripts[name] = book.store._client.register_script(text)
        yield clients


def test_control_a_unit_that_is_freed_before_one_looks_who_is_next_goes_around_the_line(
    careless: Clients,
) -> None:
    clients, jumped = careless, 0
    for round_ in range(ROUNDS):
        book = clients.fresh()
        opening(book)

        acts = [free(number) for number in range(UNITS)]
        acts += [pass_by(number) for number in range(CLIENTS - UNITS)]
        Random(round_).shuffle(acts)
        jumped += clients.at_once(acts).count(Held.HELD)
    assert jumped > 0


def test_two_who_take_one_offer_are_one_hold(clients: Clients) -> None:
    for _ in range(ROUNDS):
        book = clients.fresh()
        opening(book)
        book.release("holder-0", "cs_0")
        words = clients.at_once(
            [lambda book: book.take("p00-1").word] * 8
            + [lambda book: book.release("p00-1", "", version=0)] * 8
        )
        assert broken(book.store) == []
        order = book.order("p00-1")
        if "taken" in words:
            assert words.count("taken") == 1
            assert (order.state, order.units) == (State.PENDING, "held")
        else:
            assert order.state is State.RELEASED
            assert book.offered() == ["p01-1"]
