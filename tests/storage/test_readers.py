"""What is read is what the scripts wrote, at one moment and in few round trips."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import redis

from storefront.domain.orders import State
from storefront.domain.products import Level, Product, Variant
from storefront.domain.sold_at_stripe import KnownPrice
from storefront.storage import ledger, order_fields, orders
from storefront.storage.keys import DOCUMENTED, Keys
from storefront.storage.store import Store, open_store
from tests.storage.steps import Book
from tests.storage.test_scripts_links import LINK

DAYS_35 = 35 * 24 * 3600


@contextmanager
def round_trips(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Every request to the server: single commands and whole pipelines."""
    made: list[object] = []
    pipeline = type(client.pipeline())
    command, execute = type(client).execute_command, pipeline.execute

    def one(self: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(self, pipeline):
            made.append(args[0])
        return command(self, *args, **options)

    def many(self: Any, *args: Any, **options: Any) -> Any:
        made.append(len(self.command_stack))
        return execute(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(redis.Redis, "execute_command", one)
        patch.setattr(pipeline, "execute", many)
        yield made


@pytest.fixture
def busy(book: Book) -> Book:
    """One order in each of four states, in this order: paid, released, open, pending."""
    book.stock(poster=9, zine=9)
    book.open("paid", {"poster": 1}, "cs_1")
    book.settle("paid", "pi_1")
    book.open("released", {"poster": 1}, "cs_2")
    book.release("released", "cs_2")
    book.open("open", {"poster": 2}, "cs_3")
    book.hold("pending", {"zine": 3})
    return book


def test_an_order_that_does_not_exist_is_none(book: Book) -> None:
    assert book.store.orders.get("none") is None
    assert book.store.orders.get_many([]) == []


def test_many_orders_are_read_in_the_order_asked_for_in_one_round_trip(
    busy: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with round_trips(busy.store._client, monkeypatch) as made:
        found = busy.store.orders.get_many(["open", "none", "paid"])
    assert [(order.id, order.units) for order in found] == [("open", "held"), ("paid", "sold")]
    assert len(made) == 1


def test_orders_are_listed_by_state_and_time_the_oldest_first(busy: Book) -> None:
    found = busy.store.orders
    assert sorted(found.ids()) == ["open", "paid", "pending", "released"]
    assert found.ids() == sorted(found.ids(), key=lambda one: (busy.order(one).created, one))
    assert found.ids(State.OPEN) == ["open"]
    later = busy.store.now() + 1
    assert found.ids(since_ms=later) == found.ids(State.OPEN, since_ms=later) == []
    assert found.ids(since_ms=1) == found.ids()
    assert found.ids(State.PAID, since_ms=busy.order("paid").created) == ["paid"]


def test_a_walk_reads_every_order_in_chunks(busy: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "CHUNK", 3)
    assert [order.id for order in busy.store.orders.walk()] == busy.store.orders.ids()
    chunks = list(busy.store.orders.examine(busy.store.orders.ids()))
    assert [len(found) for found, _ in chunks] == [3, 1]
    assert {"expire:open", "ask:pending"} <= chunks[0][1]


def test_counts_are_by_state(busy: Book) -> None:
    counts = busy.store.orders.counts()
    expected = {State.PAID: 1, State.RELEASED: 1, State.OPEN: 1, State.PENDING: 1}
    assert counts == dict.fromkeys(State, 0) | expected


def test_a_visitor_s_live_holds_are_the_oldest_first(busy: Book) -> None:
    assert busy.store.orders.live_of("visitor-of-open") == ["open"]
    assert busy.store.orders.live_of("visitor-of-paid") == []
    assert busy.store.orders.live_of("visitor") == []
    assert busy.store.orders.live_of("") == []


def test_holds_are_the_earliest_deadline_first(busy: Book) -> None:
    busy.hold("short", {"zine": 1}, hold_ms=1000)
    holding = busy.store.orders.holding()
    assert holding[0][0] == "short"
    assert {order for order, _ in holding} == {"short", "open", "pending"}
    assert busy.store.orders.holding(most=1) == holding[:1]
    assert busy.store.orders.holding(until_ms=holding[0][1]) == holding[:1]


def test_a_payment_leads_to_its_order(busy: Book) -> None:
    assert busy.store.orders.by_payment("pi_1") == "paid"
    assert busy.store.orders.by_payment("pi_2") is None


def test_payments_are_looked_up_together(busy: Book) -> None:
    assert busy.store.orders.payers(["pi_1", "pi_2"]) == {"pi_1": "paid", "pi_2": None}
    assert busy.store.orders.payers([]) == {}


def test_an_order_is_told_with_the_states_it_is_listed_under(busy: Book) -> None:
    found = busy.store.orders
    assert found.listed_in("paid") == ("paid", ["paid"])
    assert found.listed_in("none") == ("", [])
    states, created = busy.store.keys.name("states"), busy.order("open").created
    busy.store._client.zadd(states, {f"review:{created}:open": 0})
    assert found.listed_in("open") == ("open", ["open", "review"])
    busy.store._client.zrem(states, f"review:{created}:open")


def test_one_sku_s_counters_are_read_at_one_moment(busy: Book) -> None:
    assert [busy.store.stock.level(sku) for sku in ("poster", "zine")] == busy.store.stock.levels()
    assert busy.store.stock.level("none") is None


def test_the_ledger_s_last_entries_are_read_up_to_an_id(busy: Book) -> None:
    whole = list(busy.store.ledger.walk())
    assert busy.store.ledger.tail(whole[-1].id, 99) == whole
    assert busy.store.ledger.tail(whole[-2].id, 2) == whole[-3:-1]


def test_a_snapshot_has_the_orders_and_how_often_jobs_were_taken(busy: Book) -> None:
    busy.store.due.schedule("ask:x", 1)
    busy.store.scripts.claim_due(limit=1, lease_ms=0)
    snapshot = busy.store.snapshot()
    assert list(snapshot.orders) == busy.store.orders.ids()
    assert (snapshot.tries, "ask:x" in snapshot.due) == ({"ask:x": 1}, True)


def test_an_event_that_changes_nothing_is_remembered_for_35_days(book: Book) -> None:
    assert not book.store.orders.seen("evt_1")
    book.store.orders.mark_seen("evt_1")
    assert book.store.orders.seen("evt_1")
    assert DAYS_35 - 5 <= book.seen_ttl("evt_1") <= DAYS_35


def test_the_shelf_is_one_round_trip(busy: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    with round_trips(busy.store._client, monkeypatch) as made:
        reading = busy.store.stock.shelf()
    assert len(made) == 1
    assert reading.levels == {
        "poster": Level("poster", 6, 2),
        "zine": Level("zine", 6, 3),
    }
    assert reading.catalogue_version == "v1"
    assert abs(reading.now - busy.store.now()) < 5000


def test_levels_are_all_counters_by_sku(busy: Book) -> None:
    assert busy.store.stock.levels() == [
        Level("poster", available=6, held=2, sold=1, stocked=9),
        Level("zine", available=6, held=3, stocked=9),
    ]


def test_the_ledger_s_last_entries_are_the_newest_first(
    busy: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "CHUNK", 2)
    everything = list(busy.store.ledger.walk())
    assert [(e.what, e.order) for e in everything if e.order] == [
        ("hold", "paid"),
        ("sell", "paid"),
        ("hold", "released"),
        ("release", "released"),
        ("hold", "open"),
        ("hold", "pending"),
    ]
    assert busy.store.ledger.latest(3) == everything[:-4:-1]
    assert busy.store.ledger.latest(99) == everything[::-1]
    zines = [entry for entry in everything if entry.sku == "zine"]
    assert busy.store.ledger.latest(1, "zine") == zines[-1:]
    assert busy.store.ledger.latest(9, "none") == []
    assert list(busy.store.ledger.walk(everything[2].id)) == everything[:3]
    assert all(abs(entry.at - busy.store.now()) < 60_000 for entry in everything)


def test_an_entry_of_a_rare_sku_is_found_behind_many_others(book: Book) -> None:
    book.stock(rare=1)
    book.stock(poster=1)
    for number in range(260):
        book.store.scripts.restock("poster", delta=1, reason="r", who="w", key=str(number))
    assert [entry.sku for entry in book.store.ledger.latest(1, "rare")] == ["rare"]


def test_jobs_are_counted_by_kind(busy: Book) -> None:
    assert busy.store.due.counts() == {"mail": 1, "expire": 2, "ask": 1}


def test_a_snapshot_is_one_transaction_of_everything_that_must_agree(
    busy: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    with round_trips(busy.store._client, monkeypatch) as made:
        taken = busy.store.snapshot()
    assert len(made) == 1
    assert taken.units == {
        "paid": ("sold", {"poster": 1}),
        "open": ("held", {"poster": 2}),
        "pending": ("held", {"zine": 3}),
    }
    assert taken.holds == dict(busy.store.orders.holding())
    assert taken.states == {
        "paid": "paid",
        "released": "released",
        "open": "open",
        "pending": "pending",
    }
    assert taken.due == busy.due()
    assert taken.last_entry == busy.store.ledger.latest(1)[0].id


def test_a_snapshot_of_an_empty_shop_is_empty(book: Book) -> None:
    taken = book.store.snapshot()
    assert (taken.levels, taken.units, taken.last_entry) == ({}, {}, "")


def test_units_are_read_for_skus_with_any_sign_in_them() -> None:
    assert order_fields.read_units("held a=b=2,c.d-e_f=1") == ("held", {"a=b": 2, "c.d-e_f": 1})


def publish(book: Book, version: str, *products: Product) -> None:
    rows = {product.slug: json.dumps(product.to_json()) for product in products}
    book.store.scripts.publish_catalogue(rows, {}, version=version, who="tests")


def test_the_catalogue_is_read_once_for_each_version(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    zine = Product("zine", "Zine", (Variant("zine", 500),), position=1)
    poster = Product("poster", "Poster", (Variant("poster", 500),), position=0)
    publish(book, "v1", zine, poster)
    assert book.store.catalogue.current().products == (poster, zine)
    with round_trips(book.store._client, monkeypatch) as made:
        assert book.store.catalogue.current().version == "v1"
        assert book.store.catalogue.at("v1").products == (poster, zine)
    assert made == ["GET"]
    publish(book, "v2", Product("zine", "Zine 2", zine.variants, position=1))
    assert [p.name for p in book.store.catalogue.at("v2").products] == ["Poster", "Zine 2"]


def test_the_catalogue_of_an_empty_shop_is_empty(book: Book) -> None:
    assert book.store.catalogue.current().products == ()


def test_counters_for_metrics_add_up(book: Book) -> None:
    book.store.count("limited:pages")
    book.store.count("limited:pages", 2)
    assert book.store.metrics() == {"limited:pages": 3}


def test_several_counters_are_added_to_in_one_round_trip(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.store.count("settle:5")
    with round_trips(book.store._client, monkeypatch) as made:
        book.store.count_all({"settle:5": 1, "settle_milliseconds": 4000})
    assert len(made) == 1
    assert book.store.metrics() == {"settle:5": 2, "settle_milliseconds": 4000}


def test_two_shops_on_one_redis_do_not_meet(busy: Book) -> None:
    other = open_store(busy.store._client, "other")
    assert (other.stock.levels(), other.orders.ids()) == ([], [])
    other.scripts.publish_catalogue({}, {"poster": 1}, version="v1", who="x")
    assert busy.level("poster")[4] == 9


def test_every_key_of_a_shop_is_in_one_slot_of_a_cluster(busy: Book) -> None:
    assert all(key.startswith("{test}:") for key in busy.picture())
    assert Keys("shop").order("o1") == "{shop}:order:o1"


def test_the_documented_keys_are_exactly_those_that_a_shop_keeps(busy: Book) -> None:
    busy.settle("open", "pi_3", session="cs_3", event="evt_1")
    busy.store.scripts.restock("poster", delta=1, reason="r", who="w", key="k1")
    busy.store.scripts.restock("poster", delta=-1, reason="r", who="w", key="k2")
    busy.store.scripts.restock("poster", delta=1, reason="r", who="w", key="k3")
    busy.store.scripts.open_link(replace(LINK, units=1, left=1), who="w", ask_ms=1000)
    publish(busy, "v2", Product("poster", "Poster", (Variant("poster", 1),)))
    busy.join("place1")
    busy.wait("place2", units=10)
    busy.claim()
    busy.store.count("limited:pages")
    busy.store.door.lease(10_000)
    busy.store.note_reconciled()
    busy.store.prices.note("poster", KnownPrice("price_1", 2500, "usd"))
    busy.store.prices.next_number("poster")
    busy.store.prices.note_shown("poster", 9)
    busy.store.live.note_streams("process", 2, busy.store.now())
    busy.store.scripts.mail_orders("ada@example.com", pause_ms=10_000)
    busy.store.scripts.undo_entry(busy.store.ledger.latest(1)[0].id, who="w")
    written_off = next(one for one in busy.store.ledger.latest(50) if one.what == "write_off")
    busy.store.scripts.undo_entry(written_off.id, who="w")
    busy.store.count_all({}, heard=1)
    busy.store.account.begin_generation("first")
    busy.store.account.draft("secret")
    busy.store.account.replace_recovery(["digest"])
    busy.store.additions.keep(date(2026, 12, 1), "{}", 60_000)
    busy.store.orders.note_given_back("o1", 1)
    found = set()
    for key in busy.store._client.scan_iter():
        name = key.removeprefix("{test}:")
        inside = {"order": "order", "hold": "order", "seen": "event", "restock": "key"}
        for kind, about in (inside | {"link": "link", "money": "day"}).items():
            if name.startswith(f"{kind}:"):
                name = f"{kind}:<{about}>"
        found.add(name)
    # A channel is no key, and the rate limits are kept by the web.
    assert found == set(DOCUMENTED) - {"live", "limit:<rule>"}


def test_each_key_has_the_type_and_the_end_that_are_documented(busy: Book) -> None:
    busy.settle("open", "pi_3", session="cs_3", event="evt_1")
    busy.claim()
    client, types = busy.store._client, {"zset": "sorted set"}
    for name, said in DOCUMENTED.items():
        for key in client.scan_iter(busy.store.keys.name(name.partition("<")[0] + "*")):
            if name.endswith(">") or key == busy.store.keys.name(name):
                kind = client.type(key)
                assert said.startswith(types.get(kind, kind)), key
                ends = "35 days" in said or "TTL" in said
                assert (client.ttl(key) >= 0) == ends, key


def test_a_store_answers_its_ping_and_its_time(store: Store) -> None:
    store.ping()
    assert store.now() > 1_700_000_000_000


def test_of_many_movements_of_money_only_what_was_asked_about_is_read(
    store: Store, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book(store)
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.settle("o1", "pi_1")
    book.refund("o1", "re_1", "pi_1", amount=700)
    asked = [
        ("o1", "pi_1", "ch_1"),
        ("o1", "pi_1", "re_1"),
        ("o1", "pi_2", "re_2"),
        ("", "pi_3", ""),
    ]
    with round_trips(redis_client, monkeypatch) as made:
        paid, back, other, nothing = store.orders.told_of(asked)
    assert made == [len(asked)]
    [refund] = book.order("o1").refunds
    assert paid == orders.Told("o1", 5000, None)
    assert back == orders.Told("o1", 5000, refund)
    assert other == orders.Told("o1", None, None)
    assert nothing is None
    assert store.orders.told_of([]) == []
