"""count_try, use_code, confirm_codes and what is kept beside them: the operator's account."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from storefront.storage.answers import CodesConfirmed, CodeUsed
from storefront.storage.store import Store, open_store

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OTHER = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"
STEP = 59_833_333
HASHES = ("aa", "bb")


def attempt(
    store: Store, *, free: int = 3, first_ms: int = 50_000, longest_ms: int = 90_000
) -> int:
    return store.scripts.count_try(
        free=free, first_ms=first_ms, longest_ms=longest_ms, calm_ms=3_600_000
    )


def confirm(store: Store, secret: str = SECRET, generation: str = "g2") -> CodesConfirmed:
    return store.scripts.confirm_codes(secret, STEP, generation=generation, recovery=HASHES)


def let_pass(store: Store, ms: int) -> None:
    """As if the last try had been so long ago."""
    tried = int(store._client.hget(store.keys.account(), "tried"))
    store._client.hset(store.keys.account(), "tried", tried - ms)


def test_some_tries_are_free_and_then_each_doubles_the_wait_up_to_a_longest(store: Store) -> None:
    assert [attempt(store) for _ in range(3)] == [0, 0, 0]
    waits = []
    for _ in range(4):
        waits.append(attempt(store))
        let_pass(store, waits[-1])
        assert attempt(store) == 0
    seconds = [round(wait / 10_000) * 10 for wait in waits]
    assert seconds == [50, 90, 90, 90]


def test_who_has_to_wait_is_not_counted_and_so_waits_no_longer(store: Store) -> None:
    for _ in range(3):
        attempt(store)
    waits = [attempt(store) for _ in range(20)]
    assert all(0 < wait <= 50_000 for wait in waits)
    assert waits == sorted(waits, reverse=True)
    let_pass(store, waits[-1])
    assert attempt(store) == 0


def test_tries_are_forgotten_after_a_calm_hour_after_a_success_and_when_the_clock_went_back(
    store: Store,
) -> None:
    def exhaust() -> None:
        while attempt(store) == 0:
            pass

    exhaust()
    let_pass(store, 3_600_001)
    assert attempt(store) == 0
    exhaust()
    store.account.forget_tries()
    assert attempt(store) == 0
    exhaust()
    let_pass(store, -500_000)
    assert attempt(store) == 0


def test_guesses_sent_at_once_are_all_counted(real_client: redis.Redis) -> None:
    store = open_store(real_client, "test")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: attempt(store, free=5), range(100)))
    assert answers.count(0) == 5


def test_a_code_is_used_once_and_one_of_an_earlier_step_no_more(store: Store) -> None:
    store.account.draft(SECRET)
    confirm(store)
    assert store.scripts.use_code(SECRET, STEP) is CodeUsed.SPENT
    assert store.scripts.use_code(SECRET, STEP + 1) is CodeUsed.USED
    assert store.scripts.use_code(SECRET, STEP + 1) is CodeUsed.SPENT
    assert store.scripts.use_code(SECRET, STEP) is CodeUsed.SPENT
    assert store.scripts.use_code(OTHER, STEP + 2) is CodeUsed.CHANGED


def test_of_many_who_send_the_same_code_at_once_one_uses_it(real_client: redis.Redis) -> None:
    store = open_store(real_client, "test")
    store.account.draft(SECRET)
    confirm(store)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: store.scripts.use_code(SECRET, STEP + 1), range(100)))
    assert answers.count(CodeUsed.USED) == 1


def test_a_secret_counts_once_it_is_confirmed_and_ends_every_session(store: Store) -> None:
    assert store.account.begin_generation("g1") == "g1"
    assert store.account.draft(SECRET) == SECRET
    assert store.account.secret() == ""
    assert confirm(store) is CodesConfirmed.ON
    assert store.account.secret() == SECRET
    assert store.account.generation() == "g2"
    assert store.account.draft() == ""
    assert store.account.recovery_left() == 2
    before = store._client.hgetall(store.keys.account())
    assert confirm(store, generation="g3") is CodesConfirmed.ALREADY
    assert store._client.hgetall(store.keys.account()) == before


def test_what_was_not_shown_cannot_be_confirmed(store: Store) -> None:
    assert confirm(store) is CodesConfirmed.GONE
    store.account.draft(OTHER)
    assert confirm(store) is CodesConfirmed.GONE
    assert store.account.secret() == ""
    assert store.account.recovery_left() == 0


def test_another_phone_takes_the_place_of_the_first_with_its_recovery_codes(store: Store) -> None:
    store.account.draft(SECRET)
    confirm(store)
    store.account.use_recovery("aa")
    store.account.draft(OTHER)
    assert confirm(store, OTHER) is CodesConfirmed.ON
    assert store.account.secret() == OTHER
    assert store.account.recovery_left() == 2


def test_what_is_being_set_up_is_kept_for_ten_minutes_from_the_first_look(store: Store) -> None:
    assert store.account.draft(SECRET) == SECRET
    store._client.expire(store.keys.account_draft(), 300)
    assert store.account.draft(OTHER) == SECRET
    assert 0 < store._client.ttl(store.keys.account_draft()) <= 300
    store._client.delete(store.keys.account_draft())
    store.account.draft(OTHER)
    assert 590 < store._client.ttl(store.keys.account_draft()) <= 600
    assert store._client.ttl(store.keys.account()) == -2


def test_the_account_itself_is_kept_for_good(store: Store) -> None:
    store.account.draft(SECRET)
    confirm(store)
    attempt(store)
    assert store._client.ttl(store.keys.account()) == -1
    assert store._client.ttl(store.keys.account_recovery()) == -1


def test_a_recovery_code_is_used_once_and_new_ones_end_the_old(store: Store) -> None:
    store.account.replace_recovery(HASHES)
    assert [store.account.use_recovery("aa") for _ in range(2)] == [True, False]
    assert store.account.recovery_left() == 1
    store.account.replace_recovery(("cc",))
    assert [store.account.use_recovery(one) for one in ("bb", "cc")] == [False, True]


def test_switched_off_nothing_is_left_of_the_codes(store: Store) -> None:
    store.account.begin_generation("g1")
    store.account.draft(SECRET)
    confirm(store)
    store.account.draft(OTHER)
    store.account.switch_off()
    assert store._client.hgetall(store.keys.account()) == {"generation": "g2"}
    assert store._client.exists(store.keys.account_draft(), store.keys.account_recovery()) == 0
    assert store.scripts.use_code(SECRET, STEP + 1) is CodeUsed.CHANGED


@pytest.mark.parametrize("begun", ["", "g1"])
def test_a_generation_stays_until_it_is_renewed(store: Store, begun: str) -> None:
    if begun:
        store.account.begin_generation(begun)
    assert store.account.begin_generation("new") == (begun or "new")
    store.account.renew_generation("other")
    assert store.account.generation() == "other"
