"""read_door and open_shop: whether holds are taken, by the server that says so."""

from typing import Any

import pytest

from storefront.domain.door import Door
from storefront.storage.answers import Held, Opened
from tests.harness import RedisServer
from tests.storage.steps import Book


def remembered(book: Book) -> dict[str, str]:
    """What the door says."""
    client: Any = book.store._client
    found: dict[str, str] = client.hgetall(book.store.keys.door())
    return found


def restart(book: Book) -> None:
    """The books were last found whole on another server."""
    book.store._client.hset(book.store.keys.door(), "run", "another")


def lose(book: Book, **units: int) -> None:
    book.store.scripts.publish_catalogue({}, units, version="v1", who="tests", lost=True)


def stands(book: Book) -> Door:
    return book.store.scripts.read_door()[0]


def test_an_empty_redis_has_no_shop_that_could_sell(book: Book) -> None:
    assert stands(book) is Door.EMPTY
    answer = book.hold("o1", {"poster": 1})
    assert (answer.word, answer.door) == (Held.CLOSED, Door.EMPTY)
    assert book.picture() == {}


def test_the_first_publication_opens_the_shop_on_this_server(book: Book) -> None:
    book.stock(poster=5)
    door, run = book.store.scripts.read_door()
    assert door is Door.OPEN
    assert remembered(book) == {"run": run}
    book.stock(zine=1)
    assert remembered(book) == {"run": run}


def test_a_real_servers_run_id_is_its_own(redis_server: RedisServer, real_client: Any) -> None:
    from storefront.storage.store import open_store

    book = Book(open_store(real_client, "test"))
    _, run = book.store.scripts.read_door()
    assert run == real_client.info("server")["run_id"]
    assert len(run) == 40


def test_on_another_server_nothing_is_held_and_nothing_written(book: Book) -> None:
    book.stock(poster=5)
    restart(book)
    before = book.picture()
    answer = book.hold("o1", {"poster": 1})
    assert (answer.word, answer.door) == (Held.CLOSED, Door.RESTARTED)
    assert book.picture() == before


def test_books_without_a_door_were_never_looked_through(book: Book) -> None:
    """As those of a version that had none."""
    book.stock(poster=5)
    book.store._client.delete(book.store.keys.door())
    assert stands(book) is Door.RESTARTED
    book.stock(zine=1)
    assert stands(book) is Door.RESTARTED


def test_an_order_that_is_held_already_is_told_so_on_any_server(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 1})
    restart(book)
    assert book.hold("o1", {"poster": 1}).word is Held.ALREADY


def test_opening_lets_holds_be_taken_again(book: Book) -> None:
    book.stock(poster=5)
    restart(book)
    book.store.door.count_failure()
    run = book.store.scripts.read_door()[1]
    for _ in range(2):  # a repeat finds it done
        assert book.store.scripts.open_shop(run=run) is Opened.OPENED
        assert remembered(book) == {"run": run}
    assert book.hold("o1", {"poster": 1}).word is Held.HELD


def test_a_server_that_is_not_the_one_looked_at_is_not_opened(book: Book) -> None:
    book.stock(poster=5)
    restart(book)
    before = book.picture()
    for rebuilt in (False, True):
        opened = book.store.scripts.open_shop(run="the one before", rebuilt=rebuilt)
        assert opened is Opened.RESTARTED
    assert book.picture() == before


def test_lost_books_open_by_a_rebuild_only(book: Book) -> None:
    lose(book, poster=5, zine=0)
    assert stands(book) is Door.REBUILD
    answer = book.hold("o1", {"poster": 1})
    assert (answer.word, answer.door) == (Held.CLOSED, Door.REBUILD)
    run = book.store.scripts.read_door()[1]
    assert book.store.scripts.open_shop(run=run) is Opened.REBUILD
    assert book.store.scripts.open_shop(run=run, rebuilt=True) is Opened.OPENED
    assert remembered(book) == {"run": run}


def test_the_stock_of_lost_books_is_remembered_and_not_counted(book: Book) -> None:
    lose(book, poster=5, zine=0)
    lose(book, poster=9, more=2)  # the first word counts
    assert book.store.door.remembered_stock() == {"poster": 5, "zine": 0, "more": 2}
    assert book.level("poster") == (0, 0, 0, 0, 0)
    assert (book.ledger(), book.due()) == ([], {})


def test_books_that_are_here_cannot_be_declared_lost(book: Book) -> None:
    book.stock(poster=5)
    lose(book, zine=3)
    assert stands(book) is Door.OPEN
    assert book.level("zine") == (3, 0, 0, 0, 3)


def test_one_process_at_a_time_has_the_lease_and_it_ends_by_itself(book: Book) -> None:
    door, client = book.store.door, book.store._client
    assert door.lease(20_000)
    assert not door.lease(20_000)
    assert 0 < client.pttl(book.store.keys.lease()) <= 20_000
    door.keep_lease(60_000)
    assert 20_000 < client.pttl(book.store.keys.lease()) <= 60_000
    door.end_lease()
    assert door.lease(20_000)


@pytest.mark.parametrize("times", [1, 3])
def test_failures_in_a_row_are_counted(book: Book, times: int) -> None:
    assert [book.store.door.count_failure() for _ in range(times)] == list(range(1, times + 1))
    assert stands(book) is Door.EMPTY


def test_where_the_loss_began_is_noted_before_another_server_writes_and_forgotten_when_it_opens(
    book: Book,
) -> None:
    book.stock(poster=5)
    (last,) = book.store.ledger.latest(1)
    assert book.store.door.loss_began() is None
    restart(book)
    for key in ("one", "two"):
        book.store.scripts.restock("poster", delta=1, reason="r", who="w", key=key)
        assert book.store.door.loss_began() == last.at
    assert "since" in remembered(book)
    _, run = book.store.scripts.read_door()
    assert book.store.scripts.open_shop(run=run, rebuilt=False) is Opened.OPENED
    book.store.scripts.restock("poster", delta=1, reason="r", who="w", key="three")
    assert remembered(book) == {"run": run}
