"""Two scanners and a refund at the same moment: each unit is handed over once, or is on sale again."""

import json
from random import Random
from threading import Barrier

from storefront.storage.answers import HandAnswer, Handed, Planned, Recorded
from tests.books import broken
from tests.races.clients import Act, Clients
from tests.races.conftest import Figure
from tests.races.sizes import CONTESTS
from tests.storage.steps import PRICE, Book

UNITS = 2
ROUNDS = 2 * CONTESTS


def paid(clients: Clients) -> Book:
    book = clients.fresh()
    book.stock(poster=5)
    book.open("o1", {"poster": UNITS})
    book.settle("o1", amount=UNITS * PRICE)
    return book


def given(book: Book) -> int:
    """Units that the ledger says were handed over."""
    return sum(units for what, _, units, *_ in book.ledger() if what == "hand_over")


def scan(key: str, some: int) -> Act[object]:
    """Hand over some units, or with 0 all that are left."""
    return lambda book: book.hand_over("o1", {"poster": some} if some else {}, key=key)


def refund(book: Book) -> object:
    """In Stripe's dashboard."""
    return book.refund("o1", amount=UNITS * PRICE)


def send_back(book: Book) -> object:
    """From the order's page, which said that nothing was handed over yet."""
    wish = book.plan(amount=UNITS * PRICE, to="available")
    assert book.want(wish).word is Planned.PLANNED
    return book.refund("o1", amount=UNITS * PRICE, plan=wish)


def test_two_scanners_and_a_refund_never_give_a_unit_twice_nor_sell_one_that_is_gone(
    clients: Clients, figure: Figure
) -> None:
    outcomes = {"all handed over": 0, "all on sale": 0, "some of each": 0}
    for seed in range(ROUNDS):
        chance = Random(seed)
        book = paid(clients)
        acts = [
            scan("scan-first", chance.choice((0, 1, 2))),
            scan("scan-second", chance.choice((0, 1, 2))),
            chance.choice((refund, send_back)),
        ]
        chance.shuffle(acts)
        answers = clients.at_once(acts)
        refunded = [one for one in answers if not isinstance(one, HandAnswer)]
        assert refunded == [Recorded.REFUNDED], seed
        handed = given(book)
        assert handed <= UNITS, seed
        assert book.level("poster") == (5 - handed, 0, 0, handed, 5), seed
        green = any(isinstance(a, HandAnswer) and a.word is Handed.HANDED_OVER for a in answers)
        assert green == (handed > 0), seed
        assert broken(book.store) == []
        kind = ("all on sale", "some of each", "all handed over")[handed]
        outcomes[kind] += 1
    assert all(outcomes.values()), outcomes
    figure(f"hand-overs, two scanners and a refund: {ROUNDS} rounds, {outcomes}")


def test_two_scanners_of_one_code_are_green_once(clients: Clients, figure: Figure) -> None:
    for seed in range(ROUNDS // 2):
        book = paid(clients)
        acts: list[Act[HandAnswer]] = [
            lambda book, n=n: book.hand_over("o1", key=f"scanner-{n}") for n in range(2)
        ]
        words = sorted(answer.word for answer in clients.at_once(acts))
        assert words == [Handed.ALREADY, Handed.HANDED_OVER], seed
        assert given(book) == UNITS
        assert broken(book.store) == []
    figure(f"hand-overs, two scanners: {ROUNDS // 2} rounds, each green once")


def test_scanners_that_look_first_hand_the_same_units_over_twice(clients: Clients) -> None:
    """The control: were the rounds harmless, this would not fail."""
    gate = Barrier(2)

    def look_then_write(book: Book, number: int) -> bool:
        order = book.order("o1")
        gate.wait(60)
        if not order.to_hand_over:
            return False
        key = book.store.keys.order("o1")
        book.store._client.hset(key, f"handover:{number}", json.dumps(order.to_hand_over))
        return True

    paid(clients)
    acts: list[Act[bool]] = [lambda book, n=n: look_then_write(book, n) for n in range(2)]
    assert clients.at_once(acts) == [True, True]
