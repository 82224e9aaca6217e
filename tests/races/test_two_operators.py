"""Two operators do the same things at the same moment, a thousand times: each counts once."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier

from storefront.storage.answers import Handed, Planned, Recorded, Restocked
from tests.books import broken
from tests.races.clients import WAIT_SECONDS, Act, Clients
from tests.races.conftest import Figure
from tests.storage.steps import PRICE, Book

TURNS = 1000
LINE = 10
"""Units of one order, which are sent back one by one."""
FIRST_STOCK = 3 * TURNS
PREPARING = 8
"""Clients that sell what is then sent back and handed out."""

Deed = Callable[[Book, int], object]


def restock(book: Book, turn: int) -> object:
    """One unit, by the form that both have open."""
    return book.store.scripts.restock(
        "poster", delta=1, reason="box", who="ada", key=f"box-{turn:06d}"
    )


def plan(book: Book, turn: int) -> object:
    """One unit of a line goes back, by the form that both have open."""
    wish = book.plan({"poster": 1}, key=f"form-{turn:06d}", payment=f"pi_back-{turn // LINE}")
    return book.want(wish, f"back-{turn // LINE}").word


def tell(book: Book, turn: int) -> object:
    """Two workers hear from Stripe that it was taken."""
    order = f"back-{turn // LINE}"
    wish = book.plan({"poster": 1}, key=f"form-{turn:06d}", payment=f"pi_{order}")
    told = book.refund(order, f"re_{turn}", f"pi_{order}", amount=PRICE, plan=wish)
    return Recorded.RECORDED if told is Recorded.REFUNDED else told


def scan(book: Book, turn: int) -> object:
    """The code of an order of one unit, each with a scanner of their own."""
    return book.hand_over(f"out-{turn}", key=f"scan-{id(book):x}").word


DEEDS: dict[Deed, tuple[object, object]] = {
    restock: (Restocked.DONE, Restocked.ALREADY),
    plan: (Planned.PLANNED, Planned.ALREADY),
    tell: (Recorded.RECORDED, Recorded.ALREADY),
    scan: (Handed.HANDED_OVER, Handed.ALREADY),
}
"""What the first is told, and what the second."""


def both(clients: Clients, deed: Deed) -> list[set[object]]:
    """What two clients are told, turn by turn, each of which they begin together."""
    gate = Barrier(2)

    def go(book: Book) -> list[object]:
        answers = []
        for turn in range(TURNS):
            gate.wait(WAIT_SECONDS)
            answers.append(deed(book, turn))
        return answers

    return [set(pair) for pair in zip(*clients.at_once([go, go]), strict=True)]


def sell(clients: Clients) -> None:
    """Orders of ten units, to be sent back, and orders of one, to be handed out."""
    orders = {f"back-{n}": LINE for n in range(TURNS // LINE)}
    orders |= {f"out-{n}": 1 for n in range(TURNS)}

    def work(start: int) -> Act[None]:
        def go(book: Book) -> None:
            for order, units in list(orders.items())[start::PREPARING]:
                book.open(order, {"poster": units}, f"cs_{order}")
                book.settle(order, f"pi_{order}", session=f"cs_{order}", amount=units * PRICE)

        return go

    clients.at_once([work(start) for start in range(PREPARING)])


def test_what_two_operators_do_at_once_counts_once(clients: Clients, figure: Figure) -> None:
    """Restocked, planned, sent back and handed over: in each of a thousand turns by one of them."""
    book = clients.fresh()
    book.stock(poster=FIRST_STOCK)
    sell(clients)
    assert book.level("poster") == (TURNS, 0, 2 * TURNS, 0, FIRST_STOCK)
    for deed, answers in DEEDS.items():
        assert Counter(map(frozenset, both(clients, deed))) == {frozenset(answers): TURNS}, deed
    # A thousand came in and a thousand came back; a thousand were handed over, which stay sold.
    assert book.level("poster") == (3 * TURNS, 0, TURNS, 0, 4 * TURNS)
    entries = Counter(what for what, *_ in book.ledger())
    assert (entries["return"], entries["hand_over"]) == (TURNS, TURNS)
    assert broken(book.store) == []
    figure(f"two operators: {TURNS} restocks, refunds and hand-overs at once, each counted once")


def look_first(book: Book, turn: int) -> object:
    """As a program does that looks whether a form was sent, and then counts it."""
    client, form = book.store._client, f"form-{turn}"
    if client.hexists("forms", form):
        return "already"
    client.hset("forms", form, "1")
    client.incr("counted")
    return "counted"


def test_forms_that_are_looked_up_first_count_twice(clients: Clients, figure: Figure) -> None:
    """The control: the turns of the two do meet."""
    clients.fresh()
    twice = both(clients, look_first).count({"counted"})
    assert int(clients.redis.get("counted")) == TURNS + twice
    assert twice > 0
    figure(f"two operators, control that looks first: {twice} of {TURNS} counted twice")
