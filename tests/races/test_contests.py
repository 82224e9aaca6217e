"""Thirty-two clients after one to five units: exactly these units are taken, five hundred times."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import pytest

from storefront.storage.answers import Held, Settled
from tests.books import broken
from tests.races.clients import Clients
from tests.races.conftest import Figure
from tests.races.sizes import CLIENTS, CONTESTS
from tests.storage.steps import PRICE, Book

TRIES = 3
"""How often a client that was refused tries again, while units come back."""


@dataclass(frozen=True)
class Shopper:
    """What one client wants, and what it does with what it gets."""

    name: str
    basket: Mapping[str, int]
    fate: str
    """``pay``, ``give back`` or ``keep``."""
    tries: int = 1


@dataclass
class Outcome:
    """What the answers of one client add up to, in units by SKU."""

    held: Counter[str] = field(default_factory=Counter)
    sold: Counter[str] = field(default_factory=Counter)
    refused: list[Mapping[str, int]] = field(default_factory=list)


def live(shopper: Shopper, book: Book) -> Outcome:
    """One client's life: it holds, and pays, gives back or keeps what it holds."""
    outcome = Outcome()
    for attempt in range(shopper.tries):
        order = f"{shopper.name}-{attempt}"
        session, payment = f"cs_{order}", f"pi_{order}"
        held = book.hold(order, shopper.basket).word
        if held is Held.SHORT:
            outcome.refused.append(shopper.basket)
            continue
        assert held is Held.HELD
        book.attach(order, session)
        if shopper.fate == "give back":
            assert book.release(order, session) is Settled.RELEASED
            continue
        if shopper.fate == "pay":
            amount = PRICE * sum(shopper.basket.values())
            assert book.settle(order, payment, session=session, amount=amount) is Settled.SOLD
            outcome.sold.update(shopper.basket)
        else:
            outcome.held.update(shopper.basket)
        break
    return outcome


def fight(clients: Clients, stock: Mapping[str, int], shoppers: list[Shopper]) -> list[Outcome]:
    """All shoppers at once after this stock; the books must say what the answers add up to."""
    book = clients.fresh()
    book.stock(**stock)
    acts: list[Callable[[Book], Outcome]] = [
        lambda book, shopper=shopper: live(shopper, book) for shopper in shoppers
    ]
    outcomes = clients.at_once(acts)
    held = sum((outcome.held for outcome in outcomes), Counter[str]())
    sold = sum((outcome.sold for outcome in outcomes), Counter[str]())
    for sku, units in stock.items():
        taken = held[sku] + sold[sku]
        assert taken <= units, f"{taken} of {units} were taken"
        assert book.level(sku) == (units - taken, held[sku], sold[sku], 0, units)
    assert broken(book.store) == []
    return outcomes


def crowd(
    chance: Random, baskets: list[Mapping[str, int]], fates: list[str], tries: int = 1
) -> list[Shopper]:
    return [
        Shopper(f"o{n}", chance.choice(baskets), chance.choice(fates), tries)
        for n in range(CLIENTS)
    ]


def none_in_vain(clients: Clients, outcomes: list[Outcome]) -> None:
    """Where units never come back, nobody was refused what is there in the end."""
    levels = {level.sku: level.available for level in clients.book.store.stock.levels()}
    for outcome in outcomes:
        for basket in outcome.refused:
            assert any(units > levels[sku] for sku, units in basket.items())


def one_each(clients: Clients, chance: Random) -> None:
    """Everybody wants one unit: exactly as many get one as there are."""
    units = chance.randint(1, 5)
    outcomes = fight(clients, {"poster": units}, crowd(chance, [{"poster": 1}], ["pay", "keep"]))
    assert sum(not outcome.refused for outcome in outcomes) == units


def several_each(clients: Clients, chance: Random) -> None:
    """Some want more than others."""
    baskets: list[Mapping[str, int]] = [{"poster": 1}, {"poster": 2}, {"poster": 3}]
    shoppers = crowd(chance, baskets, ["pay", "keep"])
    none_in_vain(clients, fight(clients, {"poster": chance.randint(1, 5)}, shoppers))


def whole_baskets(clients: Clients, chance: Random) -> None:
    """Baskets of two SKUs, named in both orders: each is held whole or not at all."""
    stock = {"poster": chance.randint(1, 5), "zine": chance.randint(1, 5)}
    baskets: list[Mapping[str, int]] = [
        {"poster": 1, "zine": 1},
        {"zine": 1, "poster": 1},
        {"poster": 2},
        {"zine": 2, "poster": 1},
    ]
    none_in_vain(clients, fight(clients, stock, crowd(chance, baskets, ["pay", "keep"])))


def coming_back(clients: Clients, chance: Random) -> None:
    """Units that are given back are fought for again."""
    fates = ["pay", "keep", "give back", "give back"]
    shoppers = crowd(chance, [{"poster": 1}, {"poster": 2}], fates, TRIES)
    fight(clients, {"poster": chance.randint(1, 5)}, shoppers)


KINDS = (one_each, several_each, whole_baskets, coming_back)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_exactly_the_units_are_taken(
    clients: Clients, figure: Figure, kind: Callable[[Clients, Random], None]
) -> None:
    """I1 to I3, I5 and I11 after each contest, and no answer that the books do not bear out."""
    contests = CONTESTS // len(KINDS)
    for seed in range(contests):
        try:
            kind(clients, Random(seed))
        except BaseException as failure:
            failure.add_note(f"contest {seed}")
            raise
    figure(f"contests, {kind.__name__}: {contests} of {CLIENTS} clients, 0 oversold")


def read_then_write(book: Book) -> bool:
    """Take a unit as a program does that looks first: the very thing that a script must not be."""
    client, keys = book.store._client, book.store.keys
    available = keys.name("stock:available")
    units = int(client.hget(available, "poster"))
    if units < 1:
        return False
    client.hset(available, "poster", units - 1)
    client.hincrby(keys.name("stock:sold"), "poster", 1)
    return True


def test_the_same_clients_oversell_where_a_take_reads_then_writes(
    clients: Clients, figure: Figure
) -> None:
    """The control: were the contests harmless, this one would not fail in nearly all of them."""
    contests, oversold = max(20, CONTESTS // 10), 0
    for seed in range(contests):
        units = 1 + seed % 5
        book = clients.fresh()
        book.stock(poster=units)
        taken = sum(clients.at_once([read_then_write] * CLIENTS))
        assert book.level("poster")[2] == taken
        if taken > units:
            oversold += 1
            assert any("not the sum of its parts" in text for text in broken(book.store))
    assert oversold > contests // 2
    figure(f"contests, control that reads then writes: {oversold} of {contests} oversold")
