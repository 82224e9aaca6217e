"""open_link, attach_link, take_unit, end_link, close_link and restore_link: units set aside."""

from dataclasses import replace

import pytest
import redis

from storefront.domain.orders import State
from storefront.domain.payment_links import LinkState, PaymentLink
from storefront.storage.answers import (
    LinkAttached,
    LinkClosed,
    LinkEnded,
    LinkOpened,
    LinkRestored,
    Settled,
    UnitTaken,
)
from tests.storage.steps import ASK_MS, PRICE, Book

LINK = PaymentLink(
    id="l1",
    sku="poster",
    units=3,
    left=3,
    state=LinkState.MAKING,
    unit_amount=PRICE,
    currency="usd",
    created=0,
    name="Poster",
    slug="poster",
)


def open_link(book: Book, link: PaymentLink = LINK) -> tuple[LinkOpened, str]:
    return book.store.scripts.open_link(link, who="me", ask_ms=ASK_MS)


def attach(book: Book, stripe: str = "plink_1", link: str = "l1") -> LinkAttached:
    return book.store.scripts.attach_link(link, stripe=stripe, url=f"https://buy.example/{stripe}")


def take(
    book: Book,
    order: str = "o1",
    *,
    link: str = "l1",
    sku: str = "poster",
    in_turn: bool = False,
) -> UnitTaken:
    return book.store.scripts.take_unit(
        order,
        replace(LINK, sku=sku).line,
        link=link,
        session=f"cs_{order}",
        currency="usd",
        expires_at=1_900_000_000,
        email="ada@example.com",
        ask_ms=ASK_MS,
        in_turn=in_turn,
    )


def end(book: Book, why: str = "closed") -> LinkEnded:
    return book.store.scripts.end_link("l1", why=why, who="me")


def close(book: Book) -> LinkClosed:
    _, run = book.store.scripts.read_door()
    known = book.store.links.get("l1")
    stripe = known.stripe if known else ""
    return book.store.scripts.close_link("l1", why="closed", stripe=stripe, run=run)


def link(book: Book, link_id: str = "l1") -> PaymentLink:
    found = book.store.links.get(link_id)
    assert found is not None
    return found


def selling(book: Book, units: int = 3) -> None:
    """Five posters, so many of them set aside for a link that sells."""
    book.stock(poster=5)
    open_link(book, replace(LINK, units=units, left=units))
    attach(book)


def test_opened_sets_the_units_aside_before_stripe_knows(book: Book) -> None:
    book.stock(poster=5)
    assert open_link(book) == (LinkOpened.OPENED, "")
    made = link(book)
    assert made == replace(LINK, created=made.created)
    assert book.level("poster") == (2, 3, 0, 0, 5)
    assert book.store.snapshot().allotments == {"l1": {"poster": 3}}
    assert book.due() == {"link:l1": made.created + ASK_MS}
    [entry] = book.store.ledger.latest(1)
    assert (entry.what, entry.quantity, entry.order, entry.who) == ("allot", 3, "link:l1", "me")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"sku": "none"}, (LinkOpened.UNKNOWN_SKU, "")),
        ({"units": 6}, (LinkOpened.NOT_ENOUGH, "5")),
    ],
)
def test_what_cannot_be_set_aside_changes_nothing(
    book: Book, changes: dict[str, object], answer: tuple[LinkOpened, str]
) -> None:
    book.stock(poster=5)
    before = book.picture()
    assert open_link(book, replace(LINK, **changes)) == answer  # type: ignore[arg-type]
    assert book.picture() == before


def test_a_link_of_no_units_is_never_made(book: Book) -> None:
    book.stock(poster=5)
    before = book.picture()
    with pytest.raises(redis.ResponseError, match="whole number"):
        open_link(book, replace(LINK, units=0))
    assert book.picture() == before


def test_a_closed_shop_sets_nothing_aside(book: Book) -> None:
    book.stock(poster=5)
    book.store._client.hset(book.store.keys.door(), "run", "another server")
    before = book.picture()
    assert open_link(book) == (LinkOpened.CLOSED, "restarted")
    assert book.picture() == before


def test_each_step_counts_once_however_often_it_is_sent(book: Book) -> None:
    book.stock(poster=5)
    open_link(book)
    for step, words in (
        (lambda: open_link(book), [(LinkOpened.ALREADY, "making")] * 2),
        (lambda: attach(book), [LinkAttached.ATTACHED, LinkAttached.ALREADY]),
        (lambda: take(book), [UnitTaken.TAKEN, UnitTaken.ALREADY]),
        (lambda: end(book), [LinkEnded.ENDING, LinkEnded.ALREADY]),
        (lambda: close(book), [LinkClosed.CLOSED, LinkClosed.ALREADY]),
    ):
        assert step() == words[0]
        before = book.picture()
        assert step() == words[1]
        assert book.picture() == before
    assert book.level("poster") == (4, 1, 0, 0, 5)


def test_attached_sells_and_keeps_the_first_that_stripe_made(book: Book) -> None:
    selling(book)
    assert (link(book).active, link(book).stripe) == (True, "plink_1")
    assert attach(book, "plink_2") is LinkAttached.OTHER
    assert link(book).url == "https://buy.example/plink_1"
    assert attach(book, link="none") is LinkAttached.UNKNOWN_LINK


def test_attached_after_it_was_ended_it_stays_so(book: Book) -> None:
    book.stock(poster=5)
    open_link(book)
    end(book)
    assert attach(book) is LinkAttached.ATTACHED
    assert (link(book).state, link(book).stripe) == (LinkState.CLOSING, "plink_1")


def test_taken_moves_one_unit_from_the_link_to_the_order(book: Book) -> None:
    selling(book)
    assert take(book) is UnitTaken.TAKEN
    order = book.order("o1")
    assert (order.state, order.units, order.amount) == (State.PROCESSING, "held", PRICE)
    assert (order.session, order.email) == ("cs_o1", "ada@example.com")
    assert (link(book).left, link(book).sold) == (2, 1)
    assert book.level("poster") == (2, 3, 0, 0, 5)
    snapshot = book.store.snapshot()
    assert snapshot.allotments == {"l1": {"poster": 2}}
    assert snapshot.units == {"o1": ("held", {"poster": 1})}
    assert book.ledger()[-1] == ("take", "poster", 1, "held", "held")
    assert book.due()["ask:o1"] == order.created + ASK_MS
    assert book.hold_ttl("o1") == -1, "it stands until Stripe says how the payment ended"


def test_what_was_taken_is_settled_as_any_order(book: Book) -> None:
    selling(book)
    take(book)
    assert book.settle("o1", session="cs_o1", amount=PRICE) is Settled.SOLD
    assert book.level("poster") == (2, 2, 1, 0, 5)
    take(book, "o2")
    assert book.release("o2", "cs_o2", reason="declined") is Settled.RELEASED
    assert book.level("poster") == (3, 1, 1, 0, 5)


def test_the_last_unit_makes_the_end_of_the_link_due(book: Book) -> None:
    selling(book, units=1)
    assert "unlink:l1" not in book.due()
    assert take(book) is UnitTaken.TAKEN
    assert (link(book).state, link(book).left, link(book).why) == (LinkState.CLOSING, 0, "sold_out")
    assert "unlink:l1" in book.due()
    assert book.store.snapshot().allotments == {}


@pytest.mark.parametrize(("name", "sku"), [("none", "poster"), ("l1", "zine")])
def test_without_an_allotment_the_order_begins_without_units(
    book: Book, name: str, sku: str
) -> None:
    selling(book)
    assert take(book, link=name, sku=sku) is UnitTaken.SHORT
    assert (book.order("o1").state, book.order("o1").units) == (State.RELEASED, "none")
    assert book.level("poster") == (2, 3, 0, 0, 5)
    assert "ask:o1" in book.due()


def test_a_link_that_may_be_lost_makes_no_order_out_of_turn(book: Book) -> None:
    selling(book)
    book.store._client.hset(book.store.keys.door(), "run", "another")
    before = book.picture()
    assert take(book, link="none") is UnitTaken.LATER
    assert book.picture() == before
    assert take(book, "o2") is UnitTaken.TAKEN
    assert take(book, "o3", link="none", in_turn=True) is UnitTaken.SHORT


def test_short_of_units_the_payment_takes_what_the_shelf_has_or_goes_back(book: Book) -> None:
    book.stock(poster=2)
    open_link(book, replace(LINK, units=1, left=1))
    attach(book)
    assert [take(book, order) for order in ("o1", "o2", "o3")] == [
        UnitTaken.TAKEN,
        UnitTaken.SHORT,
        UnitTaken.SHORT,
    ]
    outcomes = [
        book.settle(o, f"pi_{o}", session=f"cs_{o}", amount=PRICE) for o in ("o1", "o2", "o3")
    ]
    assert outcomes == [Settled.SOLD, Settled.RETAKEN, Settled.OVERSOLD]
    assert book.level("poster") == (0, 0, 2, 0, 2)


def test_ended_keeps_its_units_and_closed_gives_them_back(book: Book) -> None:
    selling(book)
    assert end(book) is LinkEnded.ENDING
    assert book.level("poster") == (2, 3, 0, 0, 5)
    assert (link(book).active, link(book).left) == (False, 3)
    assert "unlink:l1" in book.due()
    assert close(book) is LinkClosed.CLOSED
    closed = link(book)
    assert (closed.state, closed.left, closed.returned, closed.sold) == (LinkState.CLOSED, 0, 3, 0)
    assert book.level("poster") == (5, 0, 0, 0, 5)
    [entry] = book.store.ledger.latest(1)
    assert (entry.what, entry.quantity, entry.why, entry.who) == ("unlink", 3, "closed", "me")
    assert book.due() == {}


def test_a_unit_that_an_ended_link_still_has_is_taken(book: Book) -> None:
    selling(book)
    end(book)
    assert take(book) is UnitTaken.TAKEN
    close(book)
    assert take(book, "o2") is UnitTaken.SHORT
    assert link(book).returned == 2


def test_a_link_that_nobody_knows_is_neither_ended_nor_closed(book: Book) -> None:
    before = book.picture()
    assert end(book) is LinkEnded.UNKNOWN_LINK
    assert close(book) is LinkClosed.UNKNOWN_LINK
    assert book.picture() == before


def test_other_when_stripe_made_it_after_it_was_asked(book: Book) -> None:
    selling(book)
    end(book)
    _, run = book.store.scripts.read_door()
    before = book.picture()
    answer = book.store.scripts.close_link("l1", why="refused", stripe="", run=run)
    assert answer is LinkClosed.OTHER
    assert book.picture() == before


def test_restarted_when_sales_may_have_been_lost_since_stripe_was_asked(book: Book) -> None:
    selling(book)
    end(book)
    before = book.picture()
    answer = book.store.scripts.close_link(
        "l1", why="closed", stripe="plink_1", run="the server before"
    )
    assert answer is LinkClosed.RESTARTED
    assert book.picture() == before


@pytest.mark.parametrize("script", ["take_unit", "close_link"])
def test_books_that_disagree_stop_the_script(book: Book, script: str) -> None:
    selling(book)
    book.put("held", "poster", 0)
    before = book.picture()
    with pytest.raises(redis.ResponseError, match="disagree"):
        take(book) if script == "take_unit" else close(book)
    assert book.picture() == before
    book.put("held", "poster", 3)


LOST = replace(LINK, units=3, left=2, stripe="plink_1", url="https://buy.example/plink_1")


def test_restored_has_what_is_left_set_aside_again(book: Book) -> None:
    book.stock(poster=5)
    assert book.store.scripts.restore_link(LOST) is LinkRestored.RESTORED
    found = link(book)
    assert (found.state, found.left, found.sold) == (LinkState.OPEN, 2, 1)
    assert (found.stripe, found.url) == (LOST.stripe, LOST.url)
    assert book.level("poster") == (3, 2, 0, 0, 5)
    assert set(book.due()) == {"link:l1"}
    before = book.picture()
    assert book.store.scripts.restore_link(LOST) is LinkRestored.ALREADY
    assert book.picture() == before


@pytest.mark.parametrize(("stock", "left", "kept"), [(1, 2, 1), (0, 2, 0), (5, 0, 0)])
def test_restored_short_it_keeps_what_there_is_and_is_to_end(
    book: Book, stock: int, left: int, kept: int
) -> None:
    book.stock(poster=stock)
    assert book.store.scripts.restore_link(replace(LOST, left=left)) is LinkRestored.SHORT
    assert (link(book).state, link(book).left) == (LinkState.CLOSING, kept)
    assert book.level("poster") == (stock - kept, kept, 0, 0, stock)
    assert set(book.due()) == {"unlink:l1"}


def test_open_pages_hear_of_units_that_are_set_aside(book: Book) -> None:
    book.stock(poster=5)
    told = book.published(lambda: open_link(book))
    assert told == ['{"poster":{"available":2,"held":3}}'] or told == [
        '{"poster":{"held":3,"available":2}}'
    ]


def test_links_are_listed_the_newest_first(book: Book) -> None:
    selling(book)
    open_link(book, replace(LINK, id="l0", units=1))
    assert {one.id for one in book.store.links.all()} == {"l0", "l1"}
    assert book.store.links.get("none") is None
    assert book.store.links.get_many([]) == []
