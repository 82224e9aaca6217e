"""attach_session and renew_session: the payment page of a pending order."""

import pytest

from storefront.domain.orders import State
from storefront.storage.answers import Attached, Renewed
from tests.storage.steps import GRACE_MS, HOLD_MS, Book


@pytest.fixture
def pending(book: Book) -> Book:
    """Two posters held for o1, no payment page yet."""
    book.stock(poster=5)
    book.hold("o1", {"poster": 2})
    return book


def test_attached_opens_the_order_for_payment(pending: Book) -> None:
    assert pending.attach("o1", "cs_1") is Attached.ATTACHED
    order = pending.order("o1")
    assert (order.state, order.session, order.sessions) == (State.OPEN, "cs_1", ("cs_1",))
    assert order.url == "https://pay.example/cs_1"
    assert pending.due() == {"expire:o1": order.deadline}
    assert pending.level("poster") == (3, 2, 0, 0, 5)
    assert HOLD_MS < pending.hold_ttl("o1") <= HOLD_MS + GRACE_MS


def test_a_session_that_is_ended_at_once_says_why_from_the_start(pending: Book) -> None:
    scripts = pending.store.scripts
    asked = {"session": "cs_1", "url": "u", "ending": "cancelled"}
    assert scripts.attach_session("o1", **asked) is Attached.ATTACHED
    assert (pending.order("o1").state, pending.order("o1").ending) == (State.OPEN, "cancelled")
    before = pending.picture()
    assert scripts.attach_session("o1", **asked) is Attached.ALREADY
    assert pending.picture() == before


def test_a_session_that_another_opened_to_be_paid_is_not_called_ended(pending: Book) -> None:
    pending.attach("o1", "cs_1")
    pending.store.scripts.attach_session("o1", session="cs_1", url="u", ending="expired")
    assert pending.order("o1").ending == ""


def test_a_session_that_is_to_be_paid_leaves_why_its_order_is_being_ended(pending: Book) -> None:
    """Nobody is led to it: who noted the reason ends it, or takes the reason back."""
    pending.store.scripts.note_ending("o1", "cancelled")
    assert pending.attach("o1", "cs_1") is Attached.ATTACHED
    assert pending.order("o1").ending == "cancelled"


def test_attached_after_a_second_number_has_stripe_s_list_looked_at(pending: Book) -> None:
    """The other number may have made a session that nobody can name."""
    pending.store.scripts.renew_session("o1", version=1, session_seconds=2000)
    before = pending.store.now()
    assert pending.attach("o1", "cs_1") is Attached.ATTACHED
    due = pending.due()
    assert set(due) == {"expire:o1", "look:o1"}
    assert before + 60_000 <= due["look:o1"] <= pending.store.now() + 60_000


def test_already_answers_a_repeat_and_changes_nothing(pending: Book) -> None:
    pending.attach("o1", "cs_1")
    before = pending.picture()
    assert pending.attach("o1", "cs_1") is Attached.ALREADY
    assert pending.picture() == before


def test_already_answers_when_the_webhook_brought_the_session_first(pending: Book) -> None:
    pending.settle("o1", session="cs_1")
    before = pending.picture()
    assert pending.attach("o1", "cs_1") is Attached.ALREADY
    assert pending.picture() == before
    assert pending.order("o1").state is State.PAID


def test_too_late_sees_that_a_second_session_is_ended(pending: Book) -> None:
    pending.attach("o1", "cs_1")
    assert pending.attach("o1", "cs_2") is Attached.TOO_LATE
    order = pending.order("o1")
    assert (order.state, order.session, order.sessions) == (State.OPEN, "cs_1", ("cs_1", "cs_2"))
    assert set(pending.due()) == {"expire:o1", "stray:o1:cs_2"}
    before = pending.picture()
    assert pending.attach("o1", "cs_2") is Attached.TOO_LATE
    assert pending.picture() == before


def test_too_late_sees_that_the_session_of_a_released_order_is_ended(pending: Book) -> None:
    pending.release("o1", "")
    assert pending.attach("o1", "cs_1") is Attached.TOO_LATE
    assert pending.order("o1").state is State.RELEASED
    assert set(pending.due()) == {"stray:o1:cs_1"}
    assert pending.level("poster") == (5, 0, 0, 0, 5)


def test_a_stray_is_due_once_even_if_its_job_was_done_before_a_repeat(pending: Book) -> None:
    pending.attach("o1", "cs_1")
    pending.attach("o1", "cs_2")
    job = pending.claim()["stray:o1:cs_2"]
    pending.store.scripts.finish_due(job, order="o1")
    pending.attach("o1", "cs_2")
    assert set(pending.due()) == {"expire:o1"}


def test_unknown_order_is_told_of_a_session_whose_order_is_lost(book: Book) -> None:
    before = book.picture()
    assert book.attach("none") is Attached.UNKNOWN_ORDER
    assert book.picture() == before


def test_renewed_numbers_a_new_creation_and_stores_its_expiry_before_it_is_used(
    pending: Book,
) -> None:
    created = pending.order("o1")
    answer = pending.store.scripts.renew_session("o1", version=1, session_seconds=2000)
    assert answer is Renewed.RENEWED
    order = pending.order("o1")
    assert order.session_version == 2
    now = pending.store.now() // 1000
    assert now + 1995 <= order.expires_at <= now + 2000
    assert (order.state, order.deadline) == (State.PENDING, created.deadline)


def test_stale_answers_whoever_was_not_first(pending: Book) -> None:
    scripts = pending.store.scripts
    assert scripts.renew_session("o1", version=1, session_seconds=2000) is Renewed.RENEWED
    before = pending.picture()
    assert scripts.renew_session("o1", version=1, session_seconds=2000) is Renewed.STALE
    assert pending.picture() == before


@pytest.mark.parametrize("end", ["open", "released", "paid"])
def test_stale_answers_when_the_order_needs_no_new_session(pending: Book, end: str) -> None:
    match end:
        case "open":
            pending.attach("o1")
        case "released":
            pending.release("o1", "")
        case "paid":
            pending.settle("o1")
    before = pending.picture()
    answer = pending.store.scripts.renew_session("o1", version=1, session_seconds=2000)
    assert (answer, pending.picture()) == (Renewed.STALE, before)


def test_unknown_order_is_told_when_one_that_is_lost_is_to_be_renewed(book: Book) -> None:
    answer = book.store.scripts.renew_session("none", version=1, session_seconds=2000)
    assert (answer, book.picture()) == (Renewed.UNKNOWN_ORDER, {})


def test_a_session_of_an_older_number_never_leaves_an_order_without_its_page(
    pending: Book,
) -> None:
    """Its maker was slow; another went on with the next number, and both sessions arrive."""
    pending.store.scripts.renew_session("o1", version=1, session_seconds=2000)
    pending.attach("o1", "cs_old")
    pending.attach("o1", "cs_new")
    order = pending.order("o1")
    assert order.state is State.OPEN
    strays = {job for job in pending.due() if job.startswith("stray:")}
    assert strays == {f"stray:o1:{session}" for session in {"cs_old", "cs_new"} - {order.session}}
