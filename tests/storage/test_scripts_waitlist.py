"""The waitlist: units that come free go to who waits longest, inside the script that frees them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from storefront.domain.orders import State
from storefront.domain.products import Product, Variant
from storefront.domain.terms import Rate, Terms, Way
from storefront.domain.waitlist import PlaceState
from storefront.storage.answers import (
    Chosen,
    Confirmed,
    Held,
    Joined,
    Left,
    Passed,
    Restocked,
    Settled,
    Taken,
)
from storefront.storage.asking import Asking
from storefront.storage.charging import Charged, Told
from storefront.storage.lines import Lines
from tests.storage.steps import AGAIN_MS, ASK_MS, GRACE_MS, HOLD_MS, LAPSE_MS, PRICE, Book

OFFER_MS = 7_200_000


@pytest.fixture
def gone(book: Book) -> Book:
    """The only two posters are held for o1, whose payment page cs_1 is open."""
    book.shelve(poster=2)
    book.open("o1", {"poster": 2})
    return book


# Joining


def test_joined_is_not_in_line_yet_and_owes_a_mail(gone: Book) -> None:
    assert gone.join("ada", units=2) is Joined.JOINED
    place = gone.place("ada")
    assert (place.state, place.sku, place.email) == ("unconfirmed", "poster", "ada@example.com")
    assert (place.orders, place.offered, place.confirmed) == (("ada-1", "ada-2"), 0, 0)
    assert gone.line() == []
    due = gone.due()
    assert due["mail:waitlist:ada"] == place.joined == place.mailed
    assert due["lapse:ada"] == place.joined + LAPSE_MS


def test_already_keeps_the_place_and_sends_no_second_mail(gone: Book) -> None:
    gone.join("ada")
    before = gone.picture()
    assert gone.join("ada", units=3) is Joined.ALREADY
    assert gone.picture() == before
    gone.confirm("ada")
    before = gone.picture()
    assert gone.join("ada") is Joined.ALREADY
    assert gone.picture() == before


def test_the_mail_goes_out_again_when_the_last_one_is_long_ago(gone: Book) -> None:
    gone.join("ada")
    row = json.loads(gone.store._client.hget(gone.store.keys.name("places"), "ada"))
    row["mailed"] -= AGAIN_MS
    gone.store._client.hset(gone.store.keys.name("places"), "ada", json.dumps(row))
    gone.store._client.zrem(gone.store.keys.name("due"), "mail:waitlist:ada")
    assert gone.join("ada") is Joined.ALREADY
    assert "mail:waitlist:ada" in gone.due()
    assert (
        gone.place("ada").mailed == row["mailed"] + AGAIN_MS
        or gone.place("ada").mailed > row["mailed"]
    )


def test_unknown_sku_changes_nothing(gone: Book) -> None:
    before = gone.picture()
    assert gone.join("ada", "nothing") is Joined.UNKNOWN_SKU
    assert gone.picture() == before


@pytest.mark.parametrize("how", ["left", "stopped"])
def test_who_is_gone_may_join_anew_at_the_end_of_the_line(gone: Book, how: str) -> None:
    gone.wait("ada", "bob")
    gone.leave("ada", how)
    assert gone.join("ada", renew=True) is Joined.JOINED
    gone.confirm("ada")
    assert gone.line() == ["bob", "ada"]


def test_lapsed_is_forgotten_altogether(gone: Book) -> None:
    gone.join("ada")
    assert gone.leave("ada", "lapsed") is Left.GONE
    assert gone.store.waitlist.get("ada") is None
    assert set(gone.due()) & {"lapse:ada", "mail:waitlist:ada"} == set()
    assert gone.leave("ada", "lapsed") is Left.UNKNOWN_PLACE


def test_a_confirmed_place_does_not_lapse(gone: Book) -> None:
    gone.wait("ada")
    before = gone.picture()
    assert gone.leave("ada", "lapsed") is Left.ALREADY
    assert gone.picture() == before


# Confirming, and the order of the line


def test_confirmed_counts_from_where_it_joined(gone: Book) -> None:
    for name in ("ada", "bob", "cyd"):
        gone.join(name)
    assert gone.confirm("cyd") is Confirmed.CONFIRMED
    gone.confirm("ada")
    assert gone.line() == ["ada", "cyd"]
    assert [gone.store.waitlist.ahead(gone.place(one)) for one in ("ada", "bob", "cyd")] == [
        0,
        1,
        1,
    ]
    assert set(gone.due()) & {"lapse:ada", "mail:waitlist:ada"} == set()


def test_already_confirmed_changes_nothing(gone: Book) -> None:
    gone.wait("ada")
    before = gone.picture()
    assert gone.confirm("ada") is Confirmed.ALREADY
    assert gone.confirm("nobody") is Confirmed.UNKNOWN_PLACE
    assert gone.picture() == before


def test_lines_of_skus_whose_names_begin_the_same_are_apart(book: Book) -> None:
    book.shelve(**{"poster": 0, "poster-red": 0})
    book.wait("ada", sku="poster-red")
    book.wait("bob", sku="poster")
    book.store.scripts.restock("poster", delta=1, reason="r", who="w", key="k")
    assert book.offered() == ["bob-1"]


def test_confirming_while_units_are_there_gives_an_offer_at_once(book: Book) -> None:
    book.shelve(poster=1)
    book.wait("ada", units=2)
    assert book.offered() == ["ada-1"]
    assert book.level("poster") == (0, 1, 0, 0, 1)
    assert book.line() == ["ada"]


# Offers


def test_an_offer_holds_one_unit_in_a_name_with_a_deadline_a_mail_and_a_ledger_entry(
    gone: Book,
) -> None:
    gone.wait("ada")
    [told] = gone.published(lambda: gone.release("o1"))
    assert json.loads(told) == {"poster": {"available": 1, "held": 1}}
    order = gone.order("ada-1")
    assert (order.state, order.units, order.place) == (State.OFFERED, "held", "ada")
    assert (order.email, order.visitor, order.session) == ("ada@example.com", "", "")
    [line] = order.lines
    assert (line.sku, line.quantity, line.unit_amount, line.name) == ("poster", 1, PRICE, "Poster")
    assert (order.amount, order.currency, order.basket) == (PRICE, "usd", "poster=1")
    assert order.deadline == order.created + OFFER_MS
    due = gone.due()
    assert due["expire:ada-1"] == order.deadline
    assert due["mail:offer:ada-1"] == order.created
    ttl = gone.hold_ttl("ada-1")
    assert OFFER_MS < ttl <= OFFER_MS + GRACE_MS
    assert gone.ledger()[-2:] == [
        ("release", "poster", 2, "held", "available"),
        ("offer", "poster", 1, "available", "held"),
    ]
    assert gone.place("ada").state is PlaceState.OFFERED
    assert gone.line() == []


def test_only_confirmed_places_are_offered_in_the_order_of_joining(gone: Book) -> None:
    gone.wait("ada")
    gone.join("never")
    gone.wait("bob", "cyd")
    gone.release("o1")
    assert gone.offered() == ["ada-1", "bob-1"]
    assert gone.line() == ["cyd"]
    assert gone.level("poster") == (0, 2, 0, 0, 2)


def test_a_place_for_several_units_gets_an_offer_for_each(gone: Book) -> None:
    gone.wait("ada", units=3)
    gone.wait("bob")
    gone.release("o1")
    assert gone.offered() == ["ada-1", "ada-2"]
    assert gone.line() == ["ada", "bob"]
    gone.store.scripts.restock("poster", delta=2, reason="r", who="w", key="k")
    assert gone.offered() == ["ada-1", "ada-2", "ada-3", "bob-1"]
    assert gone.line() == []


def test_an_offer_that_became_an_order_before_redis_lost_that_is_not_made_again(gone: Book) -> None:
    gone.wait("ada")
    client: Any = gone.store._client
    places, waiting = map(gone.store.keys.name, ("places", "waiting"))
    kept, line = client.hgetall(places), client.zrange(waiting, 0, -1)
    gone.release("o1")
    before = gone.order("ada-1")
    client.hset(places, mapping=kept)
    client.zadd(waiting, dict.fromkeys(line, 0))
    gone.store.scripts.restock("poster", delta=1, reason="r", who="w", key="k")
    assert gone.order("ada-1") == before
    assert (gone.level("poster"), gone.line()) == ((2, 1, 0, 0, 3), [])
    assert gone.place("ada").state is PlaceState.OFFERED
    gone.check()


def freed_by(book: Book, how: str) -> None:
    """One or two units come free."""
    match how:
        case "release":
            book.release("o1")
        case "refund":
            book.settle("o1")
            book.refund("o1")
        case "void":
            book.authorize("o1")
            book.void("o1")
        case "restock":
            book.store.scripts.restock("poster", delta=2, reason="r", who="w", key="k")
        case "recount":
            book.store.scripts.recount_stock(
                "poster", stocked=4, written_off=0, reason="r", who="w"
            )
        case "expired offer":
            book.store.scripts.restock("poster", delta=2, reason="r", who="w", key="k")
            for order in book.offered():
                book.release(order, "", version=0)


@pytest.mark.parametrize("how", ["release", "refund", "void", "restock", "recount"])
def test_whatever_frees_units_offers_them_in_the_same_script(gone: Book, how: str) -> None:
    gone.wait("ada", "bob", "cyd")
    freed_by(gone, how)
    assert gone.offered() == ["ada-1", "bob-1"]
    assert gone.level("poster")[0] == 0


def test_a_missed_offer_passes_on_and_ends_its_place(gone: Book) -> None:
    gone.wait("ada", "bob", units=2)
    gone.store.scripts.restock("poster", delta=1, reason="r", who="w", key="k")
    assert gone.release("ada-1", "", version=0) is Settled.RELEASED
    assert gone.offered() == ["bob-1"]
    assert gone.place("ada").state is PlaceState.MISSED
    assert gone.place("ada").email == ""
    assert gone.line() == ["bob"]
    assert "mail:offer-missed:ada-1" in gone.due()
    assert "mail:offer:ada-1" not in gone.due()
    assert gone.hold_ttl("ada-1") == -2
    before = gone.picture()
    assert gone.release("ada-1", "", version=0) is Settled.ALREADY
    assert gone.picture() == before


def test_who_gives_an_offer_back_is_not_told_that_it_was_missed(gone: Book) -> None:
    gone.wait("ada")
    gone.release("o1")
    gone.release("ada-1", "", version=0, reason="cancelled")
    assert gone.place("ada").state is PlaceState.LEFT
    assert "mail:offer-missed:ada-1" not in gone.due()


def test_who_was_stopped_by_the_operator_is_told(gone: Book) -> None:
    gone.wait("ada")
    gone.release("o1")
    gone.release("ada-1", "", version=0, reason="cancelled", who="admin")
    assert gone.place("ada").state is PlaceState.STOPPED
    assert "mail:offer-missed:ada-1" in gone.due()


def test_an_old_offer_s_end_does_not_end_a_place_that_was_taken_anew(gone: Book) -> None:
    gone.wait("ada")
    gone.release("o1")
    gone.leave("ada")
    gone.join("ada", renew=True)
    gone.confirm("ada")
    gone.release("ada-1", "", version=0)
    assert gone.offered() == ["ada-again-1"]  # a unit was there when she confirmed
    assert gone.place("ada").state is PlaceState.OFFERED


# Nobody jumps the line


def test_a_passer_by_gets_nothing_while_anyone_waits(gone: Book) -> None:
    gone.wait("ada")
    answer = gone.hold("passer-by", {"poster": 1})
    assert answer.word is Held.SHORT
    [shortage] = answer.shortages
    assert (shortage.available, shortage.held, shortage.waited) == (0, 2, True)
    assert shortage.returns_at is None


def test_who_joins_while_the_units_are_being_offered_is_offered_them_too(book: Book) -> None:
    """The worker looked before, when nobody waited, and takes only its own look off the list."""
    book.stock(poster=0)  # no product has it: it is tried again in a minute
    book.store.scripts.restock("poster", delta=5, reason="r", who="w", key="k")
    book.store.due.schedule("offer:poster", book.store.now())
    job = book.claim()["offer:poster"]
    assert book.store.scripts.offer_units("poster") is Passed.DONE
    book.wait("ada")
    assert book.store.scripts.finish_due(job, order="") == "taken"
    assert "offer:poster" in book.due()


def test_nor_units_that_are_there_because_what_is_waited_for_is_off_the_shelf(book: Book) -> None:
    book.stock(poster=0)  # no product has it
    book.wait("ada")
    book.store.scripts.restock("poster", delta=5, reason="r", who="w", key="k")
    assert book.level("poster")[0] == 5
    assert book.due()["offer:poster"] > book.store.now() + 50_000
    assert book.hold("passer-by", {"poster": 1}).word is Held.SHORT
    assert book.store.scripts.offer_units("poster") is Passed.LATER
    product = Product("poster", "Poster", (Variant("poster", PRICE),))
    book.store.scripts.publish_catalogue(
        {"poster": json.dumps(product.to_json())}, {}, version="v2", who="tests"
    )
    assert book.store.scripts.offer_units("poster") is Passed.DONE
    assert book.offered() == ["ada-1"]
    assert book.hold("passer-by", {"poster": 4}).word is Held.HELD


def test_a_late_payer_does_not_take_what_others_wait_for(book: Book) -> None:
    book.stock(poster=2)
    book.open("o1", {"poster": 2})
    book.wait("ada")
    book.release("o1")
    assert book.level("poster")[0] == 2
    assert book.settle("o1") is Settled.OVERSOLD
    assert "refund:o1:pi_1" in book.due()


def test_nor_one_whose_bank_agrees_late(book: Book) -> None:
    book.stock(poster=2)
    book.open("o1", {"poster": 2})
    book.wait("ada")
    book.release("o1")
    assert book.authorize("o1") is Settled.OVERSOLD


def test_when_nobody_waits_any_more_units_are_free_again(gone: Book) -> None:
    gone.wait("ada", "bob")
    assert gone.leave("ada") is Left.GONE
    assert gone.leave("ada") is Left.ALREADY
    gone.leave("bob")
    gone.release("o1")
    assert gone.level("poster") == (2, 0, 0, 0, 2)
    assert gone.hold("passer-by", {"poster": 1}).word is Held.HELD


def test_more_than_one_script_offers_are_due_at_once(book: Book) -> None:
    book.shelve(poster=0)
    for number in range(70):
        book.wait(f"p{number:02}")
    book.store.scripts.restock("poster", delta=60, reason="r", who="w", key="k")
    assert book.offered() == [f"p{number:02}-1" for number in range(50)]
    assert book.hold("passer-by", {"poster": 1}).word is Held.SHORT
    assert "offer:poster" in book.due()
    assert book.store.scripts.offer_units("poster") is Passed.DONE
    assert book.offered() == [f"p{number:02}-1" for number in range(60)]
    assert len(book.line()) == 10


# The question that is asked twice


def test_while_nobody_waits_each_script_is_asked_once(
    gone: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = counted(gone, monkeypatch)
    gone.release("o1")
    assert asked == [25]


def test_who_is_next_in_line_is_handed_in_with_two_keys_for_each(
    gone: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone.wait("ada", "bob", "cyd")
    asked = counted(gone, monkeypatch)
    gone.release("o1")
    assert asked == [25, 25 + 2 * 3]


def test_a_script_that_has_to_know_who_is_next_changes_nothing_before(gone: Book) -> None:
    gone.wait("ada")
    before = gone.picture()
    keys = [*gone.store.keys.books(), "{test}:seen:evt_1", "{test}:order:o1", "{test}:hold:o1"]
    question = {"order": "o1", "session": "cs_1", "version": 1, "reason": "expired", "who": ""}
    asked = gone.store.scripts._scripts["release_hold"](
        keys, [json.dumps(question | {"event": "evt_1"})]
    )
    assert asked == ["line", "ada-1", "poster"]
    assert gone.picture() == before


@pytest.mark.parametrize("changes", [1, 2, 9])
def test_a_line_that_changes_meanwhile_loses_no_unit_and_nobody_s_turn(
    gone: Book, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    gone.wait(*(f"p{number}" for number in range(12)))
    offers, left = Asking._offers, []

    def leave_meanwhile(self: Asking, orders: list[str], *rest: object) -> object:
        if len(left) < changes:
            for order in orders:  # all who were named go
                left.append(order)
                gone.store.scripts._scripts["leave_line"](
                    [*gone.store.keys.books(), *("{test}:seen:", "{test}:order:", "{test}:hold:")],
                    [json.dumps({"order": "", "place": order.partition("-")[0], "how": "left"})],
                )
        return offers(self, orders, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Asking, "_offers", leave_meanwhile)
    assert gone.release("o1") is Settled.RELEASED
    gone.check()
    gone.store.scripts.offer_units("poster")
    waiting = [f"p{number}-1" for number in range(12) if f"p{number}-1" not in left]
    assert gone.offered() == waiting[:2]


def counted(book: Book, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many keys each script gets from now on."""
    found: list[int] = []
    scripts = dict(book.store.scripts._scripts)

    def counting(real: Callable[..., object]) -> Callable[..., object]:
        def ask(keys: list[str], args: list[str]) -> object:
            found.append(len(keys))
            return real(keys, args)

        return ask

    counting_all = {name: counting(script) for name, script in scripts.items()}
    monkeypatch.setattr(book.store.scripts, "_scripts", counting_all)
    return found


# A closed door


def closed(book: Book) -> None:
    """The books are on another server than that on which they were found whole."""
    book.store._client.hset(book.store.keys.door(), "run", "another")


def test_while_the_books_are_not_known_to_be_whole_nothing_is_offered_and_it_is_due(
    gone: Book,
) -> None:
    gone.wait("ada")
    closed(gone)
    gone.release("o1")
    assert (gone.level("poster")[0], gone.offered()) == (2, [])
    assert "offer:poster" in gone.due()


def test_while_the_door_is_closed_an_offer_is_neither_taken_nor_released(gone: Book) -> None:
    gone.wait("ada")
    gone.release("o1")
    closed(gone)
    before = gone.picture()
    assert gone.take("ada-1").word is Taken.CLOSED
    assert gone.release("ada-1", "", version=0) is Settled.KEPT
    assert gone.picture() == before


def test_a_session_of_an_offer_whose_taking_was_lost_opens_it(gone: Book) -> None:
    gone.wait("ada")
    gone.release("o1")
    assert gone.attach("ada-1", "cs_9") == "attached"
    order = gone.order("ada-1")
    assert (order.state, order.session, order.session_version) == (State.OPEN, "cs_9", 1)
    assert order.taken  # so that nobody is told later of an offer that was missed
    assert gone.release("ada-1", "", version=0) is Settled.OTHER_SESSION


def test_the_payment_of_an_offer_whose_taking_was_lost_brings_its_terms_back(gone: Book) -> None:
    gone.wait("ada")
    gone.release("o1")
    closed(gone)
    terms = Terms(rates=(Rate(Way.PICKUP, 0), Rate(Way.DELIVERY, 490)), countries=("GB",))
    sent = Charged(total=PRICE + 490, shipping=490, way="delivery")
    told = Told(terms.to_json(), "elements")
    assert gone.choose("ada-1", sent, told=told) is Chosen.CHOSEN
    order = gone.order("ada-1")
    assert (order.state, order.terms, order.form, order.way) == (
        State.OFFERED,
        terms,
        "elements",
        "delivery",
    )
    assert (order.amount, order.session_version) == (PRICE + 490, 1)
    assert gone.release("ada-1", "", version=0) is Settled.KEPT


# Taking


@pytest.fixture
def offered(gone: Book) -> Book:
    """One unit is offered to ada, bob is next in line."""
    gone.wait("ada", "bob")
    gone.store.scripts.restock("poster", delta=1, reason="r", who="w", key="k")
    return gone


def test_taken_is_a_hold_like_any_other_with_a_deadline_of_its_own(offered: Book) -> None:
    assert offered.take("ada-1").word is Taken.TAKEN
    order = offered.order("ada-1")
    assert (order.state, order.session_version, order.form) == (State.PENDING, 1, "hosted")
    assert order.deadline == order.taken + HOLD_MS
    assert order.expires_at == order.taken // 1000 + 1920
    due = offered.due()
    assert due["expire:ada-1"] == order.deadline
    assert due["ask:ada-1"] == order.taken + ASK_MS
    assert "mail:offer:ada-1" not in due
    assert HOLD_MS < offered.hold_ttl("ada-1") <= HOLD_MS + GRACE_MS
    assert offered.store.orders.holding()[0] != ("ada-1", order.created + OFFER_MS)


def test_already_taken_changes_nothing(offered: Book) -> None:
    offered.take("ada-1")
    before = offered.picture()
    assert offered.take("ada-1").word is Taken.ALREADY
    assert offered.take("nobody").word is Taken.UNKNOWN_ORDER
    assert offered.picture() == before


def test_late_takes_nothing_that_is_the_next_one_s(offered: Book) -> None:
    deadline = offered.store.now() - 1
    offered.store._client.hset(offered.store.keys.order("ada-1"), "deadline", deadline)
    offered.store._client.zadd(offered.store.keys.name("holds"), {"ada-1": deadline})
    offered.store._client.zadd(offered.store.keys.name("returns"), {"poster:ada-1": deadline})
    before = offered.picture()
    assert offered.take("ada-1").word is Taken.LATE
    assert offered.picture() == before


@pytest.mark.parametrize("who", ["", "admin"])
def test_a_word_about_the_offer_does_not_release_what_was_taken(offered: Book, who: str) -> None:
    """Between looking and releasing the shopper took it, and may be paying."""
    offered.take("ada-1")
    before = offered.picture()
    assert offered.release("ada-1", "", version=0, who=who) is Settled.OTHER_SESSION
    offered.attach("ada-1", "cs_2")
    assert offered.release("ada-1", "", version=0, who=who) is Settled.OTHER_SESSION
    assert offered.order("ada-1").units == "held"
    assert before["{test}:units"] == offered.picture()["{test}:units"]


def test_what_was_taken_and_not_paid_is_the_next_one_s(offered: Book) -> None:
    offered.take("ada-1")
    offered.attach("ada-1", "cs_2")
    offered.release("ada-1", "cs_2")
    assert offered.offered() == ["bob-1"]
    assert "mail:offer-missed:ada-1" not in offered.due()


def test_what_was_taken_and_paid_is_sold(offered: Book) -> None:
    offered.take("ada-1")
    offered.attach("ada-1", "cs_2")
    assert offered.settle("ada-1", session="cs_2", amount=PRICE) is Settled.SOLD
    assert offered.level("poster") == (0, 2, 1, 0, 3)


def test_a_restock_that_is_sent_again_offers_nothing_again(offered: Book) -> None:
    before = offered.picture()
    again = offered.store.scripts.restock("poster", delta=1, reason="r", who="w", key="k")
    assert again is Restocked.ALREADY
    assert offered.picture() == before


def test_every_script_of_the_waitlist_is_called_here() -> None:
    public = {name for name in vars(Lines) if not name.startswith("_")}
    assert public == {"join_line", "confirm_place", "leave_line", "take_offer", "offer_units"}
