"""claim_due and finish_due: what is due is done by one worker at a time, and never forgotten."""

from dataclasses import replace

import pytest

from storefront.storage.answers import Job
from tests.storage.steps import Book

LEASE_MS = 60_000


@pytest.fixture
def due(book: Book) -> Book:
    """Three jobs: two that are late, one for tomorrow."""
    now = book.store.now()
    book.store.due.schedule("ask:o1", now - 2000)
    book.store.due.schedule("expire:o2", now - 1000)
    book.store.due.schedule("ask:o3", now + 86_400_000)
    return book


def claim(book: Book, limit: int = 10) -> list[Job]:
    return book.store.scripts.claim_due(limit=limit, lease_ms=LEASE_MS)


def test_what_is_due_is_claimed_the_latest_first_and_the_rest_left_alone(due: Book) -> None:
    first, second = claim(due)
    assert (first.name, second.name) == ("ask:o1", "expire:o2")
    assert (first.tries, second.tries) == (1, 1)
    assert 2000 <= first.late_ms < 12_000
    assert 1000 <= second.late_ms < 11_000


def test_no_more_is_claimed_than_asked_for(due: Book) -> None:
    assert [job.name for job in claim(due, 1)] == ["ask:o1"]
    assert [job.name for job in claim(due, 1)] == ["expire:o2"]
    assert claim(due, 1) == []


def test_a_claimed_job_is_nobody_else_s_until_its_lease_is_over(due: Book) -> None:
    jobs = claim(due)
    assert claim(due) == []
    at = due.due()
    assert {at[job.name] for job in jobs} == {job.lease for job in jobs}
    assert 0 < jobs[0].lease - due.store.now() <= LEASE_MS


def test_a_lapsed_lease_makes_the_job_due_again_and_counts_the_try(book: Book) -> None:
    book.store.due.schedule("ask:o1", 1)
    for tries in (1, 2, 3):
        [job] = book.store.scripts.claim_due(limit=1, lease_ms=0)
        assert (job.name, job.tries) == ("ask:o1", tries)
    assert [job.tries for job in book.store.due.jobs()] == [3]


def test_finished_takes_the_job_off_the_list_with_its_tries(due: Book) -> None:
    first, _ = claim(due)
    assert due.store.scripts.finish_due(first, order="o1") == "finished"
    assert set(due.due()) == {"expire:o2", "ask:o3"}
    assert due.store._client.hgetall(due.store.keys.name("tries")) == {"expire:o2": "1"}


def test_finished_notes_the_time_in_the_order(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 1})
    book.settle("o1")
    job = book.claim()["mail:confirmed:o1"]
    book.store.scripts.finish_due(job, order="o1", field="mail:confirmed")
    assert book.store.now() - 5000 <= book.order("o1").notices["confirmed"] <= book.store.now()


def test_nothing_is_noted_of_a_job_that_was_lost_with_what_it_was_about(book: Book) -> None:
    """Redis was restarted without the sale, while a worker had its mail in hand."""
    book.stock(poster=5)
    book.open("o1", {"poster": 1})
    job = Job("mail:confirmed:o1", book.store.now() + LEASE_MS, 1, 0, "")
    assert book.store.scripts.finish_due(job, order="o1", field="mail:confirmed") == "taken"
    assert book.order("o1").notices == {}


def test_an_order_that_does_not_exist_is_not_made_by_noting_a_time(book: Book) -> None:
    book.store.due.schedule("mail:confirmed:none", 1)
    job = book.claim()["mail:confirmed:none"]
    book.store.scripts.finish_due(job, order="none", field="mail:confirmed")
    assert book.picture() == {}


def test_later_puts_the_job_back_and_keeps_counting(due: Book) -> None:
    first, _ = claim(due)
    before = due.store.now()
    assert due.store.scripts.postpone_due(first, order="o1", delay_ms=5000) == "later"
    assert before + 5000 <= due.due()["ask:o1"] <= due.store.now() + 5000
    assert [job.tries for job in due.store.due.jobs() if job.name == "ask:o1"] == [1]


def test_later_after_it_went_well_counts_its_tries_anew(due: Book) -> None:
    first, second = claim(due)
    due.store.scripts.postpone_due(first, order="o1", delay_ms=1, fresh=True)
    assert due.store._client.hgetall(due.store.keys.name("tries")) == {second.name: "1"}


def test_later_at_once_is_due_again_in_a_moment(due: Book) -> None:
    first, _ = claim(due)
    due.store.scripts.postpone_due(first, order="o1", delay_ms=0)
    assert due.due()["ask:o1"] <= due.store.now() + 1


@pytest.mark.parametrize("done", [True, False])
def test_taken_leaves_a_job_alone_that_was_scheduled_anew_meanwhile(due: Book, done: bool) -> None:
    first, _ = claim(due)
    due.store.due.schedule("ask:o1", 7)
    scripts = due.store.scripts
    if done:
        assert scripts.finish_due(first, order="o1") == "taken"
    else:
        assert scripts.postpone_due(first, order="o1", delay_ms=5000) == "taken"
    assert due.due()["ask:o1"] == 7


def test_taken_leaves_a_job_alone_that_another_worker_has_by_now(book: Book) -> None:
    book.store.due.schedule("ask:o1", 1)
    [slow] = book.store.scripts.claim_due(limit=1, lease_ms=0)
    [quick] = book.store.scripts.claim_due(limit=1, lease_ms=LEASE_MS)
    assert book.store.scripts.finish_due(slow, order="o1") == "taken"
    assert book.store.scripts.finish_due(quick, order="o1") == "finished"


@pytest.mark.parametrize("done", [True, False])
def test_taken_leaves_a_job_alone_that_was_claimed_before_a_restart(due: Book, done: bool) -> None:
    """What was done for it may be lost, so it is due again when its lease ends."""
    first, _ = claim(due)
    before = replace(first, run="another")
    scripts = due.store.scripts
    if done:
        assert scripts.finish_due(before, order="o1") == "taken"
    else:
        assert scripts.postpone_due(before, order="o1", delay_ms=5000) == "taken"
    assert due.due()["ask:o1"] == first.lease


def test_a_mail_that_went_out_is_noted_and_done_though_the_server_was_restarted(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 1})
    book.settle("o1")
    job = replace(book.claim()["mail:confirmed:o1"], run="another")
    assert book.store.scripts.finish_due(job, order="o1", field="mail:confirmed") == "finished"
    assert "confirmed" in book.order("o1").notices


def test_taken_forgets_the_tries_of_a_job_that_is_no_longer_needed(book: Book) -> None:
    book.stock(poster=5)
    book.open("o1", {"poster": 1})
    book.store.due.schedule("expire:o1", 1)
    job = book.claim()["expire:o1"]
    book.release("o1")
    assert book.store.scripts.postpone_due(job, order="o1", delay_ms=5) == "taken"
    assert book.due() == {}
    assert not book.store._client.exists(book.store.keys.name("tries"))


def test_a_repeat_of_a_lost_reply_does_no_harm(due: Book) -> None:
    first, _ = claim(due)
    due.store.scripts.finish_due(first, order="o1")
    before = due.picture()
    assert due.store.scripts.finish_due(first, order="o1") == "taken"
    assert due.picture() == before


def test_a_job_that_is_due_earlier_stays_so(book: Book) -> None:
    book.store.due.schedule("ask:o1", 5)
    book.store.due.schedule("ask:o1", 9)
    assert book.due() == {"ask:o1": 5}
    book.store.due.schedule("ask:o1", 3)
    assert book.due() == {"ask:o1": 3}
