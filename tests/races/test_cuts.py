"""An append-only file that ends anywhere, as after a power cut, gives books that agree."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from storefront.domain.door import Door
from storefront.storage.answers import Held, Opened, Restocked, Settled
from storefront.storage.ledger import Entry
from storefront.storage.store import open_store
from tests.books import broken
from tests.harness import start_redis
from tests.races.aof import Change, changes, cut_copy, last_file
from tests.races.clients import Clients
from tests.races.conftest import Figure
from tests.races.sizes import CUTS
from tests.storage.steps import PRICE, Book

CLIENTS = 4
CUSTOMERS = 25
"""Of each client."""


@dataclass(frozen=True)
class Day:
    """What a busy day left on the disk, and what its ledger said in the end."""

    folder: Path
    data: bytes
    changes: list[Change]
    ledger: list[Entry]


@contextmanager
def day(spend: Callable[[Clients], None]) -> Iterator[Day]:
    """Spends a day on a server that is then ended, and keeps its data."""
    with TemporaryDirectory(prefix="aof-") as name:
        folder = Path(name)
        with start_redis(dir=name, appendfsync="everysec") as server:
            with Clients(server.url, CLIENTS) as clients:
                spend(clients)
                assert broken(clients.book.store) == []
                ledger = list(clients.book.store.ledger.walk())
            server.stop()
        data = last_file(folder).read_bytes()
        yield Day(folder, data, list(changes(data)), ledger)


def busy(clients: Clients) -> None:
    """Everything that the scripts do, by several clients at once."""
    clients.book.stock(poster=30, zine=9, ticket=2)
    clients.at_once([lambda book, n=n: serve(book, n) for n in range(CLIENTS)])


def serve(book: Book, number: int) -> None:
    chance = Random(number)
    for customer in range(CUSTOMERS):
        order, session = f"o{number}-{customer}", f"cs_{number}-{customer}"
        skus = chance.sample(["poster", "zine", "ticket"], chance.randint(1, 2))
        basket = {sku: chance.randint(1, 2) for sku in skus}
        amount = PRICE * sum(basket.values())
        if book.hold(order, basket).word is not Held.HELD:
            book.store.scripts.restock(
                skus[0], delta=chance.randint(1, 3), reason="delivery", who="ada", key=order
            )
            continue
        book.attach(order, session)
        payment = f"pi_{number}-{customer}"
        match chance.choice(["pay", "pay", "leave", "late", "wait", "back", "review", "keep"]):
            case "pay":
                book.settle(order, payment, session=session, amount=amount, event=f"evt_{order}")
                job = book.claim().get(f"mail:confirmed:{order}")
                if job:
                    book.store.scripts.finish_due(job, order=order, field="mail:confirmed")
            case "leave":
                book.release(order, session)
            case "late":
                book.release(order, session)
                book.settle(order, payment, session=session, amount=amount)
            case "wait":
                book.process(order, session)
            case "back":
                book.settle(order, payment, session=session, amount=amount)
                book.settle(order, f"{payment}-b", session=session, amount=amount)
                book.refund(order, f"re_{order}", payment, amount=amount)
            case "review":
                book.review(order, payment_intent=payment, amount=amount + 1)


def by_hand(clients: Clients) -> None:
    """Writes off one poster after the other as somebody would who thinks each write is enough."""
    book = clients.book
    book.stock(poster=200)
    client, name = book.store._client, book.store.keys.name
    for gone in range(1, 151):
        client.hincrby(name("stock:available"), "poster", -1)
        client.hincrby(name("stock:written_off"), "poster", 1)
        entry = {"sku": "poster", "what": "write_off", "quantity": 1, "order": "", "why": "broken"}
        moved = {"origin": "available", "target": "written_off", "who": "ada"}
        after = {"available": 200 - gone, "held": 0, "sold": 0, "written_off": gone, "stocked": 200}
        client.xadd(name("ledger"), entry | moved | after)


def survived(day: Day, cut: int, tour: Callable[[Book], None]) -> tuple[list[str], list[Entry]]:
    """What a Redis makes of the first bytes of a day: what is wrong with its books, its ledger.

    ``tour`` may then go on with the shop.
    """
    with TemporaryDirectory(prefix="cut-") as name:
        cut_copy(day.folder, Path(name), cut)
        with (
            start_redis(dir=name, appendfsync="everysec", aof_load_truncated="yes") as server,
            server.client() as client,
        ):
            book = Book(open_store(client, "test"))
            faults, ledger = broken(book.store), list(book.store.ledger.walk())
            tour(book)
            return faults, ledger


def goes_on(book: Book) -> None:
    """The shop sells on from where the file ended, once its books were looked through."""
    book.stock(poster=30)
    door, run = book.store.scripts.read_door()
    if door is not Door.OPEN:  # some of the day was left
        assert book.hold("before", {"poster": 1}).word is Held.CLOSED
        assert book.store.scripts.open_shop(run=run) is Opened.OPENED
    added = book.store.scripts.restock("poster", delta=1, reason="more", who="ada", key="after")
    assert added is Restocked.DONE
    assert book.hold("after", {"poster": 1}).word is Held.HELD
    assert book.settle("after", "pi_after", session="", amount=PRICE) is Settled.SOLD
    assert broken(book.store) == []


def stays(_book: Book) -> None:
    """Nothing more."""


@pytest.fixture(scope="module")
def busy_day() -> Iterator[Day]:
    with day(busy) as kept:
        yield kept


def test_what_a_script_writes_is_one_transaction_in_the_file(busy_day: Day, figure: Figure) -> None:
    """I11: an entry of the ledger stands or falls with the counters that it speaks of."""
    entries = 0
    for change in busy_day.changes:
        said: Counter[tuple[str, str]] = Counter()
        done: Counter[tuple[str, str]] = Counter()
        for command in change.commands:
            key = command.words[1].partition(":")[2] if len(command.words) > 1 else ""
            if command.name == "HINCRBY" and key.startswith("stock:"):
                done[key.removeprefix("stock:"), command.words[2]] += int(command.words[3])
            if command.name == "XADD" and key == "ledger":
                entry = dict(zip(command.words[3::2], command.words[4::2], strict=True))
                quantity, sku = int(entry["quantity"]), entry["sku"]
                said[entry["origin"] or "stocked", sku] += (
                    -quantity if entry["origin"] else quantity
                )
                said[entry["target"], sku] += quantity
                entries += 1
        assert done == said
        assert change.transaction or not said
    assert entries == len(busy_day.ledger)
    assert busy_day.changes[-1].end == len(busy_day.data)
    whole = sum(change.transaction for change in busy_day.changes)
    figure(f"AOF: {entries} ledger entries in {whole} transactions, each beside its counters")


def test_wherever_the_file_ends_the_books_agree_and_the_shop_goes_on(
    busy_day: Day, figure: Figure
) -> None:
    """I1 to I3 and I11; and nothing is gone but what the cut took."""
    chance = Random(CUTS)
    torn = 0
    between = [c.end for change in busy_day.changes for c in change.commands[:-1]]
    for number in range(CUTS):
        # Every fifth is between two commands of a transaction, the others are mostly within one.
        cut = chance.randrange(len(busy_day.data)) if number % 5 else chance.choice(between)
        torn += any(change.within(cut) and change.transaction for change in busy_day.changes)
        faults, ledger = survived(busy_day, cut, goes_on)
        assert faults == [], f"cut at byte {cut}"
        whole = sum(
            command.name == "XADD"
            for change in busy_day.changes
            if change.end <= cut
            for command in change.commands
        )
        assert ledger == busy_day.ledger[:whole], f"cut at byte {cut}"
    assert torn > CUTS // 2, "most cuts should tear a transaction"
    figure(f"AOF: {CUTS} cuts of {len(busy_day.data)} bytes, {torn} within a transaction, 0 faults")


def test_a_file_of_single_writes_gives_books_that_disagree(figure: Figure) -> None:
    """The control: the same cuts and the same check, where the writes belong to no script."""
    cuts, chance = max(10, CUTS // 5), Random(CUTS)
    with day(by_hand) as kept:
        found = [survived(kept, chance.randrange(len(kept.data)), stays)[0] for _ in range(cuts)]
    wrong = sum(map(bool, found))
    assert any("not the sum of its parts" in text for faults in found for text in faults)
    assert any("the ledger of poster ends with" in text for faults in found for text in faults)
    figure(f"AOF, control of single writes: {wrong} of {cuts} cuts gave books that disagree")
