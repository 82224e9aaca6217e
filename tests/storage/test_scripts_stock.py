"""restock and publish_catalogue: units that come in and go out by the operator's hand."""

import json

import pytest
import redis

from storefront.storage.answers import Restocked
from tests.storage.steps import Book

KEY_SECONDS = 35 * 24 * 3600


def restock(book: Book, sku: str, delta: int, key: str = "k1") -> Restocked:
    return book.store.scripts.restock(sku, delta=delta, reason="found", who="ada", key=key)


def test_done_adds_units_that_are_on_sale_at_once(book: Book) -> None:
    book.stock(poster=5)
    [told] = book.published(lambda: restock(book, "poster", 7))
    assert json.loads(told) == {"poster": {"available": 12, "held": 0}}
    assert book.level("poster") == (12, 0, 0, 0, 12)
    [entry] = book.store.ledger.latest(1)
    assert (entry.what, entry.quantity, entry.origin, entry.target) == (
        "restock",
        7,
        "",
        "available",
    )
    assert (entry.why, entry.who, entry.order) == ("found", "ada", "")
    assert set(book.due()) == {"mirror:poster"}


def test_done_writes_available_units_off_and_leaves_what_was_stocked(book: Book) -> None:
    book.stock(poster=5)
    assert restock(book, "poster", -3) is Restocked.DONE
    assert book.level("poster") == (2, 0, 0, 3, 5)
    assert book.ledger()[-1] == ("write_off", "poster", 3, "available", "written_off")
    assert set(book.due()) == {"mirror:poster"}


def test_the_key_is_remembered_for_35_days(book: Book) -> None:
    book.stock(poster=5)
    restock(book, "poster", 1, "k1")
    ttl = book.store._client.ttl(book.store.keys.name("restock:k1"))
    assert KEY_SECONDS - 5 <= ttl <= KEY_SECONDS


def test_already_counts_the_same_key_once(book: Book) -> None:
    book.stock(poster=5)
    restock(book, "poster", 1, "k1")
    before = book.picture()
    assert restock(book, "poster", 1, "k1") is Restocked.ALREADY
    assert {k: v for k, (v, _) in book.picture().items()} == {k: v for k, (v, _) in before.items()}
    assert restock(book, "poster", 1, "k2") is Restocked.DONE


def test_units_that_stay_in_the_shop_change_nothing_that_stripe_keeps(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 2})
    book.settle("o1", "pi_1")
    book.refund("o1")
    book.open("o2", {"poster": 2}, "cs_2")
    book.release("o2", "cs_2")
    assert "mirror:poster" not in book.due()


def test_a_worker_that_has_the_mirror_in_hand_cannot_take_it_off_the_list(book: Book) -> None:
    """Its lease may have run out long ago, with no other worker there to take the job."""
    book.stock(poster=5)
    restock(book, "poster", 1, "k1")
    [job] = book.store.scripts.claim_due(limit=1, lease_ms=0)
    restock(book, "poster", 1, "k2")
    assert book.store.scripts.finish_due(job, order="") == "taken"
    assert set(book.due()) == {"mirror:poster"}


def test_not_enough_writes_off_no_unit_that_is_held_or_sold(book: Book) -> None:
    book.stock(poster=5)
    book.hold("o1", {"poster": 3})
    before = book.picture()
    assert restock(book, "poster", -3) is Restocked.NOT_ENOUGH
    assert book.picture() == before
    assert restock(book, "poster", -2) is Restocked.DONE
    assert book.level("poster") == (0, 3, 0, 2, 5)


def test_unknown_sku_changes_nothing(book: Book) -> None:
    assert restock(book, "none", 1) is Restocked.UNKNOWN_SKU
    assert book.picture() == {}


def test_a_refused_restock_does_not_use_up_its_key(book: Book) -> None:
    book.stock(poster=1)
    assert restock(book, "poster", -2, "k1") is Restocked.NOT_ENOUGH
    restock(book, "poster", 5, "k2")
    assert restock(book, "poster", -2, "k1") is Restocked.DONE


@pytest.mark.parametrize("delta", [0, 0.5])
def test_a_delta_is_a_whole_number_other_than_0(book: Book, delta: float) -> None:
    book.stock(poster=5)
    before = book.picture()
    with pytest.raises(redis.ResponseError, match="whole number other than 0"):
        restock(book, "poster", delta)  # type: ignore[arg-type]
    assert book.picture() == before


def test_published_gives_new_skus_their_first_stock(book: Book) -> None:
    scripts = book.store.scripts
    assert sorted(scripts.publish_catalogue({"p": "{}"}, {"a": 4, "b": 0}, version="v1", who="x"))
    assert (book.level("a"), book.level("b")) == ((4, 0, 0, 0, 4), (0, 0, 0, 0, 0))
    [entry] = book.store.ledger.latest(9)
    assert (entry.sku, entry.what, entry.why, entry.who) == ("a", "restock", "first import", "x")
    assert set(book.due()) == {"mirror:a", "mirror:b"}


def test_published_gives_a_known_sku_nothing_more(book: Book) -> None:
    book.stock(a=4)
    book.hold("o1", {"a": 4})
    fresh = book.store.scripts.publish_catalogue({}, {"a": 9, "b": 1}, version="v2", who="x")
    assert (fresh, book.level("a"), book.level("b")) == (["b"], (0, 4, 0, 0, 4), (1, 0, 0, 0, 1))


def test_a_sku_without_stock_can_be_restocked_later(book: Book) -> None:
    book.stock(a=0)
    assert restock(book, "a", 2) is Restocked.DONE
    assert book.level("a") == (2, 0, 0, 0, 2)


def test_publishing_again_changes_the_catalogue_and_its_version_only(book: Book) -> None:
    book.stock(a=4)
    before = book.picture()
    book.store.scripts.publish_catalogue({"p": '{"name":"P"}'}, {"a": 4}, version="v2", who="x")
    after = book.picture()
    changed = {key for key in after if after[key] != before.get(key)}
    keys = book.store.keys
    assert changed == {keys.name("catalogue"), keys.name("catalogue:version")}
    assert after[keys.name("catalogue")] == ({"p": '{"name":"P"}'}, -1)


def test_open_pages_are_told_of_new_stock(book: Book) -> None:
    [told] = book.published(lambda: book.stock(a=4))
    assert json.loads(told) == {"a": {"available": 4, "held": 0}}


@pytest.mark.parametrize("units", [-1, 1.5])
def test_a_stock_that_is_no_number_of_units_stops_before_anything_is_written(
    book: Book, units: float
) -> None:
    with pytest.raises(redis.ResponseError, match="whole number, 0 or more"):
        book.store.scripts.publish_catalogue(
            {"p": "{}"},
            {"a": 1, "b": units},  # type: ignore[dict-item]
            version="v1",
            who="x",
        )
    assert book.picture() == {}


def test_what_stripe_shows_of_a_product_is_due_when_it_changed_and_its_skus_are_known(
    book: Book,
) -> None:
    def publish(price: int) -> set[str]:
        variants = [{"sku": sku, "price": price} for sku in ("poster", "unseen")]
        row = json.dumps({"slug": "poster", "variants": variants})
        book.store.scripts.publish_catalogue({"poster": row}, {}, version=str(price), who="op")
        due = set(book.due())
        book.store._client.delete(book.store.keys.name("due"))
        return due

    book.stock(poster=5)
    assert publish(2500) == {"show:poster"}
    assert publish(2500) == set()
    assert publish(3000) == {"show:poster"}


def test_changed_writes_nothing_when_the_catalogue_is_another_than_was_read(book: Book) -> None:
    scripts = book.store.scripts
    assert scripts.publish_catalogue({"p": "{}"}, {"a": 1}, version="v1", who="x", since="") == [
        "a"
    ]
    before = book.picture()
    for since in ("", "v0"):
        late = scripts.publish_catalogue(
            {"p": '{"name":"P"}'}, {"b": 2}, version="v2", who="x", since=since
        )
        assert late is None
    assert book.picture() == before
    assert scripts.publish_catalogue({}, {"b": 2}, version="v2", who="x", since="v1") == ["b"]


def test_what_was_published_can_be_sent_again_though_its_version_is_there_by_now(
    book: Book,
) -> None:
    """Its reply was lost: the second sending says what the first did, and counts nothing twice."""
    scripts = book.store.scripts
    for fresh in (["a"], []):
        found = scripts.publish_catalogue({"p": "{}"}, {"a": 3}, version="v1", who="x", since="")
        assert found == fresh
    assert book.level("a") == (3, 0, 0, 0, 3)
